"""Live news for an open page, as server-sent events. Console room.

The database is asked anew every half second: it also tells what another process did. An event says that there is
something new and never what: the page fetches that itself, with the rights it has at that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import hdrs, web

from bot.console.desk import Desk, Visit
from bot.storage.cases import UnknownCaseError

LOOK_SECONDS = 0.5
BEAT_SECONDS = 15.0
_STOPPING = "news_stopping"
#: When the connection breaks, the browser tries again after so many milliseconds.
_HELLO = b"retry: 2000\n\n"
_BEAT = b": still here\n\n"

#: Given the mark of what the page knows, the mark of how it is now, and the names and data of events between them.
Look = Callable[[str], Awaitable[tuple[str, Sequence[tuple[str, str]]]]]


def end_streams(desk: Desk) -> None:
    """The app stops: every stream ends at once, so that stopping need not wait for them."""
    _stopping(desk).set()


async def stream(visit: Visit, look: Look) -> web.StreamResponse:
    """Tell what `look` finds until the app stops, the client goes or the session is no longer good.

    The first mark is that of the last event the browser received, so that a broken connection misses nothing, or the
    one in `since`, with which the page was drawn.

    Args:
        visit: who listens.
        look: asked every `LOOK_SECONDS`; raises `UnknownCaseError` when there is nothing to listen to any more.
    """
    request = visit.request
    response = web.StreamResponse()
    response.content_type = "text/event-stream"
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # a proxy must not save events up
    await response.prepare(request)
    stopping, loop = _stopping(visit.desk), asyncio.get_running_loop()
    mark = request.headers.get("Last-Event-ID") or request.query.get("since", "")
    try:
        await response.write(_HELLO)
        beat = loop.time() + BEAT_SECONDS
        while not _gone(request) and await visit.desk.still_in(visit):
            mark, events = await look(mark)
            for name, data in events:
                await response.write(f"event: {name}\nid: {mark}\ndata: {data}\n\n".encode())
            if loop.time() >= beat:
                await response.write(_BEAT)
                beat = loop.time() + BEAT_SECONDS
            if await _waited(stopping):
                break
    except (UnknownCaseError, ConnectionError):
        pass  # no longer theirs, or nobody listens any more
    return response


def _stopping(desk: Desk) -> asyncio.Event:
    event: asyncio.Event = desk.extra.setdefault(_STOPPING, asyncio.Event())
    return event


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _waited(stopping: asyncio.Event) -> bool:
    """Wait for the next look; True when the app stops."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            return await stopping.wait()
    except TimeoutError:
        return False
