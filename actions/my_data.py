"""What is kept about a person: seeing it, and having it erased.

Edge room: see actions/__init__.py.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.definitions import day, instruments, norms
from actions.meta import turn_before
from actions.say import say
from bot.storage.store import Conversation, default_store


class ShowMyData(Action):
    """Everything that is kept, in words."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_show_my_data"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """List consent, comparison group and each finished check-in with its scores."""
        store = default_store()
        known = await store.conversation(tracker.sender_id)
        done = await store.finished_check_ins(tracker.sender_id)
        unfinished = await store.open_check_in(tracker.sender_id)
        if unfinished is not None and unfinished.answers:
            done = [*done, unfinished]
        if known is None or (not done and known.consent is None and known.norm_label is None):
            say(dispatcher, "my_data_none")
            return []
        lines = []
        for check_in in done:
            labels = {item.id: item.label for item in instruments()[check_in.instrument].items}
            scores = ", ".join(
                f"{labels.get(item, item)} {'overgeslagen' if value is None else value}"
                for item, value in check_in.answers.items()
            )
            state = "" if check_in.finished_at else " (nog niet af)"
            lines.append(f"• {day(check_in.finished_at or check_in.started_at)}{state}: {scores}")
        say(
            dispatcher,
            "my_data",
            {
                "consent": "ja" if known.consent else "nee, alleen zolang dit gesprek loopt",
                "group": _group(known),
                "count": str(len(done)),
                "scores": "\n".join(lines),
            },
        )
        return []


def _group(known: Conversation) -> str:
    if known.norm_kind and known.norm_label:
        return norms().group(known.norm_kind, known.norm_label).among
    return norms().all_respondents.among


class AskDeleteData(Action):
    """Asks once more before anything is erased."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_ask_delete_data"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Ask; the answer is read by the rules with `open_offer: delete_data`."""
        say(dispatcher, "delete_question")
        return [SlotSet("open_offer", "delete_data")]


class DeleteData(Action):
    """Erases everything, but only on a yes that follows the question directly."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_delete_data"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Erase now; the last words still reach the person. A later, unrelated yes brings the question back instead."""
        asked = any(event.get("name") == "action_ask_delete_data" for event in turn_before(tracker))
        again = any(event.get("name") == "action_delete_data" for event in turn_before(tracker))
        if not asked and not again:
            say(dispatcher, "delete_question")
            return [SlotSet("open_offer", "delete_data")]
        await default_store().forget(tracker.sender_id)
        say(dispatcher, "deleted")
        return [SlotSet("open_offer", None)]


class KeepData(Action):
    """Leaves everything as it is."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_keep_data"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Say so."""
        say(dispatcher, "kept")
        return [SlotSet("open_offer", None)]
