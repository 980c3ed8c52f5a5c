"""The three routes between the app and the engine."""

import asyncio

import aiohttp
import pytest

from tests.engine.conftest import Actions, Engine

WEBHOOK = "/webhooks/ademruimte/webhook"


async def test_an_utterance_arrives_whole_with_its_buttons_or_its_custom_part(
    engine: Engine, who: str
) -> None:
    assert await engine.say(who, "1", "hallo") == [
        {"text": "Dag.", "buttons": [{"title": "Check-in", "payload": "/start_check_in"}]}
    ]
    assert await engine.say(who, "2", "/start_check_in") == [{"custom": {"type": "scale", "item": "sleep"}}]


async def test_a_check_in_by_typing_with_a_question_halfway(engine: Engine, who: str) -> None:
    await engine.say(who, "1", "start de check-in")
    assert await engine.say(who, "2", "waarom wil je dat weten?") == [
        {"text": "Omdat slaap telt."},
        {"custom": {"type": "scale", "item": "sleep"}},
    ]
    assert await engine.say(who, "3", "zeven") == [{"text": "En de druk?"}]
    assert await engine.say(who, "4", "heel vaak, denk ik") == [
        {"text": "slaap 7, druk 8", "custom": {"type": "chart"}}
    ]


async def test_the_same_message_twice_is_done_once_and_answered_twice(
    engine: Engine, actions: Actions, who: str
) -> None:
    first = await engine.say(who, "1", "/start_check_in")
    calls = len(actions.calls)
    assert await engine.say(who, "1", "/start_check_in") == first
    second = await engine.say(who, "2", "7")
    assert await engine.say(who, "1", "/start_check_in") == first
    assert await engine.say(who, "2", "7") == second
    assert len(actions.calls) == calls + 1


async def test_the_same_message_at_the_same_moment_is_done_once(
    engine: Engine, actions: Actions, who: str
) -> None:
    await engine.say(who, "0", "/greet")
    actions.release.clear()
    turns = [asyncio.create_task(engine.say(who, "1", "/goodbye")) for _ in range(5)]
    await actions.called.wait()
    actions.release.set()
    assert await asyncio.gather(*turns) == [[{"text": "Tot later."}]] * 5
    assert len(actions.calls) == 1


async def test_a_slow_turn_holds_up_its_own_conversation_only(
    engine: Engine, actions: Actions, who: str
) -> None:
    actions.release.clear()
    slow = asyncio.create_task(engine.say(who, "1", "/goodbye"))
    await actions.called.wait()
    waiting = asyncio.create_task(engine.say(who, "2", "/greet"))
    assert await engine.say(who + "-other", "1", "/greet")
    assert not waiting.done()
    actions.release.set()
    assert await slow == [{"text": "Tot later."}]
    assert (await waiting)[0]["text"] == "Dag."


async def test_a_turn_goes_on_when_the_app_hangs_up(engine: Engine, actions: Actions, who: str) -> None:
    actions.release.clear()
    body = {"sender": who, "message_id": "1", "message": "/goodbye"}
    with pytest.raises(TimeoutError):
        async with engine.http.post(WEBHOOK, json=body, timeout=aiohttp.ClientTimeout(total=0.3)):
            pass
    actions.release.set()
    assert await engine.say(who, "1", "/goodbye") == [{"text": "Tot later."}]
    assert len(actions.calls) == 1


async def test_a_turn_of_which_an_action_fails_leaves_no_trace_and_is_done_when_asked_again(
    engine: Engine, actions: Actions, who: str
) -> None:
    await engine.say(who, "1", "/start_check_in")
    before = await engine.tracker(who)
    actions.failing = True
    status, answer = await engine.ask(who, "2", "7")
    assert (status, answer["error"]) == (500, "turn_failed")
    assert (await engine.tracker(who))["events"] == before["events"]
    actions.failing = False
    assert await engine.say(who, "2", "7") == [{"text": "En de druk?"}]


async def test_forgetting_a_conversation_leaves_nothing_of_it(engine: Engine, who: str) -> None:
    sender = f"{who}/b c"
    await engine.say(sender, "1", "mijn geheim")
    await engine.say(who, "1", "hallo")
    async with engine.http.delete(f"/webhooks/ademruimte/conversations/{who}%2Fb%20c") as response:
        assert response.status == 204
    files = engine.process.tracker_db.parent.glob("tracker.db*")
    assert not [file.name for file in files if b"mijn geheim" in file.read_bytes()]
    assert [event for event in (await engine.tracker(who))["events"] if event["event"] == "user"]
    assert (await engine.say(sender, "1", "hallo"))[0]["text"] == "Dag."


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", WEBHOOK),
        ("GET", "/webhooks/ademruimte/health"),
        ("DELETE", "/webhooks/ademruimte/conversations/a"),
    ],
)
@pytest.mark.parametrize("token", [None, "", "wrong", "a-token-for-test"])
async def test_nothing_is_answered_without_the_token(
    engine: Engine, method: str, path: str, token: str | None
) -> None:
    headers = {} if token is None else {"X-Engine-Token": token}
    async with (
        aiohttp.ClientSession() as stranger,
        stranger.request(
            method, f"http://127.0.0.1:{engine.process.port}{path}", headers=headers
        ) as response,
    ):
        assert response.status == 401


WRONG_BODIES = [
    b"{",
    b"[]",
    b"null",
    b"{}",
    b'{"sender": "a", "message_id": "1"}',
    b'{"sender": "a", "message_id": 1, "message": "x"}',
    b'{"sender": "", "message_id": "1", "message": "x"}',
    b'{"sender": "a", "message_id": "1", "message": "' + b"x" * 9000 + b'"}',
]
ODD_TEXTS = ["👍", "   .", "\u200b", "?" * 8000, "/", "/{", '/give_score{"score": ', "{{}}", "\x00"]


@pytest.mark.parametrize("body", WRONG_BODIES)
async def test_a_message_that_cannot_be_read_gets_a_400(engine: Engine, body: bytes) -> None:
    async with engine.http.post(WEBHOOK, data=body) as response:
        assert response.status == 400
        assert response.content_type == "application/json"


@pytest.mark.parametrize(
    "text", ["👍", "   .", "\u200b", "?" * 8000, "/", "/{", '/give_score{"score": ', "{{}}", "\x00"]
)
async def test_odd_messages_are_turns_like_any_other(engine: Engine, text: str, who: str) -> None:
    await engine.say(who, "1", text)


async def test_health_names_the_model(engine: Engine) -> None:
    async with engine.http.get("/webhooks/ademruimte/health") as response:
        assert await response.json() == {"ready": True, "model": "model.tar.gz"}


async def test_actions_get_the_token_and_only_the_end_of_the_conversation(
    engine: Engine, actions: Actions, who: str
) -> None:
    for number in range(40):
        await engine.say(who, str(number), "/greet")
    await engine.say(who, "last", "/goodbye")
    assert actions.tokens == ["actions-token"]
    tracker = actions.calls[-1]["tracker"]
    assert 20 <= len(tracker["events"]) <= 30
    assert tracker["latest_message"]["intent"]["name"] == "goodbye"
    assert "domain" not in actions.calls[-1]
