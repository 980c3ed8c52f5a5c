"""Storage room: the same work runs through SQLAlchemy's async engine, as it does on a database server."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from bot.storage.database import Database, _Server
from bot.storage.keeping import Keeping
from bot.storage.message_log import MessageLog
from bot.storage.migrate import migrate, pending_migrations
from bot.storage.store import Store
from tests.running import calm

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HELLO = [{"type": "text", "text": "hallo"}]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Database]:
    # No server here: SQLite behind an async driver takes the same road through our code.
    found = _Server(make_url(f"sqlite+aiosqlite:///{tmp_path / 'server.db'}"))
    await migrate(found)
    yield found
    await found.close()


async def test_a_conversation_from_migration_to_retention(server: Database) -> None:
    assert await pending_migrations(server) == []
    log, store = MessageLog(server), Store(server, lambda: T0)
    conversation = await log.open_session("hash", "web", T0)
    taken = [
        await log.accept(
            conversation, client_id="m1", content_hash="x", parts=HELLO, payload=None, at=T0, decide=calm
        )
        for _ in range(2)
    ]
    assert [accepted.new for accepted in taken] == [True, False]
    stored = [await log.complete(conversation, 1, [("bot", HELLO)], T0) for _ in range(2)]
    assert [done.stored for done in stored] == [True, False]
    assert [m.seq for m in await log.after(conversation, 0)] == [1, 2]
    check_in = await store.start_check_in(conversation, "pols", "hash", T0)
    await store.save_answer(check_in.id, "sleep", 4, T0)
    assert (await store.open_check_in(conversation)).answers == {"sleep": 4}
    gone = await Keeping(server).forget_idle(words_before=T0.replace(day=2), history_before=T0, at=T0)
    assert gone == 1
    assert [noted[0] for noted in await log.trackers_to_delete()] == [conversation]
