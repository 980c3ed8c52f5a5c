"""The commands `bot users` and `bot audit`: accounts of the coach desk, and whether its audit log is whole.

Edge room: reads arguments, calls storage, prints. Light to import; each command imports what it needs when it runs.
"""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime
from getpass import getpass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bot.settings import Settings
    from bot.storage.accounts import AccountRecord, Accounts
    from bot.storage.database import Database

    Work = Callable[[argparse.Namespace, Settings, Database], Coroutine[Any, Any, int]]


class _CommandError(Exception):
    """The command cannot be done; `str()` is one plain sentence."""


def add_commands(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `users` and `audit` to the commands of `bot`."""
    users = commands.add_parser("users", help="accounts of the coach desk: add, list, disable, enable, reset")
    what = users.add_subparsers(required=True, metavar="what")
    add = what.add_parser("add", help="make an account")
    add.add_argument("--email", required=True, help="address to sign in with")
    add.add_argument("--name", required=True, help="name that people read when this coach writes to them")
    add.add_argument("--role", required=True, choices=("coach", "lead_coach", "administrator"))
    add.add_argument("--organisation", help="sees the cases of this organisation only")
    add.add_argument(
        "--region", choices=("vlaanderen", "nederland"), help="sees the cases of this region only"
    )
    add.add_argument("--demo", action="store_true", help="for trying out; needs ADEMRUIMTE_DEMO=on")
    _takes_password(add)
    _set(add, _add)
    _set(what.add_parser("list", help="show all accounts"), _list)
    for name, work, words in (
        ("disable", _disable, "nobody signs in with it any more; its sessions end"),
        ("enable", _enable, "take `disable` back"),
        ("reset", _reset, "new password; the second factor is set up anew, sessions end"),
    ):
        one = what.add_parser(name, help=words)
        one.add_argument("email", help="whose account")
        _set(one, work)
        if work is _reset:
            _takes_password(one)

    audit = commands.add_parser("audit", help="the audit log of the coach desk")
    verify = audit.add_subparsers(required=True, metavar="what").add_parser(
        "verify", help="has a row been changed, left out or put in between?"
    )
    _set(verify, _verify)


def _takes_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def _set(parser: argparse.ArgumentParser, work: Work) -> None:
    parser.set_defaults(command=lambda options: _run(options, work))


def _run(options: argparse.Namespace, work: Work) -> int:
    import asyncio

    from bot.settings import SettingsError, load_settings

    try:
        if "password_stdin" in options:  # asked before anything runs, so that Ctrl-C is heard
            options.password = _given_password(options.password_stdin)
        return asyncio.run(_with_database(options, load_settings()[0], work))
    except (SettingsError, _CommandError) as error:
        sys.stderr.write(f"ademruimte: {error}\n")
        return 1


async def _with_database(options: argparse.Namespace, settings: Settings, work: Work) -> int:
    from sqlalchemy.exc import SQLAlchemyError

    from bot.storage.database import open_database
    from bot.storage.migrate import MigrationError, migrate

    try:
        database = open_database(settings.database_url)
        try:
            await migrate(database)
            return await work(options, settings, database)
        finally:
            await database.close()
    except (SQLAlchemyError, MigrationError, OSError, ImportError) as error:
        kind = type(error).__qualname__
        raise _CommandError(
            f"the database cannot be used ({kind}); check ADEMRUIMTE_DATABASE_URL."
        ) from error


# --- accounts ---


async def _add(options: argparse.Namespace, settings: Settings, database: Database) -> int:
    from bot.storage.accounts import Accounts, EmailTakenError, NewAccount

    email, name = options.email.strip().casefold(), options.name.strip()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email) or len(email) > 254 or not email.isprintable():
        raise _CommandError("That is not an e-mail address.")
    if not name or len(name) > 120 or not name.isprintable():
        raise _CommandError("A name has 1 to 120 characters.")
    if options.organisation is not None and not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", options.organisation):
        raise _CommandError("An organisation's id has 1 to 64 letters, digits, dots, dashes or underscores.")
    if options.role != "administrator" and options.organisation is None and options.region is None:
        raise _CommandError("Say which cases a coach sees: --organisation, --region or both.")
    if options.demo and not settings.demo:
        raise _CommandError("Demo accounts are not safe and are refused; ADEMRUIMTE_DEMO=on allows them.")
    accounts = Accounts(database)
    hashed = _hashed(options.password, email, name)
    account = NewAccount(
        email, name, options.role, options.organisation, options.region, hashed, demo=options.demo
    )
    try:
        await accounts.add(account, datetime.now(UTC))
    except EmailTakenError:
        raise _CommandError("There is an account with this address already.") from None
    _say(f"{email} can sign in at /desk/ and sets up the second factor there.")
    return 0


async def _list(_options: argparse.Namespace, _settings: Settings, database: Database) -> int:
    from bot.storage.accounts import Accounts

    for account in await Accounts(database).everyone():
        scope = "/".join(part for part in (account.organisation, account.region) if part) or "-"
        state = (
            "disabled" if account.disabled_at else "ready" if account.totp_secret else "no second factor yet"
        )
        demo = ", demo" if account.demo else ""
        _say(f"{account.email}  {account.name}  {account.role}  {scope}  {state}{demo}")
    return 0


async def _disable(options: argparse.Namespace, _settings: Settings, database: Database) -> int:
    accounts, account = await _named(options, database)
    await accounts.disable(account.id, "system", datetime.now(UTC))
    _say(f"{account.email} is disabled; all sessions ended.")
    return 0


async def _enable(options: argparse.Namespace, _settings: Settings, database: Database) -> int:
    accounts, account = await _named(options, database)
    await accounts.enable(account.id, "system", datetime.now(UTC))
    _say(f"{account.email} can sign in again.")
    return 0


async def _reset(options: argparse.Namespace, _settings: Settings, database: Database) -> int:
    accounts, account = await _named(options, database)
    hashed = _hashed(options.password, account.email, account.name)
    await accounts.reset(account.id, hashed, datetime.now(UTC))
    _say(f"{account.email} has a new password and sets up the second factor anew; all sessions ended.")
    if account.disabled_at is not None:
        _say("The account is still disabled: `bot users enable` changes that.")
    return 0


async def _named(options: argparse.Namespace, database: Database) -> tuple[Accounts, AccountRecord]:
    from bot.storage.accounts import Accounts

    accounts = Accounts(database)
    account = await accounts.by_email(options.email.strip().casefold())
    if account is None:
        raise _CommandError("There is no account with this address.")
    return accounts, account


def _given_password(from_stdin: bool) -> str:
    """A password that was asked for twice, or one line of standard input."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    try:
        password = getpass("Password: ")
        again = getpass("Once more: ")
    except EOFError:
        raise _CommandError("No password was given.") from None
    if password != again:
        raise _CommandError("The two passwords are not the same.")
    return password


def _hashed(password: str, email: str, name: str) -> str:
    from bot.console.secrets import MAX_PASSWORD, MIN_PASSWORD, hash_password, weakness

    if weakness(password, email, name) is not None:
        raise _CommandError(
            f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters, not all alike, "
            "and is not the name or the address."
        )
    return hash_password(password)


# --- the audit log ---


async def _verify(_options: argparse.Namespace, _settings: Settings, database: Database) -> int:
    from bot.escalation.audit import first_fault
    from bot.storage.audit_log import read_all

    fault = await database.read(lambda db: first_fault(read_all(db)))
    if fault is not None:
        raise _CommandError(f"row {fault} of the audit log does not follow from the rows before it.")
    _say("Every row of the audit log follows from the one before.")
    return 0


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
