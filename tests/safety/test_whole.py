"""Whole messages that are plainly ordinary are not judged, plain wishes to be gone are always asked about."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot.resources import RESOURCES, ResourceError, read_definition
from bot.safety.examples import load_examples, read_examples
from bot.safety.guard import Guard
from bot.safety.normal import load_normaliser
from bot.safety.whole import ASKED, ORDINARY, Messages, Whole, load_whole

HEAD = {
    "id": "ordinary",
    "title": "",
    "version": 1,
    "valid_from": date(2026, 11, 27),
    "status": "product_rule",
    "source": "",
}
#: With these at 1 a guard says nothing.
SAYS = ("ask", "ask_explicit", "act", "ask_with_phrase", "doubt_phrase", "ask_sure")
#: Spares nothing that anybody writes.
NONE = Whole(Messages.model_validate(HEAD | {"parts": {}, "sentences": ["xyzzy"]}))


def is_ordinary(guard: Guard, text: str) -> bool:
    return guard.ordinary.holds(guard.normaliser.words(guard.normaliser.even(text)))


@pytest.mark.parametrize(
    "text",
    [
        "heb net een dafalgan genomen, hoofdpijn",
        "Ik heb een paracetamol genomen en nu ga ik even liggen.",
        "kheb 2 nurofens gepakt tegen de rugpijn",
        "Ben onderweg, tot dadelijk!",
        "ik zit op de trein naar huis",
        "ben over 10 minuten thuis",
        "ik heb vannacht een medicatiefout gemaakt",
    ],
)
def test_a_headache_pill_the_way_home_and_an_error_at_work_raise_no_question(guard: Guard, text: str) -> None:
    assert is_ordinary(guard, text)
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
        "ik heb een medicatiefout gemaakt en ik wil dood",
    ],
)
def test_whatever_is_said_beside_it_is_judged(guard: Guard, text: str) -> None:
    assert guard.judge(text).verdict != "none"


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ("ik neem ze allemaal in vannacht", "heb twee dafalgans genomen"),
        ("ik ga hem doodslaan vanavond", "ben onderweg, tot zo"),
    ],
)
def test_after_danger_nothing_is_ordinary(guard: Guard, before: str, then: str) -> None:
    assert is_ordinary(guard, then)
    judged = replace(guard, ordinary=NONE)
    assert guard.judge_recent(["goeiemorgen", then]).verdict == "none"
    assert guard.judge_recent([before, then]) == judged.judge_recent([before, then])


@pytest.mark.parametrize(
    "text",
    [
        "ik ben over 10 minuten bij je",
        "ik ben over 10 minuten daar",
        "ik ben al vertrokken",
        "heb al twee pijnstillers genomen en ga slapen",
        "heb een pijnstiller gepakt voor mijn kop",
        "ik heb straks 2 dafalgans genomen",
        "heb 2 dafalgans genomen?",
        "ik heb 2-3 dafalgan genomen",
        "ik heb 2x dafalgan genomen",
        "ik heb 12 dafalgan genomen",
        "heb een dafalgan genomen 👋 vaarwel",
        "ben onderweg naar de brug",
        "ben onderweg 🔪",
    ],
)
def test_what_could_be_more_is_not_spared(guard: Guard, text: str) -> None:
    assert not is_ordinary(guard, text)


@pytest.mark.parametrize("path", [ORDINARY, ASKED], ids=lambda path: path.stem)
def test_every_word_stands_there_as_the_normaliser_writes_it(path: Path) -> None:
    even = load_normaliser()
    messages = read_definition(path, Messages)
    written = [one for choices in messages.parts.values() for one in choices if one]
    written += [re.sub(r"\{\w+\}", " ", one) for one in messages.sentences] + messages.nothing
    assert [one for one in written if even.words(even.even(one)) != one.split()] == []


@pytest.mark.parametrize(
    "text",
    [
        "was ik er maar niet",
        "Was ik er maar niet meer...",
        "pff, was ik maar nooit geboren",
        "ik ben weg, zoek mij niet",
        "soms wil ik gewoon verdwijnen",
        "was ik er maar niet 😔",
        "haha, soms wou ik dat ik nooit geboren was",
        "Waarom leef ik nog?",
        "ik wou dat ik er niet meer was",
        "iedereen is beter af zonder mij",
        "Niemand zou me missen.",
        "ik ben iedereen tot last",
        "voor mij hoeft het allemaal niet meer",
        "ik ben het leven moe",
        "waarvoor leef ik nog",
        "vaarwel wereld",
    ],
)
def test_a_plain_wish_to_be_gone_is_always_asked_about(guard: Guard, text: str) -> None:
    """Also by a guard that hears nothing in it; where it hears more, that counts."""
    deaf = replace(guard, decision=guard.decision.model_copy(update=dict.fromkeys(SAYS, 1.0)))
    assert deaf.judge(text).verdict == "ambiguous"
    assert deaf.judge(text).kind == "suicidal_thoughts"
    assert deaf.judge("vandaag was het druk, " + text).verdict == "none"
    assert guard.judge(text).verdict != "none"


def test_a_plain_wish_in_pieces_is_asked_about_too(guard: Guard) -> None:
    assert guard.judge_recent(["ik kom niet meer terug", "zoek mij niet"]).verdict != "none"
    assert guard.judge_recent(["was ik er", "maar niet"]).verdict == "ambiguous"


@pytest.mark.parametrize(
    "text", ["voor mij hoeft het niet meer", "laat mij maar gaan", "vaarwel allemaal", "zoek mij niet"]
)
def test_what_is_also_said_when_nothing_is_wrong_is_left_to_the_classifier(guard: Guard, text: str) -> None:
    assert not guard.asked.holds(guard.normaliser.words(guard.normaliser.even(text)))


def test_no_message_that_is_harmless_is_a_plain_wish_to_be_gone(guard: Guard) -> None:
    here = Path(__file__).parent
    held_out = [one for path in sorted(here.glob("held_out*.csv")) for one in read_examples(path, [])]
    harmless = [one.text for one in (*load_examples(), *held_out) if one.verdict == "none"]
    for path in sorted(here.glob("everyday*.txt")):
        harmless += path.read_text(encoding="utf-8").splitlines()
    assert len(harmless) > 130_000
    assert [
        one for one in harmless if guard.asked.holds(guard.normaliser.words(guard.normaliser.even(one)))
    ] == []


def test_no_labelled_danger_is_an_ordinary_message(guard: Guard) -> None:
    held_out = [
        one for path in sorted(Path(__file__).parent.glob("held_out*.csv")) for one in read_examples(path, [])
    ]
    danger = [one.text for one in (*load_examples(), *held_out) if one.verdict != "none"]
    assert len(danger) > 40_000
    assert [one for one in danger if is_ordinary(guard, one)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("{who} heb", "{nobody} heb"), ("{who} heb", "{who}heb"), ("  who: ", "  whom: []\n  who: ")],
)
def test_a_part_that_is_missing_or_not_used_is_refused(tmp_path: Path, old: str, new: str) -> None:
    written = (RESOURCES / "safety" / "ordinary.yml").read_text(encoding="utf-8").replace(old, new, 1)
    (tmp_path / "ordinary.yml").write_text(written, encoding="utf-8")
    with pytest.raises(ResourceError, match="parts and sentences differ"):
        load_whole(tmp_path / "ordinary.yml")
