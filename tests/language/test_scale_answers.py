"""Typed answers to a 0–10 question; the cases stand in tests/cases/scale_answers.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.language.lexicon import lexicon
from bot.language.scale import Answer, read_scale_answer

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "cases" / "scale_answers.yml").read_text(encoding="utf-8")
)


def expected(expect: str | dict[str, Any]) -> Answer:
    if isinstance(expect, str):
        return Answer(expect)  # type: ignore[arg-type]
    correction = expect.get("correction", False)
    if "choose" in expect:
        return Answer("choose", options=tuple(expect["choose"]), correction=correction)
    return Answer(
        "score",
        value=expect["score"],
        typed=expect.get("typed"),
        word=expect.get("word"),
        correction=correction,
    )


@pytest.mark.parametrize("case", CASES, ids=[str(case["name"]) for case in CASES])
def test_what_people_type_is_read_as_they_mean_it(case: dict[str, Any]) -> None:
    assert read_scale_answer(case["input"]) == expected(case["expect"])


def test_there_are_enough_cases_and_each_has_its_own_name() -> None:
    names = [case["name"] for case in CASES]
    assert len(names) >= 150
    assert len(set(names)) == len(names)


def test_every_frequency_phrase_alone_gives_its_own_score() -> None:
    wrong = {
        phrase: read_scale_answer(phrase)
        for score, phrase in lexicon().scores.values()
        if (read_scale_answer(phrase).value, read_scale_answer(phrase).word) != (score, phrase)
    }
    assert not wrong


@pytest.mark.parametrize("kind", ["skip", "back"])
def test_every_skip_and_back_phrase_alone_does_what_it_says(kind: str) -> None:
    phrases = getattr(lexicon(), kind)
    wrong = [" ".join(words) for words in phrases if read_scale_answer(" ".join(words)).kind != kind]
    assert not wrong


@pytest.mark.parametrize("value", range(11))
@pytest.mark.parametrize(
    "shape", ["{}", "een {}", "een dikke {}", "geef maar een {}", "{}/10", "{} denk ik", "{}!"]
)
def test_every_score_can_be_given_in_every_shape(value: int, shape: str) -> None:
    assert read_scale_answer(shape.format(value)) == Answer("score", value=value)


@pytest.mark.parametrize(
    ("text", "kind"), [("3", "score"), ("4", "out_of_range"), ("vaak", "none"), ("2/3", "score")]
)
def test_another_scale_has_its_own_ends_and_no_frequency_words(text: str, kind: str) -> None:
    assert read_scale_answer(text, 0, 3).kind == kind


WORDS = st.sampled_from(
    [
        *(
            "7",
            "8",
            "0",
            "10",
            "11",
            "7,5",
            "-1",
            "een",
            "zeven",
            "acht",
            "half",
            "en",
            "of",
            "a",
            "tot",
            "tussen",
            "op",
        ),
        *(
            "vaak",
            "nooit",
            "soms",
            "altijd",
            "niet",
            "geen",
            "nee",
            "sorry",
            "bedoelde",
            "dan",
            "meer",
            "minder",
            "/",
        ),
        *(
            "-",
            ",",
            ".",
            "?",
            "!",
            "%",
            "<",
            ">",
            ":",
            "*",
            "€",
            "½",
            "7️⃣",
            "uur",
            "nachten",
            "kinderen",
            "ik",
            "is",
        ),
        *(
            "terug",
            "vorige",
            "volgende",
            "pas",
            "weet",
            "schaal",
            "van",
            "moest",
            "zijn",
            "ipv",
            "waarom",
            "'",
            "9" * 400,
        ),
    ]
)


def check(answer: Answer, minimum: int, maximum: int) -> None:
    assert (answer.value is not None) == (answer.kind == "score")
    assert bool(answer.options) == (answer.kind == "choose")
    if answer.value is not None:
        assert minimum <= answer.value <= maximum
    assert all(minimum <= option <= maximum for option in answer.options)
    assert list(answer.options) == sorted(set(answer.options))
    assert len(answer.options) != 1


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=80))
def test_no_text_raises_or_leaves_the_scale(text: str) -> None:
    check(read_scale_answer(text), 0, 10)


@settings(max_examples=1500, deadline=None)
@given(st.lists(WORDS, max_size=12), st.sampled_from([" ", ""]), st.sampled_from([(0, 10), (0, 3), (1, 5)]))
def test_no_mix_of_answer_words_raises_or_leaves_the_scale(
    words: list[str], glue: str, scale: tuple[int, int]
) -> None:
    check(read_scale_answer(glue.join(words), *scale), *scale)


def test_a_very_long_message_is_read_in_one_breath() -> None:
    check(read_scale_answer("vaak 7 niet " * 20_000), 0, 10)
