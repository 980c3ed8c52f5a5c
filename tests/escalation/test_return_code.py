"""Return codes: random, forgiving to type, and only ever kept as a hash that can be looked up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.escalation.return_code import hashed, new_code, normalised

SALT, OTHER_SALT = bytes(range(16)), bytes(range(1, 17))
KNOWN = "91e54bd17b03fd4bbcad4b93ec5d17d239b53eacfab1d9c85b87d3459b45ef46"
DIGITS = st.text("0123456789", min_size=16, max_size=16)
MARKS = st.lists(st.sampled_from(["", " ", "-", ".", "  ", " - ", "\u00a0", "–"]), min_size=17, max_size=17)


def test_a_code_is_sixteen_digits_in_groups_of_four() -> None:
    assert all(re.fullmatch(r"\d{4}( \d{4}){3}", new_code()) for _ in range(200))


def test_no_two_codes_are_the_same() -> None:
    assert len({new_code() for _ in range(2000)}) == 2000


def test_every_digit_can_stand_in_every_place() -> None:
    codes = [normalised(new_code()) or "" for _ in range(500)]
    assert all({code[place] for code in codes} == set("0123456789") for place in range(16))


@given(DIGITS, MARKS)
def test_a_code_is_read_with_marks_wherever_people_put_them(digits: str, marks: list[str]) -> None:
    typed = "".join(mark + digit for mark, digit in zip(marks, [*digits, ""], strict=True))
    assert normalised(typed) == digits


@given(st.text("0123456789", max_size=40).filter(lambda digits: len(digits) != 16))
def test_more_or_fewer_digits_are_no_code(digits: str) -> None:
    assert normalised(digits) is None


@given(st.text(max_size=60))
def test_whatever_is_typed_a_code_is_sixteen_plain_digits_or_none(text: str) -> None:
    found = normalised(text)
    assert found is None or re.fullmatch("[0-9]{16}", found)


@pytest.mark.parametrize(
    "text", ["", "1234 5678 9012 345x", "mijn code", "1234/5678/9012/3456", "١" * 16, "1" * 10_000]
)
def test_what_is_not_a_code_is_refused(text: str) -> None:
    assert normalised(text) is None
    with pytest.raises(ValueError, match="not a return code"):
        hashed(text, SALT)


@settings(max_examples=5, deadline=None)
@given(DIGITS)
def test_the_same_code_always_has_the_same_hash_so_that_it_can_be_looked_up(digits: str) -> None:
    shown = " ".join(digits[at : at + 4] for at in range(0, 16, 4))
    assert hashed(digits, SALT) == hashed(shown, SALT)
    assert re.fullmatch("[0-9a-f]{64}", hashed(digits, SALT))


def test_another_code_or_another_installation_has_another_hash() -> None:
    one, other = "1234 5678 9012 3456", "1234 5678 9012 3457"
    assert len({hashed(one, SALT), hashed(other, SALT), hashed(one, OTHER_SALT)}) == 3


def test_the_hash_is_that_of_argon2id_as_written_down() -> None:
    """A known value: parameters that change lock everybody out."""
    assert hashed("1234 5678 9012 3456", SALT) == KNOWN


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(ValueError, match="salt"):
        hashed("1234 5678 9012 3456", b"short")
