"""The organisation's file: when a coach is there, and that a faulty file is told and does not count."""

from __future__ import annotations

import os
import shutil
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.doctor import _organisation
from bot.escalation.organisation import (
    Organisation,
    OrganisationFile,
    coach_from,
    deputies_at,
    next_coach,
    on_duty_at,
    read_organisation,
)
from bot.resources import RESOURCES, ResourceError, read_yaml
from bot.settings import Settings

BRUSSELS = ZoneInfo("Europe/Brussels")
EXAMPLE = RESOURCES / "organisation.example.yml"
ORGANISATION = read_organisation(EXAMPLE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS)


def changed(**coaches: Any) -> Organisation:
    """The example with other coaches."""
    content = deepcopy(read_yaml(EXAMPLE))
    content["coaches"] |= coaches
    return Organisation.model_validate(content)


# --- when somebody is there ---


@pytest.mark.parametrize(
    ("now", "there", "words"),
    [
        ("2026-11-26T10:00", True, None),  # a Thursday
        ("2026-11-26T03:00", False, "vandaag om 9 uur"),
        ("2026-11-26T17:00", False, "morgen om 9 uur"),
        ("2026-11-27T16:00", False, "maandag om 9 uur"),  # Friday
        ("2026-11-29T03:00", False, "morgen om 9 uur"),
        (
            "2026-12-24T10:00",
            False,
            "maandag 4 januari om 9 uur",
        ),  # off, Christmas, weekend, off, New Year, weekend
        ("2026-12-25T03:00", False, "maandag 4 januari om 9 uur"),
        ("2026-11-11T10:00", False, "morgen om 9 uur"),  # Armistice Day
        ("2027-02-10T10:00", True, None),  # one coach on holiday, the other there
    ],
)
def test_a_person_hears_honestly_whether_a_coach_is_there(now: str, there: bool, words: str | None) -> None:
    found = coach_from(ORGANISATION, at(now))
    assert (found.present, found.next) == (there, words)


def test_half_hours_are_said() -> None:
    organisation = changed(hours={"monday": ["13:30-17:00"], "closed_on_holidays": True})
    assert coach_from(organisation, at("2026-11-26T10:00")).next == "maandag om 13.30 uur"


def test_with_every_coach_on_holiday_nobody_is_there() -> None:
    alone = changed(
        on_duty=[
            {
                "email": "eerste.coach@example.org",
                "days_off": [{"from": at("2026-11-26T00:00").date(), "until": at("2026-11-27T00:00").date()}],
            }
        ]
    )
    assert coach_from(alone, at("2026-11-26T10:00")).next == "maandag om 9 uur"
    assert on_duty_at(alone, at("2026-11-26T10:00")) == []


def test_the_first_who_is_not_away_is_asked_first() -> None:
    both = ["eerste.coach@example.org", "tweede.coach@example.org"]
    assert on_duty_at(ORGANISATION, at("2026-11-26T10:00")) == both
    assert on_duty_at(ORGANISATION, at("2027-02-10T10:00")) == both[:1]


def test_without_a_deputy_on_duty_a_notice_goes_to_the_fallback_address() -> None:
    assert deputies_at(ORGANISATION, at("2026-11-26T10:00")) == ["plaatsvervanger@example.org"]
    assert deputies_at(changed(deputies=[]), at("2026-11-26T10:00")) == ["coaching@example.org"]
    away = changed(deputies=[{"email": "x@example.org", "days_off": [at("2026-11-26T00:00").date()]}])
    assert deputies_at(away, at("2026-11-26T23:30")) == ["coaching@example.org"]
    assert deputies_at(away, datetime(2026, 11, 26, 23, 30, tzinfo=UTC)) == [
        "x@example.org"
    ]  # the 27th there


def test_nine_o_clock_stays_nine_o_clock_when_the_clocks_change() -> None:
    for friday, monday in (("2026-03-27", "2026-03-30"), ("2026-10-23", "2026-10-26")):
        assert next_coach(ORGANISATION, at(f"{friday}T18:00")) == at(f"{monday}T09:00")


def test_day_and_night_is_day_and_night_but_not_on_a_day_off() -> None:
    always = changed(hours="always")
    assert coach_from(always, at("2026-12-25T03:00")).present is True
    assert coach_from(always, at("2026-12-24T03:00")).next == "morgen om 0 uur"


def test_with_nobody_ever_there_nothing_is_promised() -> None:
    gone = changed(days_off=[{"from": at("2026-01-01T00:00").date(), "until": at("2029-01-01T00:00").date()}])
    found = coach_from(gone, at("2026-11-26T10:00"))
    assert (found.present, found.next) == (False, None)


@given(st.integers(0, 2 * 365 * 24 * 60))
def test_at_the_moment_that_is_named_a_coach_is_there_and_never_before(minutes: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    found = next_coach(ORGANISATION, now)
    assert found is not None
    assert found >= now
    assert coach_from(ORGANISATION, found).present is True
    if found > now:
        assert coach_from(ORGANISATION, now).present is False
        assert coach_from(ORGANISATION, found - timedelta(minutes=1)).present is False


# --- the file ---


@pytest.mark.parametrize(
    ("coaches", "complaint"),
    [
        ({"hours": {"monday": ["22:00-06:00"], "closed_on_holidays": True}}, "split hours over midnight"),
        ({"hours": "unknown"}, "hours"),
        ({"on_duty": []}, "on_duty"),
        ({"on_duty": [{"email": "a@example.org"}, {"email": "A@example.org"}]}, "twice"),
        ({"on_duty": [{"email": "geen adres"}]}, "email"),
        ({"deputies": [{"email": "a@example.org"}] * 2}, "twice"),
        (
            {"days_off": [{"from": at("2026-12-02T00:00").date(), "until": at("2026-12-01T00:00").date()}]},
            "lies before",
        ),
    ],
)
def test_coaches_that_cannot_be_used_are_refused(coaches: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        changed(**coaches)


def test_its_own_region_is_served() -> None:
    content = read_yaml(EXAMPLE) | {"regions": ["nederland"]}
    with pytest.raises(ValidationError, match="vlaanderen is missing"):
        Organisation.model_validate(content)


def test_dutch_coaches_keep_dutch_holidays() -> None:
    dutch = Organisation.model_validate(read_yaml(EXAMPLE) | {"region": "nederland", "regions": []})
    assert coach_from(dutch, at("2026-11-11T10:00")).present is True
    assert coach_from(dutch, at("2026-04-27T10:00")).present is False


def test_the_example_has_no_names_and_no_address_that_can_exist() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert all(word.rstrip("},").endswith("@example.org") for word in text.split() if "@" in word)


def test_without_a_file_there_is_no_organisation(tmp_path: Path) -> None:
    file = OrganisationFile(tmp_path / "organisation.yml")
    assert file.current() is None
    assert file.faults == []


def test_a_change_counts_at_once_and_a_fault_keeps_the_last_good_one(tmp_path: Path) -> None:
    path = tmp_path / "organisation.yml"
    file = OrganisationFile(path)
    shutil.copy(EXAMPLE, path)
    first = file.current()
    assert first is not None
    assert file.current() is first  # not read again

    write(path, EXAMPLE.read_text(encoding="utf-8").replace("name: Voorbeeldzorg", "name: Anders"))
    second = file.current()
    assert second is not None
    assert second.name == "Anders"

    write(path, "id: voorbeeldzorg\nnaam: fout\n")
    assert file.current() == second
    assert any("naam: unknown key" in fault for fault in file.faults)
    assert all(str(path) in fault for fault in file.faults)

    write(path, EXAMPLE.read_text(encoding="utf-8"))
    assert file.current() == first
    assert file.faults == []
    path.unlink()
    assert file.current() is None


def write(path: Path, text: str) -> None:
    """As an editor saves: in place, at a later moment than before."""
    before = path.stat().st_mtime_ns
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 1, before + 1))


@pytest.mark.parametrize("text", ["", "[]", "id: [", "id: a\nid: b\n", "\xff"])
def test_whatever_is_in_it_a_faulty_file_is_told_with_its_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "organisation.yml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ResourceError) as error:
        read_organisation(path)
    assert all(str(path) in fault for fault in error.value.errors)


def test_doctor_tells_of_the_file_in_plain_words(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    (missing,) = _organisation(settings)
    assert missing.well
    shutil.copy(EXAMPLE, settings.organisation_file)
    (good,) = _organisation(settings)
    assert good.well
    assert "Voorbeeldzorg, 5 contact(s)" in good.what
    text = EXAMPLE.read_text(encoding="utf-8").replace("bound_to_secrecy: false", "bound_to_secrecy: true")
    settings.organisation_file.write_text(text, encoding="utf-8")
    faults = list(_organisation(settings))
    assert len(faults) == 2
    assert not any(fault.well for fault in faults)
    assert "hr is not bound" in faults[1].what
