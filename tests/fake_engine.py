"""A small engine for tests: a process of its own that speaks the engine's HTTP contract, and does as it is told.

Started as the app starts Rasa: `python fake_engine.py --port P`. Its trackers stand in the file TRACKERS, so that
they outlive it. What a message says decides what happens:

    echo anything    -> "je zei: anything"          buttons   -> text with quick replies
    slow <seconds>   -> the same, after a while     scale     -> a custom scale
    die once         -> the process dies before it answers, the first time
    die after        -> it writes the answer down, dies before giving it, the first time
    fail             -> 500, always                 strange   -> a custom part nobody knows
    many <n>         -> n messages                  silent    -> none
    a person         -> someone asks for a person, with what is said where there is no coach
    consent / forget -> what an action would do: give consent / delete everything, in the app's database
"""

import argparse
import asyncio
import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from bot.storage.database import open_database
from bot.storage.store import Store

TOKEN = os.environ["ADEMRUIMTE_ENGINE_TOKEN"]
TRACKERS = Path(os.environ["ADEMRUIMTE_TRACKER_DB"] + ".json")
LOAD_SECONDS = float(os.environ.get("FAKE_LOAD_SECONDS", "0"))


class Trackers:
    """Conversations: message id → outputs, in a file that is replaced whole."""

    def __init__(self) -> None:
        self.all: dict[str, dict[str, list[dict]]] = (
            json.loads(TRACKERS.read_text()) if TRACKERS.exists() else {}
        )
        self.marks: set[str] = set(self.all.get("marks", {}))

    def save(self) -> None:
        draft = TRACKERS.with_suffix(".draft")
        draft.write_text(json.dumps(self.all))
        draft.replace(TRACKERS)

    def first_time(self, mark: str) -> bool:
        if mark in self.all.setdefault("marks", {}):
            return False
        self.all["marks"][mark] = []
        self.save()
        return True


SCALE = {
    "type": "scale",
    "item": "sleep",
    "min": 0,
    "max": 10,
    "min_label": "nooit",
    "max_label": "altijd",
    "payload": '/give_score{"item": "sleep", "score": $value}',
    "skip_payload": "/skip",
}


def outputs_for(text: str) -> list[dict]:
    if text == "buttons":
        return [{"text": "kies", "buttons": [{"title": "Ja", "payload": "/affirm", "type": "postback"}]}]
    if text == "scale":
        return [{"text": "hoe slaap je?"}, {"custom": SCALE}]
    if text == "strange":
        return [{"text": "dit wel", "custom": {"type": "hologram", "geheim": "GEHEIM-" + text}}]
    if text.startswith("many "):
        return [{"text": str(number)} for number in range(int(text.split()[1]))]
    if text == "silent":
        return []
    if text == "a person":
        otherwise = [[{"type": "text", "text": "hier is geen coach"}]]
        return [{"custom": {"type": "hand_off", "origin": "request", "otherwise": otherwise}}]
    return [{"text": f"je zei: {text}"}]


def make_app() -> web.Application:
    trackers, locks = Trackers(), {}
    ready = {"yes": False}

    async def act(sender: str, text: str, message_id: str) -> None:
        if text.startswith("slow "):
            await asyncio.sleep(float(text.removeprefix("slow ")))
        if text.startswith("die once") and trackers.first_time(message_id):
            os._exit(9)
        if text in ("consent", "no consent", "forget"):
            database = open_database(os.environ["FAKE_APP_DATABASE"])
            store = Store(database)
            if text == "forget":
                await store.forget(sender)
            else:
                await store.set_consent(sender, text == "consent", datetime.now(UTC))
            await database.close()

    async def webhook(request: web.Request) -> web.Response:
        body = await request.json()
        sender, message_id, text = body["sender"], body["message_id"], body["message"]
        if text == "fail":
            return web.json_response({"error": "turn_failed"}, status=500)
        async with locks.setdefault(sender, asyncio.Lock()):
            turns = trackers.all.setdefault(sender, {})
            if message_id not in turns:
                await act(sender, text, message_id)
                turns[message_id] = outputs_for(text)
                trackers.save()
                if text.startswith("die after"):
                    os._exit(9)
            return web.json_response({"messages": turns[message_id]})

    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"ready": ready["yes"], "model": "fake"})

    async def forget(request: web.Request) -> web.Response:
        trackers.all.pop(request.match_info["sender"], None)
        trackers.save()
        return web.Response(status=204)

    @web.middleware
    async def with_token(request: web.Request, handler: Callable) -> web.StreamResponse:
        if request.headers.get("X-Engine-Token") != TOKEN:
            return web.json_response({"error": "unauthorized"}, status=401)
        return await handler(request)

    async def load(_app: web.Application) -> None:
        asyncio.get_running_loop().call_later(LOAD_SECONDS, ready.update, {"yes": True})

    app = web.Application(middlewares=[with_token])
    app.on_startup.append(load)
    app.router.add_post("/webhooks/ademruimte/webhook", webhook)
    app.router.add_get("/webhooks/ademruimte/health", health)
    app.router.add_delete("/webhooks/ademruimte/conversations/{sender}", forget)
    return app


def end_with_parent() -> None:
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    threading.Thread(target=end_with_parent, daemon=True).start()
    web.run_app(make_app(), host="127.0.0.1", port=parser.parse_args().port, print=None, access_log=None)
