"""Room `bench`: what reading a message costs: milliseconds, training time and memory of the engine. Runs in the app.

    python -m bench.engine_speed [--write docs/nlu.md]

The trained model reads every held-out sentence by itself, in a process on one core, as `bot parse` does; the whole
engine is started for its memory; and the model is trained anew into a folder that is thrown away. The clock of the
core is given beside the clock on the wall, because others may be at work on the same machine.
"""

# ruff: noqa: PLC0415 - the measuring process imports nothing that it measures

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- speed: begin -->", "<!-- speed: end -->"
#: What the design asks for.
MOST_MS, MOST_TRAINING_S, MOST_MB = 10, 300, 1200


def main() -> int:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--write", type=Path, help="a page that holds the marks between which figures stand")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(_read(options.read)))
        return 0
    figures = as_markdown(measure())
    print(figures)
    if options.write is not None:
        page = options.write.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        options.write.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}", encoding="utf-8")
    return 0


def measure() -> dict[str, float]:
    """All figures of the trained model: milliseconds, seconds and megabytes (10^6 bytes)."""
    from bot.settings import load_settings

    settings = load_settings()[0]
    python, model = str(settings.engine_python), settings.model
    read = subprocess.run(
        [python, "-W", "ignore", "-m", "bench.engine_speed", "--read", str(model)],
        cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(read.stdout.splitlines()[-1])
    found["engine_mb"], found["start_s"] = _engine(python, model)
    with tempfile.TemporaryDirectory() as folder:
        began, before = time.monotonic(), os.times()
        made = Path(folder) / "model.tar.gz"
        subprocess.run(
            [python, "-m", "engine.train", "--out", str(made)],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        after = os.times()
        found["train_s"] = time.monotonic() - began
        found["train_cpu_s"] = after.children_user + after.children_system
        found["train_cpu_s"] -= before.children_user + before.children_system
    return found


def as_markdown(found: dict[str, float]) -> str:
    """The figures as a Markdown table, with what is aimed at."""
    rows = (
        (
            "reading a message, median",
            f"{found['ms']:.1f} ms",
            f"{found['cpu_ms']:.1f} ms",
            f"< {MOST_MS} ms",
        ),
        (
            "reading a message, 99th percentile",
            f"{found['p99_ms']:.1f} ms",
            f"{found['p99_cpu_ms']:.1f} ms",
            "",
        ),
        ("training", f"{found['train_s']:.0f} s", f"{found['train_cpu_s']:.0f} s", f"< {MOST_TRAINING_S} s"),
        ("start of the engine", f"{found['start_s']:.1f} s", "", ""),
        ("memory of the loaded engine (RSS)", f"{found['engine_mb']:.0f} MB", "", f"< {MOST_MB} MB"),
    )
    lines = [f"{found['messages']:.0f} messages, one core.", ""]
    lines += ["| what | on the clock | of the core | aim |", "|---|---:|---:|---:|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _read(model: Path) -> dict[str, float]:
    """In the engine's environment: every held-out sentence, one at a time, on one core."""
    from bench.pipelines import held_out
    from engine.start import prepare_imports

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    prepare_imports(model)
    import numpy as np  # after it was said how many threads there are, as in the engine

    from engine.parse import load

    read = load(model)
    texts = [text for text, _ in held_out()]
    read(texts[:20])  # warm
    times = []
    for text in texts:
        began, began_cpu = time.perf_counter(), time.process_time()
        read([text])
        times.append((time.perf_counter() - began, time.process_time() - began_cpu))
    (middle, cpu), (late, late_cpu) = np.quantile(times, (0.5, 0.99), axis=0) * 1000
    return {"messages": len(texts), "ms": middle, "cpu_ms": cpu, "p99_ms": late, "p99_cpu_ms": late_cpu}


def _engine(python: str, model: Path) -> tuple[float, float]:
    """Memory in MB and seconds until ready of the engine as the app starts it."""
    with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = {
            **os.environ,
            "ADEMRUIMTE_ENGINE_TOKEN": "bench",
            "ADEMRUIMTE_TRACKER_DB": str(Path(folder) / "tracker.db"),
        }
        began = time.monotonic()
        with subprocess.Popen(
            [python, "-m", "engine.start", "--port", str(port), "--model", str(model)],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as engine:  # fmt: skip
            assert engine.stdout is not None and engine.stdin is not None
            line = engine.stdout.readline()
            seconds = time.monotonic() - began
            assert json.loads(line)["event"] == "ready"
            status = Path(f"/proc/{engine.pid}/status").read_text()
            engine.stdin.close()  # it ends with its parent's end of the line
        resident = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert resident is not None
        return int(resident[1]) * 1024 / 1e6, seconds


if __name__ == "__main__":
    sys.exit(main())
