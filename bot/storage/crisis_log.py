"""Crises and the tally of the guard, inside the transactions of the message log. Storage room.

Knows rows, not what they mean: safety decides, and what it decided is kept here together with the message.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.messages import Role
from bot.storage.cases import Case, Opening
from bot.storage.hand_overs import DeskView, HandOffRecord
from bot.storage.tables import check_ins, conversations, crises, guard_tally


@dataclass(frozen=True, slots=True)
class CrisisRecord:
    """A crisis as it is kept; see `CrisisRow`."""

    verdict: str
    kind: str
    third_party: bool
    stage: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when a message comes in.

    Attributes:
        recent: the person's words just before it.
        crisis: their latest crisis.
        owner: who answers the conversation: 'bot', 'queue' or 'coach'.
        hand_off: where they are on the way to a coach.
        desk: looks up, within the same transaction, what is known about cases and coaches; None where there is no desk.
        region: where the person is; None: where this server is for.
    """

    recent: tuple[str, ...]
    crisis: CrisisRecord | None
    owner: str = "bot"
    hand_off: HandOffRecord | None = None
    desk: Callable[[], DeskView] | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What safety says and does about one message.

    Attributes:
        replies: bubbles to say at once, each a list of parts.
        engine: what the engine gets: a payload of ours, '' for the message as it is, None for nothing.
        crisis: the crisis as it is now; None leaves it as it was.
        opens: it is a new one.
        command: while a questionnaire is open, the engine hears this before the next message; '' takes an earlier
            one back, None changes nothing.
        supersedes: earlier messages without an answer get none.
        events: what is counted, with its kind.
        voice: who says the replies.
        hand_off: where the person is now on the way to a coach; None leaves it as it was.
        opening: the case to open; then `opened` gives what is said about it.
        withdraws: the person's open case is withdrawn.
        raises: the person's open case is urgent from now on.
        live: in a conversation that a coach owns: 'said' to the coach, or 'ended' by the person.
        flag: the kind of danger the coach is told of.
        region: the person is there from now on; None changes nothing.
    """

    replies: tuple[list[dict[str, Any]], ...] = ()
    engine: str | None = ""
    crisis: CrisisRecord | None = None
    opens: bool = False
    command: str | None = None
    supersedes: bool = False
    events: tuple[tuple[str, str], ...] = ()
    voice: Role = "bot"
    hand_off: HandOffRecord | None = None
    opening: Opening | None = None
    opened: Callable[[Case], tuple[list[dict[str, Any]], ...]] | None = None
    withdraws: bool = False
    raises: bool = False
    live: Literal["said", "ended"] | None = None
    flag: str | None = None
    region: str | None = None


_OPEN_CHECK_IN = (check_ins.c.conversation_id == conversations.c.id) & check_ins.c.finished_at.is_(None)
_LATEST = (
    select(
        crises.c.verdict,
        crises.c.kind,
        crises.c.third_party,
        crises.c.stage,
        crises.c.changed_at,
        crises.c.last_seq,
        crises.c.id,
    )
    .where(crises.c.conversation_id == bindparam("cid"))
    .order_by(crises.c.last_seq.desc(), crises.c.opened_at.desc())
    .limit(1)
)


def latest(db: Connection, conversation_id: str) -> tuple[CrisisRecord | None, int]:
    """The latest crisis, also when it is closed, and the last message that belongs to it (0 when none)."""
    row = db.execute(_LATEST, {"cid": conversation_id}).first()
    return (CrisisRecord(*row[:5]), row.last_seq) if row is not None else (None, 0)


def keep(db: Connection, conversation_id: str, seq: int, ruling: Ruling, at: datetime) -> None:
    """Keep what was decided about message `seq`; belongs into the transaction that stores the message."""
    found = ruling.crisis
    if found is not None:
        now = {
            "verdict": found.verdict,
            "kind": found.kind,
            "third_party": found.third_party,
            "stage": found.stage,
            "changed_at": found.changed_at,
            "last_seq": seq,
        }
        row = None if ruling.opens else db.execute(_LATEST, {"cid": conversation_id}).first()
        if row is None:
            mine = {"id": uuid.uuid4().hex, "conversation_id": conversation_id, "opened_at": at}
            db.execute(insert(crises).values(now | mine))
        else:
            db.execute(update(crises).where(crises.c.id == row.id).values(now))
    if ruling.command is not None:
        here = conversations.c.id == conversation_id
        if ruling.command:  # nothing to put aside when no questionnaire is open
            here &= select(check_ins.c.id).where(_OPEN_CHECK_IN).exists()
        db.execute(update(conversations).where(here).values(engine_command=ruling.command or None))
    for event, kind in ruling.events:
        _count(db, event, kind, at)


def command_heard(db: Connection, conversation_id: str, command: str) -> None:
    """The engine has heard this command; one that came in the meantime stays."""
    here = (conversations.c.id == conversation_id) & (conversations.c.engine_command == command)
    db.execute(update(conversations).where(here).values(engine_command=None))


def tally(db: Connection) -> list[tuple[str, str, str, int]]:
    """Every count: day, event, kind, how often."""
    columns = (guard_tally.c.day, guard_tally.c.event, guard_tally.c.kind, guard_tally.c.count)
    return [tuple(row) for row in db.execute(select(*columns).order_by(*columns[:3]))]


def _count(db: Connection, event: str, kind: str, at: datetime) -> None:
    key = {"day": at.astimezone(UTC).date().isoformat(), "event": event, "kind": kind}
    # Two people at once may be the first of the day: the same statement makes the row or adds to it.
    upsert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    first = upsert(guard_tally).values(**key, count=1)
    more = {"count": guard_tally.c.count + 1}
    db.execute(first.on_conflict_do_update(index_elements=list(key), set_=more))
