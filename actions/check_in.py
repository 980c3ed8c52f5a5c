"""The check-in: asking its questions in a Rasa form, keeping each answer as given, saying the result.

Edge room: see actions/__init__.py. What a reply means is decided by bot/screening/interview.py; the slots mirror
the answers for Rasa, the Store keeps them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.definitions import instruments, norms
from actions.meta import DANGER, likeliest
from actions.result import say_result
from actions.say import say
from actions.support import ASKING, ask_for_person, region_of, say_concern, show_help_lines
from bot.screening.history import facts
from bot.screening.instruments import Given, Instrument, Item
from bot.screening.interview import (
    CONSENT,
    GROUP,
    RESUME,
    Heard,
    Progress,
    Remove,
    Save,
    SetConsent,
    SetGroup,
    StartAnew,
    Step,
    begin,
    reply,
)
from bot.screening.triage import as_json, shipped_rules
from bot.storage.store import Store, default_store
from bot.support.help_lines import Region

#: What a slot holds for a question that the person skipped; None would mean "not asked yet".
SKIPPED = "overgeslagen"
#: What the slot norm_group holds when the person would rather not say.
NO_GROUP = "geen"
DEFAULT_INSTRUMENT = "check_in"
_WORD = re.compile(r"[^\W\d_]+")
#: A questionnaire asked for in words: the first word that stands in the message decides.
NAMED = {
    "pols": "pols",
    "spanningscheck": "spanningscheck",
    "spanning": "spanningscheck",
    "steuncheck": "support_check",
    "steun": "support_check",
    "stemming": "phq2",
    "angst": "gad2",
}
#: The crisis flow asks this one.
NOT_ASKED_HERE = "direct_question"


class ValidateCheckIn(Action):
    """The form's validation: reads the reply, keeps the answer, asks the next question.

    Rasa calls it when the form starts and after each message while it runs. It sets `requested_slot` itself and
    asks the question itself, so that a turn costs one call.
    """

    def name(self) -> str:
        """Rasa's name for the validation of `check_in_form`."""
        return "validate_check_in_form"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Begin, or take one step."""
        store, now = default_store(), datetime.now(UTC)
        events: list[EventType] = []
        asked = tracker.get_slot("requested_slot")
        if asked is None:
            step, check_in_id, events = await _begin(store, tracker, now)
        else:
            step, check_in_id = (
                reply(_progress(tracker), _heard(tracker), norms()),
                tracker.get_slot("check_in_id"),
            )
        events += await _keep(store, tracker.sender_id, check_in_id, step, now)
        # Who asks something back at the first question has read its introduction.
        first = not step.progress.answers and step.asked != asked
        _say(dispatcher, step, first, region=await region_of(tracker))
        return [*events, SlotSet("requested_slot", step.asked or None)]


class CheckInResult(Action):
    """Says the result once every question was asked; says nothing when the check-in was left halfway."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_check_in_result"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Close the check-in and show it beside its norm and the previous one."""
        if tracker.get_slot("check_in_status") != "complete":
            return []
        store, check_in_id = default_store(), tracker.get_slot("check_in_id")
        await store.finish_check_in(check_in_id, datetime.now(UTC))
        done = await store.finished_check_ins(tracker.sender_id)
        current = next((check_in for check_in in done if check_in.id == check_in_id), None)
        if current is None:
            return []  # erased in the meantime: there is nothing to show
        earlier = done[: done.index(current)]
        found = shipped_rules().triage(facts(current, earlier))
        await store.keep_triage(current.id, as_json(found))
        conversation = await store.conversation(tracker.sender_id)
        say_result(dispatcher, current, earlier, conversation, found)
        return []


async def _begin(store: Store, tracker: Tracker, now: datetime) -> tuple[Step, str, list[EventType]]:
    """Open the interview: resume what was left, or start what was asked for."""
    conversation = await store.ensure_conversation(tracker.sender_id, "shell")
    tapped = {entity["entity"]: entity["value"] for entity in tracker.latest_message.get("entities") or []}
    wanted = instruments()[_wanted(tracker, tapped.get("instrument"))]
    unfinished = await store.open_check_in(tracker.sender_id)
    given: dict[str, Given] = {}
    instrument = wanted
    if unfinished is not None and unfinished.answers and unfinished.instrument in instruments():
        instrument, given = instruments()[unfinished.instrument], unfinished.answers
    resume = {"yes": True, "no": False}.get(str(tapped.get("resume")))
    if resume is False:
        instrument = wanted
    # Whoever said no is asked again at the next check-in, not when going on with this one.
    consent = conversation.consent if given and resume is not False else (conversation.consent or None)
    step = begin(instrument, given, consent, conversation.norm_label is not None, resume)
    if given and unfinished is not None:
        check_in_id = unfinished.id
    else:
        started = await store.start_check_in(tracker.sender_id, instrument.id, instrument.content_hash, now)
        check_in_id = started.id
    slots: dict[str, Any] = {
        item: None for known in instruments().values() for item in (i.id for i in known.items)
    }
    slots |= {item: _in_slot(value) for item, value in given.items()}
    slots |= {
        "check_in_id": check_in_id,
        "instrument": instrument.id,
        "wanted_instrument": wanted.id,
        "consent": consent,
        "norm_group": conversation.norm_label,
        "check_in_status": None,
    }
    return step, check_in_id, [SlotSet(name, value) for name, value in slots.items()]


def _wanted(tracker: Tracker, tapped: str | None) -> str:
    """The instrument asked for: tapped, or named in the message."""
    if tapped in instruments() and tapped != NOT_ASKED_HERE:
        return str(tapped)
    words = _WORD.findall((tracker.latest_message.get("text") or "").lower().replace("-", ""))
    return next((NAMED[word] for word in words if word in NAMED), DEFAULT_INSTRUMENT)


def _progress(tracker: Tracker) -> Progress:
    instrument = instruments()[tracker.get_slot("instrument") or DEFAULT_INSTRUMENT]
    given = {item.id: tracker.get_slot(item.id) for item in instrument.items}
    return Progress(
        instrument=instrument,
        answers={item: _from_slot(value) for item, value in given.items() if value is not None},
        asked=tracker.get_slot("requested_slot"),
        consent=tracker.get_slot("consent"),
        group_settled=tracker.get_slot("norm_group") is not None,
        wanted=instruments().get(tracker.get_slot("wanted_instrument") or ""),
    )


def _heard(tracker: Tracker) -> Heard:
    message = tracker.latest_message
    text = message.get("text") or ""
    tapped = text.startswith("/")
    found = {entity["entity"]: entity["value"] for entity in message.get("entities") or []} if tapped else {}
    # A reading of something said before the questions began: heard as what it is.
    intent = found.get("reading") or (message.get("intent") or {}).get("name") or ""
    score = found.get("score")
    # Rasa makes one entity of each value in a list.
    codes = [one["value"] for one in message.get("entities") or [] if tapped and one["entity"] == "codes"]
    return Heard(
        text=text,
        intent="" if intent == "nlu_fallback" else intent,
        score=score if isinstance(score, int) and 0 <= score <= 10 else None,
        codes=tuple(map(str, codes)) or None,
        item=found.get("item"),
        tapped=tapped,
        anew=found.get("resume") == "no",
        worrying=intent == DANGER or (intent == "nlu_fallback" and likeliest(tracker, 1) == [DANGER]),
    )


def _in_slot(value: Given) -> object:
    """An answer as Rasa keeps it: JSON knows no tuples, and None would mean "not asked yet"."""
    return SKIPPED if value is None else list(value) if isinstance(value, tuple) else value


def _from_slot(value: Any) -> Given:
    return None if value == SKIPPED else tuple(value) if isinstance(value, list) else value


async def _keep(store: Store, person: str, check_in_id: str, step: Step, now: datetime) -> list[EventType]:
    """Store what changed, before anything is said about it; the same step twice stores the same."""
    events: list[EventType] = []
    for change in step.changes:
        match change:
            case Save(item, value):
                await store.save_answer(check_in_id, item, value, now)
                events.append(SlotSet(item, _in_slot(value)))
            case Remove(item):
                await store.remove_answer(check_in_id, item)
                events.append(SlotSet(item, None))
            case SetConsent(given):
                await store.set_consent(person, given, now)
                events.append(SlotSet("consent", given))
            case SetGroup(kind, label):
                await store.set_norm_group(person, kind, label)
                events.append(SlotSet("norm_group", label or NO_GROUP))
            case StartAnew():
                instrument = step.progress.instrument
                await store.drop_check_in(check_in_id)
                fresh = await store.start_check_in(person, instrument.id, instrument.content_hash, now)
                events += [SlotSet("check_in_id", fresh.id), SlotSet("instrument", instrument.id)]
                events += [SlotSet(item.id, None) for item in instrument.items]
    # Always set: a form whose validation sets no slot but `requested_slot` takes the reply for rejected.
    events.append(SlotSet("check_in_status", None if step.status == "open" else step.status))
    return events


def _say(dispatcher: CollectingDispatcher, step: Step, first: bool, region: Region) -> None:
    for line in step.lines:
        if line.response in ASKING:
            ask_for_person(dispatcher, region, line.response)
        else:
            say(dispatcher, line.response, line.values)
    if step.worried:
        say_concern(dispatcher, "halfway a questionnaire")
        return
    if kinds := [_PEOPLE[line.response] for line in step.lines if line.response in _PEOPLE]:
        show_help_lines(dispatcher, region, kinds[0])
    if step.asked:
        _ask(dispatcher, step.progress, first)


# Which lines go with an answer that names people to call.
_PEOPLE = {"utter_request_helpline": "someone_to_talk_to", "utter_report_substance_use": "substance"}


def _ask(dispatcher: CollectingDispatcher, progress: Progress, first: bool) -> None:
    instrument = progress.instrument
    if progress.asked == RESUME:
        counts = {"done": str(len(progress.answers)), "count": str(len(instrument.items))}
        say(dispatcher, "resume_question", counts)
    elif progress.asked == CONSENT:
        say(dispatcher, "consent_question")
    elif progress.asked == GROUP:
        choices = [{"title": group.name, "payload": group.name} for group in norms().groups("sector")]
        choices.append({"title": "Sla over", "payload": "/skip"})
        say(dispatcher, "group_question", buttons=choices)
    else:
        _ask_item(dispatcher, instrument, progress, first)


def _ask_item(
    dispatcher: CollectingDispatcher, instrument: Instrument, progress: Progress, first: bool
) -> None:
    scale, item = instrument.scale, instrument.items[progress.number - 1]
    values = {
        "count": str(len(instrument.items)),
        "number": str(progress.number),
        "question": item.question,
        "period": instrument.period_text,
        "min_label": scale.min_label,
        "max_label": scale.max_label,
        "text": instrument.intro,
    }
    if first:
        say(dispatcher, "plain" if instrument.intro else "first_question", values)
    if item.kind == "choice":
        say(dispatcher, "question", values, buttons=_buttons(item))
        return
    if item.kind == "several":
        say(dispatcher, "question", values, part=_multi_select(item))
        return
    part = {
        "type": "scale",
        "item": progress.asked,
        "min": scale.min,
        "max": scale.max,
        "min_label": scale.min_label,
        "max_label": scale.max_label,
        "payload": f'/give_score{{"item": "{progress.asked}", "score": $value}}',
        "skip_payload": "/skip",
    }
    say(dispatcher, "question", values, part=part)


def _buttons(item: Item) -> list[dict[str, str]]:
    options = [
        {"title": option.label, "payload": f'/give_score{{"item": "{item.id}", "score": {option.value}}}'}
        for option in item.options
    ]
    return [*options, {"title": "Sla over", "payload": "/skip"}]


def _multi_select(item: Item) -> dict[str, Any]:
    return {
        "type": "multi_select",
        "item": item.id,
        "options": [
            {"code": option.code, "title": option.label, "alone": option.alone} for option in item.options
        ],
        "payload": f'/give_score{{"item": "{item.id}", "codes": $codes}}',
        "skip_payload": "/skip",
    }
