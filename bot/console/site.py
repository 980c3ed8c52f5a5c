"""The desk's addresses on the site. Console room; imports nothing heavy, so that pages are served at once.

A request waits for the desk, which stands on the database and comes up behind the first pages.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from aiohttp import web

from bot.console.routes import PREFIX, ROUTES, Route
from bot.settings import Settings

if TYPE_CHECKING:
    from jinja2 import Environment, Template

    from bot.console.desk import Desk

START_SECONDS = 20.0  # longest wait for the desk at start-up
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: Where aiohttp-jinja2 finds the templates.
TEMPLATES: web.AppKey[Environment] = web.AppKey("desk_templates")

_PLAIN = """<!doctype html>
<html lang="nl-BE">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Ademruimte</title><link rel="stylesheet" href="/desk.css">
</head>
<body><main class="narrow"><h1>{title}</h1><p>{sentence}</p><p><a href="/desk/">Naar de wachtrij</a></p></main></body>
</html>
"""


class _Templates:
    """Stands on the app for the templates of a desk that is not there yet: a running app takes nothing new."""

    def __init__(self, desk: asyncio.Future[Desk]) -> None:
        self._desk = desk

    def get_template(self, name: str) -> Template:
        return self._desk.result().templates.get_template(name)


def add_desk(app: web.Application) -> asyncio.Future[Desk]:
    """Register every address of the desk; requests wait until the future is given its `Desk`.

    Args:
        app: the site; not running yet.

    Returns:
        What to give the desk to, made by `bot.console.desk.make_desk`.
    """
    desk: asyncio.Future[Desk] = asyncio.get_running_loop().create_future()
    app[TEMPLATES] = cast("Environment", _Templates(desk))
    app.on_response_prepare.append(_add_headers)
    app.router.add_get(PREFIX, _to_slash)
    for route in ROUTES:
        app.router.add_route(route.method, PREFIX + route.path, _serving(desk, route))
    app.router.add_route("*", PREFIX + "/{rest:.*}", _unknown)
    return desk


def _serving(
    desk: asyncio.Future[Desk], route: Route
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(START_SECONDS):
                there = await asyncio.shield(desk)
        except TimeoutError:
            return _plain(503, "Nog even geduld", "We zijn nog aan het opstarten. Probeer het zo opnieuw.")
        return await there.handle(route, request)

    return serve


async def _to_slash(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPPermanentRedirect(PREFIX + "/")


async def _unknown(_request: web.Request) -> web.StreamResponse:
    return _plain(404, "Niet gevonden", "Deze pagina bestaat niet.")


def _plain(status: int, title: str, sentence: str) -> web.Response:
    text = _PLAIN.format(title=title, sentence=sentence)
    return web.Response(text=text, status=status, content_type="text/html")


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """The desk keeps nothing in caches and runs no script but its own files; other pages have their own policy."""
    if request.path == PREFIX or request.path.startswith(PREFIX + "/"):
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = POLICY


def cookie_name(settings: Settings, request: web.Request) -> str:
    """`__Host-desk`, which browsers keep only over https; plain http has another name, see the settings."""
    if request.scheme == "https":
        return "__Host-desk"
    if settings.trusted_proxies and request.headers.get("X-Forwarded-Proto", "").lower() == "https":
        return "__Host-desk"
    return "desk" if settings.desk_insecure_cookie or _on_this_machine(request) else "__Host-desk"


def below_desk(path: str | None) -> str:
    """The path when it leads below the desk and nowhere else, otherwise the desk's first page."""
    plain = path is not None and path.startswith(PREFIX + "/") and "//" not in path and "\\" not in path
    return path if path is not None and plain and path.isprintable() else PREFIX + "/"


def _on_this_machine(request: web.Request) -> bool:
    """Asked for by a browser on this machine, with no proxy between."""
    if request.headers.get("X-Forwarded-For") or request.headers.get("X-Forwarded-Proto"):
        return False
    name = urlsplit(f"//{request.host}").hostname or ""
    try:
        named = name == "localhost" or ipaddress.ip_address(name).is_loopback
        return named and ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
