"""The way to a coach, put into messages: what the escalation core decides becomes a ruling. Conversation room.

It needs no engine: a person reaches a coach also while Rasa is down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from bot.escalation import flow
from bot.escalation.cases import Origin
from bot.escalation.flow import Availability, Draft, Facts, HandOff, OpenCase, Say, Step
from bot.escalation.hand_off_texts import HandOffTexts
from bot.messages import Choice, QuickReplies, Text, as_json
from bot.safety.crisis import SHORTLY
from bot.safety.verdict import Judgement
from bot.storage.cases import Case, Opening
from bot.storage.crisis_log import Ruling, Situation
from bot.storage.hand_overs import DeskView, HandOffRecord
from bot.support.help_lines import Regions, as_part, for_kind

#: The engine asks the open question again, or, when there is none, invites to go on.
GO_ON = '/repeat{"resume": "yes"}'
#: Lines shown in a message; the others stay one tap away in the panel.
LINES = 3

Parts = list[dict[str, Any]]


class ToCoach:
    """Leads people to a coach, and their words to the coach while one has the conversation."""

    def __init__(
        self,
        texts: HandOffTexts,
        regions: Regions,
        organisation: str,
        there: Callable[[datetime], Availability],
    ) -> None:
        """Wire up.

        Args:
            texts: what is said.
            regions: all help lines; the usual region is where this organisation is.
            organisation: whose coaches take the cases.
            there: whether a coach works at a moment.
        """
        self._texts = texts
        self._regions = regions
        self._organisation = organisation
        self._there = there

    def inbound(self, text: str, command: str | None, situation: Situation, now: datetime) -> Ruling | None:
        """What to do about a message that safety had nothing to say about; None when this has nothing to say either."""
        record = situation.hand_off
        starts = command is not None and (
            command.startswith(flow.COMMAND) or any(command.startswith(start) for start in flow.ASKING)
        )
        if situation.desk is None or (record is None and not starts):
            return None
        view = situation.desk()
        facts = self._facts(view, now, situation)
        step = flow.respond(self._texts, _hand_off(record), text, command, facts, now)
        return None if step is None else self._ruling(step, view, facts, now, situation)

    def asked(self, origin: Origin, words: str, situation: Situation, now: datetime) -> Ruling | None:
        """The engine understood that someone asks for a person; None when there is no coach to ask."""
        if situation.desk is None or situation.owner == "coach":
            return None
        view = situation.desk()
        if not view.coaches:
            return None
        facts = self._facts(view, now, situation)
        step = flow.begin(self._texts, origin, words, facts, now)
        return self._ruling(step, view, facts, now, situation)

    def reminded(self, situation: Situation, now: datetime) -> Ruling | None:
        """The open question again, after the engine answered something else."""
        record = _hand_off(situation.hand_off)
        if record is None or situation.desk is None or situation.owner == "coach":
            return None
        says = flow.ask_again(self._texts, record, self._facts(situation.desk(), now, situation), now)
        return Ruling(replies=tuple(self.parts(say, now, situation.region) for say in says)) if says else None

    def to_coach(
        self,
        text: str,
        command: str | None,
        judged: Judgement,
        urgent: str,
        situation: Situation,
        now: datetime,
    ) -> Ruling:
        """A message in a conversation that a coach owns: it goes to the coach and not to the engine.

        Args:
            text: the person's words; empty for a command.
            command: what was tapped.
            judged: what the guard finds in it; a suspicion flags the case, plain danger also brings the help lines.
            urgent: what is said first about plain danger.
            situation: what is known of the person.
            now: the moment.
        """
        live = self._texts.live
        case = situation.desk().case if situation.desk is not None else None
        name = self.name_of(case)
        if flow.wants_assistant(self._texts, text, command):
            after, record = flow.how_was_it(self._texts, now)
            said = (self.parts(Say(live.ends_person.format(name=name)), now), self.parts(after, now))
            return Ruling(said, None, hand_off=_record(record), live="ended", voice="system")
        back = flow.Button(live.back.title, flow.BACK_TO_ASSISTANT)
        if command is not None:
            only = self.parts(Say(live.only_words.format(name=name), (back,)), now)
            return Ruling((only,), None, live="said", voice="system")
        kind = None if judged.kind is None or judged.verdict == "none" or judged.past else judged.kind
        if kind is None or judged.verdict != "explicit":
            return Ruling((), None, live="said", flag=kind)
        lines = as_part(
            for_kind(self._regions.of(situation.region), kind, now)[:LINES], live.danger_title, now
        )
        told = [as_json(Text(text=urgent)), lines, as_json(Text(text=live.danger.format(name=name)))]
        return Ruling((told,), None, live="said", flag=kind, voice="system")

    def name_of(self, case: Case | None) -> str:
        """Who writes, as the person reads it."""
        return case.owner_name if case is not None and case.owner_name else "de coach"

    def there(self, now: datetime) -> Availability:
        """Whether a coach works now."""
        return self._there(now)

    def _facts(self, view: DeskView, now: datetime, situation: Situation) -> Facts:
        scores, case = view.shared.scores, view.case
        return Facts(
            coaches=view.coaches,
            scores_at=datetime.fromisoformat(scores["at"]) if scores is not None else None,
            level=view.shared.level,
            danger=view.danger_at is not None and now - view.danger_at <= SHORTLY,
            open_case=OpenCase(case.number, case.state, case.due_at, case.urgency)
            if case is not None
            else None,
            region=cast("Any", situation.region or self._regions.usual),
            desk=cast("Any", self._regions.usual),
            there=self._there(now),
        )

    def _ruling(
        self, step: Step, view: DeskView, facts: Facts, now: datetime, situation: Situation
    ) -> Ruling:
        crisis, region = situation.crisis if step.raises else None, situation.region
        kind = "someone_to_talk_to" if crisis is None else crisis.kind
        ruling = Ruling(
            replies=tuple(self.parts(say, now, region, kind) for say in step.says),
            engine={"words": "", "go_on": GO_ON, "nothing": None}[step.engine],
            hand_off=None if step.hand_off is None else _record(step.hand_off),
            withdraws=step.withdraws,
            raises=step.raises,
        )
        if not step.opens or step.hand_off is None:
            return ruling
        draft = step.hand_off.draft
        if facts.danger:
            draft = replace(draft, origin="crisis")  # it came after the request was begun
        opening = self._opening(draft, view)
        return replace(ruling, opening=opening, opened=self._opened(draft, now, region))

    def _opening(self, draft: Draft, view: DeskView) -> Opening:
        shared = draft.share_scores is True
        return Opening(
            organisation=self._organisation,
            region=self._regions.usual,
            origin=draft.origin,
            urgency=flow.urgency_of(draft.origin, view.shared.level),
            contact=draft.contact,
            scores=view.shared.scores if shared else None,
            words=draft.words or None,
            reasons=view.shared.reasons if shared else (),
        )

    def _opened(self, draft: Draft, now: datetime, region: str | None) -> Callable[[Case], tuple[Parts, ...]]:
        def say(case: Case) -> tuple[Parts, ...]:
            there = self._there(now)
            says = flow.passed_on(self._texts, draft, case.number, case.due_at, there, now)
            parts = [self.parts(say, now, region) for say in says]
            if case.anonymous:
                parts[0].append({"type": "return_code"})
            return tuple(parts)

        return say

    def parts(
        self, say: Say, now: datetime, region: str | None = None, kind: str = "someone_to_talk_to"
    ) -> Parts:
        """One bubble, with the help lines for a kind of need, of where the person is."""
        parts = [as_json(Text(text=say.text))]
        if say.lines:
            lines = for_kind(self._regions.of(region), kind, now)[:LINES]
            parts.append(as_part(lines, self._texts.sent.lines_title, now))
        if say.buttons:
            choices = [Choice(title=button.title, payload=button.payload) for button in say.buttons]
            parts.append(as_json(QuickReplies(choices=choices)))
        return parts


def _hand_off(record: HandOffRecord | None) -> HandOff | None:
    # Written by this room alone, so what stands there is one of the known stages.
    if record is None:
        return None
    return HandOff(cast("Any", record.stage), Draft.from_json(record.draft), record.changed_at)


def _record(hand_off: HandOff) -> HandOffRecord:
    return HandOffRecord(hand_off.stage, hand_off.draft.as_json(), hand_off.changed_at)
