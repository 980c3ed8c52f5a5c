"""What goes to people: stored first, then given to whoever listens. Conversation room.

Live delivery is a shortcut in this process only. A listener finds what it missed, from here or from another
process, by the gap-free numbers: it asks `after(seq)`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot.messages import Role, Text, as_json
from bot.storage.crisis_log import Ruling, Situation
from bot.storage.message_log import Accepted, Completed, JsonParts, MessageLog, StoredMessage, Waiting

LISTENER_BOUND = 64  # events a slow listener may have waiting before it is sent back to `after(seq)`

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Typing:
    """The bot is (no longer) working on an answer. Never stored."""

    on: bool


@dataclass(frozen=True, slots=True)
class Remembered:
    """Consent to being remembered was given or taken back."""

    remember: bool


@dataclass(frozen=True, slots=True)
class Gone:
    """The conversation was forgotten; nothing follows."""


@dataclass(frozen=True, slots=True)
class OwnerChanged:
    """Someone else may answer now: look it up."""


Event = StoredMessage | Typing | Remembered | OwnerChanged | Gone


@dataclass(frozen=True, slots=True)
class Turn:
    """The replies to one message so far; `pending` when the real answer still has to come."""

    messages: list[StoredMessage]
    pending: bool


class Listener:
    """One live connection's queue, bounded: too slow, and it keeps only the note that it is behind."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        self.behind = False

    def give(self, event: Event) -> None:
        """Queue an event; never waits."""
        if len(self._events) >= LISTENER_BOUND:
            self._events = deque(kept for kept in self._events if isinstance(kept, Gone))
            self.behind = True
        self._events.append(event)
        self._news.set()

    async def next(self, seconds: float) -> Event | None:
        """The next event, or None when none came in time."""
        if not self._events:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()
        return self._events.popleft() if self._events else None


class Outbox:
    """Stores replies and tells listeners and waiting requests."""

    def __init__(self, log: MessageLog, clock: Callable[[], datetime]) -> None:
        """Args: log: where messages are kept; clock: the current moment with time zone."""
        self._log = log
        self._clock = clock
        self._listeners: dict[str, set[Listener]] = {}
        self._turns: dict[tuple[str, int], set[asyncio.Future[Turn]]] = {}

    def accepted(self, conversation_id: str, accepted: Accepted) -> None:
        """Tell everyone who listens about a new message and what was said about it at once."""
        for message in (accepted.message, *accepted.replies):
            self.tell(conversation_id, message)
        if accepted.owner_changed:
            self.tell_owner_changed(conversation_id)
        for seq in accepted.superseded:
            self._resolve(conversation_id, seq, Turn([], pending=False))

    async def complete(
        self,
        message: Waiting,
        replies: Sequence[tuple[Role, JsonParts]],
        decide: Callable[[Situation], Ruling] | None = None,
    ) -> Completed:
        """Store the replies to a message and mark it answered, once; then tell everyone who listens.

        Args:
            message: what was answered; its `engine_command` was heard.
            replies: who says what.
            decide: what safety adds after them.
        """
        conversation_id = message.conversation_id
        done = await self._log.complete(
            conversation_id,
            message.seq,
            replies,
            self._clock(),
            heard_command=message.engine_command,
            decide=decide,
        )
        if done.stored or done.gone:
            for reply in done.messages:
                self.tell(conversation_id, reply)
            self._resolve(conversation_id, message.seq, Turn(done.messages, pending=False))
        if done.stored and bool(done.consent) != bool(message.consent):
            self.tell(conversation_id, Remembered(bool(done.consent)))
        if done.gone:
            self.tell(conversation_id, Remembered(False))
            self.tell(conversation_id, Gone())
        return done

    async def system_line(self, message: Waiting, text: str) -> StoredMessage | None:
        """Store one calm line below a waiting message, unless one stands there; then tell."""
        parts = [as_json(Text(text=text))]
        line = await self._log.system_line(message.conversation_id, message.seq, parts, self._clock())
        if line is not None:
            self.tell(message.conversation_id, line)
        # Also without a new line (one stands there already) whoever waits need not wait longer.
        self._resolve(message.conversation_id, message.seq, Turn([line] if line else [], pending=True))
        return line

    async def after(self, conversation_id: str, seq: int) -> list[StoredMessage]:
        """What stands in the conversation after number `seq`; ask again while something comes."""
        return await self._log.after(conversation_id, seq)

    async def turn(self, conversation_id: str, seq: int, seconds: float, *, fresh: bool = False) -> Turn:
        """The replies to message `seq`: as soon as they are there, else as they stand after `seconds`.

        Args:
            conversation_id: whose.
            seq: number of the person's message.
            seconds: longest wait.
            fresh: it was stored just now, so looking up what is there already can be left out.

        Raises:
            UnknownConversationError: the conversation does not exist (any more).
        """
        future: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        _add(self._turns, (conversation_id, seq), future)
        try:
            messages, pending = ([], True) if fresh else await self._log.turn(conversation_id, seq)
            if not pending:
                return Turn(messages, pending=False)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    turn = await future
                    return Turn(_merged(messages, turn.messages), turn.pending)
            messages, pending = await self._log.turn(
                conversation_id, seq
            )  # another process may have answered
            return Turn(messages, pending)
        finally:
            _remove(self._turns, (conversation_id, seq), future)

    def listen(self, conversation_id: str) -> Listener:
        """Start listening; end it with `leave`."""
        listener = Listener()
        _add(self._listeners, conversation_id, listener)
        return listener

    def leave(self, conversation_id: str, listener: Listener) -> None:
        """Stop listening."""
        _remove(self._listeners, conversation_id, listener)

    def listeners(self, conversation_id: str) -> int:
        """How many listen here."""
        return len(self._listeners.get(conversation_id, ()))

    def tell(self, conversation_id: str, event: Event) -> None:
        """Give an event to whoever listens here."""
        for listener in self._listeners.get(conversation_id, ()):
            listener.give(event)

    def tell_owner_changed(self, conversation_id: str) -> None:
        """Have listeners look up who answers now."""
        self.tell(conversation_id, OwnerChanged())

    def _resolve(self, conversation_id: str, seq: int, turn: Turn) -> None:
        for future in self._turns.get((conversation_id, seq), ()):
            if not future.done():
                future.set_result(turn)


def _merged(known: list[StoredMessage], new: list[StoredMessage]) -> list[StoredMessage]:
    return [*known, *(message for message in new if all(message.seq != old.seq for old in known))]


def _add(groups: dict[K, set[V]], key: K, member: V) -> None:
    groups.setdefault(key, set()).add(member)


def _remove(groups: dict[K, set[V]], key: K, member: V) -> None:
    members = groups.get(key, set())
    members.discard(member)
    if not members:
        groups.pop(key, None)
