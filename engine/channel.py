"""Room `engine`: the HTTP routes through which the app talks to Rasa. May know Rasa's channel interface.

Every route asks for the shared token. A message is processed exactly once: when the conversation already holds
it (the app asks again after a time-out or a restart), the recorded answer is given and nothing runs twice.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from urllib.parse import unquote

from rasa.core.agent import Agent
from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from engine.tracker_store import CachedSQLTrackerStore

TOKEN_HEADER = "X-Engine-Token"  # noqa: S105 - the name of a header, not a secret
MAX_SENDER_LENGTH = 255  # the width of Rasa's sender_id column
MAX_MESSAGE_ID_LENGTH = 128
MAX_MESSAGE_LENGTH = 8000  # twice what the chat API accepts: a payload may wrap a text

logger = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[HTTPResponse]]


class AdemruimteChannel(InputChannel):
    """Input channel `ademruimte`: message in, the whole answer of the turn out."""

    def __init__(self, token: str) -> None:
        if not token:
            raise ValueError("the engine's channel needs a token")
        self._token = token.encode()

    @classmethod
    def name(cls) -> str:
        """The channel's name: part of its URL and of each stored user message."""
        return "ademruimte"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> AdemruimteChannel:
        """For a stock `rasa run` with this channel in credentials.yml: the token comes from there or env."""
        return cls((credentials or {}).get("token") or os.environ.get("ADEMRUIMTE_ENGINE_TOKEN", ""))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:  # noqa: ARG002
        """The three routes; Rasa's `on_new_message` drops the answer, so the agent is asked directly."""
        routes = Blueprint("ademruimte_channel")

        @routes.post("/webhook")
        @self._with_token
        async def webhook(request: Request) -> HTTPResponse:
            message = _read_message(request)
            if isinstance(message, str):
                return _error(400, "bad_message", message)
            agent: Agent = request.app.ctx.agent
            if agent is None or not agent.is_ready():
                return _error(503, "no_model", "the engine has no model")
            # A turn runs to its end even when the app hangs up; asked again, it gives the recorded answer.
            try:
                messages = await asyncio.shield(answer(agent, message))
            except Exception:
                logger.exception("A turn failed; the conversation stays as it was before it")
                return _error(500, "turn_failed", "the turn failed and left no trace")
            return response.json({"messages": messages})

        @routes.get("/health")
        @self._with_token
        async def health(request: Request) -> HTTPResponse:
            agent = request.app.ctx.agent
            ready = agent is not None and agent.is_ready()
            return response.json({"ready": ready, "model": agent.processor.model_filename if ready else ""})

        @routes.delete("/conversations/<sender:path>")
        @self._with_token
        async def forget(request: Request, sender: str) -> HTTPResponse:
            agent: Agent = request.app.ctx.agent
            store = agent.tracker_store
            if not isinstance(store, CachedSQLTrackerStore):
                return _error(501, "cannot_delete", "this tracker store cannot delete")
            sender = unquote(sender)  # Sanic gives the path as it was sent
            async with agent.lock_store.lock(sender):
                await store.delete(sender)
            return response.empty()

        return routes

    def _with_token(self, handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: Request, *args: Any, **kwargs: Any) -> HTTPResponse:
            given = request.headers.get(TOKEN_HEADER, "").encode()
            if not hmac.compare_digest(given, self._token):
                return _error(401, "unauthorized", "a valid token is needed")
            return await handler(request, *args, **kwargs)

        return guarded


class _Collector(OutputChannel):
    """Keeps each utterance whole: one Rasa output is one message of the chat."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    @classmethod
    def name(cls) -> str:
        """The name by which channel-specific responses of the domain are chosen."""
        return AdemruimteChannel.name()

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:  # noqa: ARG002
        """Keep one utterance, as Rasa hands it over."""
        self.messages.append(_output(message.get("text"), message))


async def answer(agent: Agent, message: UserMessage) -> list[dict[str, Any]]:
    """Run one turn, or give the recorded answer of the turn that already handled this message id."""
    async with agent.lock_store.lock(message.sender_id):
        store = agent.tracker_store
        if isinstance(store, CachedSQLTrackerStore):
            tracker = await store.peek(message.sender_id)
        else:
            tracker = await store.retrieve(message.sender_id)
        recorded = recorded_answer(tracker, message.message_id)
        if recorded is not None:
            return recorded
        await agent.processor.handle_message(message)  # type: ignore[union-attr]
        return message.output_channel.messages


def recorded_answer(tracker: DialogueStateTracker | None, message_id: str) -> list[dict[str, Any]] | None:
    """What the bot said after the message with this id and before the next one; None if the id is unknown."""
    said: list[dict[str, Any]] = []
    answer: list[dict[str, Any]] | None = None
    for event in reversed(tracker.events if tracker else ()):
        if isinstance(event, BotUttered):
            said.append(_output(event.text, event.data))
        elif isinstance(event, UserUttered):
            if event.message_id == message_id:
                answer = said[::-1]  # an action may have had it heard once more: then it goes on further back
            elif answer is not None:
                break
            else:
                said = []
    return answer


def _output(text: str | None, data: dict[str, Any]) -> dict[str, Any]:
    parts = {"text": text, "buttons": data.get("buttons"), "custom": data.get("custom")}
    return {name: part for name, part in parts.items() if part}


def _read_message(request: Request) -> UserMessage | str:
    """The message of a request, or one sentence that says what is wrong with it."""
    body = request.json
    if not isinstance(body, dict):
        return "the body must be a JSON object"
    limits = {"sender": MAX_SENDER_LENGTH, "message_id": MAX_MESSAGE_ID_LENGTH, "message": MAX_MESSAGE_LENGTH}
    for name, limit in limits.items():
        value = body.get(name)
        if not isinstance(value, str) or not value or len(value) > limit:
            return f"{name} must be a string of 1 to {limit} characters"
    return UserMessage(
        body["message"],
        _Collector(),
        body["sender"],
        input_channel=AdemruimteChannel.name(),
        message_id=body["message_id"],
    )


def _error(status: int, code: str, message: str) -> HTTPResponse:
    return response.json({"error": code, "message": message}, status=status)
