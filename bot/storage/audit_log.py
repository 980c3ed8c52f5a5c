"""The audit log of the desk: written inside the transaction of what it tells about. Storage room."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, insert, select, text

from bot.escalation.audit import START, Entry, chained
from bot.storage.database import Database
from bot.storage.tables import audit_log

PAGE = 5000
#: On a server two transactions may write at once: this lock makes the second wait for the first.
_LOCK = text("SELECT pg_advisory_xact_lock(4170731)")
_LAST = select(audit_log.c.seq, audit_log.c.hash).order_by(audit_log.c.seq.desc()).limit(1)


def note(db: Connection, at: datetime, actor: str, action: str, subject: str) -> None:
    """Add a row; belongs into the transaction of what it tells about.

    Args:
        db: the transaction.
        at: when.
        actor: id of the account, 'person' or 'system'; at most 32 characters.
        action: what was done, such as 'case.open'; at most 32 characters.
        subject: to what: the id of a case or an account.
    """
    if db.dialect.name == "postgresql":
        db.execute(_LOCK)
    last = db.execute(_LAST).first()
    seq, before = (last.seq + 1, last.hash) if last is not None else (1, START)
    row = {"seq": seq, "at": at, "actor": actor, "action": action, "subject": subject}
    db.execute(insert(audit_log).values(**row, hash=chained(before, seq, at, actor, action, subject)))


async def entries(database: Database, after: int = 0) -> list[Entry]:
    """The rows behind number `after`, in order; at most `PAGE`."""
    columns = (audit_log.c[name] for name in Entry.__slots__)
    page = select(*columns).where(audit_log.c.seq > after).order_by(audit_log.c.seq).limit(PAGE)
    return await database.read(lambda db: [Entry(*row) for row in db.execute(page)])


def read_all(db: Connection) -> Iterator[Entry]:
    """Every row in order."""
    columns = (audit_log.c[name] for name in Entry.__slots__)
    for row in db.execute(select(*columns).order_by(audit_log.c.seq)):
        yield Entry(*row)
