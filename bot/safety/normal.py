"""What people type, made even for the guard: what holds for every reader, and beside it the words of danger.

Room: pure core. The work is done by bot/language/typed; the word lists are data in resources/language/typed.yml
(general) and resources/safety/typing.yml (danger), checked strictly here. Nothing here decides anything.
"""

from __future__ import annotations

from pathlib import Path

import simplemma
from pydantic import Field

from bot.language.typed import Typed, as_table
from bot.resources import RESOURCES, ResourceError, SourcedDefinition, read_definition

Normaliser = Typed


class General(SourcedDefinition):
    """resources/language/typed.yml: how people type, for every reader."""

    words: dict[str, str]
    k_before: list[str]
    emoji: dict[str, str]
    letters: dict[str, str]
    glue: list[str] = Field(min_length=1)


class Typing(SourcedDefinition):
    """resources/safety/typing.yml: how people type what the guard has to hear."""

    words: dict[str, str]
    keep_after: dict[str, list[str]]
    emoji: dict[str, str]
    important: list[str] = Field(min_length=1)
    glue: list[str] = Field(min_length=1)
    no_slips: list[str]


def load_normaliser(path: Path | None = None) -> Normaliser:
    """The normaliser with the word lists in resources/ (or in `path` and its neighbour folder `language`).

    Raises:
        ResourceError: a file does not hold to its schema, or a word stands in both.
    """
    path = path or RESOURCES / "safety" / "typing.yml"
    general = read_definition(path.parents[1] / "language" / "typed.yml", General)
    danger = read_definition(path, Typing)
    twice = sorted({*general.words, *general.emoji} & {*danger.words, *danger.emoji})
    if twice:
        raise ResourceError([f"{path}: {word!r} stands in language/typed.yml too" for word in twice])
    return Typed(as_table(general.model_dump()) | as_table(danger.model_dump()), is_dutch)


def is_dutch(word: str) -> bool:
    """Whether a word made even stands in a Dutch dictionary."""
    return bool(simplemma.is_known(word, lang="nl"))
