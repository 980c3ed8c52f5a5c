"""Everyday sentences made from frames: the ordinary words that people use when nothing is wrong.

Room: pure core, but for reading files. A frame is a sentence with choices in it ("Ik neem {de trein|de bus} naar
{Gent|Breda}."), all of which are harmless. What is made here comes on top of the messages that people wrote and is
never counted among them. Frames of other hands (tests/safety/everyday_frames) measure what was learned of these.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from bot.resources import RESOURCES, SourcedDefinition, read_folder
from bot.safety.examples import Example

FOLDER = RESOURCES / "safety" / "everyday_frames"
SEED = 20261127
#: So many sentences of each frame are learned from.
EACH = 6
_CHOICE = re.compile(r"\{([^{}]*)\}")
_SPACES, _BEFORE_A_MARK = re.compile(r"\s+"), re.compile(r" ([,.?!])")


def _well_formed(frame: str) -> str:
    if set(_CHOICE.sub("", frame)) & set("{}"):
        raise ValueError("its choices are not closed, or stand inside one another")
    if any("|" not in choices for choices in _CHOICE.findall(frame)):
        raise ValueError("a choice has one possibility only")
    return frame


class Frames(SourcedDefinition):
    """Frames about one part of life, one a line."""

    frames: list[Annotated[str, AfterValidator(_well_formed)]] = Field(min_length=1)


def load_frames(folder: Path = FOLDER) -> list[str]:
    """Every frame of every file of a folder.

    Raises:
        ResourceError: with every fault of every file.
    """
    return [frame for found in read_folder(folder, Frames).values() for frame in found.frames]


def sentences(frames: Sequence[str], each: int, seed: int = SEED) -> list[str]:
    """Sentences of each frame, at most `each`, no two the same; the same list every time.

    Args:
        frames: well formed. What is made of one does not depend on the others.
        each: at least 1. A frame with fewer possibilities gives fewer.
        seed: for the choices.
    """
    found: dict[str, None] = {}
    for frame in frames:
        dice = np.random.default_rng([seed, zlib.crc32(frame.encode())])
        # every second part is a choice
        parts = [part.split("|") if place % 2 else [part] for place, part in enumerate(_CHOICE.split(frame))]
        for _ in range(each):
            whole = "".join(part[dice.integers(len(part))] for part in parts)
            found[_BEFORE_A_MARK.sub(r"\1", _SPACES.sub(" ", whole)).strip()] = None
    return list(found)


def load_frame_examples(folder: Path = FOLDER) -> list[Example]:
    """Sentences of every frame as everyday messages without danger.

    Raises:
        ResourceError: with every fault of every file.
    """
    made = sentences(load_frames(folder), EACH)
    return [Example("none", None, False, False, text, "everyday") for text in made]
