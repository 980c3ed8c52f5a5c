"""The guard's examples as a chat has them: slips, glued words, no marks, a greeting before, a laugh behind.

Room: pure core, used by `bot train` and the benches. Those who write examples write with more care than those who need
help at night. A label never changes here: none of these habits tells whether somebody is in danger.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from pydantic import Field

from bot.resources import RESOURCES, SourcedDefinition, read_definition
from bot.safety.examples import Example

#: So many everyday examples lose the stop at their end; so many of all have a short everyday message before them.
UNSTOPPED, GREETED = 0.4, 0.06
#: So many examples have words typed wrongly, and so many of their words, of so many letters or more.
WITH_SLIPS, SLIPS, SHORTEST_SLIP = 0.08, 0.15, 4
#: So many examples have two words glued, no marks and capitals, dots for marks, an opener before, a closer behind.
GLUED, BARE, DOTTED, OPENED, CLOSED = 0.05, 0.05, 0.04, 0.06, 0.08

_MARKS, _STOPS = re.compile(r"[.,;:!?…\"()\u2013\u2014-]+"), re.compile(r"[.,;:!…]+")


class Around(SourcedDefinition):
    """resources/safety/around.yml: what people type around a message, and keys that lie beside each other."""

    openers: list[str] = Field(min_length=1)
    closers: list[str] = Field(min_length=1)
    keyboards: list[str] = Field(min_length=1)


@lru_cache(maxsize=1)
def load_around() -> Around:
    """What people type around a message.

    Raises:
        ResourceError: the file does not hold to its schema.
    """
    return read_definition(RESOURCES / "safety" / "around.yml", Around)


def as_typed(examples: Sequence[Example], seed: int) -> list[Example]:
    """The examples in the same order with the same labels, typed as people type; the same seed gives the same texts."""
    dice = np.random.default_rng(seed)
    few_words = sorted({one.text for one in examples if one.file == "everyday" and one.text.count(" ") < 2})
    found = []
    for one in examples:
        text = one.text
        # a missing stop would be taken for danger otherwise, and so would a "hallo." before something harmless
        if one.file.startswith("everyday") and dice.random() < UNSTOPPED:
            text = text.rstrip(" .!?…") or text
        if few_words and dice.random() < GREETED:
            text = _joined(str(dice.choice(few_words)), text, dice)
        found.append(replace(one, text=_carelessly(text, dice)))
    return found


def with_slips(text: str, dice: np.random.Generator, slips: float = SLIPS) -> str:
    """A text in which so large a share of the words of four letters and more is typed wrongly."""
    return " ".join(
        _slip(word, dice) if len(word) >= SHORTEST_SLIP and dice.random() < slips else word
        for word in text.split(" ")
    )


def _carelessly(text: str, dice: np.random.Generator) -> str:
    around = load_around()
    if dice.random() < WITH_SLIPS:
        text = with_slips(text, dice)
    if dice.random() < GLUED:
        text = _glued(text, dice)
    if dice.random() < BARE:
        text = " ".join(_MARKS.sub(" ", text).lower().split()) or text
    elif dice.random() < DOTTED:
        text = _STOPS.sub("...", text)
    if dice.random() < OPENED:
        text = _joined(str(dice.choice(around.openers)), text, dice)
    if dice.random() < CLOSED:
        closer = str(dice.choice(around.closers))
        # marks come in the place of the stop, all else behind it
        text = text.rstrip(" .!?…") + closer if set(closer) <= set(".!?") else _joined(text, closer, dice)
    return text


def _joined(first: str, second: str, dice: np.random.Generator) -> str:
    between = " " if first[-1] in ".,:?!" else str(dice.choice([". ", ", ", " ", "\n"]))
    return first + between + second


def _glued(text: str, dice: np.random.Generator) -> str:
    """Two words without the space between them."""
    words = text.split(" ")
    if len(words) < 3:
        return text
    place = int(dice.integers(len(words) - 1))
    return " ".join([*words[:place], words[place] + words[place + 1], *words[place + 2 :]])


def _slip(word: str, dice: np.random.Generator) -> str:
    """A word with one letter missing, doubled, swapped with the next or hit beside; never the first letter."""
    place = int(dice.integers(1, len(word) - 1))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    kind = dice.random()
    if kind < 0.3:
        return before + after
    if kind < 0.6:
        return before + after[0] + letter + after[1:]
    if kind < 0.8:
        return before + letter + letter + after
    near = [
        row[there]
        for row in load_around().keyboards
        if (at := row.find(letter.lower())) >= 0
        for there in (at - 1, at + 1)
        if 0 <= there < len(row)
    ]
    return before + (str(dice.choice(near)) if near else letter) + after
