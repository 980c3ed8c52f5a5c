"""The hash chain of the audit log: a row that was changed, left out or put in between shows.

Room: pure core.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

#: What the first row stands on.
START = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: `seq` counts from 1 without gaps; `hash` is 64 hexadecimal digits."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    hash: str


def chained(before: str, seq: int, at: datetime, actor: str, action: str, subject: str) -> str:
    """The hash of a row that follows a row with hash `before` (SHA-256, hexadecimal)."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    fields = "\x1f".join((before, str(seq), moment, actor, action, subject))
    return hashlib.sha256(fields.encode()).hexdigest()


def first_fault(entries: Iterable[Entry]) -> int | None:
    """The number of the first row that does not follow from the one before; None when all do."""
    before, expected = START, 1
    for entry in entries:
        right = chained(before, entry.seq, entry.at, entry.actor, entry.action, entry.subject)
        if entry.seq != expected or entry.hash != right:
            return expected
        before, expected = entry.hash, expected + 1
    return None
