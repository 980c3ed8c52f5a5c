"""Storage room: the audit log. A row that was changed, left out or put in between shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, update

from bot.escalation.audit import START, chained, first_fault
from bot.storage import audit_log
from bot.storage.database import Database, open_database
from bot.storage.tables import audit_log as rows

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
COUNT = 12


async def note(database: Database, number: int) -> None:
    at = T0 + timedelta(minutes=number, microseconds=number)
    await database.write(lambda db: audit_log.note(db, at, f"coach{number}", "case.read", f"case{number}"))


@pytest.fixture
async def noted(database: Database) -> Database:
    for number in range(1, COUNT + 1):
        await note(database, number)
    return database


async def fault(database: Database) -> int | None:
    return first_fault(await audit_log.entries(database))


async def test_an_untouched_log_is_whole_and_counts_from_one(noted: Database) -> None:
    entries = await audit_log.entries(noted)
    assert [entry.seq for entry in entries] == list(range(1, COUNT + 1))
    assert await fault(noted) is None
    assert await noted.read(lambda db: list(audit_log.read_all(db))) == entries
    assert [entry.seq for entry in await audit_log.entries(noted, after=COUNT - 2)] == [COUNT - 1, COUNT]


async def test_an_empty_log_is_whole(database: Database) -> None:
    assert await audit_log.entries(database) == []
    assert await fault(database) is None


@pytest.mark.parametrize("seq", [1, 5, COUNT])
@pytest.mark.parametrize(
    "values",
    [
        {"actor": "iemand"},
        {"action": "case.note"},
        {"subject": "case99"},
        {"at": T0},
        {"hash": "f" * 64},
        # A border between two fields that moved must show as well.
        {"actor": "coach", "action": "5case.read"},
    ],
    ids=str,
)
async def test_a_changed_row_is_noticed(noted: Database, seq: int, values: dict[str, Any]) -> None:
    await noted.write(lambda db: db.execute(update(rows).where(rows.c.seq == seq).values(**values)).rowcount)
    assert await fault(noted) == seq


@pytest.mark.parametrize("seq", [1, 5, COUNT - 1])
async def test_a_removed_row_is_noticed(noted: Database, seq: int) -> None:
    await noted.write(lambda db: db.execute(delete(rows).where(rows.c.seq == seq)).rowcount)
    assert await fault(noted) == seq


@pytest.mark.parametrize("seq", [2, 5, COUNT])
async def test_a_removed_row_is_noticed_also_when_the_others_move_up(noted: Database, seq: int) -> None:
    def close_the_gap(db: Connection) -> None:
        db.execute(delete(rows).where(rows.c.seq == seq - 1))
        for number in range(seq, COUNT + 1):
            db.execute(update(rows).where(rows.c.seq == number).values(seq=number - 1))

    await noted.write(close_the_gap)
    assert await fault(noted) == seq - 1


@pytest.mark.parametrize("seq", [1, 5, COUNT])
async def test_an_inserted_row_is_noticed_even_with_a_hash_that_fits(noted: Database, seq: int) -> None:
    entries = await audit_log.entries(noted)
    before = entries[seq - 2].hash if seq > 1 else START
    row = {"seq": seq, "at": T0, "actor": "iemand", "action": "case.read", "subject": "case5"}

    def squeeze_in(db: Connection) -> None:
        for number in range(COUNT, seq - 1, -1):
            db.execute(update(rows).where(rows.c.seq == number).values(seq=number + 1))
        db.execute(insert(rows).values(**row, hash=chained(before, **row)))

    await noted.write(squeeze_in)
    assert await fault(noted) == seq + 1


async def test_two_rows_that_changed_places_are_noticed(noted: Database) -> None:
    def swap(db: Connection) -> None:
        for old, new in ((4, 99), (5, 4), (99, 5)):
            db.execute(update(rows).where(rows.c.seq == old).values(seq=new))

    await noted.write(swap)
    assert await fault(noted) == 4


async def test_rows_written_at_once_from_two_places_make_one_chain(
    database: Database, tmp_path: Path
) -> None:
    elsewhere = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    await asyncio.gather(*(note((database, elsewhere)[n % 2], n) for n in range(60)))
    entries = await audit_log.entries(elsewhere)
    assert {entry.subject for entry in entries} == {f"case{n}" for n in range(60)}
    assert (len(entries), await fault(elsewhere)) == (60, None)
    await elsewhere.close()


@pytest.mark.parametrize("fails", [True, False])
async def test_a_row_goes_when_what_it_tells_about_does_not_hold(noted: Database, fails: bool) -> None:
    def work(db: Connection) -> None:
        audit_log.note(db, T0, "coach1", "case.close", "case1")
        if fails:
            raise ConnectionError

    done: Callable[[], Any] = lambda: noted.write(work)  # noqa: E731 - awaited in two ways
    if fails:
        with pytest.raises(ConnectionError):
            await done()
    else:
        await done()
    assert len(await audit_log.entries(noted)) == COUNT + (not fails)
    await note(noted, 99)
    assert await fault(noted) is None
