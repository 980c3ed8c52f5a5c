"""The organisation's own file: who its contacts are, when its coaches are there, whose turn it is.

Room: pure core, but for reading that one file; time is passed in. Hours are those on the wall clock of its country.
The file does not say who has a case: it can still be claimed by anyone at the desk who sees it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, RootModel, model_validator

from bot.escalation.flow import Availability
from bot.escalation.moment_words import MONTHS, WEEKDAYS
from bot.resources import Definition, ResourceError, check_definition, read_yaml
from bot.support.contacts import Contact, RegionId
from bot.support.opening import ZONES, Country, Week, next_start, open_at

#: So far ahead a day on which a coach is there is looked for.
DAYS_AHEAD = 366

_COUNTRY: dict[RegionId, Country] = {"vlaanderen": "BE", "nederland": "NL"}

Mail = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


class Days(Definition):
    """A stretch of days, both included."""

    from_: date = Field(alias="from")
    until: date

    @model_validator(mode="after")
    def _in_order(self) -> Days:
        if self.until < self.from_:
            raise ValueError(f"until {self.until} lies before from {self.from_}")
        return self


DaysOff = list[date | Days]


class Turn(Definition):
    """Someone in an order of duty: the e-mail of their account at the desk, and when they are away."""

    email: Mail
    days_off: DaysOff = Field(default_factory=list)


class Coaches(Definition):
    """When coaches are there. `always` is day and night, holidays too; `days_off` hold for all of them.

    Those in `on_duty` are asked in that order; when all of them are away, nobody is there.
    """

    hours: Literal["always"] | Week
    days_off: DaysOff = Field(default_factory=list)
    on_duty: list[Turn] = Field(min_length=1)
    deputies: list[Turn] = Field(default_factory=list)

    @model_validator(mode="after")
    def _checked(self) -> Coaches:
        if isinstance(self.hours, Week):
            for weekday in range(7):
                if any(stretch.end > 24 * 60 for stretch in self.hours.on(weekday)):
                    # So that a day off is a day off from midnight to midnight.
                    raise ValueError("hours: split hours over midnight, as in 22:00-24:00 and 00:00-06:00")
        for turns in (self.on_duty, self.deputies):
            mails = [turn.email.lower() for turn in turns]
            if len(set(mails)) < len(mails):
                raise ValueError("an account stands twice in one order of duty")
        return self


class Organisation(Definition):
    """One organisation. `region` is where its people live; `regions`, for which regions its coaches take cases."""

    id: str = Field(pattern=r"^[a-z0-9_-]{1,64}$")
    name: Annotated[str, Field(min_length=1, max_length=100)]
    region: RegionId
    regions: list[RegionId] = Field(default_factory=list)
    coaches: Coaches
    fallback_email: Mail
    contacts: list[Contact] = Field(default_factory=list)

    @model_validator(mode="after")
    def _own_region_is_served(self) -> Organisation:
        if self.regions and self.region not in self.regions:
            raise ValueError(f"regions: its own region {self.region} is missing")
        return self

    @property
    def country(self) -> Country:
        """Whose clock and whose public holidays hold."""
        return _COUNTRY[self.region]


class _File(RootModel[Organisation]):
    """The file holds one organisation, under any file name."""


def read_organisation(path: Path) -> Organisation:
    """The organisation in a file.

    Raises:
        ResourceError: it cannot be used; every fault is named with its place.
    """
    return check_definition(path, read_yaml(path), _File).root


class OrganisationFile:
    """The file as it is now: read again when it changes, so that nobody has to restart anything.

    A faulty new version does not take the place of the last good one; `faults` says what is wrong with it, for the
    edge rooms to tell. Without a file there is no organisation.
    """

    def __init__(self, path: Path) -> None:
        """Args: path: where it is, or may come to be."""
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._good: Organisation | None = None
        self.faults: list[str] = []

    def current(self) -> Organisation | None:
        """The organisation; None while there is no file or it has never been usable."""
        try:
            found = self._path.stat()
        except OSError:
            self._seen, self._good, self.faults = None, None, []
            return None
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._good, self.faults = read_organisation(self._path), []
            except ResourceError as error:
                self.faults = error.errors
        return self._good


# --- when somebody is there ---


def coach_from(organisation: Organisation, now: datetime) -> Availability:
    """Whether a coach is there by the hours of the file, and if not, from when: 'maandag om 9 uur'.

    Args:
        organisation: with its hours, days off and order of duty.
        now: with its zone.
    """
    found = next_coach(organisation, now)
    if found is None:
        return Availability(present=False)
    if found <= now:
        return Availability(present=True)
    return Availability(present=False, next=_from_when(organisation, found, now), at=found)


def next_coach(organisation: Organisation, now: datetime) -> datetime | None:
    """The first moment from `now` on at which a coach is there, on the organisation's clock; None when none comes."""
    coaches, country = organisation.coaches, organisation.country
    at = now.astimezone(ZONES[country])
    last = at + timedelta(days=DAYS_AHEAD)
    while at < last:
        if not _anyone(coaches, at.date()):
            at = _midnight_after(at, country)
        elif open_at(coaches.hours, country, at):
            return at
        else:
            opens = next_start(coaches.hours, country, at)
            if opens is None:
                return None
            at = opens
    return None


def on_duty_at(organisation: Organisation, now: datetime) -> list[str]:
    """The coaches who are not away today, by the e-mail of their account, in the order in which they are asked."""
    return list(_present(organisation.coaches.on_duty, now.astimezone(ZONES[organisation.country]).date()))


def deputies_at(organisation: Organisation, now: datetime) -> list[str]:
    """The deputies who are not away today, in order; the fallback address when there are none."""
    today = now.astimezone(ZONES[organisation.country]).date()
    return list(_present(organisation.coaches.deputies, today)) or [organisation.fallback_email]


def _anyone(coaches: Coaches, day: date) -> bool:
    return not _is_off(coaches.days_off, day) and any(_present(coaches.on_duty, day))


def _present(turns: Sequence[Turn], day: date) -> Iterator[str]:
    return (turn.email for turn in turns if not _is_off(turn.days_off, day))


def _is_off(days_off: DaysOff, day: date) -> bool:
    return any(off.from_ <= day <= off.until if isinstance(off, Days) else off == day for off in days_off)


def _midnight_after(at: datetime, country: Country) -> datetime:
    return datetime.combine(at.date() + timedelta(days=1), time(), ZONES[country])


def _from_when(organisation: Organisation, moment: datetime, now: datetime) -> str:
    """'vandaag om 14 uur', 'morgen om 9 uur', 'maandag om 9 uur'; from a week on with its date."""
    days = (moment.date() - now.astimezone(ZONES[organisation.country]).date()).days
    day = {0: "vandaag", 1: "morgen"}.get(days) or (WEEKDAYS[moment.weekday()] if days < 7 else _day(moment))
    return f"{day} om {_hour(moment)}"


def _day(moment: datetime) -> str:
    return f"{WEEKDAYS[moment.weekday()]} {moment.day} {MONTHS[moment.month - 1]}"


def _hour(moment: datetime) -> str:
    return f"{moment.hour}.{moment.minute:02} uur" if moment.minute else f"{moment.hour} uur"
