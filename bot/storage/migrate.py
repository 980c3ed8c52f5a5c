"""Bringing the database to the shape the code expects, with Alembic. Storage room."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from bot.storage.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x0ADE_0001  # PostgreSQL advisory lock: two replicas that start together migrate one after the other


class MigrationError(Exception):
    """The database is of a version this code does not know."""


async def migrate(database: Database) -> None:
    """Run the migrations that are missing; several processes may do so at once.

    Raises:
        MigrationError: the database was made by a newer version.
    """
    if await pending_migrations(database):  # else Alembic is not even imported: the usual start
        await database.write(_upgrade)


async def pending_migrations(database: Database) -> list[str]:
    """The revisions that `migrate` would apply, in order.

    Raises:
        MigrationError: the database was made by a newer version.
    """
    # Migrations are numbered files, each following the one before.
    known = sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    version = await database.read(_version)
    if version is not None and version not in known:
        raise MigrationError(version)
    return [revision for revision in known if version is None or revision > version]


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    # Imported here: half a second that a start without migrations does not need.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
