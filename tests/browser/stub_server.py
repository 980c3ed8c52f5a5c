"""Room: tests/browser. A small chat API with a scripted conversation, to show the widget in every state.

It follows docs/api.md (sessions, messages, socket, replay, acknowledgements, a coach, return codes). It can be told
to misbehave: go away and come back on the same port, refuse WebSockets, drop lines, swallow acknowledgements, forget
tokens.
"""

import asyncio
import contextlib
import dataclasses
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
WELCOME = "Hallo. Ik ben Ademruimte, een computerprogramma voor mensen in zorg en welzijn."
PRIVACY = "Wat je hier zegt, blijft op deze server. Je mag elke vraag overslaan en altijd stoppen."
QUESTIONS = {
    "sleep": "Hoe vaak sliep je de voorbije week te weinig, of werd je vaak wakker?",
    "pressure": "Hoe vaak stond je de voorbije week onder druk?",
    "guidance": "Hoe vaak kon je de voorbije week genoeg steun vragen?",
}

FIRST_CHOICES = (
    ("Check-in", "/start_check_in"),
    ("Iets van het hart", "/tell"),
    ("Een mens spreken", "/request_human"),
)
LAST_CHOICES = (("Iets doen aan slaap", "/sleep"), ("Met iemand praten", "/talk"), ("Later", "/later"))


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def quick_replies(*choices: tuple[str, str]) -> dict[str, Any]:
    return {
        "type": "quick_replies",
        "choices": [{"title": title, "payload": payload} for title, payload in choices],
    }


def scale(item: str) -> list[dict[str, Any]]:
    return [
        text(QUESTIONS[item]),
        {
            "type": "scale", "item": item, "min": 0, "max": 10, "min_label": "nooit", "max_label": "altijd",
            "payload": f'/give_score{{"item": "{item}", "score": $value}}', "skip_payload": "/skip",
        },
    ]  # fmt: skip


SELECT = {
    "type": "multi_select",
    "item": "complaints",
    "options": [
        {"code": "tired", "title": "moe", "alone": False},
        {"code": "awake", "title": "slecht slapen", "alone": False},
        {"code": "irritable", "title": "prikkelbaar", "alone": False},
        {"code": "crowded", "title": "niet tegen drukte kunnen", "alone": False},
        {"code": "emotional", "title": "snel emotioneel", "alone": False},
        {"code": "worrying", "title": "piekeren", "alone": False},
        {"code": "hurried", "title": "gejaagd", "alone": False},
        {"code": "concentration", "title": "vergeten of niet kunnen concentreren", "alone": False},
        {"code": "none", "title": "geen van deze", "alone": True},
    ],
    "payload": '/give_score{"item": "complaints", "codes": $codes}',
    "skip_payload": "/skip",
}


def bar(item: str, label: str, value: int | None, band: str | None, **more: Any) -> dict[str, Any]:
    return {
        "item": item, "label": label, "value": value, "band": band, "concern": "high", "alert": False,
        "norm": {"mean": 4.6, "sd": 2.8, "n": 1204}, "previous": None,
    } | more  # fmt: skip


CHART = {
    "type": "chart",
    "title": "Jouw week in beeld",
    "caption": "De vergelijking komt uit een vrijwillige bevraging in 2020 en 2021. Ze geldt niet voor iedereen.",
    "min": 0,
    "max": 10,
    "bands": [
        {"id": "low", "label": "laag", "from": 0, "to": 3},
        {"id": "medium", "label": "midden", "from": 4, "to": 6},
        {"id": "high", "label": "hoog", "from": 7, "to": 10},
    ],
    "norm_label": "gemiddelde in de woonzorg",
    "bars": [
        bar("sleep", "Te weinig slaap", 8, "high", alert=True, previous=5),
        bar("pressure", "Onder druk staan", 6, "medium", previous=7),
        bar("fatigue", "Moe zijn", None, None),
        bar("alone", "Er alleen voor staan", 0, "low", norm=None),
        bar("guidance", "Genoeg steun kunnen vragen", 2, "low", concern="low", alert=True, previous=4),
        bar("belonging", "Deel zijn van een team", 9, "high", concern="low"),
    ],
}
HELP_LINES = {
    "type": "help_lines",
    "title": "Mensen die nu luisteren",
    "lines": [
        {
            "id": "be_1813", "name": "Zelfmoordlijn 1813", "number": "1813", "tel": "tel:1813",
            "what": "Praten over zelfmoord.", "hours": "Bellen kan dag en nacht.", "url": None,
            "open_now": True, "opens": "Nu open",
        },
        {
            "id": "be_106", "name": "Tele-Onthaal", "number": "106", "tel": "tel:106",
            "what": "Een mens die luistert.", "hours": None, "url": None,
            "open_now": None, "opens": "Niet zeker of er nu iemand opneemt",
        },
        {
            "id": "be_1712", "name": "1712", "number": "1712", "tel": "tel:1712",
            "what": "Vragen over geweld.", "hours": "Bellen kan op werkdagen van 9 tot 17 uur.", "url": None,
            "open_now": False, "opens": "Nu gesloten, open vanaf morgen 9 uur",
        },
    ],
}  # fmt: skip
RETURN_CODE = {"type": "return_code"}
COACH = "Ilse, coach"
BACK = ("Terug naar de assistent", "/back_to_assistant")
ERRORS = {
    400: ("identity", "Kom hier zonder naam: stuur alleen de code."),
    401: ("unauthorized", "Dit gesprek bestaat niet of niet meer."),
    404: ("wrong_code", "Deze code ken ik niet. Kijk de zestien cijfers nog eens na."),
    409: ("no_case", "Er is nu geen vraag bij een coach waar een code bij hoort."),
    429: ("rate_limited", "Dat gaat even te snel."),
}


def scripted(said: str) -> list[list[dict[str, Any]]]:
    """The bot's messages for what was said: a payload, or typed words."""
    if said == "/greet":
        return [[text(WELCOME)], [text(PRIVACY), quick_replies(*FIRST_CHOICES)]]
    if said in ("/start_check_in", "check-in"):
        return [scale("sleep")]
    if '"sleep"' in said or said == "7":
        return [scale("pressure")]
    if '"pressure"' in said or said == "/skip":
        words = text("Dit is hoe je week eruitziet.\nHet is geen diagnose.")
        return [[words, CHART], [quick_replies(*LAST_CHOICES)]]
    if said == "klachten":
        return [[text("Welke klachten heb je?"), SELECT]]
    if said == "hulplijnen":
        return [[text("Hier kun je nu terecht."), HELP_LINES]]
    if said == "anoniem":
        return [[text("Doorgegeven. Een coach antwoordt hier ten laatste morgen om 14 uur."), RETURN_CODE]]
    if said == "lang":
        return [[text("Een lange uitleg over rust. " * 60)]]
    return [[text(f"Ik las: {said}")]]


def _problem(status: int) -> str:
    error, message = ERRORS[status]
    return json.dumps({"error": error, "message": message})


def _refused(status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        text=_problem(status), status=status, headers=headers, content_type="application/json"
    )


@dataclasses.dataclass
class Conversation:
    messages: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    sockets: list[web.WebSocketResponse] = dataclasses.field(default_factory=list)
    remember: bool = False
    region: str | None = None
    owner: tuple[str, str | None] = ("bot", None)
    code: str | None = None  # the one that works now
    case_open: bool = True

    @property
    def where(self) -> dict[str, object]:
        return {"region": self.region or "vlaanderen", "region_said": self.region is not None}


class StubServer:
    """One server on one loopback port; `base` is its address. Switches are plain attributes."""

    def __init__(self, widget: Path, answer: Callable[[str], list[list[dict[str, Any]]]] = scripted) -> None:
        self.widget = widget
        self.answer = answer
        self.conversations: dict[str, Conversation] = {}
        self.received: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []  # typing and seen
        self.door: list[dict[str, str]] = []  # headers of each who came with a code
        self.door_closed: int | None = None  # seconds to wait, when there were too many tries
        self._door_opens = asyncio.Event()
        self._door_opens.set()
        self.sockets_allowed = True
        self.break_line: str | None = None  # with the next message: "before" or "after" it was stored
        self.answering = True
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listens; the second time on the same port as before."""
        app = web.Application()
        app.router.add_post("/api/chat/sessions", self._new_session)
        app.router.add_get("/api/chat/session", self._session)
        app.router.add_post("/api/chat/region", self._move)
        app.router.add_get("/api/chat/messages", self._replay)
        app.router.add_post("/api/chat/messages", self._post)
        app.router.add_get("/api/chat/socket", self._socket)
        app.router.add_post("/api/chat/code", self._new_code)
        app.router.add_post("/api/chat/return", self._return)
        app.router.add_get("/", self._file)
        app.router.add_get("/{name}", self._file)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self.drop_sockets()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def drop_sockets(self) -> None:
        for conversation in self.conversations.values():
            for socket in list(conversation.sockets):
                await socket.close()

    async def say(self, *parts: dict[str, Any], role: str = "bot", author: str | None = None) -> None:
        """Adds a message to every conversation, as if the assistant (or who `role` says) spoke by itself."""
        for conversation in self.conversations.values():
            await self._store(conversation, role, list(parts), author=author)

    async def coach(self, words: str, author: str = COACH) -> None:
        """A coach says something in every conversation, and so has it."""
        await self.own("coach", author.partition(",")[0])
        await self.say(text(words), role="coach", author=author)

    async def own(self, owner: str, name: str | None = None) -> None:
        """Who answers in every conversation from now on."""
        for conversation in self.conversations.values():
            if conversation.owner != (owner, name):
                conversation.owner = (owner, name)
                await self._tell(conversation, {"type": "owner", "owner": owner, "name": name})

    def hold_door(self) -> asyncio.Event:
        """Who comes with a code waits until this is set."""
        self._door_opens.clear()
        return self._door_opens

    def talk_elsewhere(self, *messages: tuple[str, str]) -> str:
        """A conversation with a coach that began on another device (roles and words); the code that leads to it."""
        conversation = Conversation(owner=("coach", "Ilse"), code="2718 2818 2845 9045")
        for seq, (role, words) in enumerate(messages, 1):
            message: dict[str, Any] = {
                "seq": seq,
                "role": role,
                "at": "2026-11-25T21:00:00Z",
                "parts": [text(words)],
            }
            conversation.messages.append(message | ({"author": COACH} if role == "coach" else {}))
        self.conversations["elsewhere"] = conversation
        assert conversation.code is not None
        return conversation.code

    async def event(self, event: dict[str, Any]) -> None:
        """Sends a raw event to every open line."""
        for conversation in self.conversations.values():
            await self._tell(conversation, event)

    # --- the API -------------------------------------------------------------------------------------------

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name") or "index.html"
        if name == "favicon.ico":
            return web.Response(status=204)
        path = self.widget / name
        if "/" in name or not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Content-Security-Policy": CSP, "Cache-Control": "no-store"})

    def _conversation(self, request: web.Request) -> Conversation:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        for protocol in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
            if protocol.strip().startswith("bearer."):
                token = protocol.strip().removeprefix("bearer.")
        if token not in self.conversations:
            raise web.HTTPUnauthorized(text=_problem(401), content_type="application/json")
        return self.conversations[token]

    async def _new_session(self, request: web.Request) -> web.Response:
        token = secrets.token_urlsafe(32)
        self.conversations[token] = Conversation(**await request.json())
        return web.json_response({"token": token}, status=201)

    async def _session(self, request: web.Request) -> web.Response:
        found = self._conversation(request)
        return web.json_response({"remember": found.remember, **found.where})

    async def _move(self, request: web.Request) -> web.Response:
        self._conversation(request).region = (await request.json())["region"]
        return web.json_response(await request.json())

    async def _replay(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", "0"))
        messages = self._conversation(request).messages
        return web.json_response({"messages": [message for message in messages if message["seq"] > after]})

    async def _post(self, request: web.Request) -> web.Response:
        conversation = self._conversation(request)
        sent = await request.json()
        _, messages = await self._take(conversation, sent)
        return web.json_response({"messages": messages, "pending": False})

    async def _new_code(self, request: web.Request) -> web.Response:
        conversation = self._conversation(request)
        if await request.json() != {} or not conversation.case_open:
            return _refused(409)
        conversation.code = " ".join(f"{secrets.randbelow(10_000):04}" for _ in range(4))
        return web.json_response({"code": conversation.code}, status=201)

    async def _return(self, request: web.Request) -> web.Response:
        self.door.append(dict(request.headers))
        if "Authorization" in request.headers or "Cookie" in request.headers:
            return _refused(400)
        if self.door_closed is not None:
            return _refused(429, {"Retry-After": str(self.door_closed)})
        code = (await request.json())["code"]
        await self._door_opens.wait()
        found = next(
            (t for t, c in self.conversations.items() if c.code is not None and c.code == code), None
        )
        if found is None:
            return _refused(404)
        token = secrets.token_urlsafe(32)
        self.conversations[token] = self.conversations.pop(found)
        await self._store(self.conversations[token], "system", [text("Welkom terug. Ilse heeft je vraag.")])
        return web.json_response({"token": token}, status=201)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not self.sockets_allowed:
            raise web.HTTPForbidden
        conversation = self._conversation(request)
        socket = web.WebSocketResponse(protocols=["ademruimte"])
        await socket.prepare(request)
        for message in conversation.messages:
            if message["seq"] > int(request.query.get("after", "0")):
                await socket.send_json({"type": "message", **message})
        await socket.send_json({"type": "session", "remember": conversation.remember, **conversation.where})
        if conversation.owner != ("bot", None):
            owner, name = conversation.owner
            await socket.send_json({"type": "owner", "owner": owner, "name": name})
        conversation.sockets.append(socket)
        try:
            async for frame in socket:
                if frame.type != WSMsgType.TEXT:
                    break
                await self._hear(conversation, json.loads(frame.data))
        finally:
            conversation.sockets.remove(socket)
        return socket

    # --- one turn ------------------------------------------------------------------------------------------

    async def _hear(self, conversation: Conversation, sent: dict[str, Any]) -> None:
        if sent["type"] in ("typing", "seen"):
            self.told.append(sent)
        elif sent.get("payload") == BACK[1]:
            await self._take(conversation, sent)
            await self.say(text("Je bent weer bij Ademruimte, een computerprogramma."), role="system")
            await self.own("bot")
        else:
            await self._take(conversation, sent)

    async def _take(
        self, conversation: Conversation, sent: dict[str, Any]
    ) -> tuple[int, list[dict[str, Any]]]:
        if await self._breaks("before"):
            return 0, []
        self.received.append(sent)
        known = next((m for m in conversation.messages if m.get("id") == sent["id"]), None)
        if known is None:
            await self._breaks("after")
            words = sent.get("title") or sent.get("text") or "…"
            known = await self._store(conversation, "user", [text(words)], sent["id"])
            is_new = True
        else:
            is_new = False
        await self._tell(conversation, {"type": "ack", "id": sent["id"], "seq": known["seq"]})
        answers: list[dict[str, Any]] = []
        if is_new and self.answering and conversation.owner[0] != "coach":
            await self._tell(conversation, {"type": "typing", "on": True})
            await asyncio.sleep(0.05)
            for parts in self.answer(sent.get("payload") or sent.get("text") or ""):
                answers.append(await self._store(conversation, "bot", parts))  # noqa: PERF401 (awaits)
            await self._tell(conversation, {"type": "typing", "on": False})
        return known["seq"], answers

    async def _breaks(self, moment: str) -> bool:
        """Cuts every line without a word, once, when the test asked for it at this moment."""
        if self.break_line != moment:
            return False
        self.break_line = None
        await self.drop_sockets()
        return True

    async def _store(
        self,
        conversation: Conversation,
        role: str,
        parts: list[dict[str, Any]],
        client_id: str | None = None,
        author: str | None = None,
    ) -> dict[str, Any]:
        message: dict[str, Any] = {
            "seq": len(conversation.messages) + 1, "role": role, "at": datetime.now(UTC).isoformat(), "parts": parts,
        }  # fmt: skip
        if client_id:
            message["id"] = client_id
        if author:
            message["author"] = author
        conversation.messages.append(message)
        await self._tell(conversation, {"type": "message", **message})
        return message

    async def _tell(self, conversation: Conversation, event: dict[str, Any]) -> None:
        for socket in list(conversation.sockets):
            with contextlib.suppress(ConnectionError):  # the line may just have gone
                await socket.send_json(event)
