"""What every way into the chat has in common: who is asking, how much, and what. Channels room."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from bot.channels.errors import ApiProblemError
from bot.channels.limits import Buckets
from bot.conversation.inbox import Inbox, Incoming, RefusedError, tapped, typed
from bot.conversation.live import Live
from bot.conversation.outbox import Outbox
from bot.conversation.return_door import ReturnDoor
from bot.settings import Settings
from bot.storage.message_log import Accepted, MessageLog, Session, UnknownConversationError
from bot.support.contacts import RegionId

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_AFTER = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Chat:
    """What the handlers work with."""

    settings: Settings
    log: MessageLog
    inbox: Inbox
    outbox: Outbox
    messages: Buckets
    sessions: Buckets
    clock: Callable[[], datetime]
    live: Live
    door: ReturnDoor
    codes: Buckets
    codes_in_all: Buckets

    async def open_session(self, address: str, body: object) -> str:
        """A token for a new conversation. Only its hash is kept.

        Raises:
            ApiProblemError: invalid, or rate_limited.
        """
        region = None if body == {} else _region(body)
        _within(self.sessions, address)
        token = secrets.token_urlsafe(32)
        await self.log.open_session(_hash(token), "web", self.clock(), region)
        return token

    def region(self, session: Session) -> dict[str, object]:
        """Whose help lines this person reads, and whether the page or the person said so."""
        return {"region": session.region or self.settings.region, "region_said": session.region is not None}

    async def move(self, session: Session, body: object) -> str:
        """The person is in this region from now on.

        Raises:
            ApiProblemError: invalid, or rate_limited.
        """
        region = _region(body)
        _within(self.messages, session.conversation_id)
        await self.log.move(session.conversation_id, region)
        return region

    async def session(self, token: str | None) -> Session:
        """Whose token this is.

        Raises:
            ApiProblemError: unauthorized.
        """
        found = await self.log.session(_hash(token)) if token and _TOKEN.fullmatch(token) else None
        if found is None:
            raise ApiProblemError("unauthorized")
        return found

    async def accept(self, session: Session, body: object) -> Accepted:
        """Check a message as a client sent it, and store it.

        Raises:
            ApiProblemError: for each way in which it cannot be taken.
        """
        _within(self.messages, session.conversation_id)
        try:
            return await self.inbox.accept(session.conversation_id, self._read(body))
        except RefusedError as refused:
            raise ApiProblemError(refused.reason) from None
        except UnknownConversationError:
            raise ApiProblemError("unauthorized") from None

    async def new_code(self, session: Session) -> str:
        """A return code for this person's case. It is in this answer and nowhere else; an earlier one stops working.

        Raises:
            ApiProblemError: no_case, or rate_limited.
        """
        _within(self.codes, session.conversation_id)
        code = await self.door.new_code(session.conversation_id)
        if code is None:
            raise ApiProblemError("no_case")
        return code

    async def enter(self, address: str, body: object) -> str:
        """A token for the conversation a return code leads to.

        Raises:
            ApiProblemError: invalid, wrong_code, or rate_limited: too many tries from this address, or in all.
        """
        if not isinstance(body, dict) or set(body) != {"code"} or not isinstance(body["code"], str):
            raise ApiProblemError("invalid")
        _within(self.codes, address)
        _within(self.codes_in_all, "")
        token = await self.door.enter(body["code"][:100])
        if token is None:
            raise ApiProblemError("wrong_code")
        return token

    def _read(self, body: object) -> Incoming:
        if not isinstance(body, dict) or not all(isinstance(value, str) for value in body.values()):
            raise ApiProblemError("invalid")
        keys = set(body)
        if keys == {"id", "text"}:
            return typed(body["id"], body["text"], self.settings.max_text)
        if keys in ({"id", "payload"}, {"id", "payload", "title"}):
            return tapped(body["id"], body["payload"], body.get("title"))
        raise ApiProblemError("invalid")


def read_json(raw: bytes | str) -> object:
    """Read strict JSON.

    Raises:
        ApiProblemError: bad_json, also for what Python reads but JSON does not know (NaN), for text that is
            not UTF-8 and for nesting beyond all reason.
    """
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ApiProblemError("bad_json") from None


def read_after(value: str | None) -> int:
    """The `after` of a query: 0 when absent.

    Raises:
        ApiProblemError: bad_after.
    """
    if value is None:
        return 0
    if not _AFTER.fullmatch(value):
        raise ApiProblemError("bad_after")
    return int(value)


def _refuse(_constant: str) -> None:
    raise ValueError


def _region(body: object) -> str:
    if not isinstance(body, dict) or set(body) != {"region"} or body["region"] not in get_args(RegionId):
        raise ApiProblemError("invalid")
    return str(body["region"])


def _within(buckets: Buckets, key: str) -> None:
    seconds = buckets.wait_for(key)
    if seconds:
        raise ApiProblemError("rate_limited", seconds)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
