"""Room `engine`: one turn at a time per conversation. May know Rasa's LockStore interface only.

Rasa's own lock store lets waiters poll once a second and drops a lock after 60 seconds, turn finished or not.
One engine process needs neither: an asyncio lock wakes the next waiter at once, in the order of arrival.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from rasa.core.lock import TicketLock
from rasa.core.lock_store import LOCK_LIFETIME, LockStore


@dataclass
class _Turnstile:
    """The lock of one conversation and how many turns hold it or wait for it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class AsyncLockStore(LockStore):
    """First come, first served, per conversation, within one process."""

    def __init__(self) -> None:
        self._turnstiles: dict[str, _Turnstile] = {}

    @asynccontextmanager
    async def lock(
        self,
        conversation_id: str,
        lock_lifetime: float = LOCK_LIFETIME,  # noqa: ARG002 - Rasa's signature; our locks do not expire
        wait_time_in_seconds: float = 1,  # noqa: ARG002 - Rasa's signature; nobody polls here
    ) -> AsyncGenerator[TicketLock, None]:
        """Hold the conversation for the length of the block; the next waiter starts at once after it."""
        turnstile = self._turnstiles.setdefault(conversation_id, _Turnstile())
        turnstile.users += 1
        try:
            async with turnstile.lock:
                yield TicketLock(conversation_id)
        finally:
            turnstile.users -= 1
            if not turnstile.users:
                self._turnstiles.pop(conversation_id, None)
