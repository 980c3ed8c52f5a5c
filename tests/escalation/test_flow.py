"""Escalation room: the way to a coach, path by path, as anyone can read it in tests/cases/hand_off/flow.yml."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.escalation.cases import Origin, State, Urgency, due_at
from bot.escalation.flow import (
    COMMAND,
    Availability,
    Draft,
    Facts,
    HandOff,
    OpenCase,
    Step,
    ask_again,
    begin,
    moment_in_words,
    passed_on,
    respond,
    urgency_of,
    wants_assistant,
)
from bot.escalation.hand_off_texts import shipped_hand_off_texts

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
FILE = Path(__file__).resolve().parents[1] / "cases" / "hand_off" / "flow.yml"
CASES: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())
TEXTS = shipped_hand_off_texts()


def facts(given: dict[str, Any]) -> Facts:
    open_state = given.get("open")
    return Facts(
        coaches=given.get("coaches", True),
        scores_at=NOW - timedelta(days=1) if given.get("scores") else None,
        open_case=OpenCase(1001, open_state, NOW + timedelta(hours=40)) if open_state else None,
    )


def command(tap: str) -> str:
    return tap if tap.startswith("/") else f'{COMMAND}{{"answer": "{tap}"}}'


def check(step: Step | None, where: HandOff | None, draft: Draft, expect: dict[str, Any]) -> None:
    said = [say.text for say in step.says] if step else []
    found: dict[str, Any] = {
        "stage": where.stage if where else None,
        "engine": step.engine if step else "untouched",
        "opens": step.opens if step else False,
        "withdraws": step.withdraws if step else False,
        "shares": draft.share_scores is True,
        "words": draft.words,
        "urgency": urgency_of(draft.origin, 0),
    }
    for what, wanted in expect.items():
        if what == "asks":
            assert said[-1].startswith(wanted), said
            assert step is not None
            assert step.says[-1].buttons
        elif what == "says":
            assert any(wanted in text for text in said), said
        elif what == "contact":
            assert draft.contact.items() >= wanted.items()
        else:
            assert found[what] == wanted, (what, said)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_way_to_a_coach_goes_as_written(case: dict[str, Any]) -> None:
    now, known, where = NOW, facts(case.get("facts", {})), None
    if case["starts"] != "none":
        where = begin(TEXTS, case["starts"], case.get("words", ""), known, now).hand_off
    for written in case["steps"]:
        now += timedelta(hours=written.get("after_hours", 0), seconds=30)
        tap = command(written["taps"]) if "taps" in written else None
        step = respond(TEXTS, where, written.get("says", ""), tap, known, now)
        draft = (step.hand_off.draft if step and step.hand_off else None) or (
            where.draft if where else Draft()
        )
        where = (step.hand_off if step else None) or where
        check(step, where, draft, written["expect"])


def test_nothing_is_said_to_a_coach_before_the_preview_was_accepted() -> None:
    for stage in ("way", "phone", "mail", "moment", "name", "scores", "words"):
        where = HandOff(stage, Draft(way="phone", phone="0470 12 34 56"), NOW)  # type: ignore[arg-type]
        for text, tap in (("ja", None), ("geef door", None), ("", command("send")), ("", command("yes"))):
            step = respond(TEXTS, where, text, tap, Facts(coaches=True), NOW)
            assert step is None or not step.opens, (stage, text, tap)


def test_what_is_chosen_for_another_way_is_not_passed_on() -> None:
    changed_mind = Draft(
        way="chat", phone="0470 12 34 56", mail="noor@example.org", name="Noor", moment="morgen"
    )
    assert changed_mind.contact == {"way": "chat"}


@pytest.mark.parametrize(
    ("there", "says", "lines"),
    [
        (Availability(True), "Er is nu een coach aan het werk", False),
        (Availability(False, "maandag om 9 uur"), "Er is weer iemand vanaf maandag om 9 uur", True),
        (Availability(None), "ten laatste zaterdag 28 november om 10 uur", True),
    ],
)
def test_the_person_always_hears_an_honest_time_and_a_line_when_nobody_is_there(
    there: Availability, says: str, lines: bool
) -> None:
    said = passed_on(TEXTS, Draft(way="phone"), 1001, NOW + timedelta(hours=48), there, NOW)
    assert any(says in one.text for one in said)
    assert any(one.lines for one in said) is lines
    assert "dossier 1001" in said[0].text


@pytest.mark.parametrize(
    ("origin", "urgency", "state", "says"),
    [
        (
            "crisis",
            "48h",
            "new",
            "Ik gaf door dat het nu dringend is. Je hoort iets ten laatste vandaag om 11 uur",
        ),
        ("crisis", "48h", "contacted", "Ik gaf door dat het nu dringend is. Wacht niet op een antwoord"),
        ("crisis", "now", "contacted", "Ik gaf door dat het nu dringend is. Wacht niet op een antwoord"),
        ("crisis", "now", "new", "Je vraag staat al bij een coach"),
        ("request", "48h", "new", "Je vraag staat al bij een coach"),
    ],
)
def test_only_who_asks_again_out_of_danger_becomes_urgent(
    origin: Origin, urgency: Urgency, state: State, says: str
) -> None:
    for due in (NOW + timedelta(hours=40), NOW - timedelta(hours=3)):
        waiting = OpenCase(1001, state, due, urgency)
        step = begin(TEXTS, origin, "", Facts(coaches=True, open_case=waiting), NOW)
        assert step.raises is ("dringend is" in says)
        assert says in step.says[0].text
        assert step.says[0].lines


@pytest.mark.parametrize(
    ("origin", "state", "urgency", "raises"),
    [
        ("request", "new", "48h", True),
        ("callback", "contacted", "week", True),
        ("request", "new", "now", False),
        ("request", "contacted", "now", False),  # told once is enough
        ("crisis", "contacted", "now", True),
    ],
)
def test_who_asks_for_a_person_while_danger_is_near_becomes_urgent_too(
    origin: Origin, state: State, urgency: Urgency, raises: bool
) -> None:
    waiting = OpenCase(1001, state, NOW + timedelta(hours=40), urgency)
    step = begin(TEXTS, origin, "", Facts(coaches=True, danger=True, open_case=waiting), NOW)
    assert step.raises is raises


@pytest.mark.parametrize("danger", [True, False])
def test_a_coach_and_the_preview_say_that_it_is_urgent_only_when_danger_is_near(danger: bool) -> None:
    facts = Facts(coaches=True, danger=danger)
    step = begin(TEXTS, "callback", "0470 12 34 56 morgen om 10 uur", facts, NOW)
    for answer in ("no_name", "no_words"):
        assert step.hand_off is not None
        step = respond(TEXTS, step.hand_off, "", command(answer), facts, NOW) or step
    assert step.hand_off is not None
    assert step.hand_off.draft.origin == ("crisis" if danger else "callback")
    assert step.hand_off.draft.phone == "0470 12 34 56"
    assert step.says[-1].text.startswith("Dit ziet de coach")
    assert ("• Dat het dringend is" in step.says[-1].text) is danger


def test_the_open_question_is_asked_again_after_something_else() -> None:
    where = HandOff("words", Draft(way="chat"), NOW)
    first, again = ask_again(TEXTS, where, Facts(coaches=True), NOW)
    assert first.text == TEXTS.again
    assert again.text == TEXTS.words.question
    assert ask_again(TEXTS, where, Facts(coaches=True), NOW + timedelta(hours=9)) == ()


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 11, 26, 13, tzinfo=UTC), "vandaag om 14 uur"),
        (datetime(2026, 11, 27, 8, 30, tzinfo=UTC), "morgen om 9.30 uur"),
        (datetime(2026, 11, 28, 9, tzinfo=UTC), "zaterdag 28 november om 10 uur"),
        (datetime(2026, 11, 26, 23, 30, tzinfo=UTC), "morgen om 0.30 uur"),
    ],
)
def test_moments_are_said_as_people_say_them(moment: datetime, words: str) -> None:
    assert moment_in_words(moment, NOW) == words


@pytest.mark.parametrize(
    ("urgency", "now", "words"),
    [
        ("48h", "2026-11-25T14:00", "vrijdag 27 november om 14 uur"),
        ("week", "2026-11-25T14:05", "woensdag 2 december om 14.05 uur"),
        ("now", "2026-11-26T14:00", "vandaag om 15 uur"),
        ("now", "2026-11-26T23:30", "morgen om 0.30 uur"),
        ("48h", "2026-12-24T09:00", "zaterdag 26 december om 9 uur"),  # over Christmas
        ("48h", "2026-03-28T14:00", "maandag 30 maart om 15 uur"),  # the clocks go forward
        ("48h", "2026-10-24T14:00", "maandag 26 oktober om 13 uur"),  # and back
    ],
)
def test_forty_eight_hours_are_forty_eight_hours(urgency: Urgency, now: str, words: str) -> None:
    opened = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("Europe/Brussels"))
    assert moment_in_words(due_at(urgency, opened.astimezone(UTC)), opened) == words


@pytest.mark.parametrize("text", ["stop", "Terug naar de assistent!", "terug naar assistent"])
def test_the_person_can_always_go_back_to_the_assistant(text: str) -> None:
    assert wants_assistant(TEXTS, text, None)


@pytest.mark.parametrize(
    "text", ["ik kan niet stop zeggen tegen mijn chef", "stop nu toch met dat rooster", "ja"]
)
def test_a_sentence_with_stop_in_it_does_not_end_the_talk_with_a_coach(text: str) -> None:
    assert not wants_assistant(TEXTS, text, None)


STAGES = (
    "way",
    "phone",
    "mail",
    "moment",
    "name",
    "scores",
    "words",
    "preview",
    "already",
    "after",
    "closed",
)


@settings(max_examples=300, deadline=None)
@given(
    stage=st.sampled_from(STAGES),
    text=st.text(max_size=60),
    tap=st.none() | st.sampled_from(("send", "phone", "moment_9", "yes", "x")) | st.text(max_size=20),
    way=st.sampled_from((None, "phone", "mail", "chat")),
)
def test_no_message_makes_it_fall_over(stage: str, text: str, tap: str | None, way: Any) -> None:
    where = HandOff(stage, Draft(way=way), NOW)  # type: ignore[arg-type]
    payload = None if tap is None else f'{COMMAND}{{"answer": "{tap}"}}'
    step = respond(TEXTS, where, "" if payload else text, payload, Facts(coaches=True), NOW)
    assert step is None or all(say.text for say in step.says)
