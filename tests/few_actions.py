"""Actions for the tests of the webhook."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection


class Hello(Action):
    def name(self) -> str:
        return "action_test_hello"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list:  # noqa: ARG002
        dispatcher.utter_message(text=f"dag {tracker.sender_id}")
        return [SlotSet("greeted", True)]


class Rejects(Action):
    def name(self) -> str:
        return "action_test_rejects"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list:  # noqa: ARG002
        raise ActionExecutionRejection(self.name())


class Breaks(Action):
    def name(self) -> str:
        return "action_test_breaks"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list:  # noqa: ARG002
        raise RuntimeError(f"GEHEIM {tracker.latest_message.get('text')}")
