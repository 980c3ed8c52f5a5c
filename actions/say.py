"""Saying the texts of resources/conversation/texts.yml.

Edge room: see actions/__init__.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from string import Formatter
from types import MappingProxyType
from typing import Any

from pydantic import Field
from rasa_sdk.executor import CollectingDispatcher

from actions.definitions import settings
from bot.resources import RESOURCES, Definition, read_definition


class Button(Definition):
    """A quick reply: what the person reads and what is sent when it is tapped."""

    title: str = Field(min_length=1)
    payload: str = Field(min_length=1)


class Said(Definition):
    """One text with its {placeholders} and its buttons."""

    text: str = Field(min_length=1)
    buttons: list[Button] = Field(default_factory=list)

    @property
    def placeholders(self) -> set[str]:
        """The names that have to be filled in."""
        return {name for _, name, _, _ in Formatter().parse(self.text) if name}


class Texts(Definition):
    """All texts that actions say, by name."""

    id: str
    texts: dict[str, Said]


@cache
def texts() -> dict[str, Said]:
    """Every text, by name."""
    return read_definition(RESOURCES / "conversation" / "texts.yml", Texts).texts


def say(
    dispatcher: CollectingDispatcher,
    name: str,
    values: Mapping[str, str] = MappingProxyType({}),
    buttons: list[dict[str, str]] | None = None,
    part: dict[str, Any] | None = None,
) -> None:
    """Say one text.

    Args:
        dispatcher: where it goes.
        name: a text of texts.yml, or, with the prefix `utter_`, a response of domain.yml.
        values: what fills the placeholders; `hours` and `months` of retention are always known.
        buttons: quick replies that stand in for the text's own.
        part: a message part that goes with it, such as a scale or a chart.

    Raises:
        KeyError: there is no such text, or a placeholder has no value.
    """
    if name.startswith("utter_"):
        dispatcher.utter_message(response=name, **values)
        return
    said = texts()[name]
    always = {"hours": str(settings().retention_hours), "months": str(settings().history_months)}
    own = [button.model_dump() for button in said.buttons]
    dispatcher.utter_message(
        text=said.text.format(**{**always, **values}), buttons=buttons or own, json_message=part
    )
