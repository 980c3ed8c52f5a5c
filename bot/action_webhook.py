"""The action webhook: runs `actions/` for the engine, on loopback, in the app's own event loop. Edge room.

Speaks what `python -m rasa_sdk --actions actions` speaks, on a supported web server.
"""

from __future__ import annotations

import asyncio
import hmac
import importlib
import json
import warnings
from typing import Any

import structlog
from aiohttp import web

MAX_BODY = 64 * 1024 * 1024  # a tracker with all its events

log = structlog.get_logger("actions")


class ActionsBrokenError(Exception):
    """The actions cannot be imported; raised from the error that says why."""


class ActionWebhook:
    """Runs actions; calls that come while the actions are still being imported wait."""

    def __init__(self, token: str, package: str = "actions") -> None:
        """Args: token: what the engine has to show as `?token=`; package: where the actions are."""
        self._token = token.encode()
        self._package = package
        self._executor: Any = None  # rasa-sdk has no types
        self._loaded = asyncio.Event()

    async def load(self) -> int:
        """Import the actions in a thread, so that pages are served meanwhile; how many there are.

        Raises:
            ActionsBrokenError: they cannot be imported.
        """
        self._executor = await asyncio.to_thread(_executor_of, self._package)
        self._loaded.set()
        return len(self._executor.actions)

    def app(self) -> web.Application:
        """The web application to serve on loopback."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_get("/health", self._health)
        app.router.add_post("/webhook", self._webhook)
        return app

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok" if self._loaded.is_set() else "starting"})

    async def _webhook(self, request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.query.get("token", "").encode(), self._token):
            return web.json_response({"error": "a valid token is needed"}, status=401)
        await self._loaded.wait()
        try:
            call = json.loads(await request.read())
        except (ValueError, RecursionError):
            call = None
        if not isinstance(call, dict):
            return web.json_response({"error": "Invalid body request"}, status=400)
        # With `enable_selective_domain` Rasa 3.6 sends no domain; newer executors would ask for one.
        call.setdefault("domain", {})
        return await self._run(call)

    async def _run(self, call: dict[str, Any]) -> web.Response:
        from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException  # noqa: PLC0415

        action = call.get("next_action")
        try:
            result = await self._executor.run(call)
        except ActionExecutionRejection as rejection:  # an ordinary answer of a form: "not for me"
            body = {"error": rejection.message, "action_name": rejection.action_name}
            return web.json_response(body, status=400)
        except ActionNotFoundException as missing:
            log.error("action is unknown", action=missing.action_name)
            body = {"error": missing.message, "action_name": missing.action_name}
            return web.json_response(body, status=404)
        except Exception as error:  # an action may fail in any way; the engine has to hear of it
            log.exception("action failed", action=action if action in self._executor.actions else None)
            return web.json_response({"error": type(error).__qualname__, "action_name": action}, status=500)
        return web.json_response(result.model_dump() if result else None)


def _executor_of(package: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old habits of rasa-sdk's own imports
            from rasa_sdk.executor import ActionExecutor  # noqa: PLC0415

        # rasa-sdk ends the process when a package cannot be imported; imported here first, it only raises.
        importlib.import_module(package)
        executor = ActionExecutor()
        executor.register_package(package)
    except (
        Exception,
        SystemExit,
    ) as error:  # any error in our own actions must stop the start, with its reason
        raise ActionsBrokenError(package) from error
    return executor
