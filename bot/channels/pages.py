"""The widget's files and the headers on everything we serve. Channels room."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from aiohttp import web

from bot.resources import RESOURCES
from bot.support.help_lines import load_help_lines

WIDGET = "ademruimte-chat.js"
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "ademruimte",
}

#: The page while the widget is not built: people can call all the same.
NOT_BUILT = """<!doctype html>
<html lang="nl-BE">
<head><meta charset="utf-8"><title>Ademruimte</title></head>
<body>
<h1>Ademruimte</h1>
<p>De pagina's van Ademruimte zijn nog niet gebouwd. Start met <code>make run</code>, dan gebeurt dat vanzelf.</p>
<p>Heb je nu hulp nodig? Bel 112 bij gevaar. Je kan ook hier terecht:</p>
<ul>
$lines
</ul>
</body>
</html>
"""


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on a response; for aiohttp's `on_response_prepare`."""
    headers = response.headers
    headers.update(_HEADERS)
    if request.path.startswith("/api/") or request.path == "/healthz":
        headers.setdefault("Cache-Control", "no-store")
        headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    else:
        headers.setdefault("Cache-Control", "no-cache")
        headers.setdefault("Content-Security-Policy", _PAGE_POLICY)
    if request.path == f"/{WIDGET}":
        # Meant to be embedded: other sites load it as a module, which asks for both.
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        headers["Access-Control-Allow-Origin"] = "*"


def add_pages(app: web.Application, folder: Path, region: str) -> None:
    """Serve the files of `folder`, which is flat, and its index.html as `/`, with the help lines of `region` first."""

    async def page(request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name", "index.html")
        path = folder / name
        found = bool(_FILE.fullmatch(name)) and path.is_file()
        if name == "index.html":
            text = _in_region(path.read_text(encoding="utf-8"), region) if found else _not_built(region)
            return web.Response(text=text, content_type="text/html")
        if found:
            return web.FileResponse(path)
        raise web.HTTPNotFound(text="Deze pagina bestaat niet.")

    app.router.add_get("/", page)
    app.router.add_get("/{name}", page)


def _in_region(page: str, region: str) -> str:
    """The page, its widget told where the people live."""
    return re.sub(r'(<ademruimte-chat\b[^>]*) region="[a-z]*"', rf'\1 region="{region}"', page)


def _not_built(region: str) -> str:
    lines = load_help_lines(RESOURCES / "help_lines")[region].lines
    listed = (
        f'<li>{line.name}: <a href="{line.tel or line.url}">{line.number or line.url}</a></li>'
        for line in lines
    )
    return Template(NOT_BUILT).substitute(lines="\n".join(listed))
