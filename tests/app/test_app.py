"""Edge room: starting and stopping, as whoever runs it sees it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.app import StartError
from bot.settings import Settings
from tests.running import FAKE_ENGINE, run_app, until

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import sys
from bot import app
from bot.settings import load_settings
command = sys.argv[1:]
class Tested(app.App):
    def __init__(self, settings):
        super().__init__(settings, engine_command=command, actions_package="tests.few_actions")
app.App = Tested
settings, _ = load_settings()
sys.exit(app.run(settings, lambda url: print(url, flush=True)))
"""


def start(settings: Settings, **environment: str) -> subprocess.Popen:
    """The app as a process of its own."""
    given = {
        "ADEMRUIMTE_STATE_DIR": str(settings.state_dir),
        "ADEMRUIMTE_GUARD_MODEL": str(settings.guard_model),
        "ADEMRUIMTE_PORT": "0",
        "ADEMRUIMTE_CALM_LINE_SECONDS": "1",
        "FAKE_APP_DATABASE": settings.database_url,
        "PYTHONPATH": str(ROOT),
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *FAKE_ENGINE],
        env=os.environ | given,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def address(process: subprocess.Popen) -> str:
    return (await asyncio.to_thread(process.stdout.readline)).strip()


class Client:
    """A client that lives longer than the app it talks to."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http, self.url, self.headers = http, "", {}

    async def begin(self, url: str) -> None:
        async with self.http.post(f"{url}/api/chat/sessions", json={}) as response:
            self.headers = {"Authorization": f"Bearer {(await response.json())['token']}"}
        self.url = url

    async def send(self, message_id: str, text: str) -> int:
        body = {"id": message_id, "text": text}
        url = f"{self.url}/api/chat/messages"
        async with self.http.post(url, json=body, headers=self.headers) as response:
            return response.status

    async def texts(self) -> list[str]:
        async with self.http.get(f"{self.url}/api/chat/messages", headers=self.headers) as response:
            found = (await response.json())["messages"]
        return [part["text"] for m in found if m["role"] != "system" for part in m["parts"]]


async def test_killed_between_any_two_messages_the_conversation_is_the_same_after_the_restart(
    settings: Settings, http: aiohttp.ClientSession
) -> None:
    process, client, texts = start(settings), Client(http), []
    await client.begin(await address(process))

    async def as_it_was() -> bool:
        return await client.texts() == texts

    async def on_its_way() -> bool:
        return (await client.texts())[-1] == "slow 0.4"

    for number in range(4):
        assert await client.send(f"m{number}", f"bericht {number}") == 200
        texts += [f"bericht {number}", f"je zei: bericht {number}"]
        if number == 2:  # this time it is killed with a message on its way
            late = asyncio.create_task(client.send("late", "slow 0.4"))
            await until(on_its_way)
            texts += ["slow 0.4", "je zei: slow 0.4"]
        process.kill()
        process.communicate()
        if number == 2:
            with pytest.raises(aiohttp.ClientError):
                await late
        process = start(settings)
        client.url = await address(process)
        await until(as_it_was)
    process.terminate()
    await asyncio.to_thread(process.communicate, timeout=20)


async def test_sigterm_stops_everything_with_code_zero(settings: Settings) -> None:
    process = start(settings)
    url = await address(process)
    async with aiohttp.ClientSession() as http:

        async def ready() -> bool:
            async with http.get(f"{url}/healthz") as response:
                return (await response.json())["status"] == "ok"

        await until(ready)
        children = _children(process.pid)
        assert children
    process.send_signal(signal.SIGTERM)
    _, said = await asyncio.to_thread(process.communicate, timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in said
    assert not [pid for pid in children if _runs(pid)]


async def test_a_killed_app_leaves_no_engine_behind(settings: Settings) -> None:
    process = start(settings)
    await address(process)

    async def has_children() -> list[int]:
        return _children(process.pid)

    children = await until(has_children)
    process.kill()
    process.communicate()

    async def all_gone() -> bool:
        return not [pid for pid in children if _runs(pid)]

    await until(all_gone)


async def test_pages_are_there_while_the_engine_still_loads(settings: Settings) -> None:
    process = start(settings, FAKE_LOAD_SECONDS="60")
    url = await address(process)
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert response.status == 200
    process.terminate()
    await asyncio.to_thread(process.communicate, timeout=20)


async def test_a_taken_port_is_one_plain_sentence_and_code_one(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(settings, ADEMRUIMTE_PORT=str(port))
        _, said = await asyncio.to_thread(process.communicate, timeout=20)
    assert process.returncode == 1
    assert said == (
        f"ademruimte: port {port} on 127.0.0.1 cannot be used (Address already in use); "
        "choose another one with ADEMRUIMTE_PORT.\n"
    )


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:////proc/nowhere/x.db", "cannot be used"),
        ("nonsense", "cannot be used"),
        ("postgresql+nodriver://someone:geheim@host/db", "host/db cannot be used"),
    ],
)
async def test_a_database_that_cannot_be_used_stops_the_start_with_a_sentence(
    settings: Settings, url: str, told: str
) -> None:
    async with run_app(replace(settings, database_url=url)) as running:
        with pytest.raises(StartError, match=told) as error:
            await asyncio.wait_for(running.app.failed, 10)
        assert "geheim" not in str(error.value)


async def test_without_a_trained_guard_the_app_does_not_start_and_says_why(
    settings: Settings, tmp_path: Path
) -> None:
    async with run_app(replace(settings, guard_model=tmp_path / "none")) as running:
        with pytest.raises(StartError, match="guard"):
            await asyncio.wait_for(running.app.failed, 20)


async def test_actions_that_do_not_import_stop_the_start_and_say_why(settings: Settings) -> None:
    async with run_app(settings, actions_package="tests.no_such_actions") as running:
        with pytest.raises(StartError, match="no_such_actions"):
            await asyncio.wait_for(running.app.failed, 20)


async def test_what_is_sent_while_the_app_is_starting_waits_and_is_answered(settings: Settings) -> None:
    async with run_app(settings) as running:
        person = await running.person()
        await person.say("al vroeg wakker")

        async def answered() -> bool:
            return "je zei: al vroeg wakker" in await person.texts()

        await until(answered)


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
