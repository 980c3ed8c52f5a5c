"""A small model, a stand-in for the action server, and the real engine in a process of its own."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TOKEN = "a-token-for-tests"


def engine_python() -> str:
    path = os.environ.get("ADEMRUIMTE_ENGINE_PYTHON") or str(
        ROOT / ".ademruimte" / "engine" / "bin" / "python"
    )
    assert Path(path).exists(), f"{path} is missing: `make setup` makes the engine's environment"
    return path


def run_inside(script: str, *arguments: str, **options: Any) -> dict[str, Any]:
    """Run tests/engine/<script> with the engine's Python; its last line of output is JSON."""
    done = subprocess.run(
        [engine_python(), str(HERE / script), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small-model")
    shutil.copytree(HERE / "project", folder / "project")
    run_inside("inside_train.py", str(folder / "project"), str(folder))
    return folder / "model.tar.gz"


@dataclass
class Actions:
    """Stands in for the app's action webhook: sets what the form heard, says what it was asked."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    failing: bool = False
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        call = await request.json()
        self.calls.append(call)
        self.called.set()
        self.tokens.append(request.query.get("token", ""))
        name = call["next_action"]
        events: list[dict[str, Any]] = []
        responses: list[dict[str, Any]] = []
        if self.failing or name == "action_fails":
            return web.json_response({"error": "on purpose"}, status=500)
        if name == "action_slow":
            await self.release.wait()
        if name.startswith("validate_"):
            for event in reversed(call["tracker"]["events"]):
                if event["event"] == "action":
                    break
                if event["event"] == "slot":
                    events.append(
                        {"event": "slot", "name": event["name"], "value": event["value"], "timestamp": None}
                    )
        if name == "action_result":
            slots = call["tracker"]["slots"]
            responses.append(
                {"text": f"slaap {slots['sleep']}, druk {slots['pressure']}", "custom": {"type": "chart"}}
            )
            events += [{"event": "slot", "name": name, "value": None} for name in ("sleep", "pressure")]
        return web.json_response({"events": events, "responses": responses})


@pytest.fixture(scope="session")
def action_port() -> int:
    return free_port()


@pytest.fixture
async def actions(action_port: int) -> AsyncIterator[Actions]:
    made = Actions(url=f"http://127.0.0.1:{action_port}/webhook")
    made.release.set()
    app = web.Application()
    app.router.add_post("/webhook", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", action_port).start()
    yield made
    made.release.set()
    await runner.cleanup()


@dataclass
class Process:
    """A running engine."""

    popen: subprocess.Popen[bytes]
    port: int
    ready: dict[str, Any]
    log: Path
    tracker_db: Path

    def close(self) -> None:
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.popen.stdin.close()
        try:
            self.popen.wait(10)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.popen.stdout.close()


@dataclass
class Engine:
    """The engine's process and a client for its routes."""

    process: Process
    http: aiohttp.ClientSession

    async def ask(self, sender: str, message_id: str, message: str) -> tuple[int, dict[str, Any]]:
        body = {"sender": sender, "message_id": message_id, "message": message}
        async with self.http.post("/webhooks/ademruimte/webhook", json=body) as response:
            return response.status, await response.json()

    async def say(self, sender: str, message_id: str, message: str) -> list[dict[str, Any]]:
        status, answer = await self.ask(sender, message_id, message)
        assert status == 200, answer
        messages: list[dict[str, Any]] = answer["messages"]
        return messages

    async def tracker(self, sender: str) -> dict[str, Any]:
        async with self.http.get(f"/conversations/{sender}/tracker", params={"token": TOKEN}) as response:
            found: dict[str, Any] = await response.json()
            return found

    async def ended(self) -> int:
        return await asyncio.to_thread(self.process.popen.wait, 10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_engine(model: Path, tracker_db: Path, action_url: str) -> Process:
    port = free_port()
    log = tracker_db.with_name(f"engine-{port}.log")
    environment = {
        **os.environ,
        "ADEMRUIMTE_ENGINE_TOKEN": TOKEN,
        "ADEMRUIMTE_ACTION_URL": action_url,
        "ADEMRUIMTE_ACTION_TOKEN": "actions-token",
        "ADEMRUIMTE_TRACKER_DB": str(tracker_db),
    }
    with log.open("wb") as errors:
        popen = subprocess.Popen(
            [engine_python(), "-m", "engine.start", "--port", str(port), "--model", str(model)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert popen.stdout is not None
    line = popen.stdout.readline()
    assert line, log.read_text()
    return Process(popen, port, json.loads(line), log, tracker_db)


@contextlib.asynccontextmanager
async def run_engine(model: Path, tracker_db: Path, action_url: str) -> AsyncIterator[Engine]:
    process = await asyncio.to_thread(start_engine, model, tracker_db, action_url)
    try:
        async with client_of(process) as http:
            yield Engine(process, http)
    finally:
        process.close()


def client_of(process: Process) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(f"http://127.0.0.1:{process.port}", headers={"X-Engine-Token": TOKEN})


@pytest.fixture(scope="session")
def shared_process(
    small_model: Path, action_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("shared-engine")
    process = start_engine(small_model, folder / "tracker.db", f"http://127.0.0.1:{action_port}/webhook")
    yield process
    process.close()


@pytest.fixture
async def engine(shared_process: Process, actions: Actions) -> AsyncIterator[Engine]:
    """One engine for all tests; each test has conversations of its own."""
    assert actions.url
    async with client_of(shared_process) as http:
        yield Engine(shared_process, http)


@pytest.fixture
async def own_engine(small_model: Path, tmp_path: Path, actions: Actions) -> AsyncIterator[Engine]:
    """An engine that the test may end."""
    async with run_engine(small_model, tmp_path / "tracker.db", actions.url) as started:
        yield started


@pytest.fixture
def who() -> str:
    """The name of a conversation that no other test has."""
    return uuid.uuid4().hex
