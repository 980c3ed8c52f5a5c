"""Room `engine`: logging that cannot show what people wrote. May know the standard library and structlog.

Rasa puts texts, slots and tracker states into log messages and warnings. Only WARNING and above is kept,
and of what is not our own only the place in the code and the kind of error: enough to find the line,
never the words.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
import warnings
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import structlog

OWN_LOGGER = "engine"


class PlaceOnlyFormatter(logging.Formatter):
    """One JSON object per line; the message itself only from loggers below `engine`."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record without anything that could come from a conversation."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, tz=timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "place": f"{record.pathname.rpartition('site-packages/')[2]}:{record.lineno}",
        }
        if record.name.partition(".")[0] == OWN_LOGGER:
            line["event"] = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            line["errors"] = [_without_words(error) for error in _chain(record.exc_info[1])]
        return json.dumps(line, ensure_ascii=False)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it came from, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _without_words(error: BaseException) -> dict[str, Any]:
    """The kind of an error and the way it took through the code; its message may quote a person."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "trace": [
            f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}"
            for frame in frames
        ],
    }


def configure() -> None:
    """Send WARNING and above to standard error, for Python logging, structlog and warnings alike.

    structlog's filtering logger turns `debug` and `info` into empty functions: their values are not rendered.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlaceOnlyFormatter())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    # Rasa's warnings quote messages (`rasa data validate` shows them all); libraries reset mere filters.
    warnings.showwarning = _show_nothing
    structlog.configure(
        processors=[_to_logging],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _show_nothing(*_args: Any, **_kwargs: Any) -> None:
    """Stand in for `warnings.showwarning`."""


def quiet_libraries() -> None:
    """Undo what Sanic and others set up for themselves while they were imported."""
    for name in list(logging.root.manager.loggerDict):
        known = logging.getLogger(name)
        known.handlers.clear()
        known.propagate = True
        if known.level < logging.WARNING:
            known.setLevel(logging.NOTSET)


def _to_logging(_logger: Any, _method: str, event: dict[str, Any]) -> tuple[tuple[str], dict[str, Any]]:
    """Hand structlog's event name to Python logging; its values stay behind."""
    return (str(event.get("event", "")),), {"exc_info": event.get("exc_info"), "stacklevel": 3}
