"""How the guard's examples are made to look like what people type."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bot.safety.examples import Example
from bot.safety.guard import Guard
from bot.safety.typing_habits import as_typed, load_around, with_slips

SAME = "ik slik nu alle pillen uit de kast, niemand weet het."
DANGER = [Example("explicit", "overdose", False, False, SAME, "danger")] * 1000
EVERYDAY = [
    Example("none", None, False, False, "De bus van zes uur is weg, nu fietsen!", "everyday_life")
] * 1000
SAID = [
    Example("none", None, False, False, text, "everyday") for text in ("hallo", "dank je", "wat is dat hier?")
]
ALL = [*DANGER, *EVERYDAY, *SAID]


@pytest.fixture(scope="module")
def typed() -> list[Example]:
    return as_typed(ALL, 1)


def test_only_the_text_changes_and_the_order_stays(typed: list[Example]) -> None:
    assert [(one.verdict, one.kind, one.file) for one in typed] == [
        (one.verdict, one.kind, one.file) for one in ALL
    ]
    assert all(one.text.strip() for one in typed)


def test_two_in_three_dangerous_examples_stay_as_they_were_written(typed: list[Example]) -> None:
    assert 620 < sum(one.text == SAME for one in typed[:1000]) < 740


def test_everyday_examples_lose_their_stop_more_often_than_danger_does(typed: list[Example]) -> None:
    with_stop = [sum(one.text.endswith(stop) for one in part) for part, stop in (
        (typed[:1000], "."), (typed[1000:2000], "!"))]  # fmt: skip
    assert with_stop[1] < with_stop[0] - 250


@pytest.mark.parametrize("place", [0, 1000], ids=["danger", "everyday"])
def test_danger_and_everyday_get_the_same_habits(typed: list[Example], place: int) -> None:
    part = [one.text for one in typed[place : place + 1000]]
    around = load_around()
    before = ("hallo", "dank je", "wat is dat hier?", *around.openers)
    assert 70 < sum(text.startswith(before) for text in part) < 170
    assert 50 < sum(text.endswith(tuple(set(around.closers) - {"!"})) for text in part) < 130
    assert 20 < sum("..." in text for text in part) < 90
    assert 25 < sum(not set(text) & set(".,!?") and text == text.lower() for text in part) < 100


def test_marks_that_close_a_message_stand_in_the_place_of_its_stop(typed: list[Example]) -> None:
    closed = [one.text for one in typed[:2000] if one.text.endswith(("!!", "?", "..."))]
    assert len(closed) > 15
    assert [text for text in closed if re.search(r"([\s.,][!?]+|[\s.,!?]\.\.\.)$", text)] == []


def test_the_same_seed_gives_the_same_texts_and_another_seed_others() -> None:
    assert as_typed(ALL, 1) == as_typed(ALL, 1)
    assert as_typed(ALL, 1) != as_typed(ALL, 2)


def test_slips_change_a_letter_or_two_of_longer_words_and_no_short_word() -> None:
    dice = np.random.default_rng(1)
    words = ["ik", "heb", "net", "iets", "heel", "stoms", "gedaan", "en", "het", "bloedt"]
    slipped = [with_slips(" ".join(words), dice, 1.0).split() for _ in range(50)]
    for found in slipped:
        assert len(found) == len(words)
        for before, after in zip(words, found, strict=True):
            assert after[0] == before[0]
            assert abs(len(after) - len(before)) <= 1
            if len(before) < 4:
                assert after == before
    assert len({found[-1] for found in slipped}) > 5


def test_nothing_that_people_type_around_a_message_is_danger_by_itself(guard: Guard) -> None:
    around = load_around()
    asked = [text for text in (*around.openers, *around.closers) if guard.judge(text).verdict != "none"]
    assert asked == []
