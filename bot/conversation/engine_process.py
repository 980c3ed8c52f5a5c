"""Starts the engine, watches it, starts it again when it dies. Conversation room.

The engine reads its standard input and ends at its end, so it can never outlive the app, not even when the
app is killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal

import structlog

from bot.conversation.engine_client import EngineClient

State = Literal["starting", "ready", "restarting", "stopped"]

FIRST_PAUSE = 0.5  # seconds before a restart; doubles with each one in a row
LONGEST_PAUSE = 30.0
STABLE_SECONDS = 120.0  # ready for so long: the next death counts as the first again
POLL_SECONDS = 0.2  # how often a loading engine is asked whether it is ready
WATCH_SECONDS = 5.0  # how often a ready one is asked
HEALTH_SECONDS = 10.0  # longest time for one health answer
MISSES = 3  # so many in a row and the engine counts as stuck
STOP_SECONDS = 10.0
LOG_BYTES = 2_000_000

log = structlog.get_logger("engine")


def free_port() -> int:
    """A loopback port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class EngineProcess:
    """Keeps one engine running and tells the client where it is and whether it is ready."""

    def __init__(
        self,
        client: EngineClient,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        port: int = 0,
        start_seconds: float = 180.0,
        log_file: Path | None = None,
        directory: Path | None = None,
    ) -> None:
        """Wire up; `run` starts it.

        Args:
            client: is told the address and the readiness.
            command: program and arguments; `--port <port>` is added.
            environment: variables on top of our own.
            port: loopback port, 0 for any free one at each start.
            start_seconds: longest time until it is ready.
            log_file: where its output goes; dropped without one.
            directory: where it runs.
        """
        self.state: State = "starting"
        self.process: asyncio.subprocess.Process | None = None
        self.was_ready = False
        self._client = client
        self._command = command
        self._environment = environment
        self._port = port
        self._start_seconds = start_seconds
        self._log_file = log_file
        self._directory = directory

    @property
    def pid(self) -> int | None:
        """The engine's process, when there is one."""
        return self.process.pid if self.process is not None else None

    async def run(self) -> None:
        """Start the engine and start it again whenever it ends, until cancelled; then stop it."""
        pause = FIRST_PAUSE
        try:
            while True:
                lived = await self._one_life()
                pause = FIRST_PAUSE if lived >= STABLE_SECONDS else pause
                self.state = "restarting" if self.was_ready else "starting"
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        finally:
            self.state = "stopped"

    async def _one_life(self) -> float:
        """Run the engine until it ends or has to be ended; seconds it was ready."""
        port = self._port or free_port()
        self._client.url = f"http://127.0.0.1:{port}"
        try:
            process = await self._spawn(port)
        except OSError as error:
            log.error("engine cannot be started", error=type(error).__qualname__)
            return 0.0
        self.process = process
        ended = asyncio.create_task(process.wait())
        ready_at: float | None = None
        try:
            if await self._becomes_ready(ended):
                ready_at = time.monotonic()
                self.state, self.was_ready = "ready", True
                self._client.ready.set()
                log.info("engine is ready", pid=process.pid, port=port)
                await self._watch(ended)
        finally:
            self._client.ready.clear()
            # A second cancellation must not leave a child behind.
            await asyncio.shield(_end(process, ended))
            self.process = None
        log.warning("engine ended", status=process.returncode)
        return time.monotonic() - ready_at if ready_at is not None else 0.0

    async def _spawn(self, port: int) -> asyncio.subprocess.Process:
        output = _open_log(self._log_file)
        try:
            return await asyncio.create_subprocess_exec(
                *self._command,
                "--port",
                str(port),
                stdin=asyncio.subprocess.PIPE,
                stdout=output or asyncio.subprocess.DEVNULL,
                stderr=output or asyncio.subprocess.DEVNULL,
                env=os.environ | dict(self._environment),
                cwd=self._directory,
                start_new_session=True,  # Ctrl-C goes to the app alone, which then stops the engine
            )
        finally:
            if output is not None:
                output.close()

    async def _becomes_ready(self, ended: asyncio.Task[int]) -> bool:
        limit = time.monotonic() + self._start_seconds
        while time.monotonic() < limit:
            if await self._client.is_ready(HEALTH_SECONDS):
                return True
            await asyncio.wait([ended], timeout=POLL_SECONDS)
            if ended.done():
                return False
        log.error("engine was not ready in time", seconds=self._start_seconds)
        return False

    async def _watch(self, ended: asyncio.Task[int]) -> None:
        """Return when the engine has ended or is stuck."""
        misses = 0
        while misses < MISSES:
            await asyncio.wait([ended], timeout=WATCH_SECONDS)
            if ended.done():
                return
            misses = 0 if await self._client.is_ready(HEALTH_SECONDS) else misses + 1
        log.error("engine does not answer any more")


async def _end(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    for kind in (signal.SIGTERM, signal.SIGKILL):
        if not ended.done():
            with suppress(ProcessLookupError):
                process.send_signal(kind)
            await asyncio.wait([ended], timeout=STOP_SECONDS)


def _open_log(path: Path | None) -> IO[bytes] | None:
    """The log to append to; a long one is set aside first."""
    if path is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".old.log"))
    return path.open("ab")
