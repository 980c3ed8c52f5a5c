"""Escalation room: who is told what about a case, and that nothing about the person is in it."""

from __future__ import annotations

import dataclasses
import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from bot.console.routes import PREFIX, ROUTES
from bot.escalation.cases import DUE, REMINDERS, ROLES, URGENCIES, Urgency
from bot.escalation.notices import (
    CASE_PAGE,
    CHANNELS,
    KEY_LENGTH,
    KINDS,
    QUEUE_PAGE,
    Notice,
    NoticeTexts,
    Recipient,
    RecipientKind,
    Reminder,
    Team,
    as_mail,
    left_in_words,
    message,
    notices_for_answer,
    notices_for_flag,
    notices_for_opened,
    notices_for_raise,
    notices_for_reminder,
    reminder_due,
    shipped_notice_texts,
)
from bot.resources import RESOURCES, ResourceError, check_definition, read_yaml
from bot.storage.cases import Case

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "https://ademruimte.example.be"
PRIVATE = {
    "name": "Voornaam",
    "phone": "0470123456",
    "mail": "persoon@example.org",
    "words": "iets heel persoonlijks",
    "reason": "slaapt al weken slecht",
    "organisation": "ziekenhuis-voorbeeld",
}


def a_case(owner: str | None = None, urgency: Urgency = "48h") -> Case:
    """A case of the storage room with everything in it that must stay there."""
    return Case(
        id="c" * 32,
        number=1001,
        conversation_id="conversation",
        organisation=PRIVATE["organisation"],
        region="vlaanderen",
        origin="triage",
        state="new",
        urgency=urgency,
        opened_at=T0,
        due_at=T0 + DUE[urgency],
        owner_id=owner,
        claimed_at=None,
        contacted_at=None,
        closed_at=None,
        outcome=None,
        follow_up_on=None,
        flagged_at=None,
        contact={name: PRIVATE[name] for name in ("name", "phone", "mail")},
        scores={"sleep": 9},
        words=PRIVATE["words"],
        reasons=[PRIVATE["reason"]],
        turn_of=None,
        turn_since=None,
        owner_name="Coach Voorbeeld",
    )


def coach(name: str, *, available: bool = False) -> Recipient:
    return Recipient("coach", name, f"{name}@example.org", available)


HERE, AWAY, OTHER = coach("here", available=True), coach("away"), coach("other", available=True)
DEPUTY = Recipient("deputy", "deputy:voorbeeld", "deputy@example.org")
ADMINISTRATOR = Recipient("administrator", "admin", "admin@example.org")
TEAM = Team([HERE, AWAY, OTHER], [DEPUTY], [ADMINISTRATOR])


def told(notices: list[Notice]) -> list[str]:
    return [notice.recipient.partition("@")[0] for notice in notices]


def every_notice(team: Team = TEAM, owner: str | None = "away") -> list[Notice]:
    case = a_case(owner)
    return [
        *notices_for_opened(case, team),
        *notices_for_reminder(case, "reminder_75", team),
        *notices_for_reminder(case, "reminder_100", team),
        *notices_for_flag(case, team, "17"),
        *notices_for_raise(case, team, "19"),
        *notices_for_answer(case, team, "18"),
    ]


# --- who ---


def test_a_new_case_goes_to_the_coaches_that_are_available() -> None:
    assert told(notices_for_opened(a_case(), TEAM)) == ["here", "other"]


def test_a_new_case_goes_to_the_deputy_when_no_coach_is_available() -> None:
    assert told(notices_for_opened(a_case(), dataclasses.replace(TEAM, coaches=[AWAY]))) == ["deputy"]


def test_a_new_case_goes_to_every_coach_when_nobody_is_available_and_nobody_is_on_duty() -> None:
    team = Team([AWAY, coach("far")], [], [ADMINISTRATOR])
    assert told(notices_for_opened(a_case(), team)) == ["away", "far"]


def test_at_three_quarters_the_coach_who_has_it_is_told() -> None:
    assert told(notices_for_reminder(a_case("away"), "reminder_75", TEAM)) == ["away"]


@pytest.mark.parametrize("owner", [None, "someone_who_left"])
def test_at_three_quarters_all_coaches_are_told_when_nobody_has_it(owner: str | None) -> None:
    assert told(notices_for_reminder(a_case(owner), "reminder_75", TEAM)) == ["here", "away", "other"]


def test_when_the_time_is_over_the_deputy_and_the_administrators_are_told() -> None:
    assert told(notices_for_reminder(a_case("here"), "reminder_100", TEAM)) == ["deputy", "admin"]


def test_a_flag_goes_to_the_coach_of_that_conversation_and_the_deputy() -> None:
    assert told(notices_for_flag(a_case("away"), TEAM, "17")) == ["away", "deputy"]


def test_urgent_after_all_goes_to_who_has_the_case_or_can_take_it_up_and_to_the_deputy() -> None:
    assert told(notices_for_raise(a_case("away"), TEAM, "19")) == ["away", "deputy"]
    assert told(notices_for_raise(a_case(), TEAM, "19")) == ["here", "other", "deputy"]


def test_an_answer_of_the_person_goes_to_the_owner_alone() -> None:
    assert told(notices_for_answer(a_case("other"), TEAM, "18")) == ["other"]


def test_an_answer_in_a_case_that_nobody_has_goes_where_a_new_case_goes() -> None:
    assert told(notices_for_answer(a_case(), TEAM, "18")) == ["here", "other"]


def test_somebody_is_told_of_everything_as_long_as_there_is_anybody_to_tell() -> None:
    for coaches, deputies in itertools.product(([], [AWAY], [HERE]), ([], [DEPUTY])):
        if coaches or deputies:
            team = Team(coaches, deputies, [])
            assert {notice.payload["kind"] for notice in every_notice(team, None)} == set(KINDS)


def test_the_leader_of_a_person_is_never_told_there_is_no_such_recipient() -> None:
    assert get_args(RecipientKind) == ("coach", "deputy", "administrator")
    assert "leader" not in ROLES
    for kind in ("leader", "manager", "person"):
        with pytest.raises(ValueError, match="never go to"):
            Recipient(kind, "x", "x@example.org")  # type: ignore[arg-type]
    everyone = {person.address for person in (*TEAM.coaches, *TEAM.deputies, *TEAM.administrators)}
    assert {notice.recipient for notice in every_notice()} <= everyone


def test_who_is_deputy_and_administrator_is_told_once() -> None:
    both = dataclasses.replace(ADMINISTRATOR, address=DEPUTY.address.upper())
    team = dataclasses.replace(TEAM, administrators=[both])
    assert told(notices_for_reminder(a_case(), "reminder_100", team)) == ["deputy"]


def test_everyone_is_told_over_each_channel() -> None:
    team = dataclasses.replace(TEAM, channels=CHANNELS)
    found = notices_for_opened(a_case(), team)
    assert [(notice.recipient, notice.channel) for notice in found] == [
        (person.address, channel) for person in (HERE, OTHER) for channel in CHANNELS
    ]


# --- once ---


def test_the_same_thing_for_the_same_person_has_the_same_key_and_any_other_has_another() -> None:
    keys = [notice.dedupe for notice in every_notice(dataclasses.replace(TEAM, channels=CHANNELS))]
    assert keys == [notice.dedupe for notice in every_notice(dataclasses.replace(TEAM, channels=CHANNELS))]
    assert len(set(keys)) == len(keys)
    assert notices_for_opened(a_case(), TEAM)[0].dedupe == f"case:{'c' * 32}:opened:here:mail"


def test_a_second_answer_is_told_again_on_its_own_occasion() -> None:
    first, second = (notices_for_answer(a_case("here"), TEAM, occasion)[0] for occasion in ("18", "30"))
    assert first.dedupe != second.dedupe


def test_the_longest_names_fit_the_key_and_a_longer_one_is_refused() -> None:
    team = Team([Recipient("coach", "r" * 80, "x@example.org", True)], channels=CHANNELS)
    for notice in notices_for_flag(a_case(), team, "o" * 40):
        assert len(notice.dedupe) <= KEY_LENGTH
    with pytest.raises(ValueError, match="longer than"):
        notices_for_flag(a_case(), team, "o" * 400)


# --- what ---


def test_nothing_about_the_person_is_in_any_notice() -> None:
    for notice in every_notice(dataclasses.replace(TEAM, channels=CHANNELS)):
        said = message(notice.payload, URL, T0)
        everything = json.dumps(
            [dict(notice.payload), notice.dedupe, dataclasses.asdict(said), as_mail(said)]
        )
        for secret in PRIVATE.values():
            assert secret.lower() not in everything.lower()
        assert set(notice.payload) == {"kind", "number", "urgency", "due_at", "page"}


def test_a_notice_says_number_urgency_time_left_and_where_to_go() -> None:
    (notice, _) = notices_for_opened(a_case(), TEAM)
    said = message(notice.payload, URL, T0 + timedelta(minutes=30))
    assert said.subject == "Nieuw dossier 1001: binnen 48 uur"
    assert (
        said.text
        == "Er is een nieuw dossier: 1001. Hoe dringend: binnen 48 uur. Tijd voor een eerste contact: nog 47 uur."
    )
    assert said.link == f"{URL}/desk/cases/{'c' * 32}"
    assert said.link in as_mail(said)


def test_a_notice_that_goes_out_late_says_the_time_that_is_left_then() -> None:
    (notice, _) = notices_for_opened(a_case(), TEAM)
    assert "de tijd is om" in message(notice.payload, URL, T0 + timedelta(hours=50)).text


def test_links_lead_to_pages_that_the_one_who_is_told_may_open() -> None:
    pages = {(PREFIX + route.path).replace("{case}", "{id}"): route.who for route in ROUTES}
    assert {"coach", "lead_coach"} <= pages[CASE_PAGE]
    assert "administrator" in pages[QUEUE_PAGE]
    for notice in notices_for_reminder(a_case(), "reminder_100", TEAM):
        expected = QUEUE_PAGE if notice.recipient == ADMINISTRATOR.address else CASE_PAGE.format(id="c" * 32)
        assert notice.payload["page"] == expected


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=7), "nog 7 dagen"),
        (timedelta(hours=72), "nog 3 dagen"),
        (timedelta(hours=71, minutes=59), "nog 71 uur"),
        (timedelta(hours=2), "nog 2 uur"),
        (timedelta(hours=1, minutes=59), "nog 119 minuten"),
        (timedelta(minutes=2), "nog 2 minuten"),
        (timedelta(seconds=1), "nog 1 minuut"),
        (timedelta(0), "de tijd is om"),
        (timedelta(days=-3), "de tijd is om"),
    ],
)
def test_the_time_that_is_left_is_said_as_people_say_it(left: timedelta, words: str) -> None:
    assert left_in_words(T0 + left, T0) == words


def test_every_text_can_be_said_for_every_urgency() -> None:
    for kind, urgency in itertools.product(KINDS, URGENCIES):
        payload = {"kind": kind, "number": 7, "urgency": urgency, "due_at": T0.isoformat(), "page": "/desk/"}
        said = message(payload, URL, T0)
        assert "{" not in said.subject + said.text
        assert "7" in said.subject


# --- when ---


@pytest.mark.parametrize("urgency", URGENCIES)
def test_reminders_are_due_at_three_quarters_and_at_the_end_of_the_time(urgency: Urgency) -> None:
    whole = DUE[urgency]
    shares = {
        0.0: None,
        0.74: None,
        0.75: "reminder_75",
        0.99: "reminder_75",
        1.0: "reminder_100",
        3.0: "reminder_100",
    }
    assert {share: reminder_due(T0, T0 + whole, T0 + share * whole) for share in shares} == shares


def test_there_is_one_list_of_reminders() -> None:
    assert get_args(Reminder) == tuple(REMINDERS)
    assert set(REMINDERS) < set(KINDS)


# --- the file ---


def test_faults_in_the_texts_are_told_with_their_place() -> None:
    path = RESOURCES / "escalation" / "notices.yml"
    right = read_yaml(path)
    assert check_definition(path, right, NoticeTexts) == shipped_notice_texts()
    faults = [
        (
            {"notices": {**right["notices"], "opened": {"subject": "x {name}", "text": "x"}}},
            "placeholder name",
        ),
        (
            {"notices": {**right["notices"], "opened": {"subject": "x {}", "text": "x"}}},
            "unknown placeholder",
        ),
        ({"notices": {"opened": right["notices"]["opened"]}}, "the kinds are"),
        ({"urgency": {"now": "nu"}}, "the urgencies are"),
        ({"left": {**right["left"], "over": "{n}"}}, "left.over: unknown placeholder n"),
        ({"signature": "x"}, "signature: unknown key"),
    ]
    for change, fault in faults:
        with pytest.raises(ResourceError, match=fault) as error:
            check_definition(Path("notices.yml"), right | change, NoticeTexts)
        assert str(error.value).startswith("notices.yml: ")
