"""Help lines as data: one file per region, numbers checked by hand, each with its source and its hours.

Room: pure core; time is passed in. The web widget bakes the same files in at build time, so that the numbers
show when everything behind it is down.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, model_validator

from bot.resources import Definition, read_folder
from bot.support.opening import Country, Hours, in_words, next_start, open_at

#: A number that was not checked for this many days is stale (design: support.md, "Help lines").
STALE_DAYS = 180

#: What a line can be needed for: the guard's kinds of danger, and someone to talk to.
KINDS = (
    "suicidal_thoughts",
    "self_harm",
    "overdose",
    "violence_threat",
    "danger_to_others",
    "medical_emergency",
    "substance",
    "someone_to_talk_to",
)

_SHOWN = {"id", "name", "number", "tel", "what", "hours", "url"}
_RANK = {True: 0, None: 1, False: 2}

_WORD = re.compile(r"[a-z]+")


class Secrecy(Definition):
    """What the line itself says about it; `unknown` where no source was found."""

    anonymous: bool | Literal["unknown"]
    professional_secrecy: bool | Literal["unknown"]
    source: str | None = None

    @model_validator(mode="after")
    def _has_a_source(self) -> Secrecy:
        if self.source is None and {self.anonymous, self.professional_secrecy} != {"unknown"}:
            raise ValueError("what is known needs its source")
        return self


class HelpLine(Definition):
    """One line. `hours` says `phone` and `chat` in words; `tel` is what a phone dials.

    Without `number` and `tel` no source gives the number, and people are sent to `url`.
    """

    id: str
    name: str
    number: str | None = None
    tel: str | None = Field(default=None, pattern=r"^tel:\+?\d+$")
    what: str
    hours: str | None = None
    phone: Hours
    chat: Hours | None = None
    hours_source: str | None = None
    country: Country
    url: str | None = Field(default=None, pattern=r"^https://")
    audience: str
    secrecy: Secrecy
    urgent: bool
    source: str
    checked_at: date

    @model_validator(mode="after")
    def _can_be_reached(self) -> HelpLine:
        if (self.number is None) != (self.tel is None) or not (self.number or self.url):
            raise ValueError("give a number and what a phone dials for it, or the address of the site")
        if self.number is None and self.phone != "unknown":
            raise ValueError("a telephone that is answered needs its number")
        return self

    @model_validator(mode="after")
    def _known_hours_are_said_and_sourced(self) -> HelpLine:
        known = self.phone != "unknown" or self.chat not in (None, "unknown")
        if known and not (self.hours and self.hours_source):
            raise ValueError("hours that are known need words and a source")
        return self


class Region(Definition):
    """The lines of one region, and which of them serve what, both in the order in which they are shown.

    `in_doubt` has the order for kinds of danger of which it is not clear that they are there now. `said` are words
    by which people tell that they are there, `names` what it is called, `here` what is answered.
    """

    id: str
    region: str
    country: Country
    lines: list[HelpLine] = Field(min_length=1)
    serves: dict[str, list[str]]
    in_doubt: dict[str, list[str]] = Field(default_factory=dict)
    said: list[str] = Field(min_length=1)
    names: list[str] = Field(min_length=1)
    here: str = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _lines_are_in_the_country(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("lines"), list):
            return data
        here = {"country": data.get("country")}
        return {**data, "lines": [line | here if isinstance(line, dict) else line for line in data["lines"]]}

    @model_validator(mode="after")
    def _every_kind_is_served_day_and_night(self) -> Region:
        known = {line.id: line for line in self.lines}
        if set(self.serves) != set(KINDS):
            raise ValueError(f"serves: the kinds are {', '.join(KINDS)}")
        for kind, ids in self.serves.items():
            unknown = [name for name in ids if name not in known]
            if unknown:
                raise ValueError(f"serves.{kind}: no such line: {', '.join(unknown)}")
            if not any(known[name].phone == "always" for name in ids):
                raise ValueError(f"serves.{kind}: no line that is open day and night")
        for kind, ids in self.in_doubt.items():
            if sorted(ids) != sorted(self.serves.get(kind, [])):
                raise ValueError(f"in_doubt.{kind}: not the lines of serves.{kind} in another order")
        return self


class Told(NamedTuple):
    """What someone tells of where they are: the region, and how many words stand beside that."""

    region: str
    beside: int


@dataclass(frozen=True, slots=True)
class Regions:
    """The lines of every region, and which region is meant when nobody says so."""

    all: Mapping[str, Region]
    usual: str

    def of(self, region: str | None) -> Region:
        """The lines for someone who is there; those of the usual region when that is not known."""
        return self.all.get(region or self.usual, self.all[self.usual])

    def told(self, text: str) -> Told | None:
        """Where someone tells that they are, or wants numbers from; None when another region is named too."""
        words = f" {' '.join(_WORD.findall(text.casefold().replace('ë', 'e')))} "
        named = {one.id for one in self.all.values() if any(f" {name} " in words for name in one.names)}
        for region in self.all.values():
            for phrase in region.said:
                if f" {phrase} " in words and named <= {region.id}:
                    return Told(region.id, len(words.replace(phrase, "").split()))
        return None


def load_help_lines(folder: Path) -> dict[str, Region]:
    """Every region in `folder`, by id.

    Raises:
        ResourceError: a file does not hold to the schema; every problem is named with its place.
    """
    return read_folder(folder, Region)


def for_kind(region: Region, kind: str, now: datetime, *, in_doubt: bool = False) -> list[HelpLine]:
    """The lines that serve a kind, those that can be phoned now first.

    Args:
        region: where the person is.
        kind: one of KINDS.
        now: with its zone.
        in_doubt: whether it is not clear that there is such danger now.

    Returns:
        In the order of the data: the lines that are open, then those whose hours are not known, then those that
        are closed. The first is always open.

    Raises:
        KeyError: there is no such kind.
    """
    known = {line.id: line for line in region.lines}
    order = region.in_doubt.get(kind, region.serves[kind]) if in_doubt else region.serves[kind]
    return sorted((known[name] for name in order), key=lambda line: _RANK[is_open(line, now)])


def is_open(line: HelpLine, now: datetime) -> bool | None:
    """Whether somebody answers the phone at `now` (with its zone); None when the hours are not known."""
    return open_at(line.phone, line.country, now)


def next_opening(line: HelpLine, now: datetime) -> datetime | None:
    """When the phone opens next, on the line's own clock; None when it is open or its hours are not known."""
    return next_start(line.phone, line.country, now)


def as_part(lines: Sequence[HelpLine], title: str, now: datetime) -> dict[str, Any]:
    """Lines as a message part of type `help_lines`; what it says of being open holds at `now`."""
    return {
        "type": "help_lines",
        "title": title,
        "lines": [
            {
                **line.model_dump(include=_SHOWN),
                "open_now": is_open(line, now),
                "opens": in_words(line.phone, line.country, now) if line.number else None,
            }
            for line in lines
        ],
    }


def stale(region: Region, today: date) -> list[str]:
    """Ids of the lines whose number was last checked more than STALE_DAYS days before `today`."""
    return [line.id for line in region.lines if (today - line.checked_at).days > STALE_DAYS]
