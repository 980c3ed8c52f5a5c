"""The anonymous door: a code out, a code in. Conversation room.

It asks for nothing but the code and keeps nothing of who uses it.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime

from bot.conversation.hand_off import ToCoach
from bot.conversation.outbox import Gone, Outbox
from bot.escalation.flow import ASKING, Button, Say, promise
from bot.escalation.hand_off_texts import HandOffTexts
from bot.escalation.return_code import hashed, new_code, normalised
from bot.storage.cases import Case
from bot.storage.message_log import JsonParts
from bot.storage.return_codes import ReturnCodes

#: So many codes are hashed at once: hashing is slow and takes memory on purpose.
AT_ONCE = 2


class ReturnDoor:
    """Makes return codes and lets people back in."""

    def __init__(
        self,
        codes: ReturnCodes,
        outbox: Outbox,
        to_coach: ToCoach,
        texts: HandOffTexts,
        clock: Callable[[], datetime],
    ) -> None:
        """Args: codes: where hashes are; outbox: who listens; to_coach, texts: what is said; clock: now."""
        self._codes = codes
        self._outbox = outbox
        self._to_coach = to_coach
        self._texts = texts
        self._clock = clock
        self._salt: bytes | None = None
        self._hashing = asyncio.Semaphore(AT_ONCE)

    async def new_code(self, conversation_id: str) -> str | None:
        """A code for this conversation's case, to be shown once; None when there is no case without a name."""
        if not await self._codes.has_case_without_name(conversation_id):
            return None
        code = new_code()
        kept = await self._codes.keep(conversation_id, await self._hash(code), self._clock())
        return code if kept else None

    async def enter(self, code: str) -> str | None:
        """A new token for the conversation this code leads to; None when it leads nowhere."""
        plain = normalised(code)
        code_hash = await self._hash(plain or new_code())  # a malformed code takes as long as a wrong one
        if plain is None:
            return None
        token = secrets.token_urlsafe(32)
        token_hash = hashlib.sha256(token.encode()).hexdigest()
        entered = await self._codes.enter(code_hash, token_hash, self._welcome, self._clock())
        if entered is None:
            return None
        # Whoever still has it open elsewhere has it no more: the code moves the conversation here.
        self._outbox.tell(entered, Gone())
        return token

    def _welcome(self, case: Case, region: str | None) -> JsonParts:
        returned, now = self._texts.returned, self._clock()
        if case.state == "closed":
            again = Button(self._texts.way.chat.title, next(iter(ASKING)))
            return self._to_coach.parts(Say(returned.closed, (again,)), now)
        if case.state == "new":
            when = promise(self._texts, case.due_at, self._to_coach.there(now), now)
            return self._to_coach.parts(Say(returned.waiting.format(promise=when), lines=True), now, region)
        return self._to_coach.parts(Say(returned.taken.format(name=self._to_coach.name_of(case))), now)

    async def _hash(self, code: str) -> str:
        if self._salt is None:
            self._salt = await self._codes.salt()
        async with self._hashing:
            return await asyncio.to_thread(hashed, code, self._salt)
