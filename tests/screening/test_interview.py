"""Every case of tests/cases/interview.yml, and what holds for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.resources import RESOURCES
from bot.screening.instruments import load_instruments
from bot.screening.interview import (
    AFTERWARDS,
    ANSWERED_IN_PLACE,
    FOR_PEOPLE,
    Heard,
    Remove,
    Save,
    SetConsent,
    SetGroup,
    StartAnew,
    Step,
    begin,
    reply,
)
from bot.screening.norms import load_norms

ROOT = Path(__file__).parents[2]
INSTRUMENTS = load_instruments(RESOURCES / "instruments")
NORMS = load_norms(RESOURCES / "norms")
CASES = yaml.safe_load((ROOT / "tests/cases/interview.yml").read_text())


def heard(step: dict[str, Any]) -> Heard:
    if "tap" in step:
        return Heard("/give_score", "give_score", step["tap"], step["item"], tapped=True)
    if "tap_intent" in step:
        return Heard("/" + step["tap_intent"], step["tap_intent"], tapped=True)
    if "tap_anew" in step:
        return Heard("/start_check_in", "start_check_in", tapped=True, anew=True)
    return Heard(step["say"], step["intent"], worrying=step.get("worrying", False))


def check(step: Step, expected: dict[str, Any]) -> None:
    assert step.asked == expected["asked"]
    assert step.status == expected.get("status", "open")
    assert step.worried == expected.get("worried", False)
    changes = step.changes
    if "lines" in expected:
        assert [line.response for line in step.lines] == expected["lines"]
    if "saved" in expected:
        assert {c.item: c.value for c in changes if isinstance(c, Save)} == expected["saved"]
    if "removed" in expected:
        assert [c.item for c in changes if isinstance(c, Remove)] == expected["removed"]
    if "consent" in expected:
        assert [c.given for c in changes if isinstance(c, SetConsent)] == [expected["consent"]]
    if "group" in expected:
        assert [c.label for c in changes if isinstance(c, SetGroup)] == [expected["group"]]
    assert any(isinstance(c, StartAnew) for c in changes) == expected.get("anew", False)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_interview_goes_on_as_the_case_says(case: dict[str, Any]) -> None:
    instrument = INSTRUMENTS[case["instrument"]]
    step = begin(
        instrument,
        case.get("given", {}),
        case.get("consent", True),
        case.get("group", False),
        case.get("resume"),
    )
    check(step, case["steps"][0])
    for expected in case["steps"][1:]:
        step = reply(step.progress, heard(expected), NORMS)
        check(step, expected)


def test_every_digression_has_a_response_to_give() -> None:
    domain = yaml.safe_load((ROOT / "domain.yml").read_text())
    texts = yaml.safe_load((ROOT / "resources/conversation/texts.yml").read_text())["texts"]
    intents = ANSWERED_IN_PLACE | FOR_PEOPLE
    assert {f"utter_{intent}" for intent in intents - set(texts)} <= set(domain["responses"])
    assert intents | AFTERWARDS <= set(domain["intents"])


def test_the_form_has_a_slot_for_every_item_of_every_instrument() -> None:
    domain = yaml.safe_load((ROOT / "domain.yml").read_text())
    items = {item.id for instrument in INSTRUMENTS.values() for item in instrument.items}
    assert items <= set(domain["slots"])
    assert items <= set(domain["forms"]["check_in_form"]["required_slots"])


@settings(max_examples=300, deadline=None)
@given(
    replies=st.lists(
        st.tuples(st.text(max_size=40), st.sampled_from(["", "affirm", "deny", "skip", "go_back"])),
        max_size=40,
    )
)
def test_no_reply_ever_breaks_the_interview_or_loses_an_answer(replies: list[tuple[str, str]]) -> None:
    step = begin(INSTRUMENTS["check_in"], {}, None, False, None)
    kept: dict[str, int | None] = {}
    for text, intent in replies:
        if step.status != "open":
            break
        step = reply(step.progress, Heard(text, intent), NORMS)
        for change in step.changes:
            if isinstance(change, Save):
                kept[change.item] = change.value
            elif isinstance(change, Remove):
                del kept[change.item]
        assert step.progress.answers == kept
        assert step.asked or step.status != "open"
