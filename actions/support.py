"""People to call, shown at once.

Edge room: see actions/__init__.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.definitions import help_lines
from actions.say import texts
from bot.language.normalise import fold
from bot.storage.store import default_store
from bot.support.help_lines import HelpLine, Region, as_part, for_kind

#: What was said → what the lines are for; all else is a wish to talk to someone.
KIND_OF_INTENT = {"report_substance_use": "substance"}

#: Intents that ask for a person → how the way to a coach begins.
ASKING = {"request_human": "request", "request_callback": "callback"}
#: A name or number of so many letters or digits is found also where it is written in pieces.
LONG_NAME = 8
LINES_TITLE = "Deze mensen kan je bellen"


class HelpLines(Action):
    """Shows the help lines that fit what was said: the one that was named first, then those that are open now."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_help_lines"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Say them; nothing is asked."""
        intent = (tracker.latest_message.get("intent") or {}).get("name")
        said = tracker.latest_message.get("text") or ""
        kind = KIND_OF_INTENT.get(intent or "", "someone_to_talk_to")
        show_help_lines(dispatcher, await region_of(tracker), kind, said)
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
        asked = intent if intent in ASKING else "request_human"
        ask_for_person(dispatcher, await region_of(tracker), asked)
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


async def region_of(tracker: Tracker) -> Region:
    """The help lines of where the person is."""
    conversation = await default_store().conversation(tracker.sender_id)
    return help_lines().of(None if conversation is None else conversation.region)


def ask_for_person(dispatcher: CollectingDispatcher, region: Region, intent: str) -> None:
    """Have the app lead someone to a coach; where there is none it says what stands here instead."""
    now = datetime.now(UTC)
    lines = as_part(for_kind(region, "someone_to_talk_to", now), LINES_TITLE, now)
    instead = [[{"type": "text", "text": texts()[intent].text}], [lines]]
    dispatcher.utter_message(
        json_message={"type": "hand_off", "origin": ASKING[intent], "otherwise": instead}
    )


def say_concern(dispatcher: CollectingDispatcher, reason: str) -> None:
    """Have the app ask the direct question about suicidal thoughts, as the last thing of this turn."""
    dispatcher.utter_message(json_message={"type": "concern", "kind": "suicidal_thoughts", "reason": reason})


def show_help_lines(dispatcher: CollectingDispatcher, region: Region, kind: str, said: str = "") -> None:
    """Say the lines for a kind (bot.support.help_lines.KINDS), with numbers that dial when tapped.

    Args:
        dispatcher: where they go.
        region: where the person is.
        kind: what they are for.
        said: the words that asked for them; lines that are named there come first, whatever they are for.
    """
    now = datetime.now(UTC)
    first = named(region.lines, said)
    others = [line for line in for_kind(region, kind, now) if line not in first]
    dispatcher.utter_message(json_message=as_part([*first, *others], LINES_TITLE, now))


def named(lines: Sequence[HelpLine], said: str) -> list[HelpLine]:
    """The lines that a text names, by their name or their number, in the order of the data."""
    words = re.findall(r"[a-z0-9]+", fold(said))
    together = "".join(words)

    def is_named(line: HelpLine) -> bool:
        digits = re.sub(r"\D", "", line.number or "")
        name = "".join(re.findall(r"[a-z]+", fold(line.name).removeprefix("de ")))
        # Short names and numbers also stand inside other words and numbers.
        return any(
            len(sign) > 0 and (sign in words or (len(sign) >= LONG_NAME and sign in together))
            for sign in (digits, name)
        )

    return [line for line in lines if is_named(line)]
