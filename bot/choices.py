"""The command `bot choices`: reviewing what people meant where the assistant was not sure.

Edge room: reads arguments, calls storage, prints. Light to import; each command imports what it needs when it runs.
What is reviewed here can become training sentences, written anew: the sentence itself belongs to whoever typed it.
"""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bot.storage.database import Database

    Work = Callable[[argparse.Namespace, Database], Coroutine[Any, Any, int]]


def add_commands(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `choices` to the commands of `bot`."""
    choices = commands.add_parser("choices", help="what people meant where the assistant was not sure")
    what = choices.add_subparsers(required=True, metavar="what")
    for name, work, words in (
        ("list", _list, "show what still has to be reviewed"),
        ("export", _export, 'print lines {"id","day","text","offered","chosen","reviewed"}'),
    ):
        shown = what.add_parser(name, help=words)
        shown.add_argument("--all", action="store_true", help="also what was reviewed")
        _set(shown, work)
    done = what.add_parser("done", help="mark as reviewed")
    done.add_argument("id", nargs="+", help="as `list` shows it")
    _set(done, _done)


def _set(parser: argparse.ArgumentParser, work: Work) -> None:
    parser.set_defaults(command=lambda options: _run(options, work))


def _run(options: argparse.Namespace, work: Work) -> int:
    import asyncio

    from bot.settings import SettingsError, load_settings

    try:
        return asyncio.run(_with_database(options, load_settings()[0].database_url, work))
    except SettingsError as error:
        return _fail(str(error))


async def _with_database(options: argparse.Namespace, url: str, work: Work) -> int:
    from sqlalchemy.exc import SQLAlchemyError

    from bot.storage.database import open_database
    from bot.storage.migrate import MigrationError, migrate

    try:
        database = open_database(url)
        try:
            await migrate(database)
            return await work(options, database)
        finally:
            await database.close()
    except (SQLAlchemyError, MigrationError, OSError, ImportError) as error:
        kind = type(error).__qualname__
        return _fail(f"the database cannot be used ({kind}); check ADEMRUIMTE_DATABASE_URL.")


async def _list(options: argparse.Namespace, database: Database) -> int:
    from bot.storage.choices import kept_choices

    for choice in await kept_choices(database, reviewed=options.all):
        others = ", ".join(name for name in choice.offered if name != choice.chosen)
        state = "  (reviewed)" if choice.reviewed_at else ""
        beside = f" (not: {others})" if others else ""
        _say(f"{choice.id}  {choice.at:%Y-%m-%d}  {choice.text}  →  {choice.chosen}{beside}{state}")
    return 0


async def _export(options: argparse.Namespace, database: Database) -> int:
    from bot.storage.choices import kept_choices

    for choice in await kept_choices(database, reviewed=options.all):
        row = {
            "id": choice.id,
            "day": f"{choice.at:%Y-%m-%d}",
            "text": choice.text,
            "offered": list(choice.offered),
            "chosen": choice.chosen,
            "reviewed": choice.reviewed_at is not None,
        }
        _say(json.dumps(row, ensure_ascii=False))
    return 0


async def _done(options: argparse.Namespace, database: Database) -> int:
    from bot.storage.choices import review_choice

    now = datetime.now(UTC)
    missing = [one for one in options.id if not await review_choice(database, one, now)]
    return _fail(f"nothing to review with id {', '.join(missing)}.") if missing else 0


def _say(line: str) -> None:
    # One line for each choice, also when a person typed several.
    sys.stdout.write(" ".join(line.split("\n")) + "\n")


def _fail(sentence: str) -> int:
    sys.stderr.write(f"ademruimte: {sentence}\n")
    return 1
