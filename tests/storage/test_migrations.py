"""Storage room: the migrations and the tables say the same, on any start."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_mock_engine, text
from sqlalchemy.schema import CreateTable

from bot.storage.database import Database, open_database
from bot.storage.migrate import MigrationError, migrate, pending_migrations
from bot.storage.tables import Base


async def test_migrated_database_has_exactly_the_tables_of_the_code(database: Database) -> None:
    def differences(db: Connection) -> list:
        context = MigrationContext.configure(db, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, Base.metadata)

    assert await database.read(differences) == []


async def test_migrating_again_changes_nothing(database: Database) -> None:
    assert await pending_migrations(database) == []
    await migrate(database)
    assert await pending_migrations(database) == []


async def test_two_apps_that_start_together_both_find_a_migrated_database(tmp_path: Path) -> None:
    both = [open_database(f"sqlite:///{tmp_path / 'new.db'}") for _ in range(2)]
    await asyncio.gather(*(migrate(database) for database in both))
    for database in both:
        assert await pending_migrations(database) == []
        await database.close()


async def test_a_new_file_that_another_process_is_just_making_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "new.db")
    other.execute("BEGIN EXCLUSIVE")
    database = open_database(f"sqlite:///{tmp_path / 'new.db'}")
    migrating = asyncio.create_task(migrate(database))
    await asyncio.wait([migrating], timeout=0.3)
    assert not migrating.done()
    other.rollback()
    other.close()
    await migrating
    assert await pending_migrations(database) == []
    await database.close()


async def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    await database.write(lambda db: db.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(MigrationError):
        await migrate(database)


async def test_sqlite_runs_with_wal_and_foreign_keys(database: Database) -> None:
    def pragmas(db: Connection) -> list:
        names = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout", "secure_delete")
        return [db.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert await database.read(pragmas) == ["wal", 1, 1, 10_000, 1]
    assert await database.write(pragmas) == ["wal", 1, 1, 10_000, 1]


def test_tables_can_be_made_on_postgresql() -> None:
    engine = create_mock_engine("postgresql+asyncpg://", lambda *_: None)
    made = [str(CreateTable(table).compile(dialect=engine.dialect)) for table in Base.metadata.sorted_tables]
    assert any("TIMESTAMP WITH TIME ZONE" in table for table in made)
