"""How and when to reach someone, from free Dutch text: a phone number, an e-mail address, a moment.

Room: pure core; time is passed in. A number or an address that is not certainly one is not taken for one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.escalation.moment_words import even, grammar
from bot.escalation.moments import Moment, read

__all__ = [
    "Found",
    "Moment",
    "Phone",
    "phone_fault",
    "read_contact",
    "read_mail",
    "read_moment",
    "read_phone",
]

Region = Literal["vlaanderen", "nederland"]
_MARKS = ".,;:!?"

PhoneFault = Literal["too_short", "too_long", "impossible"]

_COUNTRY = {"vlaanderen": "BE", "nederland": "NL"}
#: Only this much of a message is read.
MOST_CHARACTERS = 1000
#: A moment in a message with more other words than this is more likely part of a story, and a story is not passed on.
MOST_OTHER_WORDS, MOST_BESIDE_OWN_HOURS = 4, 1
#: Longest piece of a person's own words that is kept as their moment.
MOST_OWN_WORDS = 200

#: Six digits or more with little between them: a number to call, or one of the many other numbers people have.
_RUN = re.compile(r"(?<![\w+/-])(?<!\d[.,])(?:\+|\(0?)?\d(?:[ ./()\u00a0-]{0,2}\d){5,}(?!\w)")
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_DATE_OR_HOUR = re.compile(
    rf"\s*(?:20\d\d-\d\d-\d\d(?!\d)|{_DAY}([/.-]){_MONTH}\1(?:20)?\d\d(?!\d)"
    rf"|{_DAY}/{_MONTH}(?![\d/])|\d{{1,2}}\s?(?:u|uur|h|:))"
)
#: How a number begins that someone typed to be called on; without it, only a mobile number is taken for one.
_TYPED = {"vlaanderen": r"\+|\(?0|32\d{9}$|4\d{8}$", "nederland": r"\+|\(?0|31\d{9}$|6\d{8}$"}
_MAIL = re.compile(
    r"(?<![\w.+-])(?P<who>[a-z0-9][\w.+'-]{0,63})(?P<at>@|\s@\s?|@\s|\s*\(at\)\s*|\s+apenstaart(?:je)?\s+)"
    r"(?P<where>(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24})(?![\w@-]|\.\w)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Phone:
    """A number that can be called. `e164` as in '+32470123456'; `shown` as people write it where it is read."""

    e164: str
    shown: str


@dataclass(frozen=True, slots=True)
class Found:
    """What one message says of how and when to reach someone.

    Attributes:
        phone: the first number in it that can be called.
        mail: the first address.
        moment: when; None when nothing was said of it, when it has passed, or when it may belong to a story.
        rest: what else was said; '' when that is nothing.
    """

    phone: Phone | None
    mail: str | None
    moment: Moment | None
    rest: str


def read_phone(text: str, region: Region, read_in: Region | None = None) -> Phone | None:
    """The first number in a text that can be called; None when there is none (see `phone_fault`).

    Args:
        text: what the person typed.
        region: where numbers without a country code belong.
        read_in: where the number is read and called; None: in the same region.
    """
    found = next(_phones(_cut(text), region, read_in or region), None)
    return found[0] if found else None


def phone_fault(text: str, region: Region) -> PhoneFault | None:
    """What is wrong with the number in a text without a number that can be called; None when it has no number.

    'impossible' is a number of the right length that nobody can have, or one that costs extra to call.
    """
    from phonenumbers import (  # noqa: PLC0415 - slow to import
        NumberParseException,
        PhoneNumberType,
        ValidationResult,
        is_possible_number_for_type_with_reason,
        is_possible_number_with_reason,
        parse,
    )

    runs = [number for number, _ in _numbers(_cut(text))]
    if not runs or read_phone(text, region) is not None:
        return None
    try:
        number = parse(max(runs, key=len), _COUNTRY[region])
    except NumberParseException:
        return "impossible"
    mobile = str(number.national_number).startswith({32: "4", 31: "6"}.get(number.country_code or 0, "-"))
    reason = (
        is_possible_number_for_type_with_reason(number, PhoneNumberType.MOBILE)
        if mobile
        else is_possible_number_with_reason(number)
    )
    faults: dict[int, PhoneFault] = {
        ValidationResult.TOO_SHORT: "too_short",
        ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too_short",
        ValidationResult.TOO_LONG: "too_long",
    }
    return faults.get(reason, "impossible")


def read_mail(text: str) -> str | None:
    """The first e-mail address in a text, its domain in lower case; None when there is none."""
    found = next(_mails(text[:MOST_CHARACTERS]), None)
    return found[0] if found else None


def read_moment(text: str, now: datetime) -> Moment | None:
    """When someone can be reached, from the answer to that question.

    Args:
        text: the answer; a number or an address in it is passed over.
        now: with its zone.

    Returns:
        The moment; `in_words` holds the person's own words when it was not understood. None when the text says
        nothing that could be a moment.
    """
    bare = _cut(text)
    for numbers in (_mails, _phones_anywhere, _numbers):
        bare = _without(bare, numbers(bare))
    reading = read(bare, now)
    if reading is not None and reading.moment is not None:
        return reading.moment
    return Moment(" ".join(bare.split())[:MOST_OWN_WORDS]) if _says_something(bare) else None


def read_contact(text: str, region: Region, now: datetime, read_in: Region | None = None) -> Found:
    """A number, an address and a moment from one message: 'bel mij morgen na 4 op 0470 12 34 56'.

    Args:
        text: what the person typed; only the first `MOST_CHARACTERS` are read.
        region: where numbers without a country code belong.
        now: with its zone.
        read_in: where a number is read and called; None: in the same region.
    """
    text = _cut(text)
    mails, without_mail = list(_mails(text)), _without(text, _mails(text))
    phones = list(_phones(without_mail, region, read_in or region))
    bare = _without(without_mail, phones)
    reading = read(bare, now)
    moment = reading.moment if reading and reading.others <= MOST_OTHER_WORDS else None
    if moment is not None and moment.past:
        moment = None
    elif reading and moment is None and reading.own_hours and reading.others <= MOST_BESIDE_OWN_HOURS:
        moment = Moment(_trimmed(bare[reading.start :])[:MOST_OWN_WORDS])
    if reading and moment is not None:
        bare = f"{bare[: reading.start]} {bare[reading.end :] if moment.start else ''}"
    rest = _trimmed(bare) if _says_something(bare) else ""
    return Found(phones[0][0] if phones else None, mails[0][0] if mails else None, moment, rest)


def _cut(text: str) -> str:
    """As much as is read, with the digits of every script as those of ours."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text[:MOST_CHARACTERS])


# --- numbers ---

_Span = tuple[int, int]


def _phones(text: str, region: Region, read_in: Region) -> Iterator[tuple[Phone, _Span]]:
    """Every number that can be called, and where it stands."""
    for match in _RUN.finditer(text):
        dated = _DATE_OR_HOUR.match(match[0])
        start = match.start() + (dated.end() if dated else 0)
        run = text[start : match.end()]
        # A date or an hour may follow without a word between: '0470 12 34 56 27/11'.
        ends = [
            len(run),
            *(place.start() for place in re.finditer(r"[ /]", run) if _may_end(run, place.start())),
        ]
        for end in ends:
            phone = _phone(run[:end].strip(), region, read_in)
            if phone is not None:
                yield phone, (start, start + end)
                break


def _may_end(run: str, at: int) -> bool:
    return run[at] == "/" or _DATE_OR_HOUR.match(run, at) is not None


def _phone(typed: str, region: Region, read_in: Region) -> Phone | None:
    """The number as typed, in its own country or else as a mobile number of the other one."""
    from phonenumbers import (  # noqa: PLC0415 - slow to import
        NumberParseException,
        PhoneNumberFormat,
        PhoneNumberType,
        format_number,
        is_valid_number,
        number_type,
        parse,
    )

    digits = re.sub(r"[^\d+]", "", typed)
    other: Region = "nederland" if region == "vlaanderen" else "vlaanderen"
    for country, mobile_only in ((region, False), (other, True)):
        if not re.match(_TYPED[country], typed[:2] if typed[:1] in "+(" else digits):
            continue
        without_plus = re.match(r"3[12]\d{9}$", digits) is not None
        try:
            number = parse(f"+{digits}" if without_plus else typed, _COUNTRY[country])
        except NumberParseException:
            continue
        kind = number_type(number)
        if not is_valid_number(number) or kind in (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST):
            continue
        if (mobile_only or digits[0] not in "+03") and kind != PhoneNumberType.MOBILE:
            continue
        own = {"BE": 32, "NL": 31}[_COUNTRY[read_in]] == number.country_code
        shown = PhoneNumberFormat.NATIONAL if own else PhoneNumberFormat.INTERNATIONAL
        return Phone(format_number(number, PhoneNumberFormat.E164), format_number(number, shown))
    return None


def _phones_anywhere(text: str) -> Iterator[tuple[Phone, _Span]]:
    yield from _phones(text, "vlaanderen", "vlaanderen")
    yield from _phones(text, "nederland", "nederland")


def _numbers(text: str) -> Iterator[tuple[str, _Span]]:
    """Every stretch of digits that is too long for an hour or a date."""
    for match in _RUN.finditer(text):
        if not _DATE_OR_HOUR.match(match[0]):
            yield match[0], match.span()


# --- addresses and words ---


def _mails(text: str) -> Iterator[tuple[str, _Span]]:
    for match in _MAIL.finditer(text):
        who = match["who"].rstrip(".")
        if ".." not in who and len(who) + len(match["where"]) < 254:
            yield f"{who}@{match['where'].lower()}", match.span()


def _without(text: str, found: Iterable[tuple[object, _Span]]) -> str:
    """The text with spaces in those places, as long as it was."""
    for _, (start, end) in found:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _says_something(text: str) -> bool:
    """Whether a text has a word or number that is more than politeness."""
    fillers = grammar().words.fillers
    return any(word.strip("'") not in fillers for word in re.findall(r"[\w'-]*\w[\w'-]*", even(text)))


def _trimmed(text: str) -> str:
    """The text without what stands behind it to ask for a call: 'na mijn late op' → 'na mijn late'."""
    words = text.split()
    fillers = {*grammar().words.fillers, ""}
    while words and even(words[-1]).strip(_MARKS) in fillers:
        words.pop()
    return " ".join(words).strip(_MARKS + " ")
