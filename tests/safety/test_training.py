"""How the guard's examples are made ready to learn from."""

from __future__ import annotations

from bot.safety.examples import Example
from bot.safety.training import as_typed

DANGER = [
    Example("explicit", "overdose", False, False, f"ik slik alle {n} pillen.", "danger") for n in range(200)
]
EVERYDAY = [
    Example("none", None, False, False, f"De bus van {n} uur is weg!", "everyday_life") for n in range(200)
]
SAID = [
    Example("none", None, False, False, text, "everyday") for text in ("hallo", "dank je", "wat is dat hier?")
]


def test_everyday_examples_are_learned_without_a_stop_too_and_danger_as_it_was_written() -> None:
    found = as_typed([*DANGER, *EVERYDAY, *SAID])
    danger, everyday = found[:200], found[200:400]
    assert all(one.text.endswith(before.text) for one, before in zip(danger, DANGER, strict=True))
    assert 40 < sum(not one.text.endswith("!") for one in everyday) < 120
    assert all("uur is weg" in one.text for one in everyday)


def test_a_greeting_stands_before_some_examples_of_every_label() -> None:
    found = as_typed([*DANGER, *EVERYDAY, *SAID])
    for part in (found[:200], found[200:400]):
        greeted = [one for one in part if one.text.startswith(("hallo", "dank je"))]
        assert 2 <= len(greeted) <= 30
    assert [one.verdict for one in found] == [one.verdict for one in (*DANGER, *EVERYDAY, *SAID)]


def test_the_same_examples_are_made_ready_in_the_same_way() -> None:
    assert as_typed(DANGER + SAID) == as_typed(DANGER + SAID)
