"""Two things said in one message: the first is answered in a line, then the conversation goes on with the other.

Edge room: see actions/__init__.py. Which messages those are is decided in the engine (engine/two_things.py).
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.contacts import ContactPerson
from actions.meta import go_on_as, just_introduced
from actions.my_data import KeepData, ShowMyData
from actions.result import ShowTrend
from actions.say import say
from actions.support import region_of, show_help_lines

#: What the conversation goes on with: of two things the one that stands later here, of equals the one said last.
ORDER: tuple[frozenset[str], ...] = (
    frozenset({"greet"}),
    frozenset({"thank", "deny", "give_feedback_positive", "give_feedback_negative"}),
    frozenset(),  # how someone is
    frozenset(),  # what someone asks
    frozenset({"request_helpline", "ask_contact_person", "show_trend", "request_my_data"}),
    frozenset({"goodbye", "stop"}),
    frozenset({"start_check_in"}),
    frozenset({"request_delete_data"}),
    frozenset({"request_human", "request_callback"}),
)
REPORTS, ASKS = 2, 3
#: In a line, where `utter_<intent>` would ask something or there is no such response.
IN_A_LINE = {
    "greet": "greet",
    "deny": "no_to_nothing",
    "ask_privacy": "privacy_halfway",
    "give_feedback_negative": "sorry",
    "start_check_in": "check_in_later",
    "request_delete_data": "delete_later",
}
#: Answered by an action.
BY_ACTION: dict[str, type[ContactPerson | ShowMyData | ShowTrend | KeepData]] = {
    "ask_contact_person": ContactPerson,
    "request_my_data": ShowMyData,
    "show_trend": ShowTrend,
}
#: Answers that name people to call → the kind of lines.
WITH_LINES = {"request_helpline": "someone_to_talk_to", "report_substance_use": "substance"}
#: They ask what is next; the thing that the conversation goes on with has its own.
FOLLOW_UPS = frozenset({"utter_what_now", "utter_choices", "utter_tell_more"})


class TwoThings(Action):
    """Answers one in a line and goes on with the other as if that had been said alone: one question, one choice."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_two_things"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Say what belongs to the first; the rules say what belongs to the other."""
        both = tracker.latest_message.get("two_things") or []
        if len(both) != 2:
            return []
        first, last = in_order(*both)
        events = await _say_first(dispatcher, tracker, domain, first)
        return [*events, *go_on_as(tracker, last, tracker.latest_message.get("text") or "")]


def in_order(first: str, second: str) -> tuple[str, str]:
    """What is answered in a line, and what the conversation goes on with."""
    return (second, first) if _place(first) > _place(second) else (first, second)


def _place(intent: str) -> int:
    listed = next((place for place, intents in enumerate(ORDER) if intent in intents), None)
    return listed if listed is not None else REPORTS if intent.startswith("report_") else ASKS


async def _say_first(
    dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any], intent: str
) -> list[EventType]:
    if intent == "greet" and just_introduced(tracker):
        return []
    keeps = intent == "deny" and tracker.get_slot("open_offer") == "delete_data"
    action = KeepData if keeps else BY_ACTION.get(intent)
    if action is not None:
        aside = CollectingDispatcher()
        events: list[EventType] = await action().run(aside, tracker, domain)
        said = [message for message in aside.messages if message.get("response") not in FOLLOW_UPS]
        dispatcher.messages += [{**message, "buttons": []} for message in said]
        return events
    say(dispatcher, IN_A_LINE.get(intent, f"utter_{intent}"))
    if intent in WITH_LINES:
        show_help_lines(dispatcher, await region_of(tracker), WITH_LINES[intent])
    return []
