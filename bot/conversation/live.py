"""A conversation between a person and a coach: what the desk sends, who has the word, when it ends. Conversation room.

Who owns a conversation stands in the database. Every message of a coach is stored in one transaction that checks it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.conversation.hand_off import ToCoach
from bot.conversation.outbox import Outbox, Typing
from bot.escalation import flow
from bot.escalation.flow import Say
from bot.escalation.hand_off_texts import HandOffTexts
from bot.messages import Text, as_json
from bot.storage.cases import Case
from bot.storage.hand_overs import HandOffRecord
from bot.storage.live_log import LiveLog, Quiet
from bot.storage.message_log import StoredMessage

#: A person whose coach does not answer for so long hears that, and is offered a call back.
COACH_QUIET = timedelta(minutes=10)
#: A person who does not answer for so long is the assistant's again; the coach can write again at any time.
PERSON_QUIET = timedelta(minutes=30)
#: A sign of typing lasts so long when no other follows.
TYPING_SECONDS = 6.0
SWEEP_SECONDS = 5.0

log = structlog.get_logger("live")


class Live:
    """What the desk says to people, and the rules of a live conversation."""

    def __init__(
        self,
        messages: LiveLog,
        outbox: Outbox,
        to_coach: ToCoach,
        texts: HandOffTexts,
        clock: Callable[[], datetime],
    ) -> None:
        """Args: messages: what is stored; outbox: who listens; to_coach, texts: what is said; clock: now."""
        self._messages = messages
        self._outbox = outbox
        self._to_coach = to_coach
        self._texts = texts
        self._clock = clock
        self._types: dict[str, float] = {}
        self._stops: dict[str, asyncio.TimerHandle] = {}

    async def say(self, case: Case, account_id: str, author: str, text: str, key: str, at: datetime) -> int:
        """Send a coach's message to the person; the first one makes the conversation theirs.

        Args:
            case: the case.
            account_id: who writes.
            author: name and role as the person reads them.
            text: the words.
            key: made by the form; the same one again is stored once.
            at: when.

        Returns:
            The message's number.

        Raises:
            NotAllowedError: the account does not have the case, it is closed, or the person cannot be written to.
        """
        begins = [as_json(Text(text=self._texts.live.begins.format(name=author)))]
        client_id = hashlib.sha256(f"desk:{account_id}:{key}".encode()).hexdigest()
        parts = [as_json(Text(text=text))]
        said = await self._messages.say(case.id, account_id, author, parts, client_id, begins, at)
        self._tell(said)
        self._stop_typing(said[-1].conversation_id)
        return said[-1].seq

    async def end(self, case: Case, account_id: str, at: datetime) -> None:
        """The coach gives the conversation back to the assistant, which asks how it was."""
        live, name = self._texts.live, self._to_coach.name_of(case)
        after, record = flow.how_was_it(self._texts, at)
        lines = [
            self._to_coach.parts(Say(live.ends_coach.format(name=name)), at),
            self._to_coach.parts(after, at),
        ]
        kept = HandOffRecord(record.stage, record.draft.as_json(), at)
        self._tell(await self._messages.end(case.id, account_id, lines, kept, at))

    def coach_types(self, case: Case) -> None:
        """Show the person that the coach writes; it ends by itself."""
        conversation_id = case.conversation_id
        if conversation_id is None or case.state != "live":
            return
        if conversation_id in self._stops:
            self._stops.pop(conversation_id).cancel()
        else:
            self._outbox.tell(conversation_id, Typing(True))
        stop = asyncio.get_running_loop().call_later(TYPING_SECONDS, self._stop_typing, conversation_id)
        self._stops[conversation_id] = stop

    def person_types(self, conversation_id: str) -> None:
        """The person is writing."""
        now = time.monotonic()
        self._types = {who: since for who, since in self._types.items() if now - since < TYPING_SECONDS}
        self._types[conversation_id] = now

    def person_wrote(self, conversation_id: str) -> None:
        """What the person was writing is here: they type no more."""
        self._types.pop(conversation_id, None)

    def typing(self, conversation_id: str | None) -> bool:
        """Whether the person is writing at this moment."""
        since = self._types.get(conversation_id or "")
        return since is not None and time.monotonic() - since < TYPING_SECONDS

    async def seen(self, conversation_id: str, seq: int) -> None:
        """The person's page has shown the messages up to this number."""
        await self._messages.seen(conversation_id, seq)

    async def delivered(self, conversation_id: str, seq: int) -> None:
        """The messages up to this number have reached the person's browser."""
        await self._messages.delivered(conversation_id, seq)

    async def owner(self, conversation_id: str) -> tuple[str, str | None]:
        """Who answers the conversation ('bot', 'queue' or 'coach'), and the coach's name."""
        return await self._messages.owner(conversation_id)

    async def run(self) -> None:
        """Look after quiet conversations until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception:  # the database may be away for a moment; the next round does it
                log.exception("live sweep failed")
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self) -> None:
        """Tell people whose coach is silent, and take back conversations that a person left."""
        now = self._clock()
        for quiet in await self._messages.quiet(now - COACH_QUIET, now - PERSON_QUIET):
            lines = self._lines(quiet, now)
            self._tell(await self._messages.quieted(quiet, lines, now))

    def _lines(self, quiet: Quiet, now: datetime) -> list[list[dict[str, object]]]:
        live = self._texts.live
        if quiet.turn_of == "coach":
            back = flow.Button(live.back.title, flow.BACK_TO_ASSISTANT)
            said = Say(live.coach_quiet.format(name=quiet.name), (back,), lines=True)
            return [self._to_coach.parts(said, now, quiet.region)]
        return [self._to_coach.parts(Say(live.ends_quiet.format(name=quiet.name)), now)]

    def _tell(self, said: list[StoredMessage]) -> None:
        for message in said:
            self._outbox.tell(message.conversation_id, message)
        if said:
            self._outbox.tell_owner_changed(said[-1].conversation_id)

    def _stop_typing(self, conversation_id: str) -> None:
        timer = self._stops.pop(conversation_id, None)
        if timer is not None:
            timer.cancel()
            self._outbox.tell(conversation_id, Typing(False))
