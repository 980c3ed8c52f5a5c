"""What comes from people: checked, cleaned, stored once, then handed to the worker. Conversation room."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.conversation.outbox import Outbox
from bot.conversation.watch import Watch
from bot.messages import Text, as_json
from bot.storage.message_log import Accepted, MessageLog

MAX_PAYLOAD = 1000
MAX_TITLE = 200

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PAYLOAD = re.compile(r"/[A-Za-z_][\w.+-]*(\{.*\})?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")

Reason = Literal["bad_id", "bad_text", "empty", "too_long", "bad_payload", "bad_title", "conflict"]


class RefusedError(Exception):
    """A message that is not taken; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Incoming:
    """A clean message: what the person sees as theirs, and the payload when it was a tap."""

    client_id: str
    text: str
    payload: str | None

    @property
    def content_hash(self) -> str:
        """Tells whether a repeated id carries the same message."""
        return hashlib.sha256(f"{self.payload}\0{self.text}".encode()).hexdigest()


def typed(client_id: str, text: str, max_text: int) -> Incoming:
    """A message the person typed.

    Control characters are left out; line breaks and emoji stay.

    Args:
        client_id: the client's own id: 1–64 letters, digits, `_` or `-`.
        text: the words.
        max_text: most characters allowed.

    Raises:
        RefusedError: bad_id, bad_text (half a surrogate pair), empty or too_long.
    """
    _check_id(client_id)
    if len(text) > max_text:
        raise RefusedError("too_long")
    text = _clean(text, "bad_text")
    if not text:
        raise RefusedError("empty")
    return Incoming(client_id, text, None)


def tapped(client_id: str, payload: str, title: str | None) -> Incoming:
    """A choice the person tapped; `title` is what stood on it.

    A payload is a command (`/intent{"entity": value}`), or plain words that are read as if they were typed.

    Raises:
        RefusedError: bad_id, bad_payload or bad_title.
    """
    _check_id(client_id)
    if (
        len(payload) > MAX_PAYLOAD
        or not payload
        or (payload.startswith("/") and not _PAYLOAD.fullmatch(payload))
        or _clean(payload, "bad_payload") != payload
    ):
        raise RefusedError("bad_payload")
    if title is not None and len(title) > MAX_TITLE:
        raise RefusedError("bad_title")
    return Incoming(client_id, _clean(title or "", "bad_title") or _plain_title(payload), payload)


class Inbox:
    """Takes messages in, each once."""

    def __init__(
        self,
        log: MessageLog,
        outbox: Outbox,
        watch: Watch,
        wake: Callable[[str], None],
        clock: Callable[[], datetime],
    ) -> None:
        """Args: log; outbox; watch: safety; wake: starts a conversation's worker; clock: now, with time zone."""
        self._log = log
        self._outbox = outbox
        self._watch = watch
        self._wake = wake
        self._clock = clock

    async def accept(self, conversation_id: str, incoming: Incoming) -> Accepted:
        """Store a message with what safety says about it, and set the worker to it when the engine has to answer.

        Who types what stands on a choice that is on screen has tapped it. The same message again changes nothing.

        Raises:
            RefusedError: conflict: this id was used for another message.
            UnknownConversationError: the conversation does not exist (any more).
        """
        now, payload = self._clock(), incoming.payload
        if payload is None:
            payload = await self._log.offered(conversation_id, incoming.text)
        accepted = await self._log.accept(
            conversation_id,
            client_id=incoming.client_id,
            content_hash=incoming.content_hash,
            parts=[as_json(Text(text=incoming.text))],
            payload=payload,
            at=now,
            decide=self._watch.inbound(incoming.text, payload, now),
        )
        if accepted.content_hash != incoming.content_hash:
            raise RefusedError("conflict")
        if accepted.new:
            self._outbox.accepted(conversation_id, accepted)
        if accepted.message.pending:
            self._wake(conversation_id)
        return accepted


def _check_id(client_id: str) -> None:
    if not _ID.fullmatch(client_id):
        raise RefusedError("bad_id")


def _clean(text: str, reason: Reason) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair cannot be stored or sent
        raise RefusedError(reason) from None
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _plain_title(payload: str) -> str:
    """What to show for a tap whose title the client did not send: its score, else an ellipsis."""
    _, brace, entities = payload.partition("{")
    try:
        score = json.loads(brace + entities)["score"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "…"
    return str(score) if isinstance(score, int) and 0 <= score <= 100 else "…"
