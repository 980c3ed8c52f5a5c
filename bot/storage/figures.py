"""Counting cases, for the desk. Storage room: SQL aggregates only, no case is loaded for a count.

These are the true numbers; which of them may be shown is decided by bot.escalation.figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Integer, case, extract, func, or_, select, true
from sqlalchemy import cast as sql_cast

from bot.escalation.cases import OUTCOMES, Outcome, Scope
from bot.escalation.figures import Week
from bot.storage.cases import within
from bot.storage.database import Database
from bot.storage.tables import cases

#: What people are promised: by then someone has reached them.
PROMISED = timedelta(hours=48)
_ALL = -1

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

    def work(db: Connection) -> Figures:
        medians = _medians(db, scope, weeks)
        return Figures(
            now=_now(db, scope, None, at),
            weeks=[
                WeekFigures(week, *numbers, median=medians.get(index, Median()))
                for index, (week, numbers) in enumerate(
                    zip(weeks, _numbers(db, scope, weeks, at), strict=True)
                )
            ],
            median=medians.get(_ALL, Median()),
            outcomes=_outcomes(db, scope, weeks),
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


def _numbers(
    db: Connection, scope: Scope | None, weeks: Sequence[Week], at: datetime
) -> list[tuple[int, int, int, int, int]]:
    """Per week: new, claimed, contacted, judged, in time.

    The cases are gone through once, counted by the weeks they were opened, claimed and contacted in.
    """
    opened, claimed, contacted = cases.c.opened_at, cases.c.claimed_at, cases.c.contacted_at
    in_time = case((_seconds(db, opened, contacted) <= PROMISED.total_seconds(), 1), else_=0)
    judged = case((opened <= at - PROMISED, 1), else_=in_time)
    moments = (opened, claimed, contacted)
    each = (
        select(
            *(_place(weeks, moment).label(f"week{index}") for index, moment in enumerate(moments)),
            judged.label("judged"),
            in_time.label("in_time"),
        )
        .where(_inside(scope), or_(*(_during(weeks, moment) for moment in moments)))
        .subquery()
    )
    numbers = [[0] * 5 for _ in range(len(weeks) + 1)]  # the last one is that of moments in none of them
    for *places, is_judged, is_in_time, number in db.execute(select(*each.c, func.count()).group_by(*each.c)):
        for column, place in enumerate(places):
            numbers[place][column] += number
        numbers[places[0]][3] += number * is_judged
        numbers[places[0]][4] += number * is_in_time
    return [(row[0], row[1], row[2], row[3], row[4]) for row in numbers[: len(weeks)]]


def _medians(db: Connection, scope: Scope | None, weeks: Sequence[Week]) -> dict[int, Median]:
    """By the week's place in `weeks`, and that of all of them as `_ALL`; without a contact there is none."""
    opened, contacted = cases.c.opened_at, cases.c.contacted_at
    each = (
        select(_place(weeks, contacted).label("week"), _seconds(db, opened, contacted).label("seconds"))
        .where(_inside(scope), _during(weeks, contacted))
        .subquery()
    )
    week, seconds = each.c.week, each.c.seconds
    ranked = select(
        week,
        seconds,
        func.row_number().over(partition_by=week, order_by=seconds).label("rank"),
        func.count().over(partition_by=week).label("of"),
        func.row_number().over(order_by=seconds).label("rank_of_all"),
        func.count().over().label("all"),
    ).subquery()
    r = ranked.c
    middle, middle_of_all = _is_middle(r.rank, r["of"]), _is_middle(r.rank_of_all, r["all"])
    marks = (case((mark, 1), else_=0) for mark in (middle, middle_of_all))
    question = select(r.week, r.seconds, r["of"], r["all"], *marks).where(middle | middle_of_all)
    middles: dict[int, tuple[list[int], int]] = {}
    for place, value, of, of_all, is_middle, is_middle_of_all in db.execute(question):
        if is_middle:
            middles.setdefault(place, ([], of))[0].append(value)
        if is_middle_of_all:
            middles.setdefault(_ALL, ([], of_all))[0].append(value)
    return {place: Median(sum(values) / len(values), of) for place, (values, of) in middles.items()}


def _is_middle(rank: ColumnElement[int], of: ColumnElement[int]) -> ColumnElement[bool]:
    """The one in the middle, or the two."""
    return (rank == (of + 1) // 2) | (rank == (of + 2) // 2)


def _outcomes(db: Connection, scope: Scope | None, weeks: Sequence[Week]) -> dict[Outcome, int]:
    during = _during(weeks, cases.c.closed_at)
    question = select(cases.c.outcome, func.count()).where(_inside(scope), during).group_by(cases.c.outcome)
    found = {row[0]: row[1] for row in db.execute(question)}
    return {outcome: found.get(outcome, 0) for outcome in OUTCOMES}


def _inside(scope: Scope | None) -> ColumnElement[bool]:
    return true() if scope is None else within(scope)


def _during(weeks: Sequence[Week], moment: Column) -> ColumnElement[bool]:
    return (moment >= weeks[0].start) & (moment < weeks[-1].end)


def _place(weeks: Sequence[Week], moment: Column) -> ColumnElement[int]:
    """The place in `weeks` of the week a moment is in; their number when it is in none, or there is no moment.

    The borders are local midnights, no fixed step apart.
    """
    none = len(weeks)
    within_week = ((moment < week.end, index) for index, week in enumerate(weeks))
    return case((moment < weeks[0].start, none), *within_week, else_=none)


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _seconds(db: Connection, start: Column, end: Column) -> ColumnElement[int]:
    """Whole seconds between two moments: SQLite keeps them as text, a server as moments."""
    if db.dialect.name == "sqlite":
        first, last = (sql_cast(func.strftime("%s", moment), Integer) for moment in (start, end))
        return last - first
    return sql_cast(extract("epoch", end - start), Integer)
