"""Connections. Storage room: how to reach the database, SQLite by default, PostgreSQL in production.

Work on the database is a plain function that gets a connection; `read` and `write` run it without holding up
the event loop. On PostgreSQL that is SQLAlchemy's async engine. On SQLite a whole transaction runs in one
thread: crossing to a thread for every statement cost three times as much CPU per turn (measured, see
docs/decisions). SQLite has one writer at a time, so writes have one thread and one connection of their own:
they queue in order here instead of polling a locked file, and reads go on beside them (WAL).
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine

BUSY_MILLISECONDS = 10_000  # how long a write waits for another process's write
READERS = 3

T = TypeVar("T")
Work = Callable[[Connection], T]


class Database(Protocol):
    """Somewhere to read and write."""

    is_sqlite: bool

    async def read(self, work: Work[T]) -> T:
        """Run SELECTs; each sees what was committed before it."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Run one transaction: committed at the end, rolled back on an error. Keep it short."""
        ...

    async def close(self) -> None:
        """Finish what runs and give all connections back."""
        ...


def open_database(url: str) -> Database:
    """Make the pools; nothing is connected yet. For SQLite the file's folder is made.

    Args:
        url: SQLAlchemy address: `sqlite:///…` or one with an async driver, such as `postgresql+psycopg://…`.

    Raises:
        sqlalchemy.exc.ArgumentError: the address cannot be read.
        sqlalchemy.exc.InvalidRequestError: its driver is not an async one.
        ModuleNotFoundError: its driver is not installed.
    """
    address = make_url(url)
    return _Sqlite(address) if address.get_backend_name() == "sqlite" else _Server(address)


class _Server:
    """A database server, through SQLAlchemy's async engine."""

    is_sqlite = False

    def __init__(self, address: URL) -> None:
        # hide_parameters: an error about a row must never print what is in the row.
        self._engine = create_async_engine(address, pool_pre_ping=True, hide_parameters=True)

    async def read(self, work: Work[T]) -> T:
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def write(self, work: Work[T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()


class _Sqlite:
    """One file; one thread that writes, a few that read."""

    is_sqlite = True

    def __init__(self, address: URL) -> None:
        if address.database:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        address = address.set(drivername="sqlite")
        self._reader = _engine(address, READERS, isolation_level="AUTOCOMMIT")
        self._writer = _engine(address, 1)
        event.listen(self._writer, "connect", _leave_begin_to_us)
        event.listen(self._writer, "begin", _begin_immediate)
        self._reading = ThreadPoolExecutor(READERS, "sqlite-read")
        self._writing = ThreadPoolExecutor(1, "sqlite-write")

    async def read(self, work: Work[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reading, _read, self._reader, work)

    async def write(self, work: Work[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, _write, self._writer, work)

    async def close(self) -> None:
        for threads, engine in ((self._writing, self._writer), (self._reading, self._reader)):
            await asyncio.to_thread(threads.shutdown)  # waits for what runs
            engine.dispose()


def _engine(address: URL, size: int, **options: Any) -> Engine:
    options |= {"connect_args": {"check_same_thread": False}, "hide_parameters": True}
    engine = create_engine(address, pool_size=size, max_overflow=0, **options)
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _read(engine: Engine, work: Work[T]) -> T:
    with engine.connect() as connection:
        return work(connection)


def _write(engine: Engine, work: Work[T]) -> T:
    with engine.begin() as connection:
        return work(connection)


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    _switch_to_wal(cursor)
    # NORMAL with WAL: a killed process loses nothing; a power cut can lose the last moments, never the file.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # deleted words are overwritten, not left in free pages
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    """Switch a new file to WAL. SQLite does not wait for another process that does the same, so we do."""
    limit = time.monotonic() + BUSY_MILLISECONDS / 1000
    while not _is_wal(cursor, last_try=time.monotonic() > limit):
        time.sleep(0.01)  # in a thread of the database, not in the event loop


def _is_wal(cursor: Any, last_try: bool) -> bool:
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if last_try or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _leave_begin_to_us(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late and too weak


def _begin_immediate(connection: Connection) -> None:
    # A transaction that starts as a reader and then writes can fail with "locked" at once; this one waits.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
