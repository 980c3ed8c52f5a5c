"""Storage room: the outbox for notifications. Nothing is lost, nothing is told twice without need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url

from bot.escalation.notices import Notice, Recipient, notices_for_opened
from bot.storage.cases import Case, Opening, open_in, timeline
from bot.storage.database import Database, _Server, open_database
from bot.storage.notifications import (
    LEASE,
    NobodyToTellError,
    Notifications,
    enqueue,
    remind_in,
    taking,
    team_in,
)
from bot.storage.tables import accounts

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MAIL = ["mail"]
PAYLOAD = {"kind": "opened", "number": 1, "urgency": "now", "due_at": T0.isoformat(), "page": "/desk/"}


def a_notice(name: str, channel: Any = "mail") -> Notice:
    return Notice(f"case:x:opened:{name}", channel, f"{name}@example.org", PAYLOAD)


async def put(database: Database, *notices: Notice, at: datetime = T0) -> int:
    return await database.write(lambda db: enqueue(db, notices, at))


@pytest.fixture(params=["sqlite", "server"])
async def somewhere(
    request: pytest.FixtureRequest, database: Database, tmp_path: Path
) -> AsyncIterator[Database]:
    """The same work on SQLite and on the road of a database server."""
    if request.param == "sqlite":
        yield database
        return
    server = _Server(make_url(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"))
    yield server
    await server.close()


# --- keeping ---


async def test_a_notice_is_kept_as_waiting_and_can_be_sent_at_once(somewhere: Database) -> None:
    assert await put(somewhere, a_notice("a")) == 1
    (kept,) = await Notifications(somewhere).due(T0, 10, MAIL)
    assert (kept.state, kept.tries, kept.recipient, kept.payload) == ("waiting", 1, "a@example.org", PAYLOAD)
    assert (kept.created_at, kept.next_try_at, kept.sent_at, kept.error) == (T0, T0 + LEASE, None, None)
    assert len(kept.id) == 32


async def test_one_thing_is_told_once_to_one_recipient(somewhere: Database) -> None:
    outbox = Notifications(somewhere)
    assert await put(somewhere, a_notice("a"), a_notice("b")) == 2
    assert await put(somewhere, a_notice("b"), a_notice("c"), a_notice("c")) == 1
    assert {kept.recipient[0] for kept in await outbox.listing(None, 10)} == {"a", "b", "c"}
    for kept in await outbox.due(T0, 10, MAIL):
        await outbox.sent(kept.id, T0)
    assert await put(somewhere, a_notice("a")) == 0  # not even after it was sent
    assert await outbox.due(T0 + LEASE, 10, MAIL) == []


async def test_a_notice_goes_when_its_transaction_does_not_hold(somewhere: Database) -> None:
    def work(db: Connection) -> None:
        enqueue(db, [a_notice("a")], T0)
        raise LookupError

    with pytest.raises(LookupError):
        await somewhere.write(work)
    assert await Notifications(somewhere).listing(None, 10) == []


# --- taking ---


async def test_what_was_taken_is_nobody_elses_until_the_lease_ends(somewhere: Database) -> None:
    outbox = Notifications(somewhere)
    await put(somewhere, a_notice("a"))
    (first,) = await outbox.due(T0, 10, MAIL)
    assert await outbox.due(T0 + LEASE - timedelta(seconds=1), 10, MAIL) == []
    (second,) = await outbox.due(T0 + LEASE, 10, MAIL)
    assert (second.id, second.tries) == (first.id, 2)


async def test_two_processes_never_take_the_same_one(database: Database, tmp_path: Path) -> None:
    await put(database, *(a_notice(f"r{number}") for number in range(60)))
    others = [open_database(f"sqlite:///{tmp_path / 'test.db'}") for _ in range(3)]
    try:
        outboxes = [Notifications(each) for each in (database, *others)]
        taken = await asyncio.gather(*(outbox.due(T0, 5, MAIL) for outbox in outboxes for _ in range(4)))
    finally:
        for other in others:
            await other.close()
    ids = [kept.id for batch in taken for kept in batch]
    assert len(ids) == len(set(ids)) == 60


async def test_the_longest_waiting_go_first_and_no_more_than_asked(somewhere: Database) -> None:
    for minute, name in enumerate("cab"):
        await put(somewhere, a_notice(name), at=T0 + timedelta(minutes=minute))
    outbox = Notifications(somewhere)
    assert [kept.recipient[0] for kept in await outbox.due(T0 + timedelta(hours=1), 2, MAIL)] == ["c", "a"]
    assert [kept.recipient[0] for kept in await outbox.due(T0 + timedelta(hours=1), 2, MAIL)] == ["b"]


async def test_only_what_can_be_sent_is_taken(somewhere: Database) -> None:
    await put(somewhere, a_notice("a"), a_notice("b", "webhook"))
    outbox = Notifications(somewhere)
    assert [kept.recipient[0] for kept in await outbox.due(T0, 10, ["webhook"])] == ["b"]
    assert await outbox.due(T0, 10, []) == []
    assert await outbox.waiting() == {"mail": 1, "webhook": 1}


def test_on_a_server_a_process_skips_what_another_is_taking() -> None:
    said = str(taking(T0, 10, MAIL).compile(dialect=postgresql.dialect()))
    assert "FOR UPDATE SKIP LOCKED" in said
    assert said.startswith("WITH picked AS")
    assert "RETURNING" in said


# --- what became of it ---


async def test_what_failed_is_tried_again_when_it_was_said(somewhere: Database) -> None:
    outbox = Notifications(somewhere)
    await put(somewhere, a_notice("a"))
    (kept,) = await outbox.due(T0, 10, MAIL)
    later = T0 + timedelta(hours=1)
    await outbox.failed(kept.id, T0, "De mailserver is niet bereikbaar.", later)
    assert await outbox.due(later - timedelta(seconds=1), 10, MAIL) == []
    (again,) = await outbox.due(later, 10, MAIL)
    assert (again.id, again.tries, again.error) == (kept.id, 2, "De mailserver is niet bereikbaar.")
    await outbox.sent(kept.id, later)
    (sent,) = await outbox.listing("sent", 10)
    assert (sent.sent_at, sent.error) == (later, None)


async def test_what_was_given_up_stays_and_can_be_sent_again(somewhere: Database) -> None:
    outbox = Notifications(somewhere)
    await put(somewhere, a_notice("a"))
    (kept,) = await outbox.due(T0, 10, MAIL)
    await outbox.failed(kept.id, T0, "x" * 300, None)
    assert await outbox.due(T0 + timedelta(days=30), 10, MAIL) == []
    (dead,) = await outbox.listing("dead", 10)
    assert dead.error == "x" * 200
    assert await outbox.again(kept.id, T0 + timedelta(days=30))
    (again,) = await outbox.due(T0 + timedelta(days=30), 10, MAIL)
    assert (again.id, again.tries) == (kept.id, 1)


async def test_what_arrived_is_never_sent_again(somewhere: Database) -> None:
    outbox = Notifications(somewhere)
    await put(somewhere, a_notice("a"))
    (kept,) = await outbox.due(T0, 10, MAIL)
    await outbox.sent(kept.id, T0)
    # A slow process that had it before comes to its end only now.
    await outbox.failed(kept.id, T0, "te laat", T0)
    await outbox.sent(kept.id, T0 + timedelta(hours=1))
    assert not await outbox.again(kept.id, T0)
    (sent,) = await outbox.listing(None, 10)
    assert (sent.state, sent.sent_at, sent.error) == ("sent", T0, None)


async def test_a_notification_that_does_not_exist_cannot_be_sent_again(somewhere: Database) -> None:
    assert not await Notifications(somewhere).again("nowhere", T0)


async def test_the_list_shows_the_newest_first_and_no_more_than_asked(somewhere: Database) -> None:
    for minute, name in enumerate("abc"):
        await put(somewhere, a_notice(name), at=T0 + timedelta(minutes=minute))
    outbox = Notifications(somewhere)
    assert [kept.recipient[0] for kept in await outbox.listing("waiting", 2)] == ["c", "b"]
    assert await outbox.listing("dead", 10) == []


# --- who may be told ---


def add_account(db: Connection, name: str, role: str, **more: Any) -> None:
    row: dict[str, Any] = {
        "id": name,
        "email": f"{name}@example.org",
        "name": name,
        "role": role,
        "organisation": "voorbeeld",
        "region": None,
        "password_hash": "x",
        "recovery_hashes": [],
        "created_at": T0,
    }
    db.execute(insert(accounts).values(**row | more))


def open_case(db: Connection, urgency: Any = "48h") -> Case:
    opening = Opening(
        "voorbeeld",
        "vlaanderen",
        "triage",
        urgency,
        {"way": "phone", "name": "Voornaam", "phone": "0470123456"},
        words="iets heel persoonlijks",
        reasons=["slaapt slecht"],
    )
    return open_in(db, None, opening, T0)


def names(people: Any) -> list[str]:
    return [person.id for person in people]


async def test_only_those_who_may_see_a_case_are_told_of_it(somewhere: Database) -> None:
    deputies = [Recipient("deputy", "deputy:voorbeeld", "deputy@example.org")]

    def work(db: Connection) -> None:
        add_account(db, "in_organisation", "coach", presence="available")
        add_account(db, "in_region", "coach", organisation=None, region="vlaanderen", presence="busy")
        add_account(db, "lead", "lead_coach", region="vlaanderen")
        add_account(db, "gone", "coach", disabled_at=T0)
        add_account(db, "elsewhere", "coach", organisation="ander")
        add_account(db, "other_region", "coach", region="nederland")
        add_account(db, "unlimited", "coach", organisation=None)
        add_account(db, "leader", "leader")
        add_account(db, "ours", "administrator")
        add_account(db, "theirs", "administrator", organisation="ander")
        add_account(db, "of_all", "administrator", organisation=None)
        team = team_in(db, open_case(db), deputies, ("mail", "webhook"))
        assert names(team.coaches) == ["in_organisation", "in_region", "lead"]
        assert [coach.available for coach in team.coaches] == [True, False, False]
        assert names(team.administrators) == ["of_all", "ours"]
        assert (team.deputies, team.channels) == (deputies, ("mail", "webhook"))

    await somewhere.write(work)


async def test_a_case_and_its_notices_are_kept_together(somewhere: Database) -> None:
    def work(db: Connection) -> int:
        add_account(db, "coach", "coach", presence="available")
        case = open_case(db)
        return enqueue(db, notices_for_opened(case, team_in(db, case)), T0)

    assert await somewhere.write(work) == 1
    (kept,) = await Notifications(somewhere).listing("waiting", 10)
    for private in ("Voornaam", "0470", "persoonlijks", "slecht", "voorbeeld"):
        assert private not in f"{kept.payload} {kept.dedupe}"


async def test_a_reminder_is_written_once_with_its_event(somewhere: Database) -> None:
    def work(db: Connection) -> list[int]:
        add_account(db, "coach", "coach")
        case = open_case(db)
        written = [remind_in(db, case, "reminder_75", T0, deputies=(), channels=("mail",)) for _ in range(2)]
        assert [event.kind for event in timeline(db, case.id)] == ["opened", "reminder_75"]
        return written

    assert await somewhere.write(work) == [1, 0]


async def test_a_reminder_that_nobody_can_be_told_is_not_noted_as_done(somewhere: Database) -> None:
    def work(db: Connection) -> None:
        case = open_case(db)
        with pytest.raises(NobodyToTellError):
            remind_in(db, case, "reminder_100", T0, deputies=(), channels=("mail",))
        assert [event.kind for event in timeline(db, case.id)] == ["opened"]

    await somewhere.write(work)
