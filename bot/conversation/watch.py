"""Safety for every inbound message, before anything else happens with it. Conversation room.

Nothing here needs the engine: when Rasa is down or slow, a person in danger still reads the help lines at once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, cast

from bot.messages import Choice, QuickReplies, Text, as_json
from bot.safety.crisis import Button, Crisis, Heard, Move, Say, ask_directly, respond
from bot.safety.crisis_texts import CrisisTexts
from bot.safety.verdict import NOTHING, Judgement, Kind
from bot.storage.crisis_log import CrisisRecord, Ruling, Situation
from bot.support.help_lines import Region, as_part, for_kind

#: Lines shown in a message; the others stay one tap away in the panel.
LINES = 3
#: The engine puts aside what it was asking; what it says to that is shown to nobody.
END_FORM = "/stop"
#: The engine asks the open question again, or, when there is none, invites to go on.
GO_ON = '/repeat{"resume": "yes"}'


class Judge(Protocol):
    """What judges a person's last messages, oldest first: the guard."""

    def judge_recent(self, texts: list[str], /) -> Judgement:
        """The graver of the newest alone and the newest together with those before it."""


class Watch:
    """Judges what people write and decides what is said about it."""

    def __init__(self, guard: Judge, texts: CrisisTexts, region: Region) -> None:
        """Args: guard: who judges; texts: what is said; region: whose help lines are shown."""
        self._guard = guard
        self._texts = texts
        self._region = region

    def inbound(self, text: str, payload: str | None, now: datetime) -> Callable[[Situation], Ruling]:
        """What to do about a message, once the situation is known.

        Args:
            text: what the person sees as theirs.
            payload: what a tap sends in place of it; words of a tap are read as if they were typed.
            now: the moment, with time zone.
        """
        command = payload if payload is not None and payload.startswith("/") else None
        words = text if payload is None else payload

        def decide(situation: Situation) -> Ruling:
            judged = NOTHING if command is not None else self._guard.judge_recent([*situation.recent, words])
            heard = Heard("" if command is not None else words, command, judged)
            return self._ruling(respond(self._texts, _crisis(situation.crisis), heard, now), now)

        return decide

    def concern(self, kind: Kind, now: datetime) -> Callable[[Situation], Ruling]:
        """The direct question, because a questionnaire or the engine gave reason to ask it."""

        def decide(situation: Situation) -> Ruling:
            return self._ruling(ask_directly(self._texts, kind, _crisis(situation.crisis), now), now)

        return decide

    def _ruling(self, move: Move, now: datetime) -> Ruling:
        found = move.crisis
        return Ruling(
            replies=tuple(self._parts(say, now) for say in move.says),
            engine={"words": "", "go_on": GO_ON, "nothing": None}[move.engine],
            crisis=None
            if found is None
            else CrisisRecord(found.verdict, found.kind, found.third_party, found.stage, found.changed_at),
            opens=move.opens,
            command=None if move.ends_form is None else END_FORM if move.ends_form else "",
            supersedes=move.supersedes,
            events=move.events,
        )

    def _parts(self, say: Say, now: datetime) -> list[dict[str, Any]]:
        parts = [as_json(Text(text=say.text))]
        if say.lines_for is not None:
            lines = for_kind(self._region, say.lines_for, now)[:LINES]
            parts.append(as_part(lines, say.lines_title, now))
        if say.buttons:
            parts.append(as_json(QuickReplies(choices=[_choice(button) for button in say.buttons])))
        return parts


def _choice(button: Button) -> Choice:
    return Choice(title=button.title, payload=button.payload)


def _crisis(record: CrisisRecord | None) -> Crisis | None:
    if record is None:
        return None
    # Written by this room alone, so what stands there is one of the known words.
    known = cast("tuple[Any, Any, Any]", (record.verdict, record.kind, record.stage))
    return Crisis(known[0], known[1], record.third_party, known[2], record.changed_at)
