"""The outbox for notifications: what is still to be told outside, at least once. Storage room.

A notice is written in the transaction of what it tells about, so that neither exists without the other. Who sends it
takes it for a while (a lease): when that process dies, the lease ends and the next one sends it again with the same
id, by which a receiver knows it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningUpdate

from bot.escalation.notices import Channel, Notice, Recipient, Reminder, Team, notices_for_reminder
from bot.storage.cases import SYSTEM, Case, add_event, read_in
from bot.storage.database import Database
from bot.storage.tables import accounts, case_events, cases, notifications

#: So long nobody else takes a notification that was taken. Sending one must give up well before.
LEASE = timedelta(minutes=2)

SendState = Literal["waiting", "sent", "dead"]


class NobodyToTellError(LookupError):
    """There is no coach, no deputy and no administrator for this case."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A notice as it is kept. `id` is its idempotency key; `tries`: how often sending it was begun."""

    id: str
    dedupe: str
    channel: str
    recipient: str
    payload: dict[str, Any]
    state: SendState
    tries: int
    created_at: datetime
    next_try_at: datetime
    sent_at: datetime | None
    error: str | None


_COLUMNS = [notifications.c[name] for name in Notification.__slots__]


# --- inside a transaction of someone else ---


def enqueue(db: Connection, notices: Iterable[Notice], at: datetime) -> int:
    """Keep notices to send; belongs into the transaction of what they tell about.

    Returns:
        How many of them were new: what was told or is to be told already is left as it is.
    """
    make = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    new = 0
    for notice in notices:
        row = {
            "id": uuid.uuid4().hex,
            "dedupe": notice.dedupe,
            "channel": notice.channel,
            "recipient": notice.recipient,
            "payload": dict(notice.payload),
            "state": "waiting",
            "tries": 0,
            "created_at": at,
            "next_try_at": at,
        }
        kept = make(notifications).values(**row).on_conflict_do_nothing(index_elements=["dedupe"])
        new += db.execute(kept).rowcount
    return new


def team_in(
    db: Connection, case: Case, deputies: Sequence[Recipient] = (), channels: Sequence[Channel] = ("mail",)
) -> Team:
    """Everyone who may be told about a case: the accounts whose scope covers it, and the deputies on duty."""
    a = accounts.c
    covers = or_(a.organisation.is_(None), a.organisation == case.organisation)
    covers &= or_(a.region.is_(None), a.region == case.region)
    limited = or_(a.organisation.is_not(None), a.region.is_not(None))

    def who(kind: Literal["coach", "administrator"], where: ColumnElement[bool]) -> list[Recipient]:
        rows = select(a.id, a.email, a.presence).where(a.disabled_at.is_(None), covers, where).order_by(a.id)
        return [Recipient(kind, row.id, row.email, row.presence == "available") for row in db.execute(rows)]

    return Team(
        coaches=who("coach", a.role.in_(("coach", "lead_coach")) & limited),
        deputies=deputies,
        administrators=who("administrator", a.role == "administrator"),
        channels=channels,
    )


def remind_in(
    db: Connection,
    case: Case,
    kind: Reminder,
    at: datetime,
    *,
    deputies: Sequence[Recipient],
    channels: Sequence[Channel],
) -> int:
    """Write a reminder into a case's timeline, once per case, together with its notices.

    Returns:
        How many notices were written; 0 when it was reminded before, or when a person was reached in the meantime.

    Raises:
        NobodyToTellError: nothing was written, so that it is told when there is somebody.
    """
    # On a server the lock makes a second process wait here, and then see the event.
    waits = select(cases.c.id).where(cases.c.id == case.id, cases.c.state.in_(("new", "claimed")))
    if db.execute(waits.with_for_update()).first() is None or reminded(db, [case.id], kind):
        return 0
    now = read_in(db, case.id)
    notices = notices_for_reminder(now, kind, team_in(db, now, deputies, channels))
    if not notices:
        raise NobodyToTellError
    add_event(db, case.id, at, SYSTEM, kind)
    return enqueue(db, notices, at)


def reminded(db: Connection, case_ids: Sequence[str], kind: Reminder) -> set[str]:
    """Which of these cases had this reminder."""
    had = select(case_events.c.case_id).where(case_events.c.case_id.in_(case_ids), case_events.c.kind == kind)
    return set(db.execute(had).scalars())


# --- sending ---


def taking(at: datetime, limit: int, channels: Sequence[str]) -> ReturningUpdate[Any]:
    """The one statement that takes what is due; of two processes at once only one gets a row."""
    n = notifications.c
    ready = (n.state == "waiting") & (n.next_try_at <= at) & n.channel.in_(channels)
    first = select(n.id).where(ready).order_by(n.next_try_at).limit(limit)
    # A server locks what it picks and skips what another process is picking; SQLite has one writer anyway.
    picked = first.with_for_update(skip_locked=True).cte("picked")
    return (
        update(notifications)
        .where(n.id.in_(select(picked.c.id)), ready)
        .values(next_try_at=at + LEASE, tries=n.tries + 1)
        .returning(*_COLUMNS)
    )


class Notifications:
    """What is to be sent and what was; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        """Args: database: where notifications are."""
        self.database = database

    async def due(self, at: datetime, limit: int, channels: Sequence[str]) -> list[Notification]:
        """Take what is to be sent now, oldest first; for `LEASE` nobody else gets it.

        Args:
            at: now.
            limit: at most so many.
            channels: only what goes over these.
        """
        take = taking(at, limit, channels)
        taken = await self.database.write(lambda db: [Notification(*row) for row in db.execute(take)])
        return sorted(taken, key=lambda one: one.created_at)

    async def sent(self, notification_id: str, at: datetime) -> None:
        """It arrived."""
        values = {"state": "sent", "sent_at": at, "error": None}
        await self._set(notification_id, notifications.c.state != "sent", values)

    async def failed(self, notification_id: str, at: datetime, error: str, retry_at: datetime | None) -> None:
        """It did not arrive.

        Args:
            notification_id: which.
            at: now.
            error: why, in Dutch, for the people of the desk; at most 200 characters, nothing of an address in it.
            retry_at: when to try again; None gives up.
        """
        state = "dead" if retry_at is None else "waiting"
        values = {"state": state, "next_try_at": retry_at or at, "error": error[:200]}
        # Another process may have sent it since, when this one was slow.
        await self._set(notification_id, notifications.c.state == "waiting", values)

    async def again(self, notification_id: str, at: datetime) -> bool:
        """Try anew, from the start; whether there was such a notification that had not arrived."""
        values = {"state": "waiting", "next_try_at": at, "tries": 0}
        return await self._set(notification_id, notifications.c.state != "sent", values)

    async def listing(self, state: SendState | None, limit: int) -> list[Notification]:
        """What is waiting, sent or dead (None: all), newest first."""
        rows = select(*_COLUMNS).order_by(notifications.c.created_at.desc(), notifications.c.id).limit(limit)
        if state is not None:
            rows = rows.where(notifications.c.state == state)
        return await self.database.read(lambda db: [Notification(*row) for row in db.execute(rows)])

    async def waiting(self) -> dict[str, int]:
        """How many wait, by channel."""
        count = select(notifications.c.channel, func.count()).where(notifications.c.state == "waiting")
        by_channel = count.group_by(notifications.c.channel)
        return await self.database.read(lambda db: {row[0]: row[1] for row in db.execute(by_channel)})

    async def _set(self, notification_id: str, only: ColumnElement[bool], values: dict[str, Any]) -> bool:
        change = update(notifications).where(notifications.c.id == notification_id, only).values(**values)
        return await self.database.write(lambda db: db.execute(change).rowcount == 1)
