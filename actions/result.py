"""Saying what a check-in shows: in words, in a chart, beside a norm and the time before; never as a diagnosis.

Edge room: see actions/__init__.py. The figures come from bot/screening/result.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.definitions import day, instruments, listed, norms, words
from actions.say import say, texts
from actions.support import say_concern
from bot.screening.history import facts, phq2_sum
from bot.screening.instruments import Given, Instrument
from bot.screening.norms import NormGroup
from bot.screening.outcomes import in_words
from bot.screening.result import ItemResult, Result, check_in_result
from bot.screening.triage import Offer, Triage, shipped_rules
from bot.storage.store import CheckIn, Conversation, default_store

#: From this level of care on the result is put as heavy.
HEAVY_LEVEL = 3
#: How many reasons are put into words.
REASONS = 2
#: How many distances to the norm, and how many changes, are put into words; the chart shows the rest.
IN_WORDS = 2
#: A change of fewer points than this is called about the same (product rule).
CHANGE_POINTS = 2


class ShowTrend(Action):
    """Shows the latest check-in beside the one before."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_show_trend"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Show it, or say honestly why there is nothing to show."""
        store = default_store()
        conversation = await store.conversation(tracker.sender_id)
        finished = await store.finished_check_ins(tracker.sender_id)
        done = [one for one in finished if instruments()[one.instrument].compared]
        if not done:
            kept = conversation is None or conversation.consent is not False
            say(dispatcher, "trend_none" if kept else "trend_not_kept")
            dispatcher.utter_message(response="utter_what_now")
            return []
        latest = done[-1]
        if len(done) == 1:
            say(dispatcher, "trend_one", {"date": _date(latest)})
            dispatcher.utter_message(response="utter_what_now")
            return []
        result = _result(latest, done[-2], conversation)
        text = _trend(result, done[-2])
        dispatcher.utter_message(text=text, json_message=_chart(result, words().chart.trend_title))
        dispatcher.utter_message(response="utter_what_now")
        return []


def say_result(
    dispatcher: CollectingDispatcher,
    current: CheckIn,
    earlier: Sequence[CheckIn],
    conversation: Conversation | None,
    found: Triage,
) -> None:
    """Say a finished questionnaire: what it shows, why that matters, and two or three things to choose from.

    A check-in comes with its chart, norm, trend and caveats; another questionnaire in words. After a low mood the app
    asks the direct question, as the last thing.
    """
    instrument = instruments()[current.instrument]
    if all(value is None for value in current.answers.values()):
        say(dispatcher, "result_all_skipped")
        say(dispatcher, "result_level", {"text": shipped_rules().text(0).text}, _buttons(found.offers))
        return
    if instrument.compared:
        previous = next((one for one in reversed(earlier) if instruments()[one.instrument].compared), None)
        _say_check_in(dispatcher, current, previous, conversation, heavy=found.level >= HEAVY_LEVEL)
    else:
        recent = facts(current, earlier).answers
        say(dispatcher, "plain", {"text": in_words(instrument, current.answers, phq2_sum(recent))})
    _say_level(dispatcher, instrument, found)
    if instrument.id == "phq2" and any(rule.name == "low-mood" for rule in found.fired):
        say_concern(dispatcher, "low mood")


def _say_level(dispatcher: CollectingDispatcher, instrument: Instrument, found: Triage) -> None:
    """Why (at most two reasons that come from these questions), what fits, and the choices."""
    mine = {item.id for item in instrument.items}
    reasons = [rule.person for rule in found.fired if mine & set(shipped_rules().needs(rule))][:REASONS]
    signal = texts()["result_signal"].text if instrument.compared else ""
    text = shipped_rules().text(found.level).text
    said = "\n".join([*(f"• {reason}" for reason in reasons), " ".join(filter(None, (text, signal)))])
    say(dispatcher, "result_level", {"text": said}, _buttons(found.offers))


def _buttons(offers: Sequence[Offer]) -> list[dict[str, str]]:
    return [{"title": offer.title, "payload": offer.payload} for offer in offers]


def _say_check_in(
    dispatcher: CollectingDispatcher,
    current: CheckIn,
    previous: CheckIn | None,
    conversation: Conversation | None,
    *,
    heavy: bool,
) -> None:
    result = _result(current, previous, conversation)
    _say_overview(dispatcher, result, heavy)
    lines = [_norm(result)]
    if previous is not None and any(item.change is not None for item in result.items):
        lines.append(_trend(result, previous))
    dispatcher.utter_message(text="\n".join(lines), json_message=_chart(result, words().chart.title))


def _result(current: CheckIn, previous: CheckIn | None, conversation: Conversation | None) -> Result:
    group: NormGroup | None = None
    if conversation is not None and conversation.norm_kind and conversation.norm_label:
        group = norms().group(conversation.norm_kind, conversation.norm_label)
    before = _scores(previous.answers) if previous is not None else None
    return check_in_result(
        instruments()[current.instrument], _scores(current.answers), norms(), group, before
    )


def _scores(answers: Mapping[str, Given]) -> dict[str, int | None]:
    return {item: value for item, value in answers.items() if not isinstance(value, tuple)}


def _say_overview(dispatcher: CollectingDispatcher, result: Result, heavy: bool) -> None:
    alerts = [found for found in result.items if found.alert]
    parts = []
    for concern in ("high", "low"):
        labels = [found.item.label for found in alerts if found.item.concern == concern]
        if labels:
            parts.append(words().alert[concern].format(labels=listed(labels)))
    missing = [found.item.label for found in result.items if found.value is None]
    name = "result_alerts_many" if heavy else "result_alerts_some" if alerts else "result_no_alerts"
    left_out = texts()["result_missing"].text.format(missing=listed(missing)) if missing else ""
    say(dispatcher, name, {"alerts": listed(parts), "missing": left_out})


def _norm(result: Result) -> str:
    """The largest distances to the norm in words, farthest first."""
    apart = [found for found in result.items if found.comparison not in (None, "about")]
    apart.sort(key=lambda found: -abs(found.difference_sd or 0))
    if not apart:
        return words().norm_same.format(among=result.group.among)
    phrases = [_distance(found) for found in apart[:IN_WORDS]]
    return words().norm.format(among=result.group.among, comparisons=listed(phrases))


def _distance(found: ItemResult) -> str:
    mean = f"{found.norm.mean:.1f}".replace(".", ",")
    return (
        words().comparison[str(found.comparison)].format(label=found.item.label, value=found.value, mean=mean)
    )


def _trend(result: Result, previous: CheckIn) -> str:
    """The largest changes in words, largest first."""
    moved = [found for found in result.items if abs(found.change or 0) >= CHANGE_POINTS]
    moved.sort(key=lambda found: -abs(found.change or 0))
    changes = [
        words().change["moved"].format(label=found.item.label, previous=found.previous, value=found.value)
        for found in moved[:IN_WORDS]
    ]
    return words().trend.format(date=_date(previous), change=listed(changes) or words().change["same"])


def _chart(result: Result, title: str) -> dict[str, Any]:
    instrument = result.instrument
    return {
        "type": "chart",
        "title": title,
        "caption": words().chart.caption.format(among=result.group.among, caveat=norms().caveat),
        "min": instrument.scale.min,
        "max": instrument.scale.max,
        "bands": [{"id": b.id, "label": b.label, "from": b.start, "to": b.end} for b in instrument.bands],
        "norm_label": result.group.among,
        "bars": [
            {
                "item": found.item.id,
                "label": found.item.label,
                "value": found.value,
                "band": found.band.id if found.band else None,
                "concern": found.item.concern,
                "alert": found.alert,
                "norm": {"mean": found.norm.mean, "sd": found.norm.sd, "n": found.norm.n},
                "previous": found.previous,
            }
            for found in result.items
        ],
    }


def _date(check_in: CheckIn) -> str:
    return day(check_in.finished_at or check_in.started_at)
