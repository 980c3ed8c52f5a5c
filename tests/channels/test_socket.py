"""Channels room: the live conversation over a WebSocket."""

import asyncio
import json

import aiohttp
import pytest

from bot.channels import socket as socket_module
from bot.conversation import outbox
from bot.conversation.outbox import Listener, Typing
from tests.running import Person, Running, until


async def next_of(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict:
    """The next frame of a kind; others in between are passed over."""
    while True:
        frame = await socket.receive_json(timeout=10)
        if frame["type"] == kind:
            return frame


async def send(socket: aiohttp.ClientWebSocketResponse, **frame: object) -> None:
    await socket.send_json({"type": "send", **frame})


async def test_a_message_is_confirmed_shown_and_answered(running: Running) -> None:
    person = await running.person()
    async with person.socket() as socket:
        assert socket.protocol == "ademruimte"
        assert await socket.receive_json() == {
            "type": "session",
            "remember": False,
            "region": "vlaanderen",
            "region_said": False,
        }
        await send(socket, id="m1", text="hallo")
        frames = [await socket.receive_json(timeout=5) for _ in range(3)]
    assert {"type": "ack", "id": "m1", "seq": 1} in frames
    shown = [f for f in frames if f["type"] == "message"]
    assert [(m["seq"], m["role"], m.get("id")) for m in shown] == [(1, "user", "m1"), (2, "bot", None)]


async def test_a_client_that_comes_back_gets_exactly_what_it_missed(running: Running) -> None:
    person = await running.person()
    async with person.socket() as socket:
        await send(socket, id="m1", text="een")
        seen = [await next_of(socket, "message") for _ in range(2)]
    await person.say("twee", "m2")
    async with person.socket(after=seen[-1]["seq"]) as socket:
        missed = [await socket.receive_json(timeout=5) for _ in range(3)]
        assert [f.get("seq", f["type"]) for f in missed] == [3, 4, "session"]
        await send(socket, id="m2", text="twee")
        assert await socket.receive_json(timeout=5) == {"type": "ack", "id": "m2", "seq": 3}
        await send(socket, id="m3", text="drie")
        assert (await next_of(socket, "message"))["seq"] == 5


async def test_a_browser_and_a_program_show_their_token_each_in_their_way(running: Running) -> None:
    person = await running.person()
    url = f"{running.url}/api/chat/socket"
    async with running.http.ws_connect(url, headers=person.headers) as socket:
        assert (await socket.receive_json())["type"] == "session"
    async with running.http.ws_connect(
        url, protocols=("ademruimte", f"bearer.{person.token}"), headers={"Origin": running.url}
    ) as socket:
        assert (await socket.receive_json())["type"] == "session"
    for protocols in (("ademruimte", "bearer." + "A" * 43), ("ademruimte",)):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await running.http.ws_connect(url, protocols=protocols)
        assert refused.value.status == 401
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await running.http.ws_connect(url, headers=person.headers | {"Origin": "https://elsewhere.example"})
    assert refused.value.status == 403


async def test_two_tabs_see_the_same_conversation(running: Running) -> None:
    person = await running.person()
    async with person.socket() as one, person.socket() as two:
        for number in range(10):
            await send(one if number % 2 else two, id=f"m{number}", text=f"bericht {number}")
        seen = [[await next_of(tab, "message") for _ in range(20)] for tab in (one, two)]
    assert seen[0] == seen[1]
    assert [m["seq"] for m in seen[0]] == list(range(1, 21))


async def test_too_many_tabs_are_refused(running: Running) -> None:
    person = await running.person()
    async with asyncio.TaskGroup() as opening:
        tabs = [opening.create_task(_open(person)) for _ in range(socket_module.PER_CONVERSATION)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await _open(person)
    assert refused.value.status == 429
    for tab in tabs:
        await tab.result().close()


async def test_consent_is_told_as_soon_as_it_changes(running: Running) -> None:
    person = await running.person()
    async with person.socket() as socket:
        assert (await next_of(socket, "session"))["remember"] is False
        await send(socket, id="m1", text="consent")
        assert (await next_of(socket, "session"))["remember"] is True
    async with person.socket(after=2) as socket:
        assert (await next_of(socket, "session"))["remember"] is True


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ("{", "bad_json"),
        ("[]", "invalid"),
        ("[" * 50_000, "bad_json"),
        ('{"type": "nothing"}', "invalid"),
        ('{"type": "send"}', "invalid"),
        ('{"type": "send", "id": "m1"}', "invalid"),
        ('{"type": "send", "id": {"a": 1}, "text": "b"}', "invalid"),
        ('{"type": "send", "id": "m1", "text": "\\ud800"}', "bad_text"),
        ('{"type": "send", "id": "m1", "text": "\\u0000"}', "empty"),
        (json.dumps({"type": "send", "id": "m1", "text": "x" * 4001}), "too_long"),
        ('{"type": "send", "id": "\\ud800", "text": "b"}', "bad_id"),
    ],
)
async def test_a_wrong_frame_gets_an_error_and_the_socket_stays(
    running: Running, frame: str, error: str
) -> None:
    person = await running.person()
    async with person.socket() as socket:
        await next_of(socket, "session")
        await socket.send_str(frame)
        problem = await socket.receive_json(timeout=5)
        assert (problem["type"], problem["error"]) == ("error", error)
        assert problem["message"]
        await socket.send_bytes(b"\x00\xff")
        assert (await socket.receive_json(timeout=5))["error"] == "bad_json"
        await send(socket, id="goed", text="hallo")
        assert (await next_of(socket, "ack"))["id"] == "goed"


async def test_a_frame_beyond_all_measure_closes_the_socket(running: Running) -> None:
    person = await running.person()
    async with person.socket() as socket:
        await next_of(socket, "session")
        await socket.send_str("x" * 100_000)
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1009


async def test_a_listener_that_is_too_slow_is_sent_back_to_the_log(running: Running) -> None:
    listener = Listener()
    for _ in range(outbox.LISTENER_BOUND + 5):
        listener.give(Typing(True))
    assert listener.behind
    assert len(listener._events) <= outbox.LISTENER_BOUND
    person = await running.person()
    async with person.socket() as socket:
        await next_of(socket, "session")
        await person.say(f"many {outbox.LISTENER_BOUND * 4}")
        seen = [await next_of(socket, "message") for _ in range(outbox.LISTENER_BOUND * 4 + 1)]
    assert [m["seq"] for m in seen] == list(range(1, len(seen) + 1))


async def test_what_another_process_stored_is_delivered_when_it_is_quiet(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "QUIET_SECONDS", 0.2)
    person = await running.person()
    await person.say("eerst")
    async with person.socket(after=2) as socket:
        await next_of(socket, "session")
        tell, running.app.parts.chat.outbox.tell = running.app.parts.chat.outbox.tell, lambda *_: None
        await person.say("stil")
        assert [(await next_of(socket, "message"))["seq"] for _ in range(2)] == [3, 4]
        running.app.parts.chat.outbox.tell = tell


async def test_a_stopping_app_says_goodbye(running: Running) -> None:
    person = await running.person()
    async with person.socket() as socket:
        await next_of(socket, "session")
        heard = asyncio.create_task(socket.receive(timeout=5))
        await asyncio.sleep(0)  # the client listens
        await running.app.stop()
        assert (await heard).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1001


async def test_closed_sockets_leave_nothing_behind(running: Running) -> None:
    person = await running.person()
    for _ in range(5):
        async with person.socket() as socket:
            await next_of(socket, "session")

    async def nobody_listens() -> bool:
        return not running.app.parts.chat.outbox._listeners

    await until(nobody_listens)


async def _open(person: Person) -> aiohttp.ClientWebSocketResponse:
    return await person.socket()
