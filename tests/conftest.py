"""Fixtures shared by the rooms: a migrated SQLite file, settings for tests, a running app with a small engine."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from bot.settings import Settings
from bot.storage.database import Database, open_database
from bot.storage.migrate import migrate
from tests.running import Running, run_app, settings_for_tests

# No test measures time: a busy machine must not make one fail.
hypothesis_settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # the file that takes longest goes first, so that two processes end at about the same time
    items.sort(key=lambda item: "fuzz" not in item.path.parts)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "ademruimte.db"

    async def make() -> None:
        database = open_database(f"sqlite:///{path}")
        await migrate(database)
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def database(tmp_path: Path, migrated_file: Path) -> AsyncIterator[Database]:
    shutil.copy(migrated_file, tmp_path / "test.db")
    found = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    yield found
    await found.close()


@pytest.fixture
def settings(tmp_path: Path, migrated_file: Path) -> Settings:
    return settings_for_tests(tmp_path / "state", migrated_file)


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[Running]:
    async with run_app(settings) as started:
        await started.ready()
        yield started
