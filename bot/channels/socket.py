"""The chat over a WebSocket: live, ordered, each message once. Channels room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress

from aiohttp import WSMsgType, web

from bot.channels.chat import Chat, read_json
from bot.channels.errors import ApiProblemError
from bot.channels.site import MAX_BODY, SOCKETS
from bot.conversation.outbox import Event, Gone, Listener, OwnerChanged, Remembered, Typing
from bot.storage.message_log import Session, StoredMessage

PROTOCOL = "ademruimte"
PER_CONVERSATION = 10  # sockets open at once: some tabs and what has not noticed yet that it is dead
HEARTBEAT_SECONDS = 25.0
QUIET_SECONDS = 20.0  # after so long without an event the log is asked, in case another process wrote to it
SEND_SECONDS = 30.0  # a client that takes nothing for so long is let go
FORGOTTEN = 4401  # close code: this conversation does not exist any more


async def converse(request: web.Request, chat: Chat, session: Session, after: int) -> web.WebSocketResponse:
    """Serve one socket until it closes.

    Raises:
        ApiProblemError: rate_limited: too many sockets of this conversation are open.
    """
    conversation_id = session.conversation_id
    if chat.outbox.listeners(conversation_id) >= PER_CONVERSATION:
        raise ApiProblemError("rate_limited", 30)
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_BODY, protocols=(PROTOCOL,), compress=False
    )
    listener = chat.outbox.listen(conversation_id)  # before the replay, so that nothing falls in between
    try:
        await socket.prepare(request)
        request.app[SOCKETS].add(socket)
        await chat.log.visited(conversation_id, chat.clock())
        speaking = asyncio.create_task(_Speaker(socket, chat, session, after).run(listener))
        try:
            await _listen(socket, chat, session)
        finally:
            speaking.cancel()
            with suppress(asyncio.CancelledError):
                await speaking
    finally:
        request.app[SOCKETS].discard(socket)
        chat.outbox.leave(conversation_id, listener)
    return socket


async def _listen(socket: web.WebSocketResponse, chat: Chat, session: Session) -> None:
    async for frame in socket:
        answer: Mapping[str, object] | None
        if frame.type is WSMsgType.TEXT:
            answer = await _take(chat, session, frame.data)
        elif frame.type is WSMsgType.BINARY:
            answer = {"type": "error", **ApiProblemError("bad_json").body()}
        else:
            return
        if answer is None:
            continue
        with suppress(ConnectionError):  # gone already; what was sent is stored and will be replayed
            await socket.send_str(json.dumps(answer))
        if answer.get("error") == "unauthorized":
            await socket.close(code=FORGOTTEN)
            return


async def _take(chat: Chat, session: Session, data: str) -> Mapping[str, object] | None:
    """Take one frame; what to answer to it, if anything."""
    client_id = None
    try:
        body = read_json(data)
        if not isinstance(body, dict):
            raise ApiProblemError("invalid")
        kind = body.pop("type", None)
        if kind == "typing" and not body:
            chat.live.person_types(session.conversation_id)
            return None
        if kind == "seen" and set(body) == {"seq"} and type(body["seq"]) is int and 0 < body["seq"] < 2**53:
            await chat.live.seen(session.conversation_id, body["seq"])
            return None
        if kind != "send":
            raise ApiProblemError("invalid")
        client_id = body.get("id")
        accepted = await chat.accept(session, body)
        chat.live.person_wrote(session.conversation_id)
    except ApiProblemError as problem:
        named = {"id": client_id} if isinstance(client_id, str) and len(client_id) <= 64 else {}
        return {"type": "error", **named, **problem.body()}
    return {"type": "ack", "id": client_id, "seq": accepted.message.seq}


class _Speaker:
    """Sends what a conversation has to say, in the order of its numbers."""

    def __init__(self, socket: web.WebSocketResponse, chat: Chat, session: Session, after: int) -> None:
        self._socket = socket
        self._chat = chat
        self._session = session
        self._last = after
        self._who: tuple[str, str | None] = ("bot", None)

    async def run(self, listener: Listener) -> None:
        """Replay, then live, until the socket closes."""
        try:
            await self._catch_up()
            told = {"remember": self._session.consent is True, **self._chat.region(self._session)}
            await self._send({"type": "session", **told})
            await self._say_who()
            while True:
                event = await listener.next(QUIET_SECONDS)
                if listener.behind:
                    listener.behind = False
                    await self._catch_up()
                if event is None:
                    event = await self._look()
                if event is not None and not await self._pass_on(event):
                    return
        except (ConnectionError, TimeoutError):
            pass  # the client is gone or takes nothing; it will be back with the number of what it has
        finally:
            await (
                self._socket.close()
            )  # also after a fault of ours: an open socket that says nothing is worse

    async def _pass_on(self, event: Event) -> bool:
        """Send one event; False when it was the last."""
        if isinstance(event, Typing):
            await self._send({"type": "typing", "on": event.on})
        elif isinstance(event, Remembered):
            await self._send({"type": "session", "remember": event.remember})
        elif isinstance(event, OwnerChanged):
            await self._say_who()
        elif isinstance(event, Gone):
            await self._socket.close(code=FORGOTTEN)
            return False
        else:
            if event.seq > self._last + 1:  # overtaken by a later one, or written by another process
                await self._catch_up()
            if event.seq > self._last:
                await self._say(event)
        return True

    async def _look(self) -> Event | None:
        """When it has been quiet: whether the log has more, or the conversation is gone."""
        await self._catch_up()
        await self._say_who()
        alive = await self._chat.log.exists(self._session.conversation_id)
        return None if alive else Gone()

    async def _catch_up(self) -> None:
        while found := await self._chat.outbox.after(self._session.conversation_id, self._last):
            for message in found:
                await self._say(message)

    async def _say_who(self) -> None:
        """Who answers now, when that is not what was said last."""
        owner, name = await self._chat.live.owner(self._session.conversation_id)
        if (owner, name) != self._who:
            self._who = (owner, name)
            await self._send({"type": "owner", "owner": owner, "name": name})

    async def _say(self, message: StoredMessage) -> None:
        await self._send({"type": "message", **message.as_json()})
        self._last = message.seq
        if message.role == "coach":
            await self._chat.live.delivered(message.conversation_id, message.seq)

    async def _send(self, event: Mapping[str, object]) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._socket.send_str(json.dumps(event, ensure_ascii=False))
