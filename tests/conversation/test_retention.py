"""Conversation room: what remains before, near and after its time; forgetting reaches the engine."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.conversation.retention import Retention, months_before
from bot.storage.database import Database
from bot.storage.keeping import Keeping
from bot.storage.message_log import MessageLog
from bot.storage.store import Store
from tests.running import Running, calm, until

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "iets heel persoonlijks"


class Clock:
    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now


class Engine:
    """Stands for the engine client: confirms deletions when it is there."""

    def __init__(self) -> None:
        self.there = True
        self.deleted: list[str] = []

    async def forget(self, sender: str) -> bool:
        if self.there:
            self.deleted.append(sender)
        return self.there


class World:
    def __init__(self, database: Database) -> None:
        self.database, self.clock, self.engine = database, Clock(), Engine()
        self.log, self.store = MessageLog(database), Store(database, self.clock)
        self.retention = Retention(
            Keeping(database),
            self.log,
            self.engine,
            words_hours=24,
            history_months=12,
            case_days=180,
            turn_seconds=20,
            clock=self.clock,
        )

    async def conversation(self, name: str, consent: bool | None) -> str:
        conversation_id = await self.log.open_session(name, "web", T0)
        await self.log.accept(
            conversation_id,
            client_id="m1",
            content_hash="x",
            parts=[{"type": "text", "text": SECRET}],
            payload=None,
            at=T0,
            decide=calm,
        )
        if consent is not None:
            await self.store.set_consent(conversation_id, consent, T0)
        check_in = await self.store.start_check_in(conversation_id, "pols", "hash", T0)
        await self.store.save_answer(check_in.id, "sleep", 3, T0)
        return conversation_id

    async def left(self, after: timedelta) -> tuple[int, ...]:
        self.clock.now = T0 + after
        await self.retention.delete_idle()
        return tuple([await self.count(t) for t in ("conversations", "messages", "check_ins", "answers")])

    async def count(self, table: str) -> int:
        question = text(f"SELECT count(*) FROM {table}")  # noqa: S608 - names of our own tables
        return await self.database.read(lambda db: db.execute(question).scalar_one())


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.mark.parametrize("consent", [None, False])
async def test_without_consent_nothing_outlives_a_day(world: World, consent: bool | None) -> None:
    await world.conversation("a", consent)
    assert await world.left(timedelta(hours=23, minutes=59)) == (1, 1, 1, 1)
    assert await world.left(timedelta(hours=24)) == (1, 1, 1, 1)
    assert await world.left(timedelta(hours=24, seconds=1)) == (0, 0, 0, 0)


async def test_with_consent_words_go_after_a_day_and_check_ins_after_a_year(world: World) -> None:
    await world.conversation("a", True)
    assert await world.left(timedelta(hours=24)) == (1, 1, 1, 1)
    assert await world.left(timedelta(hours=24, seconds=1)) == (1, 0, 1, 1)
    assert await world.left(timedelta(days=365)) == (1, 0, 1, 1)
    assert await world.left(timedelta(days=365, seconds=1)) == (0, 0, 0, 0)


async def test_a_visit_starts_the_time_anew(world: World) -> None:
    conversation_id = await world.conversation("a", None)
    await world.log.visited(conversation_id, T0 + timedelta(hours=20))
    assert await world.left(timedelta(hours=43)) == (1, 1, 1, 1)
    assert await world.left(timedelta(hours=45)) == (0, 0, 0, 0)


async def test_only_what_is_past_its_time_goes(world: World) -> None:
    for number in range(450):
        await world.log.open_session(f"old{number}", "web", T0)
    kept = await world.log.open_session("young", "web", T0 + timedelta(hours=2))
    assert (await world.left(timedelta(hours=25)))[0] == 1
    assert await world.log.exists(kept)


async def test_trackers_of_deleted_conversations_are_deleted_when_the_engine_is_back(world: World) -> None:
    conversation_id = await world.conversation("a", None)
    await world.left(timedelta(hours=25))
    world.engine.there = False
    await world.retention.delete_trackers()
    assert await world.count("forgotten") == 1
    world.engine.there = True
    await world.retention.delete_trackers()
    assert world.engine.deleted == [conversation_id]
    # A turn that was under way may write the tracker once more: it is deleted again before the note goes.
    assert await world.count("forgotten") == 1
    world.clock.now += timedelta(minutes=5)
    await world.retention.delete_trackers()
    assert world.engine.deleted == [conversation_id] * 2
    assert await world.count("forgotten") == 0


async def test_the_tracker_of_someone_who_came_back_is_left_alone(world: World) -> None:
    conversation_id = await world.conversation("a", True)
    world.engine.there = False
    await world.left(timedelta(hours=25))
    await world.retention.delete_trackers()
    await world.log.visited(conversation_id, world.clock.now + timedelta(seconds=1))
    world.engine.there = True
    await world.retention.delete_trackers()
    assert world.engine.deleted == []
    assert await world.count("forgotten") == 0


def everything_in(folder: Path) -> bytes:
    files = list(folder.glob("test.db*"))
    assert files
    return b"".join(path.read_bytes() for path in files)


async def test_deleted_words_are_gone_from_the_files(world: World, tmp_path: Path) -> None:
    await world.conversation("a", None)
    assert SECRET.encode() in everything_in(tmp_path)
    await world.left(timedelta(hours=25))
    assert SECRET.encode() not in everything_in(tmp_path)


def test_a_month_before_the_end_of_march_is_the_end_of_february() -> None:
    assert months_before(datetime(2027, 3, 31, tzinfo=UTC), 1) == datetime(2027, 2, 28, tzinfo=UTC)
    assert months_before(datetime(2026, 1, 15, tzinfo=UTC), 12) == datetime(2025, 1, 15, tzinfo=UTC)
    assert months_before(datetime(2028, 2, 29, tzinfo=UTC), 12) == datetime(2027, 2, 28, tzinfo=UTC)


async def test_delete_my_data_answers_and_then_the_conversation_is_gone_everywhere(running: Running) -> None:
    person = await running.person()
    await person.say(SECRET)
    async with person.socket(after=2) as socket:
        assert (await socket.receive_json(timeout=5))["type"] == "session"
        answer = await person.say("forget")
        assert answer["messages"][0]["parts"][0]["text"] == "je zei: forget"
        seen = []
        while True:
            frame = await socket.receive(timeout=5)
            if frame.data == 4401 or not isinstance(frame.data, str):
                break
            seen.append(frame.json())
        assert socket.close_code == 4401
    assert [e["parts"][0]["text"] for e in seen if e["type"] == "message"] == ["forget", "je zei: forget"]
    assert {"type": "session", "remember": False} in seen
    for path in ("session", "messages"):
        async with running.http.get(f"{running.url}/api/chat/{path}", headers=person.headers) as response:
            assert response.status == 401

    async def engine_forgot() -> bool:
        return SECRET not in str(running.trackers()) and "forget" not in str(running.trackers())

    await until(engine_forgot)
