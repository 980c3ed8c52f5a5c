"""Storage room: the counts behind the figures, against the same counts made one case at a time."""

from __future__ import annotations

import random
import statistics
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from bot.escalation.cases import OUTCOMES, Scope
from bot.escalation.figures import weeks_until
from bot.storage import figures
from bot.storage.database import Database
from bot.storage.tables import cases

# A week with a change of the clock (29 March) is among the twelve.
NOW = datetime(2026, 4, 22, 12, 0, tzinfo=UTC)
WEEKS = weeks_until(NOW, ZoneInfo("Europe/Brussels"))
PROMISED = timedelta(hours=48)


def some_cases(count: int) -> list[dict[str, Any]]:
    """Cases over twenty weeks, some on the borders of weeks."""
    dice = random.Random(7)  # noqa: S311 - the same cases each time
    borders = [week.start.astimezone(UTC) for week in WEEKS]
    made = []
    for number in range(count):
        opened = NOW - timedelta(seconds=dice.randrange(20 * 7 * 86400))
        if number % 10 == 0:
            opened = dice.choice(borders) + timedelta(seconds=dice.choice((-1, 0, 1)))
        claimed = dice.choice((None, opened + timedelta(hours=dice.random() * 30)))
        contacted = (
            None if claimed is None else dice.choice((None, claimed + timedelta(hours=dice.random() * 60)))
        )
        closed = (
            None
            if contacted is None
            else dice.choice((None, contacted + timedelta(hours=dice.random() * 90)))
        )
        made.append(
            {
                "id": uuid.uuid4().hex,
                "number": number,
                "organisation": dice.choice(("zorgpunt", "elders")),
                "region": dice.choice(("vlaanderen", "nederland")),
                "origin": "request",
                "state": "new" if claimed is None else "closed" if closed else "claimed",
                "urgency": "48h",
                "opened_at": opened,
                "due_at": opened + PROMISED,
                "claimed_at": claimed,
                "contacted_at": contacted,
                "closed_at": closed,
                "outcome": dice.choice(OUTCOMES) if closed else None,
                "contact": {},
                "reasons": [],
            }
        )
    return made


@pytest.mark.parametrize(
    "scope", [Scope("zorgpunt", None), Scope("elders", "nederland"), Scope(None, "vlaanderen"), None]
)
async def test_the_figures_are_those_of_the_cases_in_scope(database: Database, scope: Scope | None) -> None:
    made = some_cases(400)
    await database.write(lambda db: db.execute(insert(cases), made))
    found = await figures.figures(database, scope, WEEKS, NOW)
    mine = [one for one in made if scope is None or scope.covers(one["organisation"], one["region"])]

    still_open = [one for one in mine if one["state"] != "closed"]
    late = [one for one in still_open if one["due_at"] < NOW and one["contacted_at"] is None]
    assert (found.now.open, found.now.overdue, found.now.mine) == (len(still_open), len(late), 0)

    for week in found.weeks:

        def within(moment: datetime | None, week: figures.WeekFigures = week) -> bool:
            return moment is not None and week.week.start <= moment < week.week.end

        assert week.new == sum(within(one["opened_at"]) for one in mine)
        assert week.claimed == sum(within(one["claimed_at"]) for one in mine)
        reached = [one for one in mine if within(one["contacted_at"])]
        times = [int((one["contacted_at"] - one["opened_at"]).total_seconds()) for one in reached]
        assert (week.contacted, week.median.of) == (len(reached), len(reached))
        if times:
            assert week.median.seconds == pytest.approx(statistics.median(times), abs=1)
        opened = [one for one in mine if within(one["opened_at"])]
        in_time = [
            one
            for one in opened
            if one["contacted_at"] and one["contacted_at"] <= one["opened_at"] + PROMISED
        ]
        judged = [one for one in opened if one in in_time or one["opened_at"] <= NOW - PROMISED]
        assert (week.judged, week.in_time) == (len(judged), len(in_time))

    closed = [one for one in mine if one["closed_at"] and WEEKS[0].start <= one["closed_at"] < WEEKS[-1].end]
    assert found.outcomes == {
        outcome: sum(one["outcome"] == outcome for one in closed) for outcome in OUTCOMES
    }


async def test_without_cases_there_are_zeros(database: Database) -> None:
    found = await figures.figures(database, Scope("zorgpunt", None), WEEKS, NOW)
    assert (found.now.open, found.now.overdue, found.median.of, found.median.seconds) == (0, 0, 0, None)
    assert len(found.weeks) == 12
    assert {week.new for week in found.weeks} == {0}


async def test_a_count_of_ones_own_is_that_account_only(database: Database) -> None:
    made = [one | {"state": "claimed"} for one in some_cases(10)]
    await database.write(lambda db: db.execute(insert(cases), made))
    assert (await figures.counts(database, Scope(None, "vlaanderen"), "nobody", NOW)).mine == 0
