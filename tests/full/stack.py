"""Room: tests/full. The whole product as a person starts it: `bot run` with the real engine and the trained model."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from bot.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Stack:
    """The app and its engine in processes of their own, on a state folder of their own."""

    state: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What the app, and any other command on the same state, is started with."""
        made = load_settings()[0]
        return {
            **os.environ,
            "ADEMRUIMTE_STATE_DIR": str(self.state),
            "ADEMRUIMTE_ENGINE_PYTHON": str(made.engine_python),
            "ADEMRUIMTE_MODEL": str(made.model),
            "ADEMRUIMTE_GUARD_MODEL": str(made.guard_model),
            "ADEMRUIMTE_MESSAGES_PER_MINUTE": "100000",
            "ADEMRUIMTE_MESSAGES_BURST": "100000",
            "ADEMRUIMTE_SESSIONS_PER_HOUR": "100000",
            **self.environ,
        }

    def start(self) -> None:
        made = load_settings()[0]
        assert made.model.exists(), "train first: make train"
        self.state.mkdir(exist_ok=True)
        web = self.state / "web"
        if not web.exists():
            web.symlink_to(made.web_dir)
        self.port = self.port or free_port()
        command = [sys.executable, "-m", "bot", "run", "--port", str(self.port)]
        with (self.state / "app.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    async def ready(self) -> None:
        """Wait until the engine answers."""
        await self.until_health("ok")

    async def until_health(self, wanted: str, seconds: float = 120) -> None:
        limit = time.monotonic() + seconds
        async with aiohttp.ClientSession() as http:
            while True:
                assert time.monotonic() < limit, (self.state / "app.log").read_text()[-2000:]
                try:
                    async with http.get(f"{self.base}/healthz") as answer:
                        if (await answer.json())["status"] == wanted:
                            return
                except aiohttp.ClientError:
                    pass  # not listening yet
                await asyncio.sleep(0.1)

    def engine(self) -> psutil.Process:
        assert self.process is not None
        children = psutil.Process(self.process.pid).children(recursive=True)
        return next(one for one in children if "engine.start" in one.cmdline())

    def kill_engine(self) -> None:
        self.engine().kill()

    def kill_app(self) -> None:
        """kill -9, as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    async def person(self, http: aiohttp.ClientSession) -> Person:
        async with http.post(f"{self.base}/api/chat/sessions", json={}) as answer:
            assert answer.status == 201
            return Person(self, http, (await answer.json())["token"])


@dataclass
class Person:
    """Someone who talks to the chat API."""

    stack: Stack
    http: aiohttp.ClientSession
    token: str
    sent: int = 0

    async def send(self, body: dict[str, str], again: str | None = None) -> dict[str, Any]:
        """Post one message; a connection that breaks is tried again with the same id, as the widget does."""
        message = {"id": again or f"m{self.sent}", **body}
        self.sent += again is None
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.post(
            f"{self.stack.base}/api/chat/messages", json=message, headers=headers
        ) as answer:
            found = await answer.json()
            assert answer.status == 200, found
            return dict(found)

    async def move(self, region: str) -> None:
        """Say to be in this region."""
        headers = {"Authorization": f"Bearer {self.token}"}
        there = f"{self.stack.base}/api/chat/region"
        async with self.http.post(there, json={"region": region}, headers=headers) as answer:
            assert answer.status == 200, await answer.text()

    async def say(self, text: str) -> list[dict[str, Any]]:
        return parts(await self.send({"text": text}))

    async def tap(self, payload: str) -> list[dict[str, Any]]:
        return parts(await self.send({"payload": payload, "title": "…"}))

    async def log(self) -> list[dict[str, Any]]:
        """Everything in the conversation, both sides."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.get(f"{self.stack.base}/api/chat/messages?after=0", headers=headers) as answer:
            return list((await answer.json())["messages"])


def parts(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for message in answer["messages"] for part in message["parts"]]


def words(found: list[dict[str, Any]]) -> str:
    """All that can be read in some parts, as one text."""
    return "\n".join(
        part["text"] if part["type"] == "text" else json.dumps(part, ensure_ascii=False) for part in found
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(question: Callable[[], Awaitable[object]], seconds: float = 60) -> object:
    limit = time.monotonic() + seconds
    while not (answer := await question()):
        assert time.monotonic() < limit, "it never happened"
        await asyncio.sleep(0.1)
    return answer
