"""Conversation room: what a person notices when the engine is late, dies, or cannot answer."""

import asyncio
import os
import signal
import time

import aiohttp

from bot.conversation import lines
from bot.settings import Settings
from tests.running import Person, Running, run_app, until


async def has(person: Person, text: str) -> bool:
    return text in await person.texts()


async def test_while_the_engine_loads_people_read_so_once_and_are_answered_later(settings: Settings) -> None:
    async with run_app(settings, engine_environment={"FAKE_LOAD_SECONDS": "8"}) as running:
        person = await running.person()
        answer = await person.say("ben je er?")
        assert answer["pending"] is True
        assert [m["role"] for m in answer["messages"]] == ["system"]
        assert answer["messages"][0]["parts"] == [{"type": "text", "text": lines.STARTING}]
        second = await person.say("hallo?")
        assert second == {"messages": [], "pending": True}
        assert (await running.health())["status"] == "degraded"
        await until(lambda: has(person, "je zei: hallo?"))
        texts = await person.texts()
        assert texts.count(lines.STARTING) == 1
        assert texts[-2:] == ["je zei: ben je er?", "je zei: hallo?"]


async def test_a_killed_engine_gives_a_calm_line_and_then_the_answer(running: Running) -> None:
    person = await running.person()
    await person.say("eerste")
    os.kill(running.app.engine.pid, signal.SIGKILL)
    began = time.monotonic()
    answer = await person.say("tweede", "m2")
    assert time.monotonic() - began < running.app.settings.calm_line_seconds + 0.5
    assert answer["pending"] is True
    assert answer["messages"][0]["parts"] == [{"type": "text", "text": lines.WAITING}]
    await until(lambda: has(person, "je zei: tweede"))
    again = await person.say("tweede", "m2")
    assert [m["role"] for m in again["messages"]] == ["system", "bot"]
    assert (await person.texts()).count(lines.WAITING) == 1


async def test_an_engine_that_dies_in_the_middle_of_a_turn_answers_that_turn_later(running: Running) -> None:
    person = await running.person()
    await person.say("die once")
    await until(lambda: has(person, "je zei: die once"))
    await person.say("die after")
    await until(lambda: has(person, "je zei: die after"))
    texts = await person.texts()
    assert texts.count("je zei: die once") == texts.count("je zei: die after") == 1


async def test_a_slow_answer_comes_by_itself_after_the_calm_line(running: Running) -> None:
    person = await running.person()
    async with person.socket() as socket:
        answer = await person.say("slow 1.5")
        assert answer["pending"] is True
        seen = []
        while not seen or seen[-1].get("role") != "bot":
            seen.append(await socket.receive_json(timeout=10))
    kinds = [
        (event["type"], event.get("role", event.get("on"))) for event in seen if event["type"] != "session"
    ]
    assert kinds == [
        ("message", "user"),
        ("typing", True),
        ("typing", False),
        ("message", "system"),
        ("message", "bot"),
    ]


async def test_a_message_the_engine_cannot_handle_gets_an_apology_and_the_conversation_goes_on(
    running: Running,
) -> None:
    person = await running.person()
    waiting = asyncio.create_task(person.say("fail", "m1"))
    await until(lambda: has(person, "fail"))
    after = await person.say("en nu?", "m2")
    first = await waiting
    assert [m["role"] for m in first["messages"]] == ["system"]
    assert first["messages"][0]["parts"] == [{"type": "text", "text": lines.APOLOGY}]
    assert after["messages"][0]["parts"][0]["text"] == "je zei: en nu?"


async def test_a_dead_engine_is_noticed_at_once_and_ends_with_the_app(settings: Settings) -> None:
    async with run_app(settings) as running:
        await running.ready()
        first = running.app.engine.pid
        os.kill(first, signal.SIGKILL)

        async def noticed() -> bool:
            return (await running.health())["engine"] != "ready"

        await until(noticed, seconds=1)
        await running.ready()
        second = running.app.engine.pid
        assert second != first
    assert not _lives(second)


async def test_an_engine_that_cannot_start_leaves_a_useful_app(settings: Settings) -> None:
    async with run_app(settings, engine_command=["/nowhere/python"]) as running:
        person = await running.person()
        answer = await person.say("hallo")
        assert answer["messages"][0]["parts"][0]["text"] == lines.STARTING
        assert (await running.health())["engine"] == "starting"
        async with running.http.get(running.url) as page:
            assert page.status == 200


async def test_the_engine_ends_when_the_app_is_killed(settings: Settings) -> None:
    """The app's end closes the engine's standard input, whatever ended the app."""
    async with run_app(settings) as running:
        await running.ready()
        pid = running.app.engine.pid
        running.app.engine.process.stdin.close()

        async def gone() -> bool:
            return running.app.engine.pid != pid

        await until(gone)
        await running.ready()


async def test_a_stranger_cannot_use_the_engine(running: Running) -> None:
    async with aiohttp.ClientSession() as stranger:
        url = f"{running.app.client.url}/webhooks/ademruimte/health"
        async with stranger.get(url) as response:
            assert response.status == 401


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
