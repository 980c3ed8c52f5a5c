"""Channels room: the chat API's answers, good and bad, held against openapi.yaml. Nothing gives a 500."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from bot.channels import web
from bot.channels.errors import ERRORS
from bot.settings import Settings
from tests.running import Person, Running, run_app, settings_for_tests

DOCUMENTED = Path("docs/api.md").read_text("utf-8")
SPEC: dict[str, Any] = yaml.safe_load(Path(web.__file__).with_name("openapi.yaml").read_text("utf-8"))


# One app and one event loop for all of this file: each test talks as somebody new.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> AsyncIterator[Running]:
    settings = settings_for_tests(tmp_path_factory.mktemp("api") / "state", migrated_file)
    async with run_app(settings) as started:
        await started.ready()
        yield started


def resolve(node: Any) -> Any:
    """The node with its $ref followed."""
    while "$ref" in node:
        found: Any = SPEC
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def check(method: str, path: str, status: int, headers: Any, body: object) -> None:
    """Hold a real answer against the description."""
    answer = resolve(SPEC["paths"][path][method.lower()]["responses"][str(status)])
    schema = answer["content"]["application/json"]["schema"] | {"components": SPEC["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(body)
    for name in answer.get("headers", {}):
        assert int(headers[name]) >= 1


async def ask(
    running: Running,
    method: str,
    path: str,
    *,
    token: str | None = None,
    raw: bytes | None = None,
    body: object = None,
    query: str = "",
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    """One real request; the answer is checked against the description."""
    headers = {"Content-Type": "application/json"} | (headers or {})
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    data = raw if raw is not None else None if body is None else json.dumps(body).encode()
    async with running.http.request(
        method, running.url + path + query, data=data, headers=headers
    ) as response:
        answer = await response.json()
        check(method, path, response.status, response.headers, answer)
        return response.status, answer


async def send(running: Running, person: Person, **options: Any) -> tuple[int, str]:
    status, answer = await ask(running, "POST", "/api/chat/messages", token=person.token, **options)
    return status, answer.get("error", "")


async def test_the_description_is_valid_and_names_every_route() -> None:
    validate(SPEC)
    described = {(path, method.upper()) for path, methods in SPEC["paths"].items() for method in methods}
    served = {
        (f"/api/chat/{name}", method) for name, methods in web.chat_api(None).items() for method in methods
    }
    assert described == served


async def test_every_error_has_a_place_in_the_description_and_the_documentation() -> None:
    assert set(SPEC["components"]["schemas"]["Problem"]["properties"]["error"]["enum"]) == set(ERRORS)
    assert [code for code in ERRORS if f"`{code}`" not in DOCUMENTED and code != "internal"] == []


async def test_a_conversation_looks_as_described(running: Running) -> None:
    _, session = await ask(running, "POST", "/api/chat/sessions", body={})
    token = session["token"]
    for number, text in enumerate(("hallo", "buttons", "scale", "silent", "fail")):
        body = {"id": f"m{number}", "text": text}
        status, _ = await ask(running, "POST", "/api/chat/messages", token=token, body=body)
        assert status == 200
    body = {"id": "tap", "payload": "/affirm", "title": "Ja"}
    assert (await ask(running, "POST", "/api/chat/messages", token=token, body=body))[0] == 200
    status, everything = await ask(running, "GET", "/api/chat/messages", token=token, query="?after=0")
    assert status == 200
    assert {m["role"] for m in everything["messages"]} == {"user", "bot", "system"}
    assert await ask(running, "GET", "/api/chat/session", token=token) == (
        200,
        {"remember": False, "region": "vlaanderen", "region_said": False},
    )


async def test_consent_given_in_the_conversation_makes_the_session_remembered(running: Running) -> None:
    person = await running.person()
    await person.say("consent")
    assert await person.remembered() is True
    await person.say("no consent")
    assert await person.remembered() is False


@pytest.mark.parametrize("token", [None, "", "x", "A" * 43, "A" * 5000, "é" * 43, "../../etc"])
async def test_a_foreign_token_opens_nothing(running: Running, token: str | None) -> None:
    await running.person()
    sent = {} if token is None else {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    for method, path in (("GET", "session"), ("GET", "messages"), ("POST", "messages"), ("GET", "socket")):
        status, answer = await ask(
            running, method, f"/api/chat/{path}", headers=sent, body={"id": "a", "text": "b"}
        )
        assert (status, answer["error"]) == (401, "unauthorized")


async def test_a_token_reads_only_its_own_conversation(running: Running) -> None:
    one, two = await running.person(), await running.person()
    await one.say("alleen van mij")
    assert await two.read() == []


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", (400, "bad_json")),
        (b"{", (400, "bad_json")),
        (b"\xff\xfe{}", (400, "bad_json")),
        (b'{"id": "a", "text": NaN}', (400, "bad_json")),
        (b'{"id": "a", "text": "b\x00"}', (400, "bad_json")),
        (b"[" * 60_000, (400, "bad_json")),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, (400, "bad_json")),
        (b"9" * 50_000, (400, "bad_json")),
        (b"null", (422, "invalid")),
        (b"[]", (422, "invalid")),
        (b'"hallo"', (422, "invalid")),
        (b"{}", (422, "invalid")),
        (b'{"id": 1, "text": "a"}', (422, "invalid")),
        (b'{"id": "a", "text": null}', (422, "invalid")),
        (b'{"id": "a", "text": ["b"]}', (422, "invalid")),
        (b'{"id": "a", "text": "b", "payload": "/c"}', (422, "invalid")),
        (b'{"id": "a", "text": "b", "role": "bot"}', (422, "invalid")),
        (b'{"id": "a", "text": "b", "title": "c"}', (422, "invalid")),
        (b'{"id": "a b", "text": "c"}', (422, "bad_id")),
        (b'{"id": "", "text": "c"}', (422, "bad_id")),
        (b'{"id": "\\ud800", "text": "c"}', (422, "bad_id")),
        (b'{"id": "a", "text": ""}', (422, "empty")),
        (b'{"id": "a", "text": " \\u0000 "}', (422, "empty")),
        (b'{"id": "a", "text": "\\ud800"}', (400, "bad_text")),
        (b'{"id": "a", "text": "ok \\udfff nog"}', (400, "bad_text")),
        (b'{"id": "a", "payload": "/greet{"}', (422, "bad_payload")),
        (b'{"id": "a", "payload": "/a\\u0000b"}', (422, "bad_payload")),
        (b'{"id": "a", "payload": "/greet", "title": "\\ud800"}', (422, "bad_title")),
        (json.dumps({"id": "a", "text": "x" * 4001}).encode(), (413, "too_long")),
        (json.dumps({"id": "a", "text": "x" * 100_000}).encode(), (413, "too_large")),
    ],
)
async def test_what_cannot_be_taken_gets_the_right_answer(
    running: Running, raw: bytes, expected: tuple[int, str]
) -> None:
    person = await running.person()
    assert await send(running, person, raw=raw) == expected
    assert await person.read() == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("👍🏽", "👍🏽"),
        ("😀😀😀", "😀😀😀"),
        ("ho\x00i", "hoi"),
        ("x" * 4000, "x" * 4000),
        ("ünïcödé ﷽ \u202eomgekeerd", "ünïcödé ﷽ \u202eomgekeerd"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("'; DROP TABLE messages; --", "'; DROP TABLE messages; --"),
    ],
)
async def test_unusual_text_is_taken_as_it_is(running: Running, text: str, kept: str) -> None:
    person = await running.person()
    await person.say(text)
    assert await person.texts() == [kept, f"je zei: {kept}"]


async def test_json_must_be_called_json(running: Running) -> None:
    person = await running.person()
    kind = {"Content-Type": "text/plain"}
    assert await send(running, person, raw=b'{"id": "a", "text": "b"}', headers=kind) == (415, "not_json")
    assert (await ask(running, "POST", "/api/chat/sessions", raw=b"{}", headers=kind))[0] == 415
    assert (await ask(running, "POST", "/api/chat/sessions", body={"admin": True}))[0] == 422


@pytest.mark.parametrize(
    ("after", "status"),
    [("0", 200), ("999999999999999", 200), ("-1", 400), ("1.5", 400), ("", 400), ("9" * 40, 400), ("²", 400)],
)
async def test_after_is_a_number_from_zero(running: Running, after: str, status: int) -> None:
    person = await running.person()
    await person.say("hallo")
    found = await ask(running, "GET", "/api/chat/messages", token=person.token, query=f"?after={after}")
    assert found[0] == status
    if status == 200:
        assert len(found[1]["messages"]) == (2 if after == "0" else 0)


async def test_a_long_conversation_is_read_in_pieces(running: Running) -> None:
    person = await running.person()
    for number in range(3):
        await person.say(f"many 200 {number}")
    assert len(await person.read()) == 500
    assert [m["seq"] for m in await everything(person)] == list(range(1, 604))


async def everything(person: Person) -> list[dict]:
    found: list[dict] = []
    while more := await person.read(found[-1]["seq"] if found else 0):
        found += more
    return found


async def test_too_fast_is_told_with_how_long_to_wait(settings: Settings) -> None:
    slow = replace(settings, messages_burst=3, messages_per_minute=1, sessions_per_hour=2)
    async with run_app(slow) as running:
        await running.ready()
        person = await running.person()
        statuses = [(await send(running, person, body={"id": f"m{i}", "text": "a"}))[0] for i in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        other = await running.person()
        assert (await send(running, other, body={"id": "m1", "text": "a"}))[0] == 200
        status, problem = await ask(running, "POST", "/api/chat/sessions", body={})
        assert (status, problem["error"]) == (429, "rate_limited")


async def test_unknown_addresses_and_methods_are_told_in_dutch(running: Running) -> None:
    for method, path, status in (
        ("GET", "/api/chat/nothing", 404),
        ("GET", "/api/chat/a/b", 404),
        ("GET", "/api/other", 404),
        ("DELETE", "/api/chat/messages", 405),
        ("OPTIONS", "/api/chat/messages", 405),
    ):
        async with running.http.request(method, running.url + path) as response:
            assert response.status == status
            assert set(await response.json()) == {"error", "message"}


async def test_other_sites_may_use_the_api_only_when_they_are_named(settings: Settings) -> None:
    async with run_app(replace(settings, allowed_origins=("https://intranet.example",))) as running:
        for origin, allowed in (("https://intranet.example", True), ("https://elsewhere.example", False)):
            asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            url = f"{running.url}/api/chat/sessions"
            async with running.http.options(url, headers=asked) as response:
                assert (response.headers.get("Access-Control-Allow-Origin") == origin) is allowed
            async with running.http.post(url, json={}, headers={"Origin": origin}) as response:
                assert (response.headers.get("Access-Control-Allow-Origin") == origin) is allowed
                token = (await response.json())["token"]
            headers = {"Origin": origin, "Authorization": f"Bearer {token}"}
            async with running.http.get(f"{running.url}/api/chat/socket", headers=headers) as response:
                assert response.status == (400 if allowed else 403)
