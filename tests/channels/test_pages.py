"""Channels room: the widget's files and the headers around everything."""

import dataclasses
from pathlib import Path

from bot.settings import Settings
from tests.running import Running, run_app


def build(settings: Settings) -> Path:
    settings.web_dir.mkdir(parents=True)
    (settings.web_dir / "index.html").write_text("<!doctype html><p>demo</p>")
    (settings.web_dir / "ademruimte-chat.js").write_text("export {};")
    (settings.state_dir / "secret.txt").write_text("geheim")
    (settings.web_dir / ".hidden").write_text("geheim")
    return settings.web_dir


async def test_the_demo_page_and_the_widget_are_served(settings: Settings) -> None:
    build(settings)
    async with run_app(settings) as running:
        async with running.http.get(running.url) as response:
            assert (response.status, response.content_type) == (200, "text/html")
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
        async with running.http.get(f"{running.url}/ademruimte-chat.js") as response:
            assert response.content_type in ("text/javascript", "application/javascript")
            assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            tag = response.headers["ETag"]
        headers = {"If-None-Match": tag}
        async with running.http.get(f"{running.url}/ademruimte-chat.js", headers=headers) as response:
            assert response.status == 304


async def test_nothing_outside_the_folder_is_served(settings: Settings) -> None:
    build(settings)
    async with run_app(settings) as running:
        for path in (
            "/secret.txt",
            "/..%2fsecret.txt",
            "/%2e%2e/secret.txt",
            "/.hidden",
            "/a%00b",
            "/nothing",
        ):
            async with running.http.get(running.url + path) as response:
                assert response.status == 404
                assert "geheim" not in await response.text()


async def test_without_a_built_widget_there_is_a_plain_page_with_help(running: Running) -> None:
    async with running.http.get(running.url) as response:
        assert response.status == 200
        assert 'href="tel:1813"' in await response.text()


async def test_the_page_and_the_plain_page_follow_the_region(settings: Settings) -> None:
    settings = dataclasses.replace(settings, region="nederland")
    async with run_app(settings) as running:
        async with running.http.get(running.url) as response:
            plain = await response.text()
        assert 'href="tel:113"' in plain
        assert "1813" not in plain
        page = build(settings) / "index.html"
        page.write_text('<ademruimte-chat open region="vlaanderen"></ademruimte-chat>')
        async with running.http.get(running.url) as response:
            assert await response.text() == '<ademruimte-chat open region="nederland"></ademruimte-chat>'


async def test_every_answer_carries_the_security_headers_and_no_cookie(running: Running) -> None:
    for path in ("/", "/nothing", "/healthz", "/api/chat/session", "/api/chat/nothing"):
        async with running.http.get(running.url + path) as response:
            headers = response.headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert "Set-Cookie" not in headers
            assert "aiohttp" not in headers["Server"]
            assert "Access-Control-Allow-Origin" not in headers
            if path.startswith("/api"):
                assert headers["Cache-Control"] == "no-store"
