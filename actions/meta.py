"""First contact, coming back, starting over, saying again, and not understanding.

Edge room: see actions/__init__.py.
"""

from __future__ import annotations

import json
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecuted, ActiveLoop, EventType, FollowupAction, SessionStarted, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.definitions import intent_titles
from actions.say import say, texts
from actions.support import say_concern
from bot.storage.choices import default_choices
from bot.storage.store import default_store

#: What is said first to who is new, and to who comes back to scores that were kept.
FIRST_WORDS, WELCOME_BACK = ("intro", "privacy_short"), ("welcome_back",)
#: How many readings a person is offered when the model is not sure.
READINGS = 2
#: A reading that the model thinks less likely than this would be an absurd guess, and is not offered.
LEAST_LIKELY = 0.15
#: How a reading is tapped, and what stands for none of them. Nothing of what was typed is in it.
TAP, NONE = '/nlu_fallback{{"reading": "{name}"}}', "none"
#: Never offered as a reading: everybody who is not understood could mean it.
NOT_OFFERED = frozenset({"ask_capabilities", "out_of_scope"})
#: Marks a message of the person that is heard once more as something else (`go_on_as`).
HEARD_AGAIN = "heard_again"
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
        back = known is not None and known.consent and await store.finished_check_ins(tracker.sender_id)
        for text in WELCOME_BACK if back else FIRST_WORDS:
            say(dispatcher, text)
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
        if not just_introduced(tracker):
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
        if any(entity["entity"] == "resume" for entity in entities(tracker)):
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
        # What was said again on request is still what they say yes to.
        turns = [turn for turn in _turns(tracker)[:-1] if not _ran(turn, "action_repeat")]
        before = turns[-1] if turns else []
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


class Deny(Action):
    """A no outside a check-in: to the readings that were offered, or to nothing."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_deny"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """None of the readings: a person, then. Else nothing has to happen."""
        if _readings_on(turn_before(tracker)):
            say(dispatcher, "fallback_again")
        else:
            say(dispatcher, "no_to_nothing")
            say(dispatcher, "utter_what_now")
        return []


class Fallback(Action):
    """Not sure: offers the two likeliest readings and goes on with the chosen one; else, a person."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_fallback"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Offer readings with their titles from resources/conversation/intent_titles.yml, or take the chosen one."""
        titles = intent_titles()
        chosen = next((str(one["value"]) for one in entities(tracker) if one["entity"] == "reading"), None)
        if chosen is not None and chosen in titles:
            text = await _keep_choice(tracker, chosen)
            return go_on_as(tracker, chosen, text)
        readings = [
            name
            for name in likeliest(tracker, least=LEAST_LIKELY)
            if name in titles and name not in NOT_OFFERED | {DANGER}
        ]
        if likeliest(tracker, 1) == [DANGER]:
            say_concern(dispatcher, "unsure reading")
            return []
        if chosen is not None or _fell_back_before(tracker) or not readings:
            say(dispatcher, "fallback_again")
            return []
        offered = {name: titles[name] for name in readings[:READINGS]} | {NONE: texts()["fallback_none"].text}
        buttons = [{"title": title, "payload": TAP.format(name=name)} for name, title in offered.items()]
        say(dispatcher, "fallback", buttons=buttons)
        return []


async def _keep_choice(tracker: Tracker, chosen: str) -> str:
    """Keep what was meant by the sentence before the tap, where that is wanted; gives the sentence, '' for none."""
    before = turn_before(tracker)
    said = next((event for event in before if event.get("event") == "user"), {})
    offered = _readings_on(before)
    text = str(said.get("text") or "")
    if not _ran(before, "action_fallback") or chosen not in offered or text.startswith("/"):
        return ""
    ranking = (said.get("parse_data") or {}).get("intent_ranking") or []
    worrying = DANGER in [row["name"] for row in ranking[: READINGS + 2]]
    choices = default_choices()
    if choices is not None and not worrying:
        await choices.keep(tracker.sender_id, text, offered, chosen)
    return text


def _readings_on(turn: list[dict[str, Any]]) -> tuple[str, ...]:
    """The readings on the buttons of a turn."""
    start = TAP.format(name="").partition("{")[0]
    payloads = [b["payload"] for event in turn for b in (event.get("data") or {}).get("buttons") or []]
    found = [json.loads(one.removeprefix(start)) for one in payloads if one.startswith(start + "{")]
    return tuple(one["reading"] for one in found if one["reading"] != NONE)


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


def likeliest(tracker: Tracker, most: int | None = None, least: float = 0.0) -> list[str]:
    """The intents the model thought of, likeliest first, that have at least the confidence `least`."""
    ranking = tracker.latest_message.get("intent_ranking") or []
    found = [row["name"] for row in ranking if row["name"] != "nlu_fallback" and row["confidence"] >= least]
    return found[:most]


def entities(tracker: Tracker) -> list[dict[str, Any]]:
    """What was found in the person's last message, or was tapped with it."""
    return tracker.latest_message.get("entities") or []


def go_on_as(tracker: Tracker, intent: str, text: str = "") -> list[EventType]:
    """Events with which the conversation goes on as if the person had said just this.

    Args:
        tracker: the conversation, at the message of which this is a reading.
        intent: what is heard.
        text: the words that are heard in it; '' for none.
    """
    message = tracker.latest_message
    found = [one for one in entities(tracker) if one["entity"] != "reading"]
    heard = {
        "event": "user",
        "timestamp": None,
        "text": text,
        "parse_data": {"text": text, "intent": {"name": intent, "confidence": 1.0}, "entities": found},
        "input_channel": tracker.get_latest_input_channel(),
        "message_id": message.get("message_id"),
        "metadata": {HEARD_AGAIN: True},
    }
    return [ActionExecuted("action_listen"), heard]


def turn_before(tracker: Tracker) -> list[dict[str, Any]]:
    """The events of the turn before the person's last message."""
    return (_turns(tracker)[:-1] or [[]])[-1]


def _turns(tracker: Tracker) -> list[list[dict[str, Any]]]:
    """The latest turns, oldest first: each a message of the person and what came of it."""
    turns: list[list[dict[str, Any]]] = [[]]
    for event in tracker.events:
        if event.get("event") == "user" and not _heard_again(event):
            turns.append([])
        turns[-1].append(event)
    return turns


def just_introduced(tracker: Tracker) -> bool:
    """Whether session start spoke right before the person's first message."""
    return any(event.get("event") == "session_started" for event in turn_before(tracker))


def _heard_again(event: dict[str, Any]) -> bool:
    return HEARD_AGAIN in (event.get("metadata") or {})


def _fell_back_before(tracker: Tracker) -> bool:
    """Whether the turn before ended in not understanding; one in which a reading was chosen did not."""
    before = turn_before(tracker)
    return _ran(before, "action_fallback") and not any(map(_heard_again, before))


def _ran(turn: list[dict[str, Any]], action: str) -> bool:
    return any(event.get("name") == action for event in turn)
