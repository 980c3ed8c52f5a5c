"""Accounts of the desk and their sessions: signing in, locking, ending. Storage room.

It is given hashes and compares nothing itself. Every change of an account stands in the audit log, written in the
same transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, delete, exists, insert, select, update

from bot.escalation.cases import Presence, Role
from bot.storage import audit_log
from bot.storage.database import Database
from bot.storage.tables import accounts, desk_sessions

#: After so many wrong passwords and codes an account is locked for so long.
LOCK_AFTER = 5
LOCK_FOR = timedelta(minutes=15)
#: Rows of ended and expired sessions go after this time, at the next log-in.
_KEEP_SESSIONS = timedelta(days=7)
SYSTEM = "system"


class EmailTakenError(ValueError):
    """There is an account with this address already."""


class _NotPassedError(Exception):
    """Rolls a transaction back: the code was used already, or the session is over."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account as it is kept; see `AccountRow`."""

    id: str
    email: str
    name: str
    role: Role
    organisation: str | None
    region: str | None
    password_hash: str = field(repr=False)
    totp_secret: str | None = field(repr=False)
    recovery_hashes: list[str] = field(repr=False)
    locked_until: datetime | None
    presence: Presence
    demo: bool
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is needed to make an account. `email` in small letters."""

    email: str
    name: str
    role: Role
    organisation: str | None
    region: str | None
    password_hash: str = field(repr=False)
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in that was not ended; whether it is too old is for the desk to say."""

    token_hash: str = field(repr=False)
    account_id: str
    csrf: str = field(repr=False)
    created_at: datetime
    seen_at: datetime
    passed_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewSession:
    """The hash of a new session's token, and its token against forged forms."""

    token_hash: str = field(repr=False)
    csrf: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """Whose session it is. `demo_exists`: there is any demo account that is not disabled."""

    session: Session | None
    account: AccountRecord | None
    demo_exists: bool


_RECORD = select(*(accounts.c[name] for name in AccountRecord.__slots__))
_SESSION = select(*(desk_sessions.c[name] for name in Session.__slots__)).where(
    desk_sessions.c.revoked_at.is_(None)
)
_DEMO = select(exists().where(accounts.c.demo, accounts.c.disabled_at.is_(None)))


class Accounts:
    """What the desk knows of those who work at it; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        """Args: database: where accounts are."""
        self.database = database

    # --- reading ---

    async def by_email(self, email: str) -> AccountRecord | None:
        """The account with this address (in small letters), disabled ones included."""
        return await self.database.read(lambda db: _record(db, accounts.c.email == email))

    async def by_id(self, account_id: str) -> AccountRecord | None:
        """The account with this id, disabled ones included."""
        return await self.database.read(lambda db: _record(db, accounts.c.id == account_id))

    async def everyone(self) -> list[AccountRecord]:
        """All accounts by name, disabled ones included."""
        rows = _RECORD.order_by(accounts.c.name, accounts.c.email)
        return await self.database.read(lambda db: [AccountRecord(*row) for row in db.execute(rows)])

    async def look_up(self, token_hash: str | None) -> Found:
        """Whose token this is, unless the session was ended or the account disabled."""

        def work(db: Connection) -> Found:
            demo = bool(db.execute(_DEMO).scalar())
            row = (
                db.execute(_SESSION.where(desk_sessions.c.token_hash == token_hash)).first()
                if token_hash
                else None
            )
            if row is None:
                return Found(None, None, demo)
            session = Session(*row)
            account = _record(db, accounts.c.id == session.account_id)
            if account is None or account.disabled_at is not None:
                return Found(None, None, demo)
            return Found(session, account, demo)

        return await self.database.read(work)

    async def sessions(self, account_id: str | None = None) -> list[Session]:
        """Sessions with both factors that were not ended, of one account or of all, latest first."""
        rows = _SESSION.where(desk_sessions.c.passed_at.is_not(None)).order_by(desk_sessions.c.seen_at.desc())
        if account_id is not None:
            rows = rows.where(desk_sessions.c.account_id == account_id)
        return await self.database.read(lambda db: [Session(*row) for row in db.execute(rows)])

    # --- signing in ---

    async def begin_attempt(self, account_id: str | None, at: datetime) -> int:
        """Count an attempt before its password or code is looked at, so that many at once are counted too.

        Args:
            account_id: whose; None for an address nobody has.
            at: when.

        Returns:
            Which attempt since the last right one it is, 1 to `LOCK_AFTER`; 0 when the account is locked.
        """

        def work(db: Connection) -> int:
            columns = (accounts.c.failures, accounts.c.locked_until)
            row = db.execute(select(*columns).where(accounts.c.id == account_id).with_for_update()).first()
            if row is None or (row.locked_until is not None and row.locked_until > at):
                return 0
            number = 1 if row.locked_until is not None else int(row.failures) + 1
            until = at + LOCK_FOR if number >= LOCK_AFTER else None
            _set(db, account_id, failures=number, locked_until=until)
            return number

        return await self.database.write(work)

    async def attempt_failed(self, account_id: str | None, number: int, at: datetime) -> None:
        """Note that it was wrong; `number` as `begin_attempt` gave it."""

        def work(db: Connection) -> None:
            audit_log.note(db, at, SYSTEM, "account.failed", account_id or "unknown")
            if account_id is not None and number >= LOCK_AFTER:
                audit_log.note(db, at, SYSTEM, "account.locked", account_id)

        await self.database.write(work)

    async def attempt_right(self, account_id: str) -> None:
        """Take back what `begin_attempt` counted. Wrong attempts before it stay: a code may still be guessed."""
        await self.database.write(lambda db: _take_back(db, account_id))

    async def open_half_way(
        self, account_id: str, new: NewSession, at: datetime, instead_of: str | None
    ) -> None:
        """The password was right: a session that opens nothing but the second factor.

        `instead_of`: hash of the token the browser had, whose session ends.
        """

        def work(db: Connection) -> None:
            _take_back(db, account_id)
            old = (desk_sessions.c.account_id == account_id) & (
                desk_sessions.c.created_at < at - _KEEP_SESSIONS
            )
            db.execute(delete(desk_sessions).where(old))
            _end(db, at, desk_sessions.c.token_hash == instead_of)
            _open(db, account_id, new, at, passed=False)

        await self.database.write(work)

    async def pass_code(
        self, account_id: str, step: int, session: str, new: NewSession, at: datetime
    ) -> bool:
        """Let someone in with the code of time step `step`; False when a code of this step or later was used.

        `session`: the hash of the half-way session's token; it ends.
        """

        def change(db: Connection) -> bool:
            fresh = accounts.c.totp_secret.is_not(None) & (accounts.c.totp_step < step)
            return _set(db, account_id, fresh, totp_step=step)

        return await self._let_in(account_id, session, new, at, change)

    async def pass_recovery(
        self, account_id: str, code_hash: str, session: str, new: NewSession, at: datetime
    ) -> bool:
        """Let someone in with a recovery code, which is used up; False when it is none of theirs."""

        def change(db: Connection) -> bool:
            column = select(accounts.c.recovery_hashes).where(accounts.c.id == account_id).with_for_update()
            left = list(db.execute(column).scalar() or [])
            if code_hash not in left:
                return False
            left.remove(code_hash)
            audit_log.note(db, at, account_id, "account.recovery_used", account_id)
            return _set(db, account_id, accounts.c.totp_secret.is_not(None), recovery_hashes=left)

        return await self._let_in(account_id, session, new, at, change)

    async def enrol(
        self,
        account_id: str,
        *,
        secret: str,
        step: int,
        recovery_hashes: Sequence[str],
        session: str,
        new: NewSession,
        at: datetime,
    ) -> bool:
        """Set up the second factor and let someone in; False when it was set up already."""

        def change(db: Connection) -> bool:
            values = {"totp_secret": secret, "totp_step": step, "recovery_hashes": list(recovery_hashes)}
            audit_log.note(db, at, account_id, "account.enrolled", account_id)
            return _set(db, account_id, accounts.c.totp_secret.is_(None), **values)

        return await self._let_in(account_id, session, new, at, change)

    async def _let_in(
        self,
        account_id: str,
        session: str,
        new: NewSession,
        at: datetime,
        change: Callable[[Connection], bool],
    ) -> bool:
        def work(db: Connection) -> None:
            half_way = (desk_sessions.c.token_hash == session) & desk_sessions.c.passed_at.is_(None)
            if not change(db) or _end(db, at, half_way) != 1:
                raise _NotPassedError
            _set(db, account_id, failures=0, locked_until=None)
            _open(db, account_id, new, at, passed=True)
            audit_log.note(db, at, account_id, "account.login", account_id)

        try:
            await self.database.write(work)
        except _NotPassedError:
            return False
        return True

    # --- sessions ---

    async def seen(self, token_hash: str, at: datetime) -> None:
        """Someone used this session."""
        here = desk_sessions.c.token_hash == token_hash
        await self.database.write(lambda db: db.execute(update(desk_sessions).where(here).values(seen_at=at)))

    async def log_out(self, token_hash: str, account_id: str, at: datetime) -> None:
        """End one session. Who goes is away: to say someone is there who is not would be worse."""

        def work(db: Connection) -> None:
            _set(db, account_id, presence="away", presence_at=at)
            _end(db, at, desk_sessions.c.token_hash == token_hash)
            audit_log.note(db, at, account_id, "account.logout", account_id)

        await self.database.write(work)

    async def end_sessions(self, account_id: str, actor: str, at: datetime, keep: str | None = None) -> int:
        """End all sessions of an account but the one with hash `keep`; how many there were."""

        def work(db: Connection) -> int:
            audit_log.note(db, at, actor, "account.sessions_ended", account_id)
            return _end_all(db, account_id, at, keep)

        return await self.database.write(work)

    # --- changes ---

    async def add(self, account: NewAccount, at: datetime) -> str:
        """Make an account; its id.

        Raises:
            EmailTakenError: the address has one already.
        """
        row = {name: getattr(account, name) for name in NewAccount.__slots__}
        row |= {"id": uuid.uuid4().hex, "created_at": at, "recovery_hashes": []}

        def work(db: Connection) -> str:
            if db.execute(select(accounts.c.id).where(accounts.c.email == account.email)).first() is not None:
                raise EmailTakenError
            db.execute(insert(accounts).values(**row))
            audit_log.note(db, at, SYSTEM, "account.added", row["id"])
            return str(row["id"])

        return await self.database.write(work)

    async def change_password(
        self, account_id: str, password_hash: str, new: NewSession, at: datetime
    ) -> None:
        """Set one's own password; every session ends, and `new` takes the place of this one."""

        def work(db: Connection) -> None:
            _set(db, account_id, password_hash=password_hash)
            _end_all(db, account_id, at)
            _open(db, account_id, new, at, passed=True)
            audit_log.note(db, at, account_id, "account.password", account_id)

        await self.database.write(work)

    async def set_recovery_codes(self, account_id: str, hashes: Sequence[str], at: datetime) -> None:
        """Put new recovery codes in the place of the old ones."""
        await self._change(account_id, account_id, "account.recovery_codes", at, recovery_hashes=list(hashes))

    async def set_presence(self, account_id: str, presence: Presence, at: datetime) -> None:
        """Say whether a coach is there."""
        await self._change(account_id, account_id, "account.presence", at, presence=presence, presence_at=at)

    async def disable(self, account_id: str, actor: str, at: datetime) -> None:
        """Nobody signs in with this account any more; its sessions end.

        Raises:
            LookupError: there is no such account.
        """
        values = {"disabled_at": at, "presence": "away", "presence_at": at}
        await self._change(account_id, actor, "account.disabled", at, end=True, **values)

    async def enable(self, account_id: str, actor: str, at: datetime) -> None:
        """Take `disable` back; as `disable`."""
        await self._change(account_id, actor, "account.enabled", at, disabled_at=None)

    async def reset(self, account_id: str, password_hash: str, at: datetime) -> None:
        """A new password; the second factor is to be set up anew, sessions and locks end. As `disable`."""
        values: dict[str, Any] = {"password_hash": password_hash, "totp_secret": None, "recovery_hashes": []}
        values |= {"failures": 0, "locked_until": None}
        await self._change(account_id, SYSTEM, "account.reset", at, end=True, **values)

    async def _change(
        self, account_id: str, actor: str, action: str, at: datetime, *, end: bool = False, **values: Any
    ) -> None:
        def work(db: Connection) -> None:
            if not _set(db, account_id, **values):
                raise LookupError(account_id)
            if end:
                _end_all(db, account_id, at)
            audit_log.note(db, at, actor, action, account_id)

        await self.database.write(work)


def _record(db: Connection, where: Any) -> AccountRecord | None:
    row = db.execute(_RECORD.where(where)).first()
    return None if row is None else AccountRecord(*row)


def _set(db: Connection, account_id: str | None, only: Any = None, **values: Any) -> bool:
    here = accounts.c.id == account_id
    if only is not None:
        here &= only
    return db.execute(update(accounts).where(here).values(**values)).rowcount == 1


def _take_back(db: Connection, account_id: str) -> None:
    # With one attempt less the account cannot be over the limit: a lock that this attempt set goes with it.
    fewer = case((accounts.c.failures > 0, accounts.c.failures - 1), else_=0)
    _set(db, account_id, failures=fewer, locked_until=None)


def _open(db: Connection, account_id: str, new: NewSession, at: datetime, *, passed: bool) -> None:
    row = {
        "token_hash": new.token_hash,
        "csrf": new.csrf,
        "account_id": account_id,
        "created_at": at,
        "seen_at": at,
    }
    db.execute(insert(desk_sessions).values(**row, passed_at=at if passed else None))


def _end(db: Connection, at: datetime, where: Any) -> int:
    still_open = desk_sessions.c.revoked_at.is_(None)
    return db.execute(update(desk_sessions).where(where, still_open).values(revoked_at=at)).rowcount


def _end_all(db: Connection, account_id: str, at: datetime, keep: str | None = None) -> int:
    theirs = desk_sessions.c.account_id == account_id
    if keep is not None:
        theirs &= desk_sessions.c.token_hash != keep
    return _end(db, at, theirs)
