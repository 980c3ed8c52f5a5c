"""Opening hours on the clock: midnight, public holidays, and the two nights on which the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.support.opening import Country, Week, in_words, next_start, open_at

BRUSSELS = ZoneInfo("Europe/Brussels")
OFFICE = Week(
    **{day: ["09:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")},
    closed_on_holidays=True,
)
NIGHT = Week(friday=["22:00-02:30"], closed_on_holidays=True)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-24T08:59:59", False),
        ("2026-11-24T09:00", True),
        ("2026-11-24T16:59:59", True),
        ("2026-11-24T17:00", False),
        ("2026-11-28T12:00", False),  # a Saturday
        ("2026-11-11T12:00", False),  # Armistice Day, a Wednesday
        ("2026-07-21T12:00", False),  # the national day of Belgium
        ("2026-04-06T12:00", False),  # Easter Monday
    ],
)
def test_a_line_is_open_in_its_hours_and_not_on_holidays(moment: str, expected: bool) -> None:
    assert open_at(OFFICE, "BE", at(moment)) is expected


@pytest.mark.parametrize(
    ("country", "day", "expected"),
    [
        ("BE", "2026-11-11T12:00", False),
        ("NL", "2026-11-11T12:00", True),
        ("BE", "2026-04-27T12:00", True),  # King's Day is Dutch
        ("NL", "2026-04-27T12:00", False),
    ],
)
def test_each_country_keeps_its_own_holidays(country: Country, day: str, expected: bool) -> None:
    assert open_at(OFFICE, country, at(day)) is expected


def test_a_stretch_over_midnight_belongs_to_the_evening_it_starts_on() -> None:
    assert open_at(NIGHT, "BE", at("2026-11-20T21:59")) is False
    assert open_at(NIGHT, "BE", at("2026-11-20T23:00")) is True  # Friday
    assert open_at(NIGHT, "BE", at("2026-11-21T02:29")) is True
    assert open_at(NIGHT, "BE", at("2026-11-21T02:30")) is False
    assert open_at(NIGHT, "BE", at("2026-12-26T01:00")) is False  # Christmas was a Friday: nobody started
    assert open_at(NIGHT, "BE", at("2027-01-02T01:00")) is False  # and so was New Year


def test_midnight_itself_can_be_the_end() -> None:
    evening = Week(monday=["17:00-24:00"], closed_on_holidays=False)
    assert open_at(evening, "BE", at("2026-11-23T23:59")) is True
    assert open_at(evening, "BE", at("2026-11-24T00:00")) is False
    assert in_words(evening, "BE", at("2026-11-23T20:00")) == "Nu open, tot 24 uur"


def test_nine_o_clock_stays_nine_o_clock_when_the_clocks_change() -> None:
    for sunday, before, after in (("2026-03-29", 8, 7), ("2026-10-25", 7, 8)):
        day = Week(saturday=["09:00-10:00"], sunday=["09:00-10:00"], closed_on_holidays=False)
        saturday = datetime.fromisoformat(sunday) - timedelta(days=1)
        assert open_at(day, "BE", saturday.replace(hour=before, tzinfo=UTC)) is True
        assert open_at(day, "BE", datetime.fromisoformat(sunday).replace(hour=after, tzinfo=UTC)) is True
        opens = next_start(day, "BE", saturday.replace(hour=20, tzinfo=BRUSSELS))
        assert opens == at(f"{sunday}T09:00")


def test_an_hour_that_the_clocks_skip_does_not_break_the_opening() -> None:
    early = Week(sunday=["02:30-05:00"], closed_on_holidays=False)
    opens = next_start(early, "BE", at("2026-03-29T00:00"))
    assert opens is not None
    assert opens.astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert open_at(early, "BE", opens) is True


def test_the_hour_that_comes_twice_is_open_twice() -> None:
    early = Week(sunday=["02:00-03:00"], closed_on_holidays=False)
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert open_at(early, "BE", first) is open_at(early, "BE", second) is True


def test_the_next_opening_passes_over_a_long_weekend() -> None:
    friday_before_easter = at("2026-04-03T17:30")
    assert next_start(OFFICE, "BE", friday_before_easter) == at("2026-04-07T09:00")
    assert next_start(OFFICE, "BE", at("2026-04-07T10:00")) is None  # open


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-11-24T03:00", "Nu gesloten, open vanaf 9 uur"),
        ("2026-11-24T12:00", "Nu open, tot 17 uur"),
        ("2026-11-24T18:00", "Nu gesloten, open vanaf morgen 9 uur"),
        ("2026-11-27T18:00", "Nu gesloten, open vanaf maandag 9 uur"),
    ],
)
def test_being_open_is_said_as_a_person_says_it(moment: str, words: str) -> None:
    assert in_words(OFFICE, "BE", at(moment)) == words


def test_half_hours_and_far_days_are_said_too() -> None:
    week = Week(tuesday=["18:30-22:00"], closed_on_holidays=True)
    assert in_words(week, "BE", at("2026-11-24T12:00")) == "Nu gesloten, open vanaf 18.30 uur"
    assert in_words(week, "BE", at("2026-11-24T23:00")) == "Nu gesloten, open vanaf 1/12 18.30 uur"


def test_unknown_hours_are_never_called_open_or_closed() -> None:
    now = at("2026-11-24T12:00")
    assert open_at("unknown", "BE", now) is None
    assert next_start("unknown", "BE", now) is None
    assert "Niet zeker" in in_words("unknown", "BE", now)


def test_always_is_always() -> None:
    assert open_at("always", "BE", at("2026-12-25T04:00")) is True
    assert next_start("always", "BE", at("2026-12-25T04:00")) is None


@pytest.mark.parametrize(
    "hours",
    [
        {},
        {"monday": []},
        {"monday": ["9-17"]},
        {"monday": ["09:00-25:00"]},
        {"monday": ["09:00-24:30"]},
        {"monday": ["09:00-09:00"]},
        {"montag": ["09:00-17:00"]},
    ],
)
def test_hours_that_are_no_hours_are_refused(hours: dict[str, list[str]]) -> None:
    with pytest.raises(ValidationError):
        Week.model_validate({**hours, "closed_on_holidays": True})


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        open_at(OFFICE, "BE", datetime(2026, 11, 24, 12))  # noqa: DTZ001 - that is what is refused


@given(st.integers(0, 4 * 365 * 24 * 60))
def test_at_the_next_opening_it_is_open_and_just_before_it_is_not(minutes: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    for week in (OFFICE, NIGHT):
        opens = next_start(week, "BE", now)
        if open_at(week, "BE", now):
            assert opens is None
        else:
            assert opens is not None
            assert opens > now
            assert open_at(week, "BE", opens) is True
            assert open_at(week, "BE", opens - timedelta(seconds=1)) is False
