"""Helpers for the scripts that run with the engine's Python: named checks, an agent, a stand-in for the actions."""

# ruff: noqa: PLC0415, S311 - Rasa comes after its set-up; chance here is for repeating, not for secrets

import asyncio
import json
import logging
import random
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from engine.start import prepare_imports

Check = Callable[..., Awaitable[None] | None]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    CHECKS[function.__name__] = function
    return function


def run_checks(model: Path, folder: Path) -> None:
    """Print {check: "" or what went wrong} as the last line."""
    results: dict[str, str] = {}
    for name, function in CHECKS.items():
        place = folder / name
        place.mkdir()
        try:
            done = function(model, place)
            if done is not None:
                asyncio.run(done)
            results[name] = ""
        except Exception:
            results[name] = traceback.format_exc()
    sys.stdout.write(json.dumps(results) + "\n")


def prepare(model: Path) -> None:
    prepare_imports(model)
    from engine import logs

    logs.configure()
    logging.disable(logging.CRITICAL)  # failing actions are part of the checks


class Actions:
    """The action server: answers by the number of the call, so that two equal runs get equal answers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.calls = 0

    def events(self, call: dict[str, Any]) -> list[dict[str, Any]]:
        name = call["next_action"]
        if name.startswith("validate_"):
            slots = []
            for event in reversed(call["tracker"]["events"]):
                if event["event"] == "action":
                    break
                if event["event"] == "slot" and event["name"] != "requested_slot":
                    value = event["value"] if self.random.random() > 0.2 else None
                    slots.append({"event": "slot", "name": event["name"], "value": value})
            return slots
        odd = self.random.choice(
            [
                [],
                [{"event": "slot", "name": "tired", "value": True}],
                [{"event": "slot", "name": "tired", "value": None}],
                [{"event": "reset_slots"}],
                [{"event": "followup", "name": "utter_why"}],
                [{"event": "rewind"}],
                [{"event": "undo"}],
                [{"event": "session_started"}, {"event": "action", "name": "action_listen"}],
            ]
        )
        reset = [{"event": "slot", "name": name, "value": None} for name in ("sleep", "pressure")]
        return [*reset, *odd]

    async def start(self) -> tuple[Any, str]:
        from aiohttp import web

        async def handle(request: web.Request) -> web.Response:
            call = await request.json()
            self.calls += 1
            if call["next_action"] == "action_fails":
                return web.json_response({"error": "no", "action_name": "action_fails"}, status=400)
            responses = [{"text": f"antwoord {self.calls}"}] if self.random.random() > 0.5 else []
            return web.json_response({"events": self.events(call), "responses": responses})

        app = web.Application(client_max_size=10**8)
        app.router.add_post("/webhook", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"


MESSAGES = (
    "/greet", "hallo", "/start_check_in", "/start_check_in", '/give_score{"score": 4}', '/give_score{"score": 9}',
    "7", "zeven", "heel vaak", "waarom vraag je dat", "/ask_why", "/stop", "stop maar", "/goodbye", "/restart",
    "iets heel anders", "/unknown_intent", "/session_start",
)  # fmt: skip


def random_messages(seed: int, count: int) -> list[str]:
    chosen = random.Random(seed)
    return [chosen.choice(MESSAGES) for _ in range(count)]


def comparable(event: Any) -> dict[str, Any]:
    """An event without what differs from run to run."""
    data = json.loads(json.dumps(event.as_dict()))
    for changing in ("timestamp", "message_id"):
        data.pop(changing, None)
    data.get("parse_data", {}).pop("message_id", None)
    return data


def state(tracker: Any) -> dict[str, Any]:
    """Everything that a tracker is, as plain data."""
    from rasa.shared.core.trackers import EventVerbosity

    found = tracker.current_state(EventVerbosity.ALL)
    found["applied"] = [comparable(event) for event in tracker.applied_events()]
    found["slots_set"] = {name: slot.has_been_set for name, slot in tracker.slots.items()}
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain
