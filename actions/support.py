"""People to call, shown at once.

Edge room: see actions/__init__.py.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.definitions import help_lines
from actions.say import texts
from bot.support.help_lines import as_part, for_kind

#: What was said → what the lines are for; all else is a wish to talk to someone.
KIND_OF_INTENT = {"report_substance_use": "substance"}

#: Intents that ask for a person → how the way to a coach begins.
ASKING = {"request_human": "request", "request_callback": "callback"}
LINES_TITLE = "Deze mensen kan je bellen"


class HelpLines(Action):
    """Shows the help lines that fit what was said, those that are open now first."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_help_lines"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Say them; nothing is asked."""
        intent = (tracker.latest_message.get("intent") or {}).get("name")
        show_help_lines(dispatcher, KIND_OF_INTENT.get(intent or "", "someone_to_talk_to"))
        return []


class AskForPerson(Action):
    """Someone asks for a person: the app leads them to a coach. Where there is none it says which lines are open."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_ask_for_person"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Hand over to the app, with what is said where there is no coach."""
        intent = (tracker.latest_message.get("intent") or {}).get("name")
        ask_for_person(dispatcher, intent if intent in ASKING else "request_human")
        return []


class AskDirectly(Action):
    """Thoughts of death that the guard did not see but the engine reads: the app asks about them."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_ask_directly"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Hand over to the crisis flow."""
        say_concern(dispatcher, "intent")
        return []


def ask_for_person(dispatcher: CollectingDispatcher, intent: str) -> None:
    """Have the app lead someone to a coach; where there is none it says what stands here instead."""
    now = datetime.now(UTC)
    lines = as_part(for_kind(help_lines(), "someone_to_talk_to", now), LINES_TITLE, now)
    instead = [[{"type": "text", "text": texts()[intent].text}], [lines]]
    dispatcher.utter_message(
        json_message={"type": "hand_off", "origin": ASKING[intent], "otherwise": instead}
    )


def say_concern(dispatcher: CollectingDispatcher, reason: str) -> None:
    """Have the app ask the direct question about suicidal thoughts, as the last thing of this turn."""
    dispatcher.utter_message(json_message={"type": "concern", "kind": "suicidal_thoughts", "reason": reason})


def show_help_lines(dispatcher: CollectingDispatcher, kind: str) -> None:
    """Say the lines for a kind (bot.support.help_lines.KINDS), with numbers that dial when tapped."""
    now = datetime.now(UTC)
    lines = for_kind(help_lines(), kind, now)
    dispatcher.utter_message(json_message=as_part(lines, LINES_TITLE, now))
