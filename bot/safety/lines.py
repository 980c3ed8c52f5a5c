"""Judging many messages at once: `bot guard --jsonl`. Room: pure core; the command line hands lines in and out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, Protocol

from bot.safety.guard import Guard
from bot.safety.verdict import Judgement


class Output(Protocol):
    """Anything that takes text."""

    def write(self, text: str, /) -> object:
        """Take a piece of text."""


def run(guard: Guard, lines: Iterable[str | bytes], out: Output) -> None:
    """Judge one JSON object {"id", "text"} per line; write one per line. Empty lines are skipped.

    A line that cannot be read yields {"id": … or null, "error": "…"}.
    """
    for line in getattr(lines, "buffer", lines):
        found = _judged(guard, line)
        if found is not None:
            out.write(json.dumps(found) + "\n")


def as_json(judgement: Judgement) -> dict[str, Any]:
    """A judgement as it is written: verdict, kind, third_party, past, because."""
    return {
        "verdict": judgement.verdict,
        "kind": judgement.kind,
        "third_party": judgement.third_party,
        "past": judgement.past,
        "because": list(judgement.because),
    }


def shown(judgement: Judgement) -> str:
    """A judgement for a person at a terminal."""
    flags = [name for name in ("third_party", "past") if getattr(judgement, name)]
    first = " ".join([judgement.verdict, *([judgement.kind] if judgement.kind else []), *flags])
    return "\n".join([first, *(f"  {reason}" for reason in judgement.because)])


def _judged(guard: Guard, line: str | bytes) -> dict[str, Any] | None:
    try:
        text = line.decode("utf-8") if isinstance(line, bytes) else line
        if not text.strip():
            return None
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {"id": None, "error": "This line is not JSON in UTF-8."}
    if not isinstance(content, dict):
        return {"id": None, "error": "This line must be a JSON object with id and text."}
    name = content.get("id")
    named = isinstance(name, str | int) or (isinstance(name, float) and math.isfinite(name))
    name = name if named and not isinstance(name, bool) else None
    if not isinstance(content.get("text"), str):
        return {"id": name, "error": "The field text must be a text."}
    return {"id": name, **as_json(guard.judge(content["text"]))}
