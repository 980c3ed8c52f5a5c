"""Replies a coach can put in the box and change before sending, read from resources/escalation/canned.yml.

Room: pure core, but for reading definitions.
"""

from __future__ import annotations

from functools import lru_cache
from string import Formatter
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from bot.resources import RESOURCES, Definition, SourcedDefinition, read_definition

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]


class CannedReply(Definition):
    """One reply: what it is for, and its text with `{name}` for the person's name."""

    id: Identifier
    title: Annotated[str, Field(min_length=1, max_length=40)]
    text: Annotated[str, Field(min_length=1, max_length=400)]

    @field_validator("text")
    @classmethod
    def _can_do_without_a_name(cls, text: str) -> str:
        unknown = {name for _, name, _, _ in Formatter().parse(text) if name is not None} - {"name"}
        if unknown:
            raise ValueError(f"unknown placeholder {sorted(unknown)}")
        if "{name}" in text.replace(" {name},", "").replace(", {name}", ""):
            raise ValueError("'{name}' must stand behind a space or comma, so that it can fall away")
        return text

    def said_to(self, name: str | None) -> str:
        """The text for a person; without a name its place falls away, with the comma before it."""
        if name:
            return self.text.replace("{name}", name)
        return self.text.replace(", {name}", "").replace(" {name}", "")


class CannedReplies(SourcedDefinition):
    """All replies, in the order in which a coach sees them."""

    replies: Annotated[list[CannedReply], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> CannedReplies:
        ids = [reply.id for reply in self.replies]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"given twice: {twice}")
        return self


@lru_cache(maxsize=1)
def shipped_canned_replies() -> tuple[CannedReply, ...]:
    """The replies in resources/, read once.

    Raises:
        ResourceError: they cannot be used.
    """
    return tuple(read_definition(RESOURCES / "escalation" / "canned.yml", CannedReplies).replies)
