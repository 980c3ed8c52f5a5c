"""Safety room: the crisis flow, path by path, as a clinician can read it in tests/cases/crisis/flow.yml."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.resources import ResourceError
from bot.safety.crisis import COMMAND, Crisis, Heard, Move, Stage, ask_directly, respond
from bot.safety.crisis_texts import CrisisTexts, load_crisis_texts, shipped_crisis_texts
from bot.safety.drawing import _Place, _replies, crisis_drawing, crisis_drawings, stages_reached
from bot.safety.verdict import NOTHING, Judgement, Kind

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FILE = Path(__file__).resolve().parents[1] / "cases" / "crisis" / "flow.yml"
CASES: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())
TEXTS = shipped_crisis_texts()
KINDS: tuple[Kind, ...] = get_args(Kind)


def judged(words: str | None) -> Judgement:
    if not words:
        return NOTHING
    verdict, kind, *rest = words.split()
    past = verdict == "past"
    return Judgement("none" if past else verdict, kind, "third" in rest, past, ("case",))  # type: ignore[arg-type]


def heard(step: dict[str, Any]) -> Heard:
    if "taps" in step:
        tap = step["taps"]
        return Heard("", tap if tap.startswith("/") else f'{COMMAND}{{"answer": "{tap}"}}', NOTHING)
    return Heard(step["says"], None, judged(step.get("guard")))


def check(move: Move, crisis: Crisis | None, expect: dict[str, Any]) -> None:
    said = [say.text for say in move.says]
    for what, wanted in expect.items():
        found = {
            "stage": crisis.stage if crisis else None,
            "lines": next((not say.one_line or "one" for say in move.says if say.lines_for), False),
            "asks": bool(said) and said[-1].startswith(str(wanted)) and bool(move.says[-1].buttons),
            "engine": move.engine,
            "form": {True: "ends", False: "kept", None: "untouched"}[move.ends_form],
            "counts": [event for event, _ in move.events],
            "says": any(str(wanted) in text for text in said),
            "unlike": not any(text.startswith(tuple(wanted)) for text in said) if what == "unlike" else None,
        }[what]
        if what == "counts":
            assert wanted in found
        else:
            assert found == (True if what in ("asks", "says", "unlike") else wanted), (what, said)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_flow_goes_as_written(case: dict[str, Any]) -> None:
    crisis, now, before = None, NOON, list[str]()
    for step in case["steps"]:
        now += timedelta(hours=step.get("after_hours", 0), seconds=30)
        move = respond(TEXTS, crisis, replace(heard(step), before=before[-2:]), now)
        before = [] if move.crisis else [*before, step.get("says", "")]  # as the log gives them
        crisis = move.crisis or crisis
        check(move, crisis, step["expect"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_clinician_can_read_what_follows_whatever_the_guard_finds(kind: Kind) -> None:
    """Danger or perhaps danger, of the writer or of someone else, or over: each stands in some case."""
    finds = [f"{verdict} {kind}{whose}" for verdict in ("explicit", "ambiguous") for whose in ("", " third")]
    told = {step.get("guard") for case in CASES for step in case["steps"]}
    assert {*finds, f"past {kind}"} <= told


def test_a_clinician_can_read_what_every_button_does_at_every_stage() -> None:
    assert buttons_shown() <= taps_in_cases()


def test_a_clinician_can_read_what_is_said_to_everything_a_held_person_may_tell() -> None:
    expected = [
        step["expect"]["says"] for case in CASES for step in case["steps"] if "says" in step["expect"]
    ]
    unread = [name for name, told in TEXTS.told.items() if not any(one in told.text for one in expected)]
    assert unread == []


def test_someone_who_goes_on_writing_never_reads_the_same_sentence_twice_in_a_row() -> None:
    crisis, now, before = Crisis("explicit", "suicidal_thoughts", False, "staying", NOON), NOON, ""
    for seconds in (1, 2, 3, 7, 30, 60, 61, 5, 3, 9):
        now += timedelta(seconds=seconds)
        move = respond(TEXTS, crisis, Heard("haha ge zijt gelijk mijn schoonmoeder", None, NOTHING), now)
        assert move.crisis is not None
        crisis = move.crisis
        assert move.says[0].text != before
        before = move.says[0].text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_danger_shows_its_lines_first_and_then_asks_one_thing(kind: Kind) -> None:
    move = respond(TEXTS, None, Heard("…", None, Judgement("explicit", kind, False, False, ())), NOON)
    first, second = move.says
    assert first.lines_for == kind
    assert not first.buttons
    assert (first.text + second.text).count("?") == 1  # a yes must not answer two questions
    assert second.buttons
    assert move.ends_form is True
    assert move.supersedes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("words", ["ik kan niet bellen", "hij laat mij niet bellen", "ik heb geen beltegoed"])
def test_what_someone_who_cannot_call_can_do_stands_between_the_lines_and_the_question(
    kind: Kind, words: str
) -> None:
    found = Judgement("explicit", kind, False, False, ())
    first, told, question = respond(TEXTS, None, Heard(f"…, {words}", None, found), NOON).says
    assert first.lines_for == kind
    assert not told.buttons
    assert told.lines_for is None
    assert told.text in {one.text for one in TEXTS.told.values() if one.beside_danger}
    assert (first.text + told.text + question.text).count("?") == 1 + told.text.count("voor mij bellen?'")
    assert question.buttons


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_suspicion_can_be_answered_left_unanswered_or_put_right(kind: Kind) -> None:
    move = respond(TEXTS, None, Heard("…", None, Judgement("ambiguous", kind, False, False, ())), NOON)
    answers = {button.payload.split('"')[3] for button in move.says[0].buttons}
    sometimes = set() if kind in ("overdose", "medical_emergency", "substance") else {"sometimes"}
    assert answers == {"yes", "no", "rather_not", "false_alarm"} | sometimes
    assert "?" not in move.says[0].lines_title  # its buttons answer one question only
    for answer in answers:
        after = respond(TEXTS, move.crisis, Heard("", f'{COMMAND}{{"answer": "{answer}"}}', NOTHING), NOON)
        assert after.says
        assert after.crisis is not None


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_who_worries_about_minutes_that_count_is_told_to_wait_in_silence(kind: Kind) -> None:
    move = respond(TEXTS, None, Heard("…", None, Judgement("explicit", kind, True, False, ())), NOON)
    offered = any("what_to_say" in button.payload for button in move.says[-1].buttons)
    assert offered is (kind not in ("overdose", "medical_emergency"))


def test_a_questionnaire_can_have_the_direct_question_asked() -> None:
    move = ask_directly(TEXTS, "suicidal_thoughts", None, NOON)
    assert "zelfmoord" in move.says[-1].text
    assert move.events == (("engine_concern", "suicidal_thoughts"),)


def test_no_text_of_the_flow_names_a_number_but_112() -> None:
    for text in all_texts(TEXTS):
        digits = [word for word in text.replace(".", " ").split() if any(c.isdigit() for c in word)]
        assert {word.strip(",:?'") for word in digits} <= {"112"}, text


def test_every_bubble_is_short_enough_to_read_in_panic() -> None:
    for text in all_texts(TEXTS):
        sentences = [s for s in text.replace("?", ".").replace("!", ".").split(".") if s.strip()]
        assert all(len(sentence.split()) <= 20 for sentence in sentences), text


def test_the_crisis_flow_says_that_it_is_a_program_and_cannot_call() -> None:
    explicit = Judgement("explicit", "suicidal_thoughts", False, False, ())
    crisis = respond(TEXTS, None, Heard("…", None, explicit), NOON).crisis
    offered = respond(TEXTS, crisis, Heard("", f'{COMMAND}{{"answer": "yes"}}', NOTHING), NOON).says[-1].text
    assert "computerprogramma" in offered
    assert "kan niet voor je bellen" in offered


@pytest.mark.parametrize("kind", KINDS)
def test_every_stage_of_the_flow_can_be_reached_and_left(kind: Kind) -> None:
    drawn_stages = set(get_args(Stage)) - {"taken_back"}  # drawn as closed
    assert stages_reached(TEXTS, kind) == drawn_stages
    drawn = crisis_drawing(TEXTS, kind)
    for stage in drawn_stages:
        assert f"\n    {stage} -->" in drawn


def test_every_kind_of_danger_is_drawn_once_and_those_that_go_the_same_way_together() -> None:
    drawn = crisis_drawings(TEXTS)
    assert len(set(drawn.values())) == len(drawn)
    assert sum(len(heading.split(" · ")) for heading in drawn) == len(KINDS)
    assert drawn["Gedachten aan de dood · Zichzelf verwonden"] == crisis_drawing(TEXTS, "self_harm")
    assert drawn["Te veel ingenomen · Medisch noodgeval"] == crisis_drawing(TEXTS, "overdose")


@pytest.mark.parametrize("kind", KINDS)
def test_the_drawing_shows_what_is_other_where_minutes_count(kind: Kind) -> None:
    roads = crisis_drawing(TEXTS, kind).splitlines()
    urgent = kind in ("overdose", "medical_emergency")
    assert any("Wat kan ik zeggen?" in road for road in roads) is not urgent
    assert any("Soms" in road for road in roads) is (not urgent and kind != "substance")
    held = next(road for road in roads if road.endswith("| staying") and road.startswith("    staying"))
    for button in ("Terug naar het gesprek", "Zo bedoelde ik het niet"):  # only a tap ends it
        assert (f"{button} (getypt) ☎" in held) is urgent
    if urgent:
        said = held.split('"')[1].split("<br>")
        assert all(label.endswith("☎") for label in said)


def test_a_yes_to_having_taken_too_much_goes_on_as_an_overdose() -> None:
    assert '    direct -->|"Ja ☎"| overdose\n' in crisis_drawing(TEXTS, "substance")


def test_a_missing_text_is_refused_at_start(tmp_path: Path) -> None:
    shipped = yaml.safe_load((FILE.parents[3] / "resources" / "safety" / "crisis.yml").read_text())
    del shipped["explicit"]["overdose"]
    broken = tmp_path / "crisis.yml"
    broken.write_text(yaml.safe_dump(shipped, allow_unicode=True))
    with pytest.raises(ResourceError, match="explicit lacks overdose"):
        load_crisis_texts(broken)


def buttons_shown() -> set[tuple[str, str]]:
    """(stage, payload) of every button that the flow shows for some kind of danger."""
    places = [_Place(None)]
    for place in places:  # grows as it is walked
        kinds = KINDS if place.crisis is None else (place.crisis.kind,)
        for to, _ in (reply for kind in kinds for _, reply in _replies(TEXTS, place, kind)):
            if to.crisis is None:
                continue
            there = replace(to, crisis=replace(to.crisis, changed_at=NOON))
            if there not in places:
                places.append(there)
    return {(place.stage, button.payload) for place in places for button in place.buttons}


def taps_in_cases() -> set[tuple[str, str]]:
    """(stage, payload) of every tap in the cases, with the stage that the step before it expects."""
    steps = [pair for case in CASES for pair in pairwise(case["steps"])]
    return {(before["expect"].get("stage", ""), heard(step).command or "") for before, step in steps}


def all_texts(texts: CrisisTexts) -> list[str]:
    """Every sentence people may read; not the words that are listened for."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            for below in value.values():
                walk(below)
        elif isinstance(value, list):
            for below in value:
                walk(below)

    about = {"id", "title", "version", "valid_from", "status", "source", "heard", "return_after_hours"}
    walk({k: v for k, v in texts.model_dump(by_alias=True).items() if k not in about})
    return found


CRISES = st.none() | st.builds(
    Crisis,
    st.sampled_from(["explicit", "ambiguous"]),
    st.sampled_from(KINDS),
    st.booleans(),
    st.sampled_from(get_args(Stage)),
    st.datetimes(datetime(2026, 11, 1), datetime(2026, 11, 23), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds carry none
)
JUDGEMENTS = st.builds(
    Judgement,
    st.sampled_from(["explicit", "ambiguous", "none"]),
    st.none() | st.sampled_from(KINDS),
    st.booleans(),
    st.booleans(),
    st.just(()),
)
COMMANDS = st.none() | st.text(max_size=40).map(lambda t: "/" + t) | st.text(max_size=30).map(
    lambda t: COMMAND + t
) | st.sampled_from(
    ["yes", "no", "unsure", "sometimes", "rather_not", "false_alarm", "numbers", "worse", "back", "better",
     "call", "someone", "not_now", "what_to_say", "about_me", "go_on", "zzz"]
).map(lambda a: f'{COMMAND}{{"answer": "{a}"}}')  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(CRISES, st.text(max_size=200), COMMANDS, JUDGEMENTS)
def test_whatever_comes_the_flow_answers_and_danger_is_never_left_without_lines(
    crisis: Crisis | None, text: str, command: str | None, judgement: Judgement
) -> None:
    found = NOTHING if command is not None else judgement
    move = respond(TEXTS, crisis, Heard(text, command, found), NOON)
    assert move.says or move.engine != "nothing"
    if found.verdict == "explicit" and found.kind is not None and not found.past:
        assert any(say.lines_for for say in move.says)
    assert {field.name for field in fields(move)}
