"""What `bot doctor` looks at: definitions, the organisation's file, database, engine, widget, ports, stale help lines.

Edge room. Changes nothing; each finding is one plain sentence.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy.exc import SQLAlchemyError

from actions.definitions import intent_titles, words
from actions.say import texts
from bot.check_resources import check_resources
from bot.cli import ROOT
from bot.escalation.moment_words import grammar
from bot.escalation.organisation import read_organisation
from bot.resources import RESOURCES, ResourceError
from bot.safety.guard import GuardModelError, load_guard
from bot.settings import Settings
from bot.storage.database import open_database
from bot.storage.migrate import MigrationError, pending_migrations
from bot.support.contacts import shipped_contact_kinds
from bot.support.help_lines import STALE_DAYS, load_help_lines, stale

#: The engine's interpreter must answer within this many seconds.
ENGINE_ANSWERS_WITHIN = 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    well: bool
    what: str


def examine(settings: Settings, today: date | None = None) -> list[Finding]:
    """Look at everything; never raises for what it finds."""
    return [
        *_resources(today or datetime.now(UTC).date()),
        *_organisation(settings),
        _database(settings),
        _guard(settings),
        *_engine(settings),
        _widget(settings),
        *_ports(settings),
    ]


def _resources(today: date) -> Iterator[Finding]:
    faults = check_resources()
    for load in (texts, words, intent_titles, grammar, shipped_contact_kinds):
        faults += _faults(load)
    yield from (Finding(False, fault) for fault in faults)
    if not faults:
        yield Finding(True, "every definition in resources/ holds to its schema")
    try:
        regions = load_help_lines(RESOURCES / "help_lines")
    except ResourceError as error:
        yield from (Finding(False, fault) for fault in error.errors)
        return
    for region in regions.values():
        old = stale(region, today)
        sentence = f"not checked for {STALE_DAYS} days: {', '.join(old)}" if old else "all checked recently"
        yield Finding(not old, f"help lines of {region.region}: {sentence}")


def _faults(load: Callable[[], object]) -> list[str]:
    try:
        load()
    except ResourceError as error:
        return error.errors
    return []


def _organisation(settings: Settings) -> Iterator[Finding]:
    path = settings.organisation_file
    if not path.exists():
        yield Finding(
            True, f"there is no organisation's file at {path}: contacts at work are explained in general"
        )
        return
    try:
        found = read_organisation(path)
    except ResourceError as error:
        yield from (
            Finding(False, f"the organisation's file cannot be used: {fault}") for fault in error.errors
        )
    else:
        yield Finding(True, f"the organisation's file holds: {found.name}, {len(found.contacts)} contact(s)")


def _database(settings: Settings) -> Finding:
    async def look() -> list[str]:
        database = open_database(settings.database_url)
        try:
            return await pending_migrations(database)
        finally:
            await database.close()

    try:
        pending = asyncio.run(look())
    except (OSError, SQLAlchemyError, ModuleNotFoundError) as error:
        return Finding(False, f"the database cannot be opened: {type(error).__name__}")
    except MigrationError:
        return Finding(False, "the database was made by a newer version of Ademruimte: install that version")
    if pending:
        return Finding(True, f"the database opens; `bot run` will apply {len(pending)} migration(s)")
    return Finding(True, "the database opens and is up to date")


def _guard(settings: Settings) -> Finding:
    try:
        load_guard(settings.guard_model)
    except (GuardModelError, ResourceError) as error:
        return Finding(False, str(error))
    return Finding(True, "the guard is trained and judges")


def _engine(settings: Settings) -> Iterator[Finding]:
    version = "import importlib.metadata as m; print(m.version('rasa'))"
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter named in our own settings
            [str(settings.engine_python), "-c", version],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=ENGINE_ANSWERS_WITHIN,
            check=True,
        )
        yield Finding(True, f"the engine's environment has Rasa {done.stdout.strip()}")
    except (OSError, subprocess.SubprocessError):
        yield Finding(
            False, f"the engine's environment at {settings.engine_python} does not work: run `make run`"
        )
    if settings.model.exists():
        yield Finding(True, "a trained model is in place")
    else:
        yield Finding(False, f"there is no trained model at {settings.model}: run `make train`")


def _widget(settings: Settings) -> Finding:
    if (settings.web_dir / "ademruimte-chat.js").exists():
        return Finding(True, "the widget is built")
    return Finding(False, f"the widget is not built in {settings.web_dir}: run `make run`")


def _ports(settings: Settings) -> Iterator[Finding]:
    wanted = {"app": (settings.host, settings.port)}
    wanted |= {"engine": ("127.0.0.1", settings.engine_port), "actions": ("127.0.0.1", settings.action_port)}
    for name, (host, port) in wanted.items():
        if port == 0:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                yield Finding(False, f"port {port} for the {name} is taken (is it running already?)")
            else:
                yield Finding(True, f"port {port} for the {name} is free")
