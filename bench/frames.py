"""Everyday sentences put together from frames, so that thousands can be counted: tests/safety/everyday_frames.

A frame is a sentence with choices in it ("Ik neem {de trein|de bus} naar {Gent|Breda}."), all of them harmless. What is
mistaken in one place is mistaken in most, which single sentences do not show.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from bot.resources import SourcedDefinition, read_folder

#: Held out: the guard learns nothing of these.
FOLDER = Path(__file__).resolve().parents[1] / "tests" / "safety" / "everyday_frames"
SEED = 20261127
#: So many sentences are made of each frame: about ten thousand in all.
EACH = 66
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


def sentences(frames: Sequence[str], each: int = EACH, seed: int = SEED) -> list[str]:
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
