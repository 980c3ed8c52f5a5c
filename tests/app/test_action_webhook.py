"""Edge room: the action webhook answers the engine as rasa-sdk's own server does."""

import pytest

from bot.action_webhook import ActionsBrokenError, ActionWebhook
from tests.running import Running


async def call(running: Running, body: object, token: str | None = None, raw: bytes | None = None):
    url = running.app.environment["ADEMRUIMTE_ACTION_URL"]
    token = running.app.environment["ADEMRUIMTE_ACTION_TOKEN"] if token is None else token
    sent = {"data": raw} if raw is not None else {"json": body}
    async with running.http.post(f"{url}?token={token}", **sent) as response:
        return response.status, await response.json()


def asked(action: str | None) -> dict:
    tracker = {
        "sender_id": "c1",
        "slots": {},
        "latest_message": {"text": "hoi"},
        "events": [],
        "active_loop": {},
    }
    return {"next_action": action, "sender_id": "c1", "tracker": tracker, "version": "3.6.21"}


async def test_an_action_runs_also_without_a_domain(running: Running) -> None:
    status, answer = await call(running, asked("action_test_hello"))
    assert status == 200
    assert [r["text"] for r in answer["responses"]] == ["dag c1"]
    assert [(e["event"], e["name"], e["value"]) for e in answer["events"]] == [("slot", "greeted", True)]


async def test_rejections_and_unknown_actions_are_told_apart(running: Running) -> None:
    status, answer = await call(running, asked("action_test_rejects"))
    assert (status, answer["action_name"]) == (400, "action_test_rejects")
    status, answer = await call(running, asked("action_nobody_knows"))
    assert (status, answer["action_name"]) == (404, "action_nobody_knows")
    assert await call(running, asked(None)) == (200, None)


async def test_an_action_that_breaks_is_a_500_without_its_words(running: Running) -> None:
    status, answer = await call(running, asked("action_test_breaks"))
    assert (status, answer["error"]) == (500, "RuntimeError")


async def test_nobody_else_can_run_actions(running: Running) -> None:
    assert (await call(running, asked("action_test_hello"), token="wrong"))[0] == 401
    assert (await call(running, asked("action_test_hello"), token=""))[0] == 401


async def test_a_broken_body_is_a_400(running: Running) -> None:
    for raw in (b"", b"{", b"[]", b"\xff"):
        assert (await call(running, None, raw=raw))[0] == 400


async def test_health_says_when_the_actions_are_there(running: Running) -> None:
    url = running.app.environment["ADEMRUIMTE_ACTION_URL"].replace("/webhook", "/health")
    async with running.http.get(url) as response:
        assert await response.json() == {"status": "ok"}


async def test_actions_that_cannot_be_imported_are_told_and_not_passed_over() -> None:
    with pytest.raises(ActionsBrokenError):
        await ActionWebhook("token", "no_such_package").load()
