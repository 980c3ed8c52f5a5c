"""Whole messages that are plainly ordinary are not judged; with anything beside them they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.resources import RESOURCES, ResourceError
from bot.safety.examples import load_examples, read_examples
from bot.safety.guard import Guard
from bot.safety.ordinary import load_ordinary


@pytest.mark.parametrize(
    "text",
    [
        "heb net een dafalgan genomen, hoofdpijn",
        "Ik heb een paracetamol genomen en nu ga ik even liggen.",
        "kheb 2 nurofens gepakt tegen de rugpijn",
        "Ben onderweg, tot dadelijk!",
        "ik zit op de trein naar huis",
        "ben over 10 minuten thuis",
    ],
)
def test_a_headache_pill_and_the_way_home_raise_no_question(guard: Guard, text: str) -> None:
    assert guard.judge(text).verdict == "none"


@pytest.mark.parametrize(
    "text",
    [
        "heb net een dafalgan genomen en de rest van de doos ook",
        "Ik heb alle paracetamol genomen en nu ga ik liggen.",
        "ik heb 20 paracetamols genomen",
        "ik heb een doos paracetamol genomen",
        "ik heb een paracetamol genomen en ik wil dood",
        "ben onderweg naar de brug, ik spring",
        "ik zit op de trein en ik wil niet meer leven",
    ],
)
def test_whatever_is_said_beside_it_is_judged(guard: Guard, text: str) -> None:
    assert guard.judge(text).verdict != "none"


def test_what_was_said_just_before_still_counts(guard: Guard) -> None:
    assert guard.judge_recent(["ik wil gewoon", "niet meer", "leven"]).verdict != "none"
    assert (
        guard.judge_recent(["ik neem ze allemaal in vannacht", "heb net een dafalgan genomen"]).verdict
        == "none"
    )


def test_no_labelled_danger_is_an_ordinary_message(guard: Guard) -> None:
    held_out = [
        one for path in sorted(Path(__file__).parent.glob("held_out*.csv")) for one in read_examples(path, [])
    ]
    danger = [one.text for one in (*load_examples(), *held_out) if one.verdict != "none"]
    assert len(danger) > 40_000
    words = guard.normaliser
    assert [one for one in danger if guard.ordinary.holds(words.words(words.even(one)))] == []


@pytest.mark.parametrize(("old", "new"), [("{who} heb", "{nobody} heb"), ("  who: ", "  whom: []\n  who: ")])
def test_a_part_that_is_missing_or_not_used_is_refused(tmp_path: Path, old: str, new: str) -> None:
    written = (RESOURCES / "safety" / "ordinary.yml").read_text(encoding="utf-8").replace(old, new, 1)
    (tmp_path / "ordinary.yml").write_text(written, encoding="utf-8")
    with pytest.raises(ResourceError, match="parts and sentences differ"):
        load_ordinary(tmp_path / "ordinary.yml")
