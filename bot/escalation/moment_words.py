"""The words of moments: cuts a text into days, parts of the day, hours and the words in between.

Room: pure core, but for reading its definition, resources/escalation/moments.yml. What the pieces mean together is
for bot.escalation.moments.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Literal

from pydantic import Field

from bot.escalation.clock_words import Clock, clock_at
from bot.language.numbers import NUMBER_WORDS
from bot.resources import RESOURCES, Definition, SourcedDefinition, read_definition

WEEKDAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober",
    "november", "december",
)  # fmt: skip
#: Short forms → weekday. They count only where a day is expected: 'zo' and 'ma' are words of their own.
ABBREVIATIONS = {
    "ma": "maandag", "di": "dinsdag", "wo": "woensdag", "woe": "woensdag", "do": "donderdag", "vr": "vrijdag",
    "za": "zaterdag", "zo": "zondag",
}  # fmt: skip

Words = Annotated[list[Annotated[str, Field(pattern=r"^[a-z0-9' ./-]+$")]], Field(min_length=1)]
Kind = Literal[
    "day",
    "since",
    "part",
    "clock",
    "span",
    "at_once",
    "any",
    "later",
    "own",
    "open",
    "polite",
    "join",
    "filler",
    "word",
]


class Part(Definition):
    """A part of the day: from and to in hours after midnight; past 24 is the next day."""

    id: str
    from_: int = Field(alias="from", ge=0, le=24)
    to: int = Field(ge=1, le=36)
    says: str
    words: Words


class MomentWords(SourcedDefinition):
    """resources/escalation/moments.yml."""

    parts: list[Part]
    at_once: Words
    any_time: Words
    at_once_says: str
    any_time_says: str
    later_today: Words
    open: Words
    polite: Words
    own_hours: Words
    shifts: Words
    number_of: Words
    after_hour: Words
    fillers: Words


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text, text[start:end], and what it is; `text` is even: lower case, without accents.

    `form` says which sort of day; `numbers` are day, month and year; `names` weekdays, `ranged` when they are the
    first and the last; `week` is 'next_week', 'this_week' or 'next'. A span has `minutes` or `days`.
    """

    kind: Kind
    text: str
    start: int
    end: int
    form: str = ""
    numbers: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    week: str = ""
    ranged: bool = False
    clock: Clock | None = None
    minutes: float | None = None
    days: int | None = None


_SAME = str.maketrans("’‘`´–—−‑", "''''----")
_END = r"(?![a-z0-9])"
_AND = r"(?:\s*[,/&]\s*(?:of\s+|en\s+)?|\s+(?:of|en)\s+)(?:op\s+)?"
_TO = r"(?:\s*-\s*|\s+tot\s+en\s+met\s+|\s+tot\s+|\s+t/m\s+|\s+tem\s+)"
_AMOUNTS = "|".join(sorted((w for w, n in NUMBER_WORDS.items() if 0 < n <= 60), key=len, reverse=True))
_PARTS_OF_TODAY = "(?:ochtend|morgen|voormiddag|middag|namiddag|avond|nacht)"
_DAYS = (
    ("today", rf"van(?={_PARTS_OF_TODAY})|deze\s+(?={_PARTS_OF_TODAY})"),
    ("weekend", rf"(?:(?:in|tijdens)\s+)?(?:(?:het|dit|komend|het\s+komende)\s+)?weekend{_END}"),
    ("next_week", rf"(?:in\s+)?(?:de\s+)?(?:volgende|komende)\s+week{_END}"),
    ("last_week", rf"vorige\s+week{_END}"),
    ("this_week", rf"(?:(?:in|nog)\s+)?deze\s+week{_END}"),
    ("working_days", rf"(?:op\s+)?(?:een\s+)?(?:week|werk)dag(?:en)?{_END}|(?:in|door)\s+de\s+week{_END}"),
    ("every_day", rf"(?:elke|iedere)\s+dag{_END}|alle\s+dagen{_END}|dagelijks{_END}"),
)
_DATES = (
    r"(?P<d>\d{1,2})/(?P<m>\d{1,2})(?:/(?P<y>20\d\d|\d\d))?(?![\d/])",
    r"(?P<d>\d{1,2})(?P<mark>[.-])(?P<m>\d{1,2})(?P=mark)(?P<y>20\d\d|\d\d)(?!\d)",
    r"(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)",
    r"(?:de\s+)?(?P<d>\d{1,2})(?:\s?(?:ste|de|e))?\s+(?P<name>jan|feb|mrt|maa|apr|mei|jun|jul|aug|sep|okt|oct|nov|dec)"
    rf"[a-z]*\.?(?:\s+(?P<y>20\d\d))?{_END}",
)


def phrases(words: Iterable[str]) -> str:
    """A pattern for any of these, the longest first; an 's in front of an evening is often typed as part of it."""
    patterns = (re.escape(word).replace("'s\\ ", r"'?s\s*").replace("\\ ", r"\s+") for word in words)
    return "(?:" + "|".join(sorted(patterns, key=len, reverse=True)) + ")"


def even(text: str) -> str:
    """Lower case, without accents, one quote and one dash; as long as the text, so that places stay the same."""
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else unicodedata.normalize("NFD", c)[0].lower()[:1]
        for c in text.translate(_SAME)
    )


class Grammar:
    """The patterns, built once from the definition."""

    def __init__(self, words: MomentWords) -> None:
        self.words = words
        spoken = [phrase for part in words.parts for phrase in part.words]
        # A part may be written on to its day: 'vrijdagvoormiddag', 'morgenavond', 'maandagmorgen'.
        closed = rf"(?={_END}|\s*(?:{phrases(spoken)}|morgen){_END})"
        name = "(?:" + "|".join((*WEEKDAYS, *sorted(ABBREVIATIONS, key=len, reverse=True))) + ")" + closed
        self._part = re.compile(phrases(spoken) + _END)
        self._phrases: tuple[tuple[Kind, re.Pattern[str]], ...] = (
            ("polite", re.compile(phrases(words.polite) + _END)),
            ("at_once", re.compile(phrases(words.at_once) + _END)),
            ("any", re.compile(phrases(words.any_time) + _END)),
            ("later", re.compile(phrases(words.later_today) + _END)),
        )
        self._days = tuple((form, re.compile(f"(?:{pattern})")) for form, pattern in _DAYS)
        self._spoken = re.compile(rf"(?:overmorgen|eergisteren|gisteren|vandaag|morgen){closed}")
        self._weekdays = re.compile(
            r"(?:(?P<before>volgende\s+week|deze\s+week|volgende|komende|aanstaande|eerstvolgende|deze|op)\s+)?"
            rf"(?:op\s+)?(?P<names>{name}(?:(?:{_AND}|{_TO}){name})*)"
            rf"(?:\s+(?P<after>volgende\s+week|deze\s+week){_END})?"
        )
        self._own = re.compile(
            rf"(?:na|voor|tijdens|tussen|tot|rond|tegen|vanaf)\s+{phrases(words.own_hours)}{_END}"
            rf"(?:\s+{phrases(words.shifts)}{_END})*"
        )
        self._open = re.compile(phrases([*words.open, *words.shifts]) + _END)
        self._may_follow = re.compile(rf"\s*(?:$|[^\s\w%€'/-]|(?:{phrases(words.after_hour)}){_END})")

    def part(self, text: str) -> Part:
        """The part of the day that a piece of kind 'part' stands for."""
        return next(one for one in self.words.parts if re.fullmatch(phrases(one.words), text))

    def pieces(self, text: str) -> list[Piece]:
        """The text cut into pieces, in order; marks are left out."""
        low = even(text)
        found: list[Piece] = []
        at = 0
        while at < len(low):
            if not low[at].isalnum() and low[at] not in "'&/":
                at += 1
                continue
            piece = self._piece(low, at, found)
            if piece is None:
                at += 1
                continue
            found = _with_what_stands_before(found, piece)
            found.append(piece)
            at = piece.end
        return found

    def _piece(self, low: str, at: int, before: list[Piece]) -> Piece | None:
        after_a_day = bool(before) and before[-1].kind == "day" and not low[before[-1].end : at].strip()
        if after_a_day and re.compile("morgen" + _END).match(low, at):
            return Piece("part", "'s morgens", at, at + len("morgen"))
        for kind, pattern in self._phrases:
            if match := pattern.match(low, at):
                return Piece(kind, match[0], at, match.end())
        return (
            _span(low, at)
            or self._day(low, at, before)
            or self._simple("part", self._part, low, at)
            or self._hours(low, at, before)
            or self._simple("own", self._own, low, at)
            or self._simple("open", self._open, low, at)
            or self._word(low, at)
        )

    @staticmethod
    def _simple(kind: Kind, pattern: re.Pattern[str], low: str, at: int) -> Piece | None:
        match = pattern.match(low, at)
        return Piece(kind, " ".join(match[0].split()), at, match.end()) if match else None

    def _word(self, low: str, at: int) -> Piece | None:
        match = re.compile(r"&|/|'?\w+(?:[-'.]\w+)*'?").match(low, at)
        if match is None:
            return None
        kind: Kind = "word"
        if match[0] in ("of", "en", "&", "/"):
            kind = "join"
        elif match[0] in self.words.fillers:
            kind = "filler"
        return Piece(kind, match[0], at, match.end())

    # --- days ---

    def _day(self, low: str, at: int, before: list[Piece]) -> Piece | None:
        if match := self._spoken.match(low, at):
            return Piece("day", match[0], at, match.end(), form="spoken")
        if weekday := self._weekday(low, at):
            return weekday
        for form, pattern in self._days:
            if match := pattern.match(low, at):
                return Piece("day", match[0], at, match.end(), form=form)
        return None if self._is_a_number_of(before) else _date(low, at)

    def _weekday(self, low: str, at: int) -> Piece | None:
        match = self._weekdays.match(low, at)
        if match is None:
            return None
        names = tuple(re.findall("[a-z]+", re.sub(_AND, " ", re.sub(_TO, " ", match["names"]))))
        if len(names) == 1 and names[0] in ABBREVIATIONS and not self._is_expected(low, match, names[0]):
            return None
        said = match["before"] or match["after"] or ""
        week = {"volgende week": "next_week", "deze week": "this_week", "volgende": "next"}
        return Piece(
            "day", match[0], at, match.end(), form="weekdays", names=names,
            week=week.get(" ".join((match["after"] or said).split()), ""),
            ranged=len(names) == 2 and re.search(_TO, match["names"]) is not None,
        )  # fmt: skip

    def _is_expected(self, low: str, match: re.Match[str], name: str) -> bool:
        """Whether a short form is a weekday here: with an hour or a part of the day behind it, or at an end."""
        rest = low[match.end() :].lstrip()
        alone = low.strip(" .,!?") == name
        ends = not rest or not rest[0].isalnum()
        followed = (
            bool(self._part.match(rest)) or self._hours(rest, 0, []) is not None or _date(rest, 0) is not None
        )
        return alone or ((ends or followed) and (name != "zo" or match["before"] is not None))

    def _is_a_number_of(self, before: list[Piece]) -> bool:
        return bool(before) and before[-1].text in self.words.number_of

    # --- hours ---

    def _hours(self, low: str, at: int, before: list[Piece]) -> Piece | None:
        found = clock_at(low, at, self._lets_be_an_hour, bare=not self._is_a_number_of(before))
        return Piece("clock", low[at : found[1]], at, found[1], clock=found[0]) if found else None

    def _lets_be_an_hour(self, rest: str) -> bool:
        then = rest.lstrip()
        days = (self._spoken, self._weekdays, *(pattern for _, pattern in self._days))
        return bool(self._may_follow.match(rest)) or any(one.match(then) for one in (self._part, *days))


_SPAN = re.compile(
    rf"(?P<how>over|binnen)\s+(?P<n>een\s+half|half|\d{{1,3}}|{_AMOUNTS}|een)\s*"
    rf"(?P<unit>minuten|minuutjes|minuut|min|kwartiertje|kwartier|uurtje|uren|uur|ure|u|dagen|dag|weken|week){_END}"
)


def _span(low: str, at: int) -> Piece | None:
    match = _SPAN.match(low, at)
    if match is None:
        return None
    said = " ".join(match["n"].split())
    amount = {"een half": 0.5, "half": 0.5, "een": 1.0}.get(said) or (
        float(said) if said.isdigit() else NUMBER_WORDS.get(said, 1.0)
    )
    unit, piece = match["unit"], Piece("span", match[0], at, match.end())
    if unit.startswith(("dag", "we")):
        days = amount * (7 if unit.startswith("we") else 1)
        return replace(piece, days=int(days)) if days == int(days) else None
    return replace(
        piece, minutes=amount * (1 if unit.startswith("min") else 15 if unit.startswith("kw") else 60)
    )


def _date(low: str, at: int) -> Piece | None:
    for pattern in _DATE_PATTERNS:
        if match := pattern.match(low, at):
            named = match.groupdict().get("name")
            month = _MONTH_NUMBERS[named] if named else int(match["m"])
            numbers = (int(match["d"]), month, *((int(match["y"]),) if match["y"] else ()))
            return Piece("day", match[0], at, match.end(), form="date", numbers=numbers)
    match = _DAY_OF_MONTH.match(low, at)
    if match is None or not 1 <= int(match["d"]) <= 31:
        return None
    return Piece("day", match[0], at, match.end(), form="day_of_month", numbers=(int(match["d"]),))


_DATE_PATTERNS = tuple(re.compile(pattern) for pattern in _DATES)
_DAY_OF_MONTH = re.compile(rf"(?:op\s+)?de\s+(?P<d>\d{{1,2}})(?:e|de|ste){_END}")
_MONTH_NUMBERS = {name[:3]: number for number, name in enumerate(MONTHS, 1)} | {"mrt": 3, "oct": 10}


def _with_what_stands_before(found: list[Piece], piece: Piece) -> list[Piece]:
    """'Vanaf maandag' is no Monday and 'voor de avond' no evening: the word in front of it becomes a piece too."""
    if piece.kind not in ("day", "part") or not found:
        return found
    last = len(found) - 1
    while last > 0 and found[last].text in ("de", "het", "in", "op") and found[last].kind == "filler":
        last -= 1
    word = found[last]
    if word.text not in ("vanaf", "na", "voor", "tot", "sinds"):
        return found
    since = word.text == "vanaf" and piece.kind == "day"
    return [*found[:last], replace(word, kind="since" if since else "open"), *found[last + 1 :]]


@cache
def grammar() -> Grammar:
    """The grammar of resources/escalation/moments.yml, built once.

    Raises:
        ResourceError: the definition cannot be used.
    """
    return Grammar(read_definition(RESOURCES / "escalation" / "moments.yml", MomentWords))
