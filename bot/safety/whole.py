"""Whole messages of which the meaning is settled, whatever the classifier thinks. Room: pure core, but for two files.

Some are plainly ordinary: a headache pill, being on the way home. Danger is told in such words too ("paracetamol
genomen", "tot dadelijk"), and the classifier takes them for it. Others are plain wishes to be gone ("was ik er maar
niet") in words that are nearly always harmless. Only a message that is one of these from begin to end counts; whatever
is said beside it is judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, model_validator

from bot.resources import RESOURCES, SourcedDefinition, read_definition

ORDINARY, ASKED = (RESOURCES / "safety" / name for name in ("ordinary.yml", "asked.yml"))
#: Marks that change nothing in either file.
MARKS = frozenset(".,;!")
_PART = re.compile(r"\{(\w+)\}")


class Messages(SourcedDefinition):
    """One of the two files: sentences of named parts; a part with an empty possibility may be left out.

    Attributes:
        parts: the possibilities of each part.
        sentences: words and parts, in order.
        nothing: what counts as little as marks do.
    """

    parts: dict[str, list[str]]
    sentences: list[str] = Field(min_length=1)
    nothing: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _known(self) -> Messages:
        words = [word for sentence in self.sentences for word in sentence.split()]
        used = {part.group(1) if (part := _PART.fullmatch(word)) else word for word in words if "{" in word}
        if used != set(self.parts):
            raise ValueError(f"parts and sentences differ in {sorted(used ^ set(self.parts))}")
        return self


class Whole:
    """Knows the messages of a file."""

    def __init__(self, messages: Messages) -> None:
        """Prepare the messages."""
        self._nothing = MARKS | frozenset(messages.nothing)
        self._whole = re.compile("|".join(_pattern(one, messages.parts) for one in messages.sentences))

    def holds(self, words: Sequence[str]) -> bool:
        """Whether these words, made even, are such a message from begin to end; marks do not count."""
        said = "".join(f"{word} " for word in words if word not in self._nothing)
        return self._whole.fullmatch(said) is not None


def load_whole(path: Path) -> Whole:
    """The messages of resources/safety/ordinary.yml or asked.yml.

    Raises:
        ResourceError: the file does not hold to its schema.
    """
    return Whole(read_definition(path, Messages))


def _pattern(sentence: str, parts: dict[str, list[str]]) -> str:
    found = []
    for word in sentence.split():
        part = _PART.fullmatch(word)
        choices = parts[part.group(1)] if part else [word]
        left_out = "?" if "" in choices else ""
        found.append(f"(?:(?:{'|'.join(re.escape(choice) for choice in choices if choice)}) ){left_out}")
    return "".join(found)
