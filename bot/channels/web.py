"""The chat API over HTTP. Channels room; described by docs/api.md and by openapi.yaml beside this file."""

from __future__ import annotations

from functools import partial

from aiohttp import hdrs, web

from bot.channels.chat import Chat, read_after, read_json
from bot.channels.errors import ApiProblemError
from bot.channels.limits import client_address
from bot.channels.site import Handlers, json_response
from bot.channels.socket import PROTOCOL, converse
from bot.storage.message_log import UnknownConversationError

GRACE_SECONDS = 0.4  # on top of the calm line's time, for storing that line


def chat_api(chat: Chat) -> Handlers:
    """The API's handlers: what comes behind /api/chat/, then the method."""
    return {
        "sessions": {"POST": partial(_open_session, chat)},
        "session": {"GET": partial(_session, chat)},
        "region": {"POST": partial(_move, chat)},
        "messages": {"POST": partial(_send, chat), "GET": partial(_read, chat)},
        "socket": {"GET": partial(_socket, chat)},
        "code": {"POST": partial(_new_code, chat)},
        "return": {"POST": partial(_return, chat)},
    }


async def _open_session(chat: Chat, request: web.Request) -> web.Response:
    return json_response(
        {"token": await chat.open_session(_address(chat, request), await _body(request))}, 201
    )


async def _new_code(chat: Chat, request: web.Request) -> web.Response:
    session = await chat.session(_bearer(request))
    if await _body(request) != {}:
        raise ApiProblemError("invalid")
    return json_response({"code": await chat.new_code(session)}, 201)


async def _return(chat: Chat, request: web.Request) -> web.Response:
    # Who comes with a code has no name here: a request that says who it is from is refused, not just ignored.
    if hdrs.COOKIE in request.headers or hdrs.AUTHORIZATION in request.headers:
        raise ApiProblemError("identity")
    return json_response({"token": await chat.enter(_address(chat, request), await _body(request))}, 201)


async def _session(chat: Chat, request: web.Request) -> web.Response:
    session = await chat.session(_bearer(request))
    return json_response({"remember": session.consent is True, **chat.region(session)})


async def _move(chat: Chat, request: web.Request) -> web.Response:
    session = await chat.session(_bearer(request))
    return json_response({"region": await chat.move(session, await _body(request))})


async def _send(chat: Chat, request: web.Request) -> web.Response:
    session = await chat.session(_bearer(request))
    accepted = await chat.accept(session, await _body(request))
    try:
        turn = await chat.outbox.turn(
            session.conversation_id,
            accepted.message.seq,
            chat.settings.calm_line_seconds + GRACE_SECONDS,
            fresh=accepted.new and accepted.message.pending and not accepted.replies,
        )
    except UnknownConversationError:
        raise ApiProblemError("unauthorized") from None
    return json_response({"messages": [m.as_json() for m in turn.messages], "pending": turn.pending})


async def _read(chat: Chat, request: web.Request) -> web.Response:
    session = await chat.session(_bearer(request))
    found = await chat.outbox.after(session.conversation_id, read_after(request.query.get("after")))
    from_coach = [message.seq for message in found if message.role == "coach"]
    if from_coach:
        await chat.live.delivered(session.conversation_id, from_coach[-1])
    return json_response({"messages": [message.as_json() for message in found]})


async def _socket(chat: Chat, request: web.Request) -> web.StreamResponse:
    offered = [part.strip() for part in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    token = next((part.removeprefix("bearer.") for part in offered if part.startswith("bearer.")), None)
    if token is not None and PROTOCOL not in offered:
        raise ApiProblemError("invalid")
    # A browser sends its page's address along; a page we do not know gets no conversation.
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and not _is_own(request, origin) and origin not in chat.settings.allowed_origins:
        raise ApiProblemError("forbidden_origin")
    session = await chat.session(token or _bearer(request))
    return await converse(request, chat, session, read_after(request.query.get("after")))


def _address(chat: Chat, request: web.Request) -> str:
    """For counting only; never stored."""
    forwarded = request.headers.get("X-Forwarded-For")
    return client_address(request.remote, forwarded, chat.settings.trusted_proxies)


def _bearer(request: web.Request) -> str | None:
    kind, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


async def _body(request: web.Request) -> object:
    if request.content_type != "application/json":
        raise ApiProblemError("not_json")
    return read_json(await request.read())


def _is_own(request: web.Request, origin: str) -> bool:
    return origin.partition("://")[2] == request.host
