"""First contact, coming back, starting over, saying again, and not understanding.

Edge room: see actions/__init__.py.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecuted, ActiveLoop, EventType, FollowupAction, SessionStarted, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.definitions import intent_titles
from actions.say import say
from actions.support import say_concern
from bot.storage.store import default_store

#: How many readings a person is offered when the model is not sure.
READINGS = 2
#: What is offered beside the readings, for when none of them fits.
LAST_RESORT = "ask_capabilities"
#: A reading that is never put on a button beside another: the app asks about it, with the crisis flow's own texts.
DANGER = "report_suicidal_thoughts"


class SessionStart(Action):
    """The first words of every conversation, on every channel: what this is, what is kept, who can see it."""

    def name(self) -> str:
        """Rasa runs this before the first message of a new tracker."""
        return "action_session_start"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Introduce once; someone whose scores were kept is welcomed back instead."""
        store = default_store()
        known = await store.conversation(tracker.sender_id)
        if known is not None and known.consent and await store.finished_check_ins(tracker.sender_id):
            say(dispatcher, "welcome_back")
        else:
            say(dispatcher, "intro")
            say(dispatcher, "privacy_short")
        return [SessionStarted(), ActionExecuted("action_listen")]


class Greet(Action):
    """Offers what can be done now: the unfinished check-in first, when there is one."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_greet"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Greet back, unless the introduction of this same turn already did."""
        unfinished = await default_store().open_check_in(tracker.sender_id)
        if not _just_introduced(tracker):
            say(dispatcher, "greet")
        if unfinished is not None and unfinished.answers:
            say(dispatcher, "resume_offer")
        else:
            dispatcher.utter_message(response="utter_choices")
        return []


class Restart(Action):
    """Starts the conversation over: unfinished answers go, kept scores stay."""

    def name(self) -> str:
        """Rasa's own name for what follows the intent `restart`."""
        return "action_restart"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Drop the unfinished check-in, leave the form and offer the choices of the first contact."""
        store = default_store()
        unfinished = await store.open_check_in(tracker.sender_id)
        if unfinished is not None:
            await store.drop_check_in(unfinished.id)
        say(dispatcher, "restart")
        dispatcher.utter_message(response="utter_choices")
        return [ActiveLoop(None), SlotSet("requested_slot", None), SlotSet("open_offer", None)]


class Repeat(Action):
    """Says the last thing again."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_repeat"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Repeat the bot's messages of the turn before this one, choices included.

        After the crisis flow there is nothing to repeat: then this invites to go on.
        """
        if any(entity["entity"] == "resume" for entity in tracker.latest_message.get("entities") or []):
            say(dispatcher, "after_crisis")
            return []
        said = [event for event in turn_before(tracker) if event.get("event") == "bot"]
        for event in said:
            data = event.get("data") or {}
            dispatcher.utter_message(
                text=event.get("text"), buttons=data.get("buttons"), json_message=data.get("custom")
            )
        if not said:
            say(dispatcher, "nothing_to_repeat")
        return []


class Affirm(Action):
    """A yes outside a check-in: to going on, to saying more, or to nothing."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_affirm"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Make room for the story, else offer the choices."""
        before = turn_before(tracker)
        said = [(event.get("metadata") or {}).get("utter_action") for event in before]
        offered = {b["payload"] for event in before for b in (event.get("data") or {}).get("buttons") or []}
        if any(payload.startswith('/start_check_in{"resume": "yes"') for payload in offered):
            return [FollowupAction("check_in_form")]
        if "utter_tell_more" in said:
            say(dispatcher, "go_ahead")
        else:
            say(dispatcher, "yes_to_what")
            dispatcher.utter_message(response="utter_choices")
        return []


class Fallback(Action):
    """Not sure: offers the two likeliest readings; the second time in a row, a person."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_fallback"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Offer readings with their titles from resources/conversation/intent_titles.yml."""
        titles = intent_titles()
        never = (LAST_RESORT, DANGER)
        readings = [name for name in likeliest(tracker) if name in titles and name not in never][:READINGS]
        if likeliest(tracker, 1) == [DANGER]:
            say_concern(dispatcher, "unsure reading")
            return []
        if _fell_back_before(tracker) or not readings:
            say(dispatcher, "fallback_again")
            return []
        buttons = [{"title": titles[name], "payload": f"/{name}"} for name in readings]
        buttons.append({"title": titles[LAST_RESORT], "payload": f"/{LAST_RESORT}"})
        say(dispatcher, "fallback", buttons=buttons)
        return []


class Privacy(Action):
    """What is kept, how long, and who can see it; the figures come from the settings in force."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_privacy"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Three lines, then the honest part."""
        say(dispatcher, "privacy_long")
        say(dispatcher, "privacy_honest")
        return []


def likeliest(tracker: Tracker, most: int | None = None) -> list[str]:
    """The intents the model thought of, likeliest first."""
    ranking = tracker.latest_message.get("intent_ranking") or []
    return [row["name"] for row in ranking if row["name"] != "nlu_fallback"][:most]


def turn_before(tracker: Tracker) -> list[dict[str, Any]]:
    """The events of the turn before the person's last message."""
    turns: list[list[dict[str, Any]]] = [[]]
    for event in tracker.events:
        if event.get("event") == "user":
            turns.append([])
        turns[-1].append(event)
    return turns[-2] if len(turns) > 1 else []


def _just_introduced(tracker: Tracker) -> bool:
    """Whether session start spoke right before the person's first message."""
    return any(event.get("event") == "session_started" for event in turn_before(tracker))


def _fell_back_before(tracker: Tracker) -> bool:
    return any(event.get("name") == "action_fallback" for event in turn_before(tracker))
