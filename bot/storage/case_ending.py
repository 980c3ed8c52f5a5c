"""Taking what is personal out of cases: when the person wants it, and when time is up. Storage room."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from bot.storage.cases import PERSON, Case, change_in, hold, open_of
from bot.storage.tables import case_events, cases

#: What a case loses when its person takes it back, and some time after it is closed.
_WIPED: dict[str, Any] = {
    "conversation_id": None,
    "contact": {},
    "scores": None,
    "words": None,
    "reasons": [],
    "return_code_hash": None,
    "flagged_at": None,
    "turn_of": None,
    "turn_since": None,
}


def wipe_in(db: Connection, case_id: str) -> None:
    """Inside a transaction: take out what is personal; state, times and outcome stay for the figures.

    The case lets go of the conversation as well, so that what was said in it can no longer be read at the desk.
    """
    db.execute(update(cases).where(cases.c.id == case_id).values(**_WIPED))
    db.execute(update(case_events).where(case_events.c.case_id == case_id).values(data={}))


def withdraw_in(db: Connection, case: Case, at: datetime) -> None:
    """Inside a transaction: close a case because its person wants it so, and take out what is personal."""
    wipe_in(db, case.id)
    change_in(
        db, case.id, "close", PERSON, at, values={"outcome": "withdrawn", "closed_at": at}, kind="withdrawn"
    )


def forget_cases_in(db: Connection, conversation_id: str, at: datetime) -> None:
    """Inside a transaction: the person wants everything gone; open cases are withdrawn, all are wiped."""
    mine = select(cases.c.id).where(cases.c.conversation_id == conversation_id)
    found = db.execute(mine).scalars().all()
    for case_id in found:
        hold(db, case_id)
    open_case = open_of(db, conversation_id)
    if open_case is not None:
        withdraw_in(db, open_case, at)
    for case_id in found:
        wipe_in(db, case_id)
