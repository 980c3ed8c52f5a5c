"""Structured logs that never hold what a person wrote. Edge room.

Two rules make that hold by construction, not by care:

- only the keys in `ALLOWED` pass; whatever else a log call carries is dropped;
- of an exception only its type and the places in the code are written, never its message, which may repeat
  what was being handled. Lines of libraries keep their template without the values that go into it.

Tokens and network addresses have no key, so they cannot be logged either.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

ALLOWED = frozenset(
    {
        "action",
        "address",
        "attempt",
        "code",
        "conversation",
        "count",
        "error",
        "event",
        "frames",
        "level",
        "library",
        "method",
        "milliseconds",
        "model",
        "pid",
        "port",
        "problem",
        "route",
        "seconds",
        "seq",
        "state",
        "status",
        "time",
        "version",
    }
)
# `error` is the type of an exception, `problem` a sentence of ours, `address` our own, `route` a template.

Event = MutableMapping[str, Any]
_Exception = tuple[type[BaseException], BaseException, TracebackType | None]


def set_up_logs(level: str = "info", kind: str = "auto", stream: TextIO | None = None) -> None:
    """Send our logs and those of libraries to `stream` (standard error), one line each.

    Args:
        level: least serious level written; libraries never write below warning.
        kind: `json`, `console` for people, or `auto`: console on a terminal.
        stream: where to, for tests.
    """
    target = stream or sys.stderr
    console = kind == "console" or (kind == "auto" and target.isatty())
    if console:
        draw: Any = structlog.dev.ConsoleRenderer(colors=target.isatty(), pad_event_to=0)
    else:
        draw = structlog.processors.JSONRenderer(ensure_ascii=False)
    finish: list[Any] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        without_messages,
        only_allowed,
        draw,
    ]
    lowest = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[structlog.processors.add_log_level, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(_LibraryFormatter(finish))
    logging.basicConfig(handlers=[handler], level=max(lowest, logging.WARNING), force=True)


def without_messages(_logger: object, _method: str, event: Event) -> Event:
    """Replace an exception by its type and the places it passed."""
    caught = event.pop("exc_info", None)
    if caught:
        event.update(_describe(sys.exc_info() if caught is True else caught))
    return event


def only_allowed(_logger: object, _method: str, event: Event) -> Event:
    """Drop every key that is not meant for logs."""
    return {key: value for key, value in event.items() if key in ALLOWED}


class _LibraryFormatter(logging.Formatter):
    """A line of a library: its name, level and template. The values in it are left out."""

    def __init__(self, finish: list[Any]) -> None:
        super().__init__()
        self._finish = finish

    def format(self, record: logging.LogRecord) -> str:
        # asyncio puts whole exceptions below its first line.
        first_line = str(record.msg).partition("\n")[0][:200]
        event: Any = {"event": first_line, "level": record.levelname.lower(), "library": record.name}
        if record.exc_info:
            event |= _describe(record.exc_info)
        for step in self._finish:
            event = step(None, record.levelname.lower(), event)
        return str(event)


def _describe(caught: BaseException | tuple[Any, ...]) -> dict[str, Any]:
    error = caught if isinstance(caught, BaseException) else caught[1]
    if error is None:
        return {}
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__qualname__,
        "frames": [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    }


def _short(filename: str) -> str:
    return "/".join(filename.split("/")[-3:])
