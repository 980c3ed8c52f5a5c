"""People to call, shown at once.

Edge room: see actions/__init__.py.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.definitions import help_lines
from bot.support.help_lines import first_lines


class HelpLines(Action):
    """Shows the first help lines of the person's region."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_help_lines"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Say them; nothing is asked."""
        show_help_lines(dispatcher)
        return []


def show_help_lines(dispatcher: CollectingDispatcher) -> None:
    """Say the first help lines, with numbers that dial when tapped."""
    dispatcher.utter_message(json_message=first_lines(help_lines(), "Deze mensen kan je bellen"))
