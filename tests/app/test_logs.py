"""Edge room: logs say what happened and never what a person wrote, who they are or where they come from."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy import text

from bot.logs import set_up_logs
from bot.settings import Settings
from tests.running import run_app, until

SECRET = "GEHEIM-over-de-keuken"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs("debug", "json", stream)
    yield stream
    root.handlers[:], root.level = before
    structlog.reset_defaults()


async def test_a_secret_sent_in_every_way_stands_in_no_log(settings: Settings, written: io.StringIO) -> None:
    async with run_app(settings) as running:
        await running.ready()
        person = await running.person()
        await person.say(SECRET)
        await person.say("strange")
        for body in (
            {"id": SECRET[:64], "text": SECRET, "x": SECRET},
            {"id": "a", "text": SECRET * 500},
            {"id": "a", "payload": SECRET},
        ):
            await person.post(body)
        url = f"{running.url}/api/chat/messages"
        for raw in (
            SECRET.encode(),
            f'{{"{SECRET}'.encode(),
            SECRET.encode() * 5000,
            b"\xff" + SECRET.encode(),
        ):
            headers = person.headers | {"Content-Type": "application/json"}
            async with running.http.post(url, data=raw, headers=headers) as response:
                assert response.status in (400, 413)
        async with running.http.get(f"{running.url}/api/chat/{SECRET}?after={SECRET}") as response:
            assert response.status == 404
        async with person.socket() as socket:
            await socket.send_str(SECRET)
            await socket.send_json({"type": "send", "id": "s1", "text": SECRET})
            await socket.send_str("x" * 70_000 + SECRET)
            while not socket.closed:
                await socket.receive(timeout=5)

        # Faults of our own, in the middle of handling the secret.
        log = running.app.parts.chat.log

        def broken(*_args: object, **_more: object) -> None:
            raise RuntimeError(f"cannot store {SECRET}")

        log.accept, accept = broken, log.accept
        status, problem = await person.post({"id": "b1", "text": SECRET})
        assert (status, problem["error"]) == (500, "internal")
        log.accept = accept
        log.complete, complete = broken, log.complete
        await person.say(f"{SECRET} nog eens", "b2")
        log.complete = complete
        await running.app.parts.workers.sweep()
        await running.app.parts.database.write(
            lambda db: db.execute(text("ALTER TABLE messages RENAME TO gone"))
        )
        assert (await person.post({"id": "b3", "text": SECRET}))[0] == 500
        await running.app.parts.database.write(
            lambda db: db.execute(text("ALTER TABLE gone RENAME TO messages"))
        )
        await person.say("fail")

    lines = written.getvalue()
    assert SECRET not in lines
    assert person.token not in lines
    assert "hologram" not in lines
    assert '"127.0.0.1"' not in lines
    events = [json.loads(line) for line in lines.splitlines()]
    assert {"listening", "request failed", "turn failed", "reply not understood", "worker stopped"} <= {
        event["event"] for event in events
    }
    failed = next(event for event in events if event["event"] == "request failed")
    assert failed["error"] == "RuntimeError"
    assert any("chat.py" in frame for frame in failed["frames"])


async def test_a_lost_exception_of_a_task_does_not_show_its_message(written: io.StringIO) -> None:
    async def fails() -> None:
        raise ValueError(SECRET)

    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    del task

    async def told() -> bool:
        return "never retrieved" in written.getvalue()

    await until(told)
    assert SECRET not in written.getvalue()


def test_values_given_to_a_library_logger_are_left_out(written: io.StringIO) -> None:
    logging.getLogger("some.library").warning("cannot read %s", SECRET)
    try:
        raise KeyError(SECRET)
    except KeyError:
        logging.getLogger("some.library").exception("broken")
    events = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["cannot read %s", "broken"]
    assert events[1]["error"] == "KeyError"
    assert SECRET not in written.getvalue()


def test_a_key_that_is_not_meant_for_logs_is_dropped(written: io.StringIO) -> None:
    structlog.get_logger().info("stored", seq=3, text=SECRET, token=SECRET)
    event = json.loads(written.getvalue())
    assert event["seq"] == 3
    assert set(event) == {"event", "level", "time", "seq"}


@pytest.mark.parametrize("level", ["info", "error"])
def test_the_level_is_kept(level: str) -> None:
    stream = io.StringIO()
    set_up_logs(level, "console", stream)
    structlog.get_logger().debug("quiet")
    structlog.get_logger().error("loud")
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()
    assert "loud" in stream.getvalue()
    assert "quiet" not in stream.getvalue()
