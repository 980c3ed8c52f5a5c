"""Console room: passwords, codes and tokens."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from bot.console import secrets

T0 = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_a_password_is_kept_as_an_argon2id_hash_with_its_own_salt() -> None:
    one, other = secrets.hash_password("vier gewone woorden"), secrets.hash_password("vier gewone woorden")
    assert one != other
    assert one.startswith("$argon2id$v=19$")
    assert secrets.is_password(one, "vier gewone woorden")
    assert not secrets.is_password(one, "vier gewone Woorden")


def test_an_accent_counts_the_same_from_any_keyboard() -> None:
    hashed = secrets.hash_password("een caf\u00e9 aan zee")
    assert secrets.is_password(hashed, "een cafe\u0301 aan zee")


def test_nobody_has_a_password_and_the_costs_are_the_same() -> None:
    assert secrets.NOBODY.split("$")[:4] == secrets.hash_password("x").split("$")[:4]
    for password in ("", "A", "vier gewone woorden", "x" * 10_000):
        assert not secrets.is_password(secrets.NOBODY, password)


def test_a_damaged_hash_opens_nothing() -> None:
    assert not secrets.is_password("", "")
    assert not secrets.is_password("$argon2id$nothing", "vier gewone woorden")


@pytest.mark.parametrize(
    "password",
    [
        "te kort",
        "aaaaaaaaaaaaaaaa",
        "ab" * 10,
        "x" * 201,
        "An Voorbeeldmans",
        "an.voorbeeldmans",
        "AN.VOORBEELDMANS@example.org",
        "anvoorbeeldmans",
    ],
)
def test_a_weak_password_is_refused_with_a_sentence(password: str) -> None:
    sentence = secrets.weakness(password, "an.voorbeeldmans@example.org", "An Voorbeeldmans")
    assert sentence is not None
    assert sentence.endswith(".")


def test_a_sentence_of_a_few_words_is_a_good_password() -> None:
    assert secrets.weakness("vier gewone woorden", "an@example.org", "An") is None


@pytest.mark.parametrize(("seconds", "found"), [(-60, None), (-30, -1), (0, 0), (30, 1), (60, None)])
def test_a_code_counts_one_step_early_or_late_and_no_further(seconds: int, found: int | None) -> None:
    now = int(T0.timestamp()) // 30
    code = pyotp.TOTP(SECRET).at(T0 + timedelta(seconds=seconds))
    assert secrets.step_of(SECRET, code, T0) == (None if found is None else now + found)


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "１２３４５６", "é", "0" * 100])
def test_what_is_no_code_is_none(code: str) -> None:
    assert secrets.step_of(SECRET, code, T0) is None


def test_a_code_may_be_typed_in_groups() -> None:
    code = pyotp.TOTP(SECRET).at(T0)
    assert secrets.step_of(SECRET, f" {code[:3]} {code[3:]} ", T0) is not None


def test_the_offered_secret_follows_from_the_token_and_from_nothing_else() -> None:
    one = secrets.totp_secret_for("a")
    assert one == secrets.totp_secret_for("a") != secrets.totp_secret_for("b")
    assert len(one) == 32
    assert pyotp.TOTP(one).at(T0).isdigit()


def test_the_qr_code_is_a_drawing_without_script_style_or_address() -> None:
    drawn = secrets.qr_code(SECRET, "an@example.org")
    assert drawn.startswith("<svg")
    assert not any(word in drawn for word in ("script", "style", "http", "href", SECRET))


def test_recovery_codes_are_ten_different_ones_and_their_hash_hears_no_dashes_or_capitals() -> None:
    codes = secrets.new_recovery_codes()
    assert len(set(codes)) == 10
    assert all(len(code) == 19 for code in codes)
    typed = codes[0].replace("-", " ").upper()
    assert secrets.hash_recovery_code("a", codes[0]) == secrets.hash_recovery_code("a", typed)
    assert secrets.hash_recovery_code("a", codes[0]) != secrets.hash_recovery_code("b", codes[0])
    assert secrets.hash_recovery_code("a", codes[0]) != secrets.hash_recovery_code("a", codes[1])


def test_tokens_are_long_different_and_kept_as_hashes() -> None:
    assert len({secrets.new_token() for _ in range(100)}) == 100
    assert len(secrets.new_token()) >= 43
    assert len(secrets.hash_token("any\udcff")) == 64
    assert secrets.same("a", "a")
    assert not secrets.same("a", "é")
