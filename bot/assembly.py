"""Builds what needs the database and wires it. Edge room.

Apart from `bot.app` because these imports take longer than serving the first page may take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.chat import Chat
from bot.channels.limits import Buckets
from bot.channels.site import Handlers
from bot.channels.web import chat_api
from bot.coaching import Coaching, Organisation, coaching, hand_overs, to_coach
from bot.conversation.engine_client import EngineClient
from bot.conversation.hand_off import ToCoach
from bot.conversation.inbox import Inbox
from bot.conversation.outbox import Outbox
from bot.conversation.retention import Retention
from bot.conversation.watch import Watch
from bot.conversation.worker import Workers
from bot.resources import RESOURCES, ResourceError
from bot.safety.crisis_texts import shipped_crisis_texts
from bot.safety.guard import GuardModelError, load_guard
from bot.settings import Settings
from bot.storage.choices import Choices, set_default_choices
from bot.storage.database import Database, open_database
from bot.storage.keeping import Keeping
from bot.storage.message_log import MessageLog
from bot.storage.migrate import MigrationError, migrate
from bot.storage.store import Store, set_default_store
from bot.support.help_lines import Regions, load_help_lines

PING_SECONDS = 2.0
#: Tries with a return code: from one address or for one conversation, and in all. There are 10^16 codes.
CODES_PER_HOUR, CODES_AT_ONCE = 20, 5
ALL_CODES_PER_HOUR, ALL_CODES_AT_ONCE = 300, 30


class AssemblyError(Exception):
    """A part cannot be made; `str()` is one plain sentence."""


class DatabaseError(AssemblyError):
    """The database cannot be used."""


class GuardMissingError(AssemblyError):
    """The guard cannot judge."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The wired parts."""

    database: Database
    chat: Chat
    handlers: Handlers
    workers: Workers
    retention: Retention
    coaching: Coaching

    async def database_answers(self) -> bool:
        """Whether the database answers in time."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self.database.read(lambda db: db.execute(text("SELECT 1")).all())
        except (SQLAlchemyError, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Give the database back; the actions get no store any more."""
        set_default_store(None)
        set_default_choices(None)
        await self.database.close()


async def assemble(
    settings: Settings, engine: EngineClient, starting: Callable[[], bool], clock: Callable[[], datetime]
) -> Parts:
    """Open and migrate the database, and wire everything that stands on it.

    Args:
        settings: all settings.
        engine: who answers.
        starting: whether the engine has not been ready since the app started.
        clock: the current moment, with time zone.

    Raises:
        DatabaseError: it cannot be opened or migrated.
        GuardMissingError: the guard's model or the texts of safety cannot be used.
    """
    organisation = Organisation(settings)
    regions = Regions(load_help_lines(RESOURCES / "help_lines"), settings.region)
    way = to_coach(organisation, regions)
    watch = await asyncio.to_thread(safety_watch, settings, way)
    database = await _open(settings.database_url)
    messages = MessageLog(database, hand_overs(settings, organisation))
    outbox = Outbox(messages, clock)
    coaches = coaching(settings, database, outbox, way, organisation, clock)
    workers = Workers(
        messages,
        outbox,
        engine,
        watch,
        starting=starting,
        calm_seconds=settings.calm_line_seconds,
        clock=clock,
    )
    now = asyncio.get_running_loop().time
    chat = Chat(
        settings=settings,
        log=messages,
        inbox=Inbox(messages, outbox, watch, workers.wake, clock),
        outbox=outbox,
        messages=Buckets(settings.messages_per_minute / 60, settings.messages_burst, now),
        sessions=Buckets(settings.sessions_per_hour / 3600, settings.sessions_per_hour, now),
        clock=clock,
        live=coaches.live,
        door=coaches.door,
        codes=Buckets(CODES_PER_HOUR / 3600, CODES_AT_ONCE, now),
        codes_in_all=Buckets(ALL_CODES_PER_HOUR / 3600, ALL_CODES_AT_ONCE, now),
    )
    retention = Retention(
        Keeping(database),
        messages,
        engine,
        words_hours=settings.retention_hours,
        history_months=settings.history_months,
        case_days=settings.case_days,
        turn_seconds=settings.engine_turn_seconds,
        clock=clock,
    )
    set_default_store(Store(database, clock))
    set_default_choices(Choices(database, watch.finds_danger, clock))
    return Parts(database, chat, chat_api(chat), workers, retention, coaches)


def safety_watch(settings: Settings, way: ToCoach | None = None) -> Watch:
    """Safety, ready to judge. Without it no message is taken: that would be worse than not starting."""
    try:
        regions = Regions(load_help_lines(RESOURCES / "help_lines"), settings.region)
        return Watch(load_guard(settings.guard_model), shipped_crisis_texts(), regions, way)
    except GuardModelError as error:
        raise GuardMissingError(str(error)) from error
    except ResourceError as error:
        raise GuardMissingError(f"the definitions for safety cannot be used:\n{error}") from error


async def _open(url: str) -> Database:
    try:
        database = open_database(url)
        await migrate(database)
    except MigrationError as error:
        raise DatabaseError(
            f"the database was made by a newer version of Ademruimte (revision {error}); start that one."
        ) from error
    except (SQLAlchemyError, OSError, ImportError) as error:
        raise DatabaseError(
            f"the database at {_without_password(url)} cannot be used ({type(error).__qualname__}); "
            "check ADEMRUIMTE_DATABASE_URL."
        ) from error
    return database


def _without_password(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"
