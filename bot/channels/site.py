"""The site around the chat API: pages, headers, errors, /healthz. Channels room.

It imports nothing heavy and needs no database, so that pages are there at once; requests to the API wait for
`API` to be given its handlers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from aiohttp import WSCloseCode, hdrs, web

from bot.channels.errors import ERRORS, ApiProblemError
from bot.channels.pages import add_headers, add_pages
from bot.console.site import add_desk
from bot.settings import Settings

MAX_BODY = 64 * 1024
START_SECONDS = 20.0  # longest wait for the API at start-up

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Health = Callable[[], Awaitable[Mapping[str, str]]]
# What comes behind /api/chat/, then the method.
Handlers = Mapping[str, Mapping[str, Handler]]

API = web.AppKey("api", asyncio.Future[Handlers])
# Its type is not imported here: what stands behind the desk is heavy.
DESK = web.AppKey("desk", asyncio.Future[Any])
SOCKETS = web.AppKey("sockets", set[web.WebSocketResponse])
SETTINGS = web.AppKey("settings", Settings)

log = structlog.get_logger("web")


def chat_site(settings: Settings, health: Health) -> web.Application:
    """The site, ready to be served.

    Args:
        settings: all settings.
        health: the body of /healthz.
    """
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_errors, _cross_origin])
    app[SETTINGS] = settings
    app[API] = asyncio.get_running_loop().create_future()
    app[SOCKETS] = set()
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_close_sockets)

    async def healthz(_request: web.Request) -> web.Response:
        state = await health()
        return json_response(state, 503 if state["database"] == "unreachable" else 200)

    app.router.add_get("/healthz", healthz)
    app[DESK] = add_desk(app)
    app.router.add_route("*", "/api/chat/{name}", _api)
    add_pages(app, settings.web_dir, settings.region)
    return app


def json_response(body: Mapping[str, object], status: int = 200) -> web.Response:
    """A JSON answer; Dutch stays readable in it."""
    return web.Response(
        text=json.dumps(body, ensure_ascii=False), status=status, content_type="application/json"
    )


def _problem(problem: ApiProblemError) -> web.Response:
    response = json_response(problem.body(), ERRORS[problem.code].status)
    if problem.retry_after is not None:
        response.headers[hdrs.RETRY_AFTER] = str(problem.retry_after)
    return response


async def _api(request: web.Request) -> web.StreamResponse:
    try:
        async with asyncio.timeout(START_SECONDS):
            handlers = await asyncio.shield(request.app[API])
    except TimeoutError:
        raise ApiProblemError("unavailable", 5) from None
    methods = handlers.get(request.match_info["name"])
    if methods is None:
        raise ApiProblemError("not_found")
    if request.method not in methods:
        raise web.HTTPMethodNotAllowed(request.method, sorted(methods))
    return await methods[request.method](request)


async def _close_sockets(app: web.Application) -> None:
    """Say goodbye to every open socket: the app stops, clients may come back soon."""
    sockets = app[SOCKETS]
    closing = [socket.close(code=WSCloseCode.GOING_AWAY) for socket in sockets]
    await asyncio.gather(*closing, return_exceptions=True)


# What aiohttp itself refuses, in our own words.
_REFUSED = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 400: "bad_request"}


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error of the API is JSON with a Dutch sentence; none shows or logs what was sent."""
    try:
        return await handler(request)
    except ApiProblemError as problem:
        return _problem(problem)
    except web.HTTPException as refused:
        if not request.path.startswith("/api/") or refused.status not in _REFUSED:
            raise
        response = _problem(ApiProblemError(_REFUSED[refused.status]))
        if hdrs.ALLOW in refused.headers:
            response.headers[hdrs.ALLOW] = refused.headers[hdrs.ALLOW]
        return response
    except Exception:  # a fault of ours: the person gets a sentence, we get the place in the code
        resource = request.match_info.route.resource  # its template: a path can hold anything
        log.exception("request failed", method=request.method, route=resource.canonical if resource else None)
        return _problem(ApiProblemError("internal"))


@web.middleware
async def _cross_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let the sites of ALLOWED_ORIGINS, and no others, use the API from their pages."""
    origin = request.headers.get(hdrs.ORIGIN)
    if (
        origin is None
        or not request.path.startswith("/api/chat/")
        or origin not in request.app[SETTINGS].allowed_origins
    ):
        return await handler(request)
    if request.method == hdrs.METH_OPTIONS:
        response: web.StreamResponse = web.Response(status=204)
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = "GET, POST"
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = "Authorization, Content-Type"
        response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = "600"
    else:
        response = await _errors(request, handler)
    if not response.prepared:
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "Retry-After"
        response.headers[hdrs.VARY] = "Origin"
    return response
