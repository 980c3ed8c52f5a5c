"""The same recorded conversation through stock Rasa and through our app, same model, same machine, in turn.

    python -m bench.turns [--people 1 10 50] [--rounds 2] [--write docs/performance.md]

(a) stock: `rasa run` with its default settings, the REST channel and an action server (`python -m rasa_sdk`) with
the same actions; (b) ours: `bot run` and the chat API. Both answer the same messages of `CONVERSATION`, tapped and
typed. Reported per number of people who talk at once: turns/s, p50 and p95 of a turn in milliseconds, CPU time per
turn of all server processes, and their peak memory together. The load comes from this process, over loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil

from bot.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 180

#: One check-in as people do it: (text shown, payload when tapped).
CONVERSATION: tuple[tuple[str, str | None], ...] = (
    ("hallo", None),
    ("Check-in", '/start_check_in{"instrument": "check_in"}'),
    ("Nee, niet bewaren", "/deny"),
    ("7", '/give_score{"item": "hyperalert", "score": 7}'),
    ("ik slaap amper, geef maar een 8", None),
    ("waarom vraag je dat?", None),
    ("zeven", None),
    ("7,5", None),
    ("terug", None),
    ("9", '/give_score{"item": "fatigue", "score": 9}'),
    ("3", '/give_score{"item": "alone", "score": 3}'),
    ("leest mijn chef dit mee?", None),
    ("soms", None),
    ("2", '/give_score{"item": "quit", "score": 2}'),
    ("Sla over", "/skip"),
    ("8", '/give_score{"item": "belonging", "score": 8}'),
    ("woonzorgcentrum", None),
    ("Tips voor mij", "/request_self_help"),
    ("wat is een burn-out eigenlijk", None),
    ("bedankt", None),
    ("Tot later", "/goodbye"),
)

Talk = Callable[[aiohttp.ClientSession, str], Awaitable[list[float]]]


@dataclass
class Server:
    """One of the two contestants: its processes and how a person talks to it."""

    name: str
    processes: list[subprocess.Popen[bytes]]
    talk: Talk
    figures: dict[int, Figures] = field(default_factory=dict)

    def tree(self) -> list[psutil.Process]:
        found: dict[int, psutil.Process] = {}
        for started in self.processes:
            process = psutil.Process(started.pid)
            for one in (process, *process.children(recursive=True)):
                found[one.pid] = one
        return list(found.values())

    def cpu_seconds(self) -> float:
        return sum(one.cpu_times().user + one.cpu_times().system for one in self.tree())

    def peak_mib(self) -> float:
        """The sum of each process's own peak of resident memory, as the kernel kept it."""
        return sum(_high_water_kib(one.pid) for one in self.tree()) / 1024

    def stop(self) -> None:
        for one in self.processes:
            one.send_signal(signal.SIGTERM)
        for one in self.processes:
            try:
                one.wait(20)
            except subprocess.TimeoutExpired:
                one.kill()


@dataclass
class Figures:
    """What was measured at one number of people, over all rounds."""

    seconds: float = 0.0
    cpu: float = 0.0
    turns: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.turns) / self.seconds

    def percentile(self, share: int) -> float:
        """Milliseconds that `share` per cent of the turns stayed under."""
        return statistics.quantiles(self.turns, n=100)[share - 1] * 1000

    @property
    def cpu_ms(self) -> float:
        return self.cpu / len(self.turns) * 1000


def _high_water_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_stock(settings: Settings, folder: Path) -> tuple[Server, str]:
    """`rasa run` and an action server, each with its defaults; the address to wait for."""
    port, actions = free_port(), free_port()
    endpoints, credentials = folder / "endpoints.yml", folder / "credentials.yml"
    endpoints.write_text(f"action_endpoint:\n  url: http://127.0.0.1:{actions}/webhook\n")
    credentials.write_text("rest:\n")
    environ = {
        **os.environ,
        "RASA_TELEMETRY_ENABLED": "false",
        "ADEMRUIMTE_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'stock.db'}",
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT, "env": environ}
    rasa = [str(settings.engine_python), "-m", "rasa", "run", "--interface", "127.0.0.1", "--port", str(port)]
    rasa += ["--model", str(settings.model), "--endpoints", str(endpoints), "--credentials", str(credentials)]
    sdk = [sys.executable, "-m", "rasa_sdk", "--actions", "actions", "--port", str(actions)]
    processes = [subprocess.Popen(sdk, **quiet), subprocess.Popen(rasa, **quiet)]  # type: ignore[call-overload]
    base = f"http://127.0.0.1:{port}"

    async def talk(client: aiohttp.ClientSession, person: str) -> list[float]:
        times = []
        for text, payload in CONVERSATION:
            began = time.perf_counter()
            message = {"sender": person, "message": payload or text}
            async with client.post(f"{base}/webhooks/rest/webhook", json=message) as answer:
                assert await answer.json(), f"stock Rasa said nothing to {text!r}"
            times.append(time.perf_counter() - began)
        return times

    return Server("stock Rasa", processes, talk), base


def start_ours(settings: Settings, folder: Path) -> tuple[Server, str]:
    """`bot run` with a database of its own and no limits on how fast one address may talk."""
    port = free_port()
    environ = {
        **os.environ,
        "ADEMRUIMTE_STATE_DIR": str(folder),
        "ADEMRUIMTE_ENGINE_PYTHON": str(settings.engine_python),
        "ADEMRUIMTE_MODEL": str(settings.model),
        "ADEMRUIMTE_GUARD_MODEL": str(settings.guard_model),
        "ADEMRUIMTE_SESSIONS_PER_HOUR": "1000000",
        "ADEMRUIMTE_MESSAGES_PER_MINUTE": "1000000",
        "ADEMRUIMTE_MESSAGES_BURST": "1000000",
    }
    command = [sys.executable, "-m", "bot", "run", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT, "env": environ}
    process = subprocess.Popen(command, **quiet)  # type: ignore[call-overload]
    base = f"http://127.0.0.1:{port}"

    async def talk(client: aiohttp.ClientSession, _person: str) -> list[float]:
        async with client.post(f"{base}/api/chat/sessions", json={}) as answer:
            headers = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        times = []
        for number, (text, payload) in enumerate(CONVERSATION):
            began = time.perf_counter()
            message = {"id": f"m{number}", "text": text}
            if payload:
                message = {"id": f"m{number}", "payload": payload, "title": text}
            async with client.post(f"{base}/api/chat/messages", json=message, headers=headers) as answer:
                said = await answer.json()
                assert said.get("messages") and not said["pending"], (
                    f"our app said nothing to {text!r}: {said}"
                )
            times.append(time.perf_counter() - began)
        return times

    return Server("Ademruimte", [process], talk), base


async def ready(client: aiohttp.ClientSession, server: Server, base: str) -> None:
    """Wait until one whole conversation was answered; it also warms the server up."""
    until = time.monotonic() + START_SECONDS
    while True:
        if any(process.poll() is not None for process in server.processes):
            raise SystemExit(f"{server.name} ended before it was ready")
        try:
            async with client.get(f"{base}/healthz") as answer:
                well = answer.status == 404 or (await answer.json()).get("status") == "ok"
            if well:
                await server.talk(client, "warm-up")
                return
        except (aiohttp.ClientError, AssertionError, ValueError):
            if time.monotonic() > until:
                raise SystemExit(f"{server.name} was not ready in {START_SECONDS} s") from None
        await asyncio.sleep(0.5)


async def measure(client: aiohttp.ClientSession, server: Server, people: int, label: str) -> None:
    """So many people talk at once, each through the whole conversation."""
    cpu, began = server.cpu_seconds(), time.perf_counter()
    done = await asyncio.gather(*(server.talk(client, f"{label}-{n}") for n in range(people)))
    figures = server.figures.setdefault(people, Figures())
    figures.seconds += time.perf_counter() - began
    figures.cpu += server.cpu_seconds() - cpu
    figures.turns += [turn for times in done for turn in times]


def report(stock: Server, ours: Server, options: argparse.Namespace) -> str:
    lines = [
        "| people | server | turns/s | p50 ms | p95 ms | CPU ms/turn |",
        "|---|---|---|---|---|---|",
    ]
    for people in options.people:
        for server in (stock, ours):
            f = server.figures[people]
            lines.append(
                f"| {people} | {server.name} | {f.per_second:.1f} | {f.percentile(50):.0f} | {f.percentile(95):.0f} "
                f"| {f.cpu_ms:.1f} |"
            )
        a, b = stock.figures[people], ours.figures[people]
        ratios = [
            f"{b.per_second / a.per_second:.1f}",
            f"{b.percentile(50) / a.percentile(50):.2f}",
            f"{b.percentile(95) / a.percentile(95):.2f}",
            f"{b.cpu_ms / a.cpu_ms:.2f}",
        ]
        lines.append(f"| {people} | **ratio ours/stock** | {' | '.join(ratios)} |")
    peaks = ", ".join(f"{server.name} {server.peak_mib():.0f} MiB" for server in (stock, ours))
    lines += [
        "",
        f"Peak memory of all processes: {peaks}.",
    ]
    lines += [
        f"{len(CONVERSATION)} turns a person, {options.rounds} rounds in turn, {os.cpu_count()} cores, "
        f"Python {platform.python_version()} (app), load from the same machine."
    ]
    return "\n".join(lines) + "\n"


async def run(options: argparse.Namespace) -> str:
    settings, _ = load_settings()
    with tempfile.TemporaryDirectory() as stock_folder, tempfile.TemporaryDirectory() as our_folder:
        contestants = [start_stock(settings, Path(stock_folder)), start_ours(settings, Path(our_folder))]
        servers = [server for server, _ in contestants]
        try:
            limits = aiohttp.TCPConnector(limit=0)
            timeout = aiohttp.ClientTimeout(total=300)
            async with aiohttp.ClientSession(connector=limits, timeout=timeout) as client:
                for server, base in contestants:
                    await ready(client, server, base)
                    print(f"{server.name} is ready", file=sys.stderr, flush=True)
                for people in options.people:
                    for number in range(options.rounds):
                        for server in servers:
                            await measure(client, server, people, f"p{people}r{number}")
                    print(f"{people} people measured", file=sys.stderr, flush=True)
            stock, ours = servers
            return report(stock, ours, options)
        finally:
            for server in servers:
                server.stop()


MARKS = ("<!-- turns: written by `python -m bench.turns --write` -->", "<!-- end of turns -->")


def main() -> None:
    parser = argparse.ArgumentParser(description="Stock Rasa against our app, same conversation, same model.")
    parser.add_argument("--people", type=int, nargs="+", default=[1, 10, 50], help="how many talk at once")
    parser.add_argument("--rounds", type=int, default=2, help="rounds for each number of people")
    parser.add_argument("--write", type=Path, help="page in which the figures are put between their marks")
    options = parser.parse_args()
    figures = asyncio.run(run(options))
    print(figures)
    if options.write:
        page = options.write.read_text()
        before, rest = page.split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        options.write.write_text(f"{before}{MARKS[0]}\n{figures}{MARKS[1]}{after}")


if __name__ == "__main__":
    main()
