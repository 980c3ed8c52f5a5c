"""Opening hours of a help line: weekly hours on the wall clock of its country, closed or not on public holidays.

Room: pure core. Time is passed in. Hours are compared as people read them on a clock, so that nine o'clock stays
nine o'clock when the clocks go forward or back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import holidays
from pydantic import AfterValidator, Field, model_validator

from bot.resources import Definition

Country = Literal["BE", "NL"]
ZONES: dict[Country, ZoneInfo] = {"BE": ZoneInfo("Europe/Brussels"), "NL": ZoneInfo("Europe/Amsterdam")}

WEEKDAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
#: No line is closed for longer than this, not even one that opens once a week, around New Year.
DAYS_AHEAD = 35
#: How it is said; {day} is empty for today, else it ends in a space.
SAID = {
    "always": "Nu open",
    "until": "Nu open, tot {hour}",
    "from": "Nu gesloten, open vanaf {day}{hour}",
    "closed": "Nu gesloten",
    "unknown": "Niet zeker of er nu iemand opneemt",
}

_STRETCH = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class Stretch:
    """From and to in minutes after midnight of the day it starts on; `end` above 1440 is the next day."""

    start: int
    end: int


def _stretch(text: str) -> str:
    if not _STRETCH.fullmatch(text) or text[6:] > "24:00" or text[:5] == text[6:]:
        raise ValueError(f"{text!r} is not two different times as in 09:00-17:00")
    return text


Day = Annotated[list[Annotated[str, AfterValidator(_stretch)]], Field(min_length=1)]


class Week(Definition):
    """Hours per weekday, as in `monday: ["09:00-17:00"]`; a day that is not named is closed.

    A stretch that ends before it starts crosses midnight and belongs to the day on which it starts: on a public
    holiday a line with `closed_on_holidays` starts none.
    """

    monday: Day | None = None
    tuesday: Day | None = None
    wednesday: Day | None = None
    thursday: Day | None = None
    friday: Day | None = None
    saturday: Day | None = None
    sunday: Day | None = None
    closed_on_holidays: bool

    @model_validator(mode="after")
    def _opens_at_all(self) -> Week:
        if not any(self.on(weekday) for weekday in range(7)):
            raise ValueError("a week without hours: write `unknown` when they are not known")
        return self

    def on(self, weekday: int) -> list[Stretch]:
        """The stretches that start on a weekday (0 is Monday), in order."""
        days = (
            self.monday,
            self.tuesday,
            self.wednesday,
            self.thursday,
            self.friday,
            self.saturday,
            self.sunday,
        )
        found = [_minutes(text) for text in days[weekday] or ()]
        return sorted(found, key=lambda stretch: stretch.start)


#: `always`: day and night, holidays too. `unknown`: no source gives the hours.
Hours = Literal["always", "unknown"] | Week


def open_at(hours: Hours, country: Country, now: datetime) -> bool | None:
    """Whether it is open at `now` (with its zone); None when the hours are not known."""
    if not isinstance(hours, Week):
        return True if hours == "always" else None
    return _current(hours, country, now) is not None


def next_start(hours: Hours, country: Country, now: datetime) -> datetime | None:
    """The first moment after `now` at which it opens, on the country's clock.

    None when it is open at `now`, when it never closes, and when its hours are not known.
    """
    if not isinstance(hours, Week) or _current(hours, country, now) is not None:
        return None
    local = _local(country, now)
    starts = (
        _on_the_clock(day, stretch.start, country)
        for day in (local.date() + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1))
        for stretch in _stretches(hours, country, day)
    )
    return next((start for start in starts if start > now), None)


def in_words(hours: Hours, country: Country, now: datetime) -> str:
    """Whether it is open, and until or from when, as a person says it."""
    if hours == "always":
        return SAID["always"]
    if not isinstance(hours, Week):
        return SAID["unknown"]
    current = _current(hours, country, now)
    if current is not None:
        return SAID["until"].format(hour=_hour(current.end % 1440 or 1440))
    start = next_start(hours, country, now)
    if start is None:
        return SAID["closed"]
    days = (start.date() - _local(country, now).date()).days
    day = {0: "", 1: "morgen "}.get(days, f"{WEEKDAYS[start.weekday()]} ")
    if days > 6:
        day = f"{start.day}/{start.month} "
    return SAID["from"].format(day=day, hour=_hour(start.hour * 60 + start.minute))


def _current(week: Week, country: Country, now: datetime) -> Stretch | None:
    """The stretch that `now` is in."""
    local = _local(country, now)
    minute = local.hour * 60 + local.minute
    today, before = local.date(), local.date() - timedelta(days=1)
    for day, shift in ((today, 0), (before, 1440)):
        for stretch in _stretches(week, country, day):
            if stretch.start <= minute + shift < stretch.end:
                return stretch
    return None


def _stretches(week: Week, country: Country, day: date) -> Iterator[Stretch]:
    if not (week.closed_on_holidays and day in _holidays(country, day.year)):
        yield from week.on(day.weekday())


def _local(country: Country, now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError("a moment without its zone")
    return now.astimezone(ZONES[country])


def _on_the_clock(day: date, minute: int, country: Country) -> datetime:
    """That minute of that day; a time that the clocks skip becomes the moment they go on."""
    wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=ZONES[country])
    return wall.astimezone(UTC).astimezone(ZONES[country])


def _minutes(text: str) -> Stretch:
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    return Stretch(start, end if end > start else end + 1440)


def _hour(minute: int) -> str:
    """'9 uur', '18.30 uur'."""
    return f"{minute // 60}.{minute % 60:02} uur" if minute % 60 else f"{minute // 60} uur"


@cache
def _holidays(country: Country, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))
