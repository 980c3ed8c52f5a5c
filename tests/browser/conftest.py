"""Room: tests/browser. A real Chromium, the built widget, and helpers to look at it.

All tests here share one event loop and one browser (`loop_scope="session"`), each with a fresh context.
`tab` collects everything the browser complains about and every address it asked for; a test fails at its end
on a console error it did not announce, and on any request that leaves the server.
"""

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.stub_server import StubServer
from tests.browser.tab import AXE, DESKTOP, ROOT, WEB, OpenTab, Tab

BUILT = Path(os.environ.get("ADEMRUIMTE_STATE_DIR", ROOT / ".ademruimte")) / "web"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            if isinstance(item, pytest.Function):
                # tabs are opened last and so closed first: a page complains when its server goes before it does
                item.fixturenames.sort(key=lambda name: name in ("open_tab", "tab"))


def _newest(*folders: Path) -> float:
    return max(path.stat().st_mtime for folder in folders for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="session")
def widget() -> Path:
    """The folder with the built widget; built first when it is missing or older than its sources."""
    npm = shutil.which("npm")
    assert npm, "npm is needed to build the widget: install Node 20.19 or newer"
    if not AXE.is_file():
        subprocess.run([npm, "ci"], cwd=WEB, check=True)
    script = BUILT / "ademruimte-chat.js"
    sources = _newest(WEB / "src", WEB / "public", ROOT / "resources" / "help_lines")
    if not script.is_file() or script.stat().st_mtime < sources:
        subprocess.run([npm, "run", "build"], cwd=WEB, check=True)
    return BUILT


@pytest.fixture(scope="session")
def chromium() -> str | None:
    """The browser of this machine; without one, Playwright's own."""
    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    return path if Path(path).is_file() else None


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str | None) -> AsyncIterator[Browser]:
    options: dict[str, Any] = {"executable_path": chromium} if chromium else {}
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(
            args=["--no-sandbox", "--disable-dev-shm-usage"], **options
        )
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def server(widget: Path) -> AsyncIterator[StubServer]:
    """The scripted chat API, listening."""
    stub = StubServer(widget)
    await stub.start()
    yield stub
    await stub.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def open_tab(browser: Browser) -> AsyncIterator[OpenTab]:
    """Makes a tab on a server: `await open_tab(base, viewport=PHONE, color_scheme="dark")`."""
    tabs: list[Tab] = []

    async def make(base: str, **options: Any) -> Tab:
        context = await browser.new_context(**{"viewport": DESKTOP, "locale": "nl-BE", **options})
        page = await context.new_page()
        page.set_default_timeout(10_000)
        tab = Tab(page, context, base)
        page.on("console", lambda entry: tab.complaints.append(entry.text) if entry.type == "error" else None)
        page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        page.on("request", lambda request: tab.addresses.append(request.url))
        page.on("websocket", lambda socket: tab.addresses.append(socket.url))
        tabs.append(tab)
        return tab

    yield make
    for tab in tabs:
        await tab.context.close()
    for tab in tabs:
        unexpected = [c for c in tab.complaints if not any(re.search(pattern, c) for pattern in tab.allowed)]
        assert not unexpected, f"the browser complained: {unexpected}"
        host = tab.base.removeprefix("http://")
        foreign = [a for a in tab.addresses if a != "about:blank" and f"//{host}/" not in a]
        assert not foreign, f"requests left the server: {foreign}"


@pytest_asyncio.fixture(loop_scope="session")
async def tab(open_tab: OpenTab, server: StubServer) -> Tab:
    """The demo page on the scripted server, greeted."""
    made = await open_tab(server.base)
    await made.visit()
    await made.button("Check-in").wait_for()
    return made
