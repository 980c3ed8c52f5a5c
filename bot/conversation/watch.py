"""Safety for every inbound message, before anything else happens with it. Conversation room.

Nothing here needs the engine: when Rasa is down or slow, a person in danger still reads the help lines at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol, cast

from bot.conversation.hand_off import GO_ON, LINES, ToCoach
from bot.messages import AsksForPerson, Choice, QuickReplies, Text, as_json
from bot.safety.crisis import (
    SETTLED,
    TO_COACH,
    Button,
    Crisis,
    Heard,
    Move,
    Say,
    ask_directly,
    first_words,
    respond,
)
from bot.safety.crisis_texts import CrisisTexts
from bot.safety.verdict import NOTHING, Judgement, Kind
from bot.storage.crisis_log import CrisisRecord, Ruling, Situation
from bot.support.help_lines import Region, Regions, Told, as_part, for_kind

#: The engine puts aside what it was asking; what it says to that is shown to nobody.
END_FORM = "/stop"


class Judge(Protocol):
    """What judges a person's last messages, oldest first: the guard."""

    def judge_recent(self, texts: list[str], /) -> Judgement:
        """The graver of the newest alone and the newest together with those before it."""


class Watch:
    """Judges what people write and decides what is said about it."""

    def __init__(
        self, guard: Judge, texts: CrisisTexts, regions: Regions, to_coach: ToCoach | None = None
    ) -> None:
        """Args: guard: who judges; texts: what is said; regions: all help lines; to_coach: the way there."""
        self._guard = guard
        self._texts = texts
        self._regions = regions
        self._to_coach = to_coach

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
            said = "" if command is not None else words
            told = None if situation.owner == "coach" else self._regions.told(said)
            if told is not None and told.region == (situation.region or self._regions.usual):
                told = None  # there they are already
            if told is not None:
                situation = replace(situation, region=told.region)
            judged = NOTHING if command is not None else self._guard.judge_recent([*situation.recent, words])
            if self._to_coach is not None and situation.owner == "coach":
                urgent = first_words(self._texts, judged)
                return self._to_coach.to_coach(said, command, judged, urgent, situation, now)
            heard = Heard(said, command, judged, situation.recent, moved=told is not None)
            move = respond(self._texts, _crisis(situation.crisis), heard, now)
            ruling = self._ruling(move, now, situation.region, coaches=partial(self._coaches, situation))
            if told is not None:
                ruling = self._in_region(told, ruling, judged, now)
            # Safety first; what it leaves to the engine may belong to the way to a coach.
            if self._to_coach is None or ruling.replies or ruling.engine != "":
                return ruling
            led = self._to_coach.inbound(said, command, situation, now)
            return ruling if led is None else replace(led, crisis=ruling.crisis, events=ruling.events)

        return decide

    def asked(self, asks: AsksForPerson, words: str, now: datetime) -> Callable[[Situation], Ruling]:
        """Someone asks for a person, as the engine understood from `words`; without coaches what it says instead."""

        def decide(situation: Situation) -> Ruling:
            led = None
            if self._to_coach is not None:
                led = self._to_coach.asked(asks.origin, words, situation, now)
            return led if led is not None else Ruling(replies=tuple(asks.otherwise))

        return decide

    def reminded(self, now: datetime) -> Callable[[Situation], Ruling]:
        """The open question on the way to a coach, after the engine answered something else."""

        def decide(situation: Situation) -> Ruling:
            led = None if self._to_coach is None else self._to_coach.reminded(situation, now)
            return led if led is not None else Ruling()

        return decide

    def concern(self, kind: Kind, now: datetime) -> Callable[[Situation], Ruling]:
        """The direct question, because a questionnaire or the engine gave reason to ask it."""

        def decide(situation: Situation) -> Ruling:
            asked = ask_directly(self._texts, kind, _crisis(situation.crisis), now)
            return self._ruling(asked, now, situation.region)

        return decide

    def finds_danger(self, text: str) -> bool:
        """Whether the guard sees any danger in these words: now, past, or someone else's."""
        return self._guard.judge_recent([text]).kind is not None

    def _coaches(self, situation: Situation) -> bool:
        """Whether there is a coach to ask for."""
        return self._to_coach is not None and situation.desk is not None and situation.desk().coaches

    def _in_region(self, told: Told, ruling: Ruling, judged: Judgement, now: datetime) -> Ruling:
        """The person is there from now on, and reads so, with the lines when none are said; danger comes before that.

        Who tells hardly more than that goes on where they were.
        """
        ruling = replace(ruling, region=told.region)
        if judged.kind is not None:
            return ruling
        region = self._regions.of(told.region)
        here = [as_json(Text(text=region.here))]
        if not ruling.replies:
            lines = for_kind(region, "someone_to_talk_to", now)[:LINES]
            here.append(as_part(lines, self._texts.third_party_after.title, now))
            if ruling.engine == "" and told.beside <= 1:
                ruling = replace(ruling, engine=GO_ON)
        return replace(ruling, replies=(here, *ruling.replies))

    def _ruling(
        self, move: Move, now: datetime, region: str | None, coaches: Callable[[], bool] = lambda: False
    ) -> Ruling:
        found = move.crisis
        in_doubt = found is not None and (found.verdict == "ambiguous" or found.stage in SETTLED)
        lines = self._regions.of(region)
        return Ruling(
            replies=tuple(self._parts(say, now, lines, coaches, in_doubt=in_doubt) for say in move.says),
            engine={"words": "", "go_on": GO_ON, "nothing": None}[move.engine],
            crisis=None
            if found is None
            else CrisisRecord(found.verdict, found.kind, found.third_party, found.stage, found.changed_at),
            opens=move.opens,
            command=None if move.ends_form is None else END_FORM if move.ends_form else "",
            supersedes=move.supersedes,
            events=move.events,
        )

    def _parts(
        self, say: Say, now: datetime, region: Region, coaches: Callable[[], bool], *, in_doubt: bool
    ) -> list[dict[str, Any]]:
        parts = [as_json(Text(text=say.text))]
        if say.lines_for is not None:
            lines = for_kind(region, say.lines_for, now, in_doubt=in_doubt)[: 1 if say.one_line else LINES]
            parts.append(as_part(lines, say.lines_title, now))
        # A coach is offered only where there is one.
        buttons = [button for button in say.buttons if button.payload != TO_COACH or coaches()]
        if buttons:
            parts.append(as_json(QuickReplies(choices=[_choice(button) for button in buttons])))
        return parts


def _choice(button: Button) -> Choice:
    return Choice(title=button.title, payload=button.payload)


def _crisis(record: CrisisRecord | None) -> Crisis | None:
    if record is None:
        return None
    # Written by this room alone, so what stands there is one of the known words.
    known = cast("tuple[Any, Any, Any]", (record.verdict, record.kind, record.stage))
    return Crisis(known[0], known[1], record.third_party, known[2], record.changed_at)
