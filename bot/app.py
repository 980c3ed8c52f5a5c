"""The app: starts everything, serves it, and stops it cleanly. Edge room.

It serves the pages first and brings up the rest behind them.
"""

from __future__ import annotations

import asyncio
import gc
import secrets
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web

from bot import __version__
from bot.action_webhook import ActionsBrokenError, ActionWebhook
from bot.channels.site import API, DESK, chat_site
from bot.conversation.engine_client import EngineClient
from bot.conversation.engine_process import EngineProcess
from bot.logs import set_up_logs
from bot.settings import Settings

if TYPE_CHECKING:
    from types import ModuleType

    from bot.assembly import Parts

ROOT = Path(__file__).resolve().parent.parent
TURN_ENDS_SECONDS = 3.0  # when stopping, running turns get so long
REQUEST_ENDS_SECONDS = 2.0

log = structlog.get_logger("app")


class StartError(Exception):
    """The app cannot start; `str()` is one plain sentence for whoever started it."""


def run(settings: Settings, announce: Callable[[str], None] | None = None) -> int:
    """Serve until SIGINT or SIGTERM.

    Args:
        settings: all settings.
        announce: called with the address once pages are served.

    Returns:
        The exit code: 0 after a clean stop, 1 when the app could not start, with one sentence on standard error.
    """
    set_up_logs(settings.log_level, settings.log_format)
    try:
        asyncio.run(_run(settings, announce))
    except StartError as error:
        sys.stderr.write(f"ademruimte: {error}\n")
        return 1
    return 0


async def _run(settings: Settings, announce: Callable[[str], None] | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for kind in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(kind, stop.set)
    app = App(settings)
    try:
        await app.start()
        if announce is not None:
            announce(app.url)
        stopping = asyncio.create_task(stop.wait())
        either: set[asyncio.Future[Any]] = {stopping, app.failed}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if app.failed.done():
            app.failed.result()
    finally:
        await app.stop()


class App:
    """All parts. `start` returns when pages are served; what is behind them follows."""

    def __init__(
        self,
        settings: Settings,
        *,
        engine_command: list[str] | None = None,
        actions_package: str = "actions",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Wire up; call it in a running event loop.

        Args:
            settings: all settings.
            engine_command: what to start as the engine, in place of Rasa's, for tests.
            actions_package: where the actions are.
            clock: the current moment, with time zone.
        """
        self.settings = settings
        self.url = ""
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.parts: Parts | None = None
        self._clock = clock
        # Secrets between the app and the engine it starts, new at each start.
        engine_token, action_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self.webhook = ActionWebhook(action_token, actions_package)
        self.client = EngineClient(engine_token, settings.engine_turn_seconds)
        start_rasa = [str(settings.engine_python), "-m", "engine.start", "--model", str(settings.model)]
        self.environment = {
            "ADEMRUIMTE_ENGINE_TOKEN": engine_token,
            "ADEMRUIMTE_ACTION_TOKEN": action_token,
            "ADEMRUIMTE_TRACKER_DB": str(settings.tracker_db),
        }
        self.engine = EngineProcess(
            self.client,
            engine_command or start_rasa,
            self.environment,
            port=settings.engine_port,
            start_seconds=settings.engine_start_seconds,
            log_file=settings.logs_dir / "engine.log",
            directory=ROOT,
        )
        self._site = chat_site(settings, self._health)
        self._runners: list[web.AppRunner] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped = False

    async def start(self) -> None:
        """Serve pages, then bring up the database, the actions and the engine behind them.

        Raises:
            StartError: a port is taken.
        """
        settings = self.settings
        port = await self._serve(self._site, listen(settings.host, settings.port, "ADEMRUIMTE_PORT"))
        self.url = f"http://{_shown(settings.host)}:{port}"
        log.info("listening", address=self.url)
        loopback = listen("127.0.0.1", settings.action_port, "ADEMRUIMTE_ACTION_PORT")
        port = await self._serve(self.webhook.app(), loopback)
        self.environment["ADEMRUIMTE_ACTION_URL"] = f"http://127.0.0.1:{port}/webhook"
        self._spawn(self.engine.run())
        self._spawn(self._bring_up())

    async def stop(self) -> None:
        """Finish what runs, then stop everything; no process and no thread is left. A second call does nothing."""
        if self._stopped:
            return
        self._stopped = True
        if self.parts is not None:
            self.parts.coaching.stop()
            await self.parts.workers.stop(TURN_ENDS_SECONDS)
        for runner in self._runners:
            await runner.cleanup()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.close()
        if self.parts is not None:
            await self.parts.close()
        if self.url:
            log.info("stopped")

    async def _bring_up(self) -> None:
        # In a thread: these imports take a second, in which pages are served already.
        assembly = await asyncio.to_thread(_import_assembly)
        try:
            self.parts = await assembly.assemble(
                self.settings, self.client, lambda: not self.engine.was_ready, self._clock
            )
        except assembly.AssemblyError as error:
            raise StartError(str(error)) from error
        self._site[API].set_result(self.parts.handlers)
        self._site[DESK].set_result(self.parts.coaching.desk)
        for work in self.parts.coaching.background():
            self._spawn(work)
        self._spawn(self.parts.workers.run())
        self._spawn(self.parts.retention.run())
        try:
            count = await self.webhook.load()
        except ActionsBrokenError as broken:
            reason = "".join(traceback.format_exception(broken.__cause__))
            raise StartError(f"the actions cannot be imported:\n{reason}") from broken
        log.info("actions are ready", count=count)
        gc.collect()
        gc.freeze()  # what is loaded by now stays: it need not be looked through again and again

    async def _health(self) -> Mapping[str, str]:
        database = "starting"
        if self.parts is not None:
            database = "ok" if await self.parts.database_answers() else "unreachable"
        status = "ok" if self.engine.state == "ready" and database == "ok" else "degraded"
        return {"status": status, "engine": self.engine.state, "database": database, "version": __version__}

    async def _serve(self, app: web.Application, bound: socket.socket) -> int:
        # No access log: it would hold addresses.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=REQUEST_ENDS_SECONDS)
        self._runners.append(runner)
        await runner.setup()
        await web.SockSite(runner, bound).start()
        return int(bound.getsockname()[1])

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A part that ends with an error ends the app: half an app must not look like a whole one."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.failed.done():
            self.failed.set_exception(error)


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A bound socket.

    Raises:
        StartError: the port is taken, not allowed, or the address is not ours.
    """
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(256)
    except OSError as error:
        bound.close()
        raise StartError(
            f"port {port} on {host} cannot be used ({error.strerror}); choose another one with {setting}."
        ) from error
    bound.setblocking(False)
    return bound


def _import_assembly() -> ModuleType:
    from bot import assembly  # noqa: PLC0415 - heavy, and not needed for the first page

    return assembly


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - only compared, to show an address that can be clicked
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
