"""Helpers for tests that run the app: start it with a small engine, talk to it, wait for what must happen."""

import asyncio
import itertools
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.app import App
from bot.settings import Settings, load_settings
from bot.storage.crisis_log import Ruling, Situation

FAKE_ENGINE = [sys.executable, str(Path(__file__).parent / "fake_engine.py")]


def settings_for_tests(state: Path, migrated: Path) -> Settings:
    """Settings with short times and wide limits, and a state folder whose database is migrated already."""
    state.mkdir()
    shutil.copy(migrated, state / "ademruimte.db")
    return Settings(
        port=0,
        state_dir=state,
        guard_model=load_settings()[0].guard_model,
        calm_line_seconds=1.0,
        engine_turn_seconds=5.0,
        messages_per_minute=100_000,
        messages_burst=100_000,
        sessions_per_hour=1000,
        log_format="json",
    )


async def until(question: Callable[[], Awaitable[object]], seconds: float = 15.0) -> object:
    """Ask until the answer is true; fails loudly when it never is."""
    limit = time.monotonic() + seconds
    while True:
        answer = await question()
        if answer:
            return answer
        assert time.monotonic() < limit, "it never happened"
        await asyncio.sleep(0.02)


@dataclass
class Person:
    """Someone with a conversation, talking to the API over real HTTP."""

    http: aiohttp.ClientSession
    url: str
    token: str
    numbers: itertools.count = field(default_factory=itertools.count)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def post(self, body: object) -> tuple[int, dict]:
        async with self.http.post(
            f"{self.url}/api/chat/messages", json=body, headers=self.headers
        ) as response:
            return response.status, await response.json()

    async def move(self, region: str) -> None:
        there = f"{self.url}/api/chat/region"
        async with self.http.post(there, json={"region": region}, headers=self.headers) as answer:
            assert (answer.status, await answer.json()) == (200, {"region": region})

    async def say(self, text: str, message_id: str | None = None) -> dict:
        status, answer = await self.post({"id": message_id or f"m{next(self.numbers)}", "text": text})
        assert status == 200, answer
        return answer

    async def read(self, after: int = 0) -> list[dict]:
        url = f"{self.url}/api/chat/messages?after={after}"
        async with self.http.get(url, headers=self.headers) as response:
            assert response.status == 200
            return (await response.json())["messages"]

    async def remembered(self) -> bool:
        async with self.http.get(f"{self.url}/api/chat/session", headers=self.headers) as response:
            assert response.status == 200
            return (await response.json())["remember"]

    async def texts(self, after: int = 0) -> list[str]:
        return [part["text"] for m in await self.read(after) for part in m["parts"] if part["type"] == "text"]

    def socket(self, after: int = 0, **options: object):
        url = f"{self.url}/api/chat/socket?after={after}"
        return self.http.ws_connect(url, protocols=("ademruimte", f"bearer.{self.token}"), **options)


@dataclass
class Running:
    """An app that runs, with its engine."""

    app: App
    http: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return self.app.url

    async def health(self) -> dict:
        async with self.http.get(f"{self.url}/healthz") as response:
            return await response.json()

    async def person(self) -> Person:
        async with self.http.post(f"{self.url}/api/chat/sessions", json={}) as response:
            assert response.status == 201
            return Person(self.http, self.url, (await response.json())["token"])

    async def ready(self) -> None:
        async def asked() -> bool:
            return (await self.health())["status"] == "ok"

        await until(asked)

    def trackers(self) -> dict:
        path = Path(f"{self.app.settings.tracker_db}.json")
        return json.loads(path.read_text()) if path.exists() else {}


@asynccontextmanager
async def run_app(
    settings: Settings,
    engine_command: list[str] | None = None,
    engine_environment: dict[str, str] | None = None,
    actions_package: str = "tests.few_actions",
) -> AsyncIterator[Running]:
    """An app with the small engine, stopped at the end."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    app = App(settings, engine_command=engine_command or FAKE_ENGINE, actions_package=actions_package)
    app.environment.update(engine_environment or {})
    app.environment["FAKE_APP_DATABASE"] = settings.database_url
    app.environment["PYTHONPATH"] = str(Path(__file__).parent.parent)
    try:
        await app.start()
        async with aiohttp.ClientSession() as http:
            yield Running(app, http)
    finally:
        await app.stop()


def calm(_situation: Situation) -> Ruling:
    """What safety rules about a message without danger."""
    return Ruling()
