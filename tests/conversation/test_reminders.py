"""Conversation room: people are reminded of a case at three quarters and at the end of its time, each once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.conversation import reminders as module
from bot.conversation.reminders import Reminders
from bot.escalation.cases import DUE, Scope, Urgency
from bot.escalation.notices import Recipient
from bot.storage.cases import Case, Cases, Opening, open_in, timeline
from bot.storage.database import Database, open_database
from bot.storage.migrate import migrate
from bot.storage.notifications import Notifications
from tests.running import until
from tests.storage.test_notifications import add_account

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SCOPE = Scope("voorbeeld", None)
SECOND = timedelta(seconds=1)


class World:
    """One organisation with two coaches, a deputy and an administrator; the clock stands still until it is moved."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, T0
        self.cases, self.outbox = Cases(database), Notifications(database)
        self.woken = 0
        self.reminders = self.process(database)

    def process(self, database: Database) -> Reminders:
        return Reminders(database, self.deputies, ("mail",), self.wake, lambda: self.now)

    def deputies(self, organisation: str, _at: datetime) -> Sequence[Recipient]:
        if organisation == "unknown":
            raise KeyError(organisation)
        known = Recipient("deputy", f"deputy:{organisation}", "deputy@example.org")
        return [known] if organisation == "voorbeeld" else []

    def wake(self) -> None:
        self.woken += 1

    async def people(self) -> None:
        def work(db: Any) -> None:
            add_account(db, "first", "coach", presence="available")
            add_account(db, "second", "coach")
            add_account(db, "admin", "administrator")

        await self.database.write(work)

    async def opens(self, urgency: Urgency = "48h", organisation: str = "voorbeeld") -> Case:
        contact = {"way": "phone", "name": "Voornaam", "phone": "0470123456"}
        opening = Opening(organisation, "vlaanderen", "triage", urgency, contact, words="persoonlijks")
        return await self.database.write(lambda db: open_in(db, None, opening, T0))

    async def at(self, share: float, case: Case, process: Reminders | None = None) -> list[str]:
        """Who is newly told in a round when this share of the case's time is gone."""
        before = {row.id for row in await self.outbox.listing(None, 1000)}
        self.now = T0 + share * (case.due_at - T0)
        await (process or self.reminders).round()
        new = [row for row in await self.outbox.listing(None, 1000) if row.id not in before]
        return sorted(f"{row.payload['kind'][9:]} {row.recipient.partition('@')[0]}" for row in new)

    async def events(self, case: Case) -> list[str]:
        found = await self.database.read(lambda db: timeline(db, case.id))
        return [event.kind for event in found if event.kind.startswith("reminder")]


@pytest.fixture
async def world(database: Database) -> World:
    made = World(database)
    await made.people()
    return made


@pytest.mark.parametrize("urgency", list(DUE))
async def test_nobody_is_reminded_before_three_quarters_of_the_time(world: World, urgency: Urgency) -> None:
    case = await world.opens(urgency)
    assert await world.at(0.74, case) == []
    world.now = T0 + 0.75 * DUE[urgency] - SECOND
    assert await world.reminders.round() == 0
    assert (await world.events(case), world.woken) == ([], 0)


@pytest.mark.parametrize("urgency", list(DUE))
async def test_each_reminder_goes_out_once_at_its_time(world: World, urgency: Urgency) -> None:
    case = await world.opens(urgency)
    assert await world.at(0.75, case) == ["75 first", "75 second"]
    assert await world.at(0.76, case) == []
    assert await world.at(0.99, case) == []
    assert await world.at(1.0, case) == ["100 admin", "100 deputy"]
    assert await world.at(1.01, case) == []
    assert await world.at(20, case) == []
    assert await world.events(case) == ["reminder_75", "reminder_100"]
    assert world.woken == 2


async def test_the_coach_who_has_the_case_is_reminded_and_no_other(world: World) -> None:
    case = await world.opens()
    assert await world.cases.claim(case.id, SCOPE, "second", T0)
    assert await world.at(0.75, case) == ["75 second"]


async def test_nobody_is_reminded_once_the_person_was_reached(world: World) -> None:
    case, closed = await world.opens(), await world.opens()
    for each in (case, closed):
        await world.cases.claim(each.id, SCOPE, "first", T0)
    await world.cases.change(case.id, SCOPE, "contact", "first", T0)
    await world.cases.change(closed.id, SCOPE, "close", "first", T0)
    assert await world.at(0.8, case) == []
    assert await world.at(1.5, case) == []


async def test_a_person_reached_while_a_round_was_under_way_is_not_reminded_of(world: World) -> None:
    case = await world.opens()

    class Slow(Cases):
        async def to_remind(self, at: datetime) -> list[Case]:
            found = await super().to_remind(at)
            await world.cases.claim(case.id, SCOPE, "first", at)
            await world.cases.change(case.id, SCOPE, "contact", "first", at)
            return found

    world.reminders._cases = Slow(world.database)
    assert await world.at(0.8, case) == []
    assert await world.events(case) == []


async def test_after_a_restart_what_was_told_is_not_told_again(world: World) -> None:
    case = await world.opens()
    assert await world.at(0.8, case) == ["75 first", "75 second"]
    assert await world.at(0.9, case, world.process(world.database)) == []
    assert await world.at(1.1, case, world.process(world.database)) == ["100 admin", "100 deputy"]
    assert await world.at(1.2, case, world.process(world.database)) == []


async def test_a_case_that_went_over_its_time_during_a_stop_gets_only_the_last_reminder(world: World) -> None:
    late, later = await world.opens("now"), await world.opens("48h")
    assert await world.at(0.8, later) == ["100 admin", "100 deputy", "75 first", "75 second"]
    assert await world.events(late) == ["reminder_100"]
    assert await world.events(later) == ["reminder_75"]


async def test_two_processes_at_once_remind_once(world: World, tmp_path: Path) -> None:
    cases = [await world.opens() for _ in range(15)]
    others = [open_database(f"sqlite:///{tmp_path / 'test.db'}") for _ in range(3)]
    world.now = T0 + 0.8 * DUE["48h"]
    try:
        written = await asyncio.gather(
            *(world.process(each).round() for each in (world.database, *others) for _ in range(2))
        )
    finally:
        for other in others:
            await other.close()
    assert sum(written) == len(await world.outbox.listing(None, 1000)) == 2 * len(cases)
    for case in cases:
        assert await world.events(case) == ["reminder_75"]


async def test_the_event_and_its_notices_are_kept_together_or_not_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await world.opens()

    def breaks(*_: object) -> int:
        raise OSError

    with monkeypatch.context() as patch, structlog.testing.capture_logs() as logs:
        patch.setattr("bot.storage.notifications.enqueue", breaks)
        assert await world.at(0.8, case) == []
    assert await world.events(case) == []
    assert [line["event"] for line in logs] == ["reminding of a case failed"]
    assert await world.at(0.8, case) == ["75 first", "75 second"]


async def test_a_case_that_cannot_be_reminded_of_holds_up_no_other(world: World) -> None:
    await world.opens("now", organisation="unknown")
    case = await world.opens("now")
    with structlog.testing.capture_logs() as logs:
        assert await world.at(0.8, case) == ["75 first", "75 second"]
    assert [line["event"] for line in logs] == ["reminding of a case failed"]


async def test_when_there_is_nobody_to_tell_it_is_told_as_soon_as_there_is(world: World) -> None:
    case = await world.opens(organisation="new")
    with structlog.testing.capture_logs() as logs:
        assert await world.at(0.8, case) == []
        assert await world.at(0.81, case) == []
    assert [(line["log_level"], line["event"]) for line in logs] == [("error", "nobody to remind")]
    await world.database.write(lambda db: add_account(db, "newcomer", "coach", organisation="new"))
    assert await world.at(0.82, case) == ["75 newcomer"]


async def test_a_reminder_says_nothing_about_the_person(world: World) -> None:
    case = await world.opens()
    await world.at(0.8, case)
    await world.at(1.0, case)
    for row in await world.outbox.listing(None, 10):
        for private in ("Voornaam", "0470", "persoonlijks", "voorbeeld"):
            assert private not in str(row.payload)


async def test_it_goes_on_after_the_database_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROUND_SECONDS", 0.01)
    late = open_database(f"sqlite:///{tmp_path / 'late.db'}")  # without a table in it, until it is migrated
    world = World(late)
    world.now = T0 + 0.8 * DUE["48h"]
    with structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(world.reminders.run())

        async def failed() -> bool:
            return bool(logs)

        await until(failed)
        await migrate(late)
        await world.people()
        await world.opens()

        async def reminded() -> bool:
            return len(await world.outbox.listing("waiting", 10)) == 2

        await until(reminded)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await late.close()
    assert {line["event"] for line in logs} == {"reminding failed"}
