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
#: Marks that change nothing; for what is ordinary a question is another message. A plain wish to be gone stays one with
#: a question mark, a laugh or a sad face (as the normaliser writes them).
MARKS = frozenset(".,;!")
ALSO = {ASKED: frozenset({"?", "lachen", "triest"})}
_PART = re.compile(r"\{(\w+)\}")


class Messages(SourcedDefinition):
    """One of the two files: sentences of named parts; a part with an empty possibility may be left out."""

    parts: dict[str, list[str]]
    sentences: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _known(self) -> Messages:
        words = [word for sentence in self.sentences for word in sentence.split()]
        used = {part.group(1) if (part := _PART.fullmatch(word)) else word for word in words if "{" in word}
        if used != set(self.parts):
            raise ValueError(f"parts and sentences differ in {sorted(used ^ set(self.parts))}")
        return self


class Whole:
    """Knows the messages of a file."""

    def __init__(self, messages: Messages, also: frozenset[str] = frozenset()) -> None:
        """Prepare the messages; words in `also` count as little as marks do."""
        self._nothing = MARKS | also
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
    also = next((words for one, words in ALSO.items() if one.name == path.name), frozenset[str]())
    return Whole(read_definition(path, Messages), also)


def _pattern(sentence: str, parts: dict[str, list[str]]) -> str:
    found = []
    for word in sentence.split():
        part = _PART.fullmatch(word)
        choices = parts[part.group(1)] if part else [word]
        left_out = "?" if "" in choices else ""
        found.append(f"(?:(?:{'|'.join(re.escape(choice) for choice in choices if choice)}) ){left_out}")
    return "".join(found)
