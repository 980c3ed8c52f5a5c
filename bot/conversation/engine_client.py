"""Talking to the engine over loopback HTTP. Conversation room.

The engine answers each message id once and gives the recorded answer when asked again, so that a retry can
never make a turn happen twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

CONNECTIONS = 64
PREFIX = "/webhooks/ademruimte"


class EngineUnavailableError(Exception):
    """The engine cannot be reached; nothing was asked of it."""


class EngineFailedError(Exception):
    """The engine was asked and gave no usable answer; `code` says how."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class EngineClient:
    """A pool of connections to the engine. `ready` is set by whoever looks after the engine."""

    def __init__(self, token: str, turn_seconds: float) -> None:
        """Args: token: shared secret; turn_seconds: longest time for one turn."""
        self.ready = asyncio.Event()
        self.url = ""
        self._headers = {"X-Engine-Token": token}
        self._turn_seconds = turn_seconds
        self._session: aiohttp.ClientSession | None = None

    async def turn(self, sender: str, message_id: str, text: str) -> list[Mapping[str, Any]]:
        """Have the engine answer one message; gives its outputs in order.

        Raises:
            EngineUnavailableError: it cannot be reached.
            EngineFailedError: it broke off, took too long or answered with an error.
        """
        body = {"sender": sender, "message_id": message_id, "message": text}
        try:
            status, answer = await self._post(body)
        except aiohttp.ClientConnectorError:
            raise EngineUnavailableError from None
        except aiohttp.ClientConnectionError:
            # Often only a pooled connection that had gone stale.
            try:
                status, answer = await self._post(body)
            except aiohttp.ClientError:
                raise EngineFailedError("dropped") from None
            except TimeoutError:
                raise EngineFailedError("too_slow") from None
        except TimeoutError:
            raise EngineFailedError("too_slow") from None
        except aiohttp.ClientError:
            raise EngineFailedError("broken_answer") from None
        if status != 200:
            raise EngineFailedError(f"status_{status}")
        messages = answer.get("messages") if isinstance(answer, dict) else None
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            raise EngineFailedError("broken_answer")
        return messages

    async def is_ready(self, seconds: float) -> bool:
        """Whether the engine says, within `seconds`, that it can answer."""
        try:
            timeout = aiohttp.ClientTimeout(total=seconds)
            async with self._pool().get(f"{self.url}{PREFIX}/health", timeout=timeout) as response:
                return response.status == 200 and (await response.json()).get("ready") is True
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return False

    async def forget(self, sender: str) -> bool:
        """Delete a conversation's tracker; whether the engine confirmed that it is gone."""
        if not self.ready.is_set():
            return False
        timeout = aiohttp.ClientTimeout(total=self._turn_seconds)
        try:
            url = f"{self.url}{PREFIX}/conversations/{sender}"
            async with self._pool().delete(url, timeout=timeout) as response:
                return response.status in (200, 204)
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, body: Mapping[str, str]) -> tuple[int, object]:
        async with self._pool().post(f"{self.url}{PREFIX}/webhook", json=body) as response:
            if response.status != 200:
                return response.status, None
            try:
                return 200, await response.json()
            except ValueError:
                return 200, None

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:  # made here: it needs the running loop
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=60),
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=self._turn_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session
