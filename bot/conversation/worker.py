"""Turns: one worker per conversation with something waiting, strictly in order. Conversation room.

What has to be done stands in the database, not here: a worker reads the oldest message without a reply, has
it answered, and stores the replies with the mark "done" in one transaction. If the process dies anywhere in
between, the next one does the same again, and the engine repeats its recorded answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.conversation import lines
from bot.conversation.engine_client import EngineClient, EngineFailedError, EngineUnavailableError
from bot.conversation.outbox import Outbox, Typing
from bot.conversation.router import text_for_engine
from bot.conversation.watch import Watch
from bot.messages import (
    AsksForPerson,
    Concern,
    Role,
    Text,
    as_json,
    asks_for_person,
    concern_from_rasa,
    parts_from_rasa,
)
from bot.storage.crisis_log import Ruling, Situation
from bot.storage.message_log import (
    WAITING_AT_ONCE,
    JsonParts,
    MessageLog,
    UnknownConversationError,
    Waiting,
)

TYPING_SECONDS = 0.1  # a turn that is faster shows no typing: it would only flicker
FAILURES = 3  # so many failed turns for one message, then an honest apology
SWEEP_SECONDS = 15.0  # how often messages left behind by a dead process are looked for

Replies = list[tuple[Role, JsonParts]]
log = structlog.get_logger("conversation")

_APOLOGY: Replies = [("system", [as_json(Text(text=lines.APOLOGY))])]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the engine said, its reason to ask about danger, if any, and whether someone asks for a person."""

    replies: Replies
    concern: Concern | None = None
    hand_off: AsksForPerson | None = None


class Workers:
    """All workers of this process. Others may run elsewhere on the same database."""

    def __init__(
        self,
        messages: MessageLog,
        outbox: Outbox,
        engine: EngineClient,
        watch: Watch,
        *,
        starting: Callable[[], bool],
        calm_seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        """Wire up.

        Args:
            messages: where messages wait.
            outbox: where replies go.
            engine: who answers.
            watch: who asks about danger when an answer gives reason to.
            starting: whether the engine has not been ready since the app started.
            calm_seconds: after so long without an answer a person reads a calm line.
            clock: the current moment, with time zone.
        """
        self._messages = messages
        self._outbox = outbox
        self._engine = engine
        self._watch = watch
        self._starting = starting
        self._calm_seconds = calm_seconds
        self._clock = clock
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._lines: set[asyncio.Task[None]] = set()
        self._stopping = False

    def wake(self, conversation_id: str) -> None:
        """Something waits in this conversation."""
        if conversation_id in self._running:
            self._again.add(conversation_id)
        elif not self._stopping:
            self._running[conversation_id] = asyncio.create_task(self._work(conversation_id))

    async def sweep(self) -> None:
        """Wake every conversation in which something waits."""
        for conversation_id in await self._messages.conversations_waiting():
            if conversation_id not in self._running:
                self.wake(conversation_id)

    async def run(self) -> None:
        """Sweep at the start and then now and again, until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception:  # the database may be away for a moment; what waits stays where it is
                log.exception("sweep failed")
            await asyncio.sleep(SWEEP_SECONDS)

    async def stop(self, seconds: float) -> None:
        """Take nothing new, let running turns end within `seconds`, leave the rest for the next start."""
        self._stopping = True
        tasks = [*self._running.values(), *self._lines]
        if tasks and self._engine.ready.is_set():
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, conversation_id: str) -> None:
        try:
            more = True
            while more:
                self._again.discard(conversation_id)
                waiting = await self._messages.waiting(conversation_id)
                for message in waiting:
                    await self._turn(message)
                more = conversation_id in self._again or len(waiting) == WAITING_AT_ONCE
        except Exception:  # whatever it was, the message still waits and the next sweep takes it up
            log.exception("worker stopped", conversation=conversation_id)
        finally:
            del self._running[conversation_id]
            self._again.discard(conversation_id)

    async def _turn(self, message: Waiting) -> None:
        with self._keeping_company(message):
            answer = await self._answer(message)
            if answer is None:
                return
            done = await self._outbox.complete(message, answer.replies, self._follows(answer, message))
        if done.gone:
            # Forgotten in the middle of this turn: the engine has just written it down once more.
            await self._engine.forget(message.conversation_id)

    def _follows(self, answer: _Answer, message: Waiting) -> Callable[[Situation], Ruling] | None:
        """What the app says after the engine's answer; None when it has nothing to say."""
        now = self._clock()
        if answer.concern is not None:
            return self._watch.concern(answer.concern.kind, now)
        if answer.hand_off is not None:
            return self._watch.asked(answer.hand_off, text_for_engine(message), now)
        return self._watch.reminded(now) if message.hand_off is not None else None

    async def _answer(self, message: Waiting) -> _Answer | None:
        """The replies; an apology after too many failures; None when nobody waits for them any more."""
        conversation_id, failures, first = message.conversation_id, 0, True
        text = text_for_engine(message)
        while True:
            if not self._engine.ready.is_set() or not first:
                await self._engine.ready.wait()
                if not await self._still_waiting(message):
                    return None
            first = False
            turn = f"{conversation_id}:{message.seq}"
            try:
                if message.engine_command is not None:
                    await self._engine.turn(conversation_id, f"{turn}:before", message.engine_command)
                outputs = await self._engine.turn(conversation_id, turn, text)
            except EngineUnavailableError:
                await asyncio.sleep(0.2)
                continue
            except EngineFailedError as error:
                failures += 1
                log.warning(
                    "turn failed",
                    conversation=conversation_id,
                    seq=message.seq,
                    code=error.code,
                    attempt=failures,
                )
                if failures == FAILURES:
                    return _Answer(_APOLOGY)
                await asyncio.sleep(0.2 * failures)
                continue
            answer = _read(outputs, message)
            if not answer.replies and answer.concern is None and answer.hand_off is None:
                log.error("engine said nothing", conversation=conversation_id, seq=message.seq)
                return _Answer(_APOLOGY)
            return answer

    async def _still_waiting(self, message: Waiting) -> bool:
        try:
            return (await self._messages.turn(message.conversation_id, message.seq))[1]
        except UnknownConversationError:
            return False

    @contextmanager
    def _keeping_company(self, message: Waiting) -> Iterator[None]:
        """Show typing while a turn takes long, and say one calm line when it takes too long."""
        loop = asyncio.get_running_loop()
        typing = _TypingSign(self._outbox, message.conversation_id)
        age = (self._clock() - message.at).total_seconds()
        # A message that had to wait its turn gets the full time; for a fresh one the time runs from sending.
        calm_in = self._calm_seconds - age if 0 <= age < min(0.5, self._calm_seconds) else self._calm_seconds

        def calm() -> None:
            typing.show(False)
            task = loop.create_task(self._say_calm_line(message))
            self._lines.add(task)
            task.add_done_callback(self._lines.discard)

        timers = [loop.call_later(TYPING_SECONDS, typing.show, True), loop.call_later(calm_in, calm)]
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()
            typing.show(False)

    async def _say_calm_line(self, message: Waiting) -> None:
        text = lines.STARTING if self._starting() else lines.WAITING
        try:
            await self._outbox.system_line(message, text)
        except Exception:  # a missing line must not stop the answer itself
            log.exception("calm line failed", conversation=message.conversation_id)


class _TypingSign:
    """Tells listeners about typing, only when it changes."""

    def __init__(self, outbox: Outbox, conversation_id: str) -> None:
        self._outbox = outbox
        self._conversation_id = conversation_id
        self._on = False

    def show(self, on: bool) -> None:
        if on is not self._on:
            self._on = on
            self._outbox.tell(self._conversation_id, Typing(on))


def _read(outputs: Sequence[object], message: Waiting) -> _Answer:
    """One Rasa output is one message; what is not understood is left out and logged."""

    def report(problem: str) -> None:
        log.error(
            "reply not understood",
            conversation=message.conversation_id,
            seq=message.seq,
            problem=problem,
        )

    known = [output for output in outputs if isinstance(output, dict)]
    concern = next(filter(None, map(concern_from_rasa, known)), None)
    hand_off = next(filter(None, map(asks_for_person, known)), None)
    said = [
        output for output in known if concern_from_rasa(output) is None and asks_for_person(output) is None
    ]
    read = [parts_from_rasa(output, report) for output in said]
    replies: Replies = [("bot", [as_json(part) for part in parts]) for parts in read if parts]
    return _Answer(replies, concern, hand_off)
