"""Room: tests/full. One stack for all conversations; tests that kill things start their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.browser.conftest import browser, chromium, open_tab, widget
from tests.full.stack import Stack

__all__ = ["browser", "chromium", "open_tab", "widget"]  # the real Chromium, from its own room


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    made = Stack(tmp_path_factory.mktemp("stack") / "state")
    made.start()
    try:
        await made.ready()
        yield made
    finally:
        made.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def mortal(tmp_path: Path) -> AsyncIterator[Stack]:
    """A stack to be killed."""
    made = Stack(tmp_path / "state")
    made.start()
    try:
        await made.ready()
        yield made
    finally:
        made.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as made:
        yield made
