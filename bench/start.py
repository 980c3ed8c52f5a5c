"""How long the app takes from its start to the first page and to a ready engine, with the trained model.

python -m bench.start [--runs 5]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from bench.turns import ROOT, START_SECONDS, free_port
from bot.settings import load_settings


def measure() -> tuple[float, float]:
    """Seconds to the first page and to a ready engine, from one start on a database of its own."""
    settings, port = load_settings()[0], free_port()
    with tempfile.TemporaryDirectory() as state:
        environ = {
            **os.environ,
            "ADEMRUIMTE_STATE_DIR": state,
            "ADEMRUIMTE_ENGINE_PYTHON": str(settings.engine_python),
            "ADEMRUIMTE_MODEL": str(settings.model),
            "ADEMRUIMTE_GUARD_MODEL": str(settings.guard_model),
        }
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "run", "--port", str(port)],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            page = _until(f"http://127.0.0.1:{port}/", lambda _body: True) - began
            engine = _until(f"http://127.0.0.1:{port}/healthz", _is_ready) - began
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    return page, engine


def _is_ready(body: bytes) -> bool:
    return bool(json.loads(body)["status"] == "ok")


def _until(address: str, well: object) -> float:
    """The moment at which the address answers as wanted."""
    limit = time.perf_counter() + START_SECONDS
    while time.perf_counter() < limit:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own loopback address
                if callable(well) and well(answer.read()):
                    return time.perf_counter()
        except (urllib.error.URLError, ConnectionError):
            pass  # not listening yet
        time.sleep(0.02)
    raise SystemExit(f"{address} never answered")


def main() -> None:
    parser = argparse.ArgumentParser(description="Seconds from start to first page and to a ready engine.")
    parser.add_argument("--runs", type=int, default=5)
    times = [measure() for _ in range(parser.parse_args().runs)]
    for name, values in zip(("first page", "engine ready"), zip(*times, strict=True), strict=True):
        print(f"{name}: median {statistics.median(values):.2f} s, slowest {max(values):.2f} s")


if __name__ == "__main__":
    main()
