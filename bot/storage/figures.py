"""Counting cases, for the desk. Storage room: SQL aggregates only, no case is loaded for a count.

These are the true numbers; which of them may be shown is decided by bot.escalation.figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Integer, case, extract, func, select, true
from sqlalchemy import cast as sql_cast

from bot.escalation.cases import OUTCOMES, Outcome, Scope
from bot.escalation.figures import Week
from bot.storage.cases import within
from bot.storage.database import Database
from bot.storage.tables import cases

#: What people are promised: by then someone has reached them.
PROMISED = timedelta(hours=48)

Column = ColumnElement[datetime]


@dataclass(frozen=True, slots=True)
class Now:
    """Open cases at this moment. `overdue`: not reached in time; `unclaimed`: nobody has it; `mine`: one's own."""

    open: int
    overdue: int
    unclaimed: int
    mine: int


@dataclass(frozen=True, slots=True)
class Median:
    """The middle time from opening to first contact, in seconds (None without any), and of how many cases."""

    seconds: float | None = None
    of: int = 0


@dataclass(frozen=True, slots=True)
class WeekFigures:
    """One week: cases opened, taken and first contacted in it, and the median of those first contacts.

    `judged` are the cases opened in it of which is known whether someone reached them within `PROMISED`; `in_time`
    those that were.
    """

    week: Week
    new: int
    claimed: int
    contacted: int
    judged: int
    in_time: int
    median: Median


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything on the page: now, per week (oldest first), and the median and outcomes of all these weeks."""

    now: Now
    weeks: list[WeekFigures]
    median: Median
    outcomes: dict[Outcome, int]


async def counts(database: Database, scope: Scope | None, account_id: str | None, at: datetime) -> Now:
    """How many cases are open now; without an account none are `mine`."""
    return await database.read(lambda db: _now(db, scope, account_id, at))


async def figures(database: Database, scope: Scope | None, weeks: Sequence[Week], at: datetime) -> Figures:
    """Count.

    Args:
        database: where cases are.
        scope: which cases count; None counts all of them, for administrators of the whole.
        weeks: that follow each other, oldest first; at least one.
        at: the moment.
    """
    whole = Week(0, 0, weeks[0].start, weeks[-1].end)

    def work(db: Connection) -> Figures:
        new = _per_week(db, scope, weeks, cases.c.opened_at)
        claimed = _per_week(db, scope, weeks, cases.c.claimed_at)
        contacted = _per_week(db, scope, weeks, cases.c.contacted_at)
        promised = _promised(db, scope, weeks, at)
        medians = _medians(db, scope, weeks)
        return Figures(
            now=_now(db, scope, None, at),
            weeks=[
                WeekFigures(
                    week,
                    new.get(index, 0),
                    claimed.get(index, 0),
                    contacted.get(index, 0),
                    *promised.get(index, (0, 0)),
                    median=medians.get(index, Median()),
                )
                for index, week in enumerate(weeks)
            ],
            median=_medians(db, scope, [whole]).get(0, Median()),
            outcomes=_outcomes(db, scope, whole),
        )

    return await database.read(work)


def _now(db: Connection, scope: Scope | None, account_id: str | None, at: datetime) -> Now:
    late = (cases.c.due_at < at) & cases.c.contacted_at.is_(None)
    question = select(
        func.count(),
        _count_if(late),
        _count_if(cases.c.owner_id.is_(None)),
        _count_if(cases.c.owner_id == (account_id or "")),
    ).where(_inside(scope), cases.c.state != "closed")
    return Now(*db.execute(question).one())


def _per_week(db: Connection, scope: Scope | None, weeks: Sequence[Week], moment: Column) -> dict[int, int]:
    """How many cases have this moment in each week, by the week's place in `weeks`."""
    place = _place(weeks, moment)
    question = select(place, func.count()).where(_inside(scope), *_during(weeks, moment)).group_by(place)
    return {row[0]: row[1] for row in db.execute(question)}


def _promised(
    db: Connection, scope: Scope | None, weeks: Sequence[Week], at: datetime
) -> dict[int, tuple[int, int]]:
    opened, contacted = cases.c.opened_at, cases.c.contacted_at
    place = _place(weeks, opened)
    in_time = func.coalesce(_seconds(db, opened, contacted) <= PROMISED.total_seconds(), False)
    judged = in_time | (opened <= at - PROMISED)
    question = select(place, _count_if(judged), _count_if(in_time)).where(
        _inside(scope), *_during(weeks, opened)
    )
    return {index: (of, part) for index, of, part in db.execute(question.group_by(place))}


def _medians(db: Connection, scope: Scope | None, weeks: Sequence[Week]) -> dict[int, Median]:
    opened, contacted = cases.c.opened_at, cases.c.contacted_at
    place, seconds = _place(weeks, contacted), _seconds(db, opened, contacted)
    here = (_inside(scope), *_during(weeks, contacted))
    ranked = (
        select(
            place.label("place"),
            seconds.label("seconds"),
            func.row_number().over(partition_by=place, order_by=seconds).label("rank"),
            func.count().over(partition_by=place).label("of"),
        )
        .where(*here)
        .subquery()
    )
    rank, of = ranked.c.rank, ranked.c["of"]
    middle = (rank == (of + 1) // 2) | (rank == (of + 2) // 2)
    question = select(ranked.c.place, func.avg(ranked.c.seconds), func.max(of)).where(middle)
    return {
        index: Median(float(value), number)
        for index, value, number in db.execute(question.group_by(ranked.c.place))
    }


def _outcomes(db: Connection, scope: Scope | None, week: Week) -> dict[Outcome, int]:
    question = select(cases.c.outcome, func.count()).where(
        _inside(scope), *_during([week], cases.c.closed_at)
    )
    found = {row[0]: row[1] for row in db.execute(question.group_by(cases.c.outcome))}
    return {outcome: found.get(outcome, 0) for outcome in OUTCOMES}


def _inside(scope: Scope | None) -> ColumnElement[bool]:
    return true() if scope is None else within(scope)


def _during(weeks: Sequence[Week], moment: Column) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return moment >= weeks[0].start, moment < weeks[-1].end


def _place(weeks: Sequence[Week], moment: Column) -> ColumnElement[int]:
    """The place in `weeks` of the week a moment is in: their borders are local midnights, no fixed step apart."""
    return case(*((moment < week.end, index) for index, week in enumerate(weeks)), else_=len(weeks))


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _seconds(db: Connection, start: Column, end: Column) -> ColumnElement[int]:
    """Whole seconds between two moments: SQLite keeps them as text, a server as moments."""
    if db.dialect.name == "sqlite":
        first, last = (sql_cast(func.strftime("%s", moment), Integer) for moment in (start, end))
        return last - first
    return sql_cast(extract("epoch", end - start), Integer)
