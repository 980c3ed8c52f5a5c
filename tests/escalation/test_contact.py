"""How and when to reach someone; the cases stand in tests/cases/contact/."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.escalation.contact import phone_fault, read_contact, read_mail, read_moment, read_phone
from bot.escalation.hand_off_texts import shipped_hand_off_texts

BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = datetime(2026, 11, 26, 14, 5, tzinfo=BRUSSELS)
CASES = Path(__file__).parents[1] / "cases" / "contact"


def cases(name: str) -> list[Any]:
    found = yaml.safe_load((CASES / f"{name}.yml").read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in found]


def at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS) if text else None


@pytest.mark.parametrize("case", cases("moments"))
def test_a_moment_is_read_as_it_is_meant(case: dict[str, Any]) -> None:
    moment = read_moment(case["input"], at(case.get("now")) or NOW)
    if case.get("nothing"):
        assert moment is None
        return
    assert moment is not None
    assert moment.in_words == case.get("words", case.get("own"))
    assert moment.past is case.get("past", False)
    if not moment.past:
        assert (moment.start, moment.end) == (at(case.get("start")), at(case.get("end")))


@pytest.mark.parametrize("case", cases("phones"))
def test_a_number_to_call_is_found_and_no_other_number_is_taken_for_one(case: dict[str, Any]) -> None:
    region = case.get("region", "vlaanderen")
    phone = read_phone(case["input"], region)
    assert (phone and phone.e164, phone and phone.shown) == (case.get("e164"), case.get("shown"))
    assert phone_fault(case["input"], region) == case.get("fault")


@pytest.mark.parametrize("case", cases("messages"))
def test_one_message_gives_all_it_says(case: dict[str, Any]) -> None:
    found = read_contact(case["input"], "vlaanderen", NOW)
    assert (found.phone and found.phone.shown) == case.get("phone")
    assert found.mail == case.get("mail")
    assert (found.moment and found.moment.in_words) == case.get("moment")
    assert found.rest == case.get("rest", "")


def test_there_are_enough_cases_and_each_has_its_own_name() -> None:
    names = [case.values[0]["name"] for name in ("moments", "phones", "messages") for case in cases(name)]
    assert len(names) >= 150
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jan.peeters@example.org", "jan.peeters@example.org"),
        ("Mail naar Jan.Peeters@Example.ORG.", "Jan.Peeters@example.org"),
        ("<els+werk@example.org>, graag morgen", "els+werk@example.org"),
        ("els @ example.org", "els@example.org"),
        ("els (at) example.org", "els@example.org"),
        ("els apenstaartje example.org", "els@example.org"),
        ("els@example.org of jan@example.org", "els@example.org"),
        ("els@voorbeeld", None),
        ("els@@example.org", None),
        ("a..b@example.org", None),
        ("els@example,org", None),
        ("els@-a.be", None),
        ("ik zit @ werk", None),
        (f"{'a' * 65}@example.org", None),
        ("", None),
    ],
)
def test_an_address_is_one_or_it_is_none(text: str, expected: str | None) -> None:
    assert read_mail(text) == expected


def test_every_choice_of_the_question_is_understood() -> None:
    for choice in shipped_hand_off_texts().moment.choices:
        moment = read_moment(choice, NOW)
        assert moment is not None
        assert moment.start is not None, choice


def test_own_words_are_kept_short() -> None:
    moment = read_moment("als " + "heel lang " * 100, NOW)
    assert moment is not None
    assert len(moment.in_words) <= 200


def test_a_moment_in_another_zone_is_read_on_the_clock_of_brussels() -> None:
    moment = read_moment("vandaag na 20u", datetime(2026, 11, 26, 23, 30, tzinfo=ZoneInfo("UTC")))
    assert moment is not None
    assert moment.in_words == "vrijdag 27 november na 20 uur"  # half past midnight there


WORDS = [
    "morgen", "ma", "zo", "vrijdag", "voormiddag", "'s avonds", "na", "voor", "niet", "tussen", "9", "16u", "om",
    "of", "tot", "-", "en", "half", "kwart", "over een uur", "mijn late", "24", "31", "februari", "de", "volgende week",
    "0470 12 34 56", "els@example.org", ",", "vanaf", "gisteren", "vannacht", "29/2/2027", "12/12",
    "een", "weekend", "elke dag",
]  # fmt: skip
#: Every minute of six years.
MOMENTS = st.integers(0, 6 * 365 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=80), MOMENTS)
def test_whatever_is_typed_an_understood_moment_lies_ahead_and_ends_after_it_begins(
    text: str, now: datetime
) -> None:
    moment = read_moment(text, now)
    if moment is None or moment.start is None:
        return
    assert moment.in_words
    assert moment.end is None or moment.start < moment.end
    if not moment.past:
        assert moment.start >= now.replace(second=0, microsecond=0)


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=80), MOMENTS)
def test_whatever_is_typed_something_is_answered_and_no_moment_of_the_past_is_taken(
    text: str, now: datetime
) -> None:
    found = read_contact(text, "vlaanderen", now)
    assert found.moment is None or not found.moment.past
    assert found.phone is None or found.phone.e164.startswith("+")


def test_the_module_loads_without_the_slow_libraries() -> None:
    check = "import sys, bot.escalation.contact; sys.exit(bool({'dateparser', 'phonenumbers'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", check], cwd=Path(__file__).parents[2], check=True)
