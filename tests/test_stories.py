"""The stories of tests/stories cover all that can be heard. That they pass: tests/full/test_rasa.py."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "tests" / "stories").glob("test_*.yml"))


def stories() -> dict[str, list[dict]]:
    return {
        f"{path.stem}: {story['story']}": story["steps"]
        for path in FILES
        for story in yaml.safe_load(path.read_text())["stories"]
    }


def test_every_intent_is_in_a_story() -> None:
    told = {step["intent"] for steps in stories().values() for step in steps if "intent" in step}
    known = set(yaml.safe_load((ROOT / "domain.yml").read_text())["intents"])
    assert known - told == set()


def test_every_story_begins_with_something_that_is_said_and_gets_an_answer_each_time() -> None:
    for name, steps in stories().items():
        kinds = ["user" if "user" in step else next(iter(step)) for step in steps]
        assert kinds[0] == "user", name
        for at, kind in enumerate(kinds):
            if kind == "user":
                assert kinds[at + 1 : at + 2] == ["action"], (name, at)


@pytest.mark.parametrize(
    ("turn", "intents"),
    {
        "a refusal": {"deny", "skip"},
        "a digression": {"ask_why", "ask_is_bot", "ask_capabilities", "out_of_scope", "ask_privacy"},
        "a correction": {"go_back", "repeat"},
        "an end": {"stop", "goodbye"},
    }.items(),
)
def test_each_turn_a_conversation_can_take_is_told_in_several_stories(turn: str, intents: set[str]) -> None:
    places = defaultdict(set)
    for name, steps in stories().items():
        if intents & {step.get("intent") for step in steps}:
            places[name.partition(":")[0]].add(name)
    assert len(places) >= 2, (turn, places)
