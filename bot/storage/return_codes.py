"""Return codes: how someone without a name comes back to their case. Storage room; only hashes are kept."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.storage.cases import PERSON, Case, hold, open_of, read_in, record
from bot.storage.database import Database
from bot.storage.message_log import JsonParts, say_in
from bot.storage.tables import cases, conversations, installation

SALT = "return_code_salt"


class ReturnCodes:
    """Keeps the hashes of return codes, and opens a conversation to whoever has the code."""

    def __init__(self, database: Database) -> None:
        """Args: database: where cases are."""
        self._database = database

    async def salt(self) -> bytes:
        """The salt of this installation, made at the first use."""
        here = select(installation.c.value).where(installation.c.name == SALT)
        found = await self._database.read(lambda db: db.execute(here).scalar())
        if found is None:
            made = insert(installation).values(name=SALT, value=secrets.token_hex(16))
            with suppress(IntegrityError):  # another process was first: its salt counts
                await self._database.write(lambda db: db.execute(made).rowcount)
            found = await self._database.read(lambda db: db.execute(here).scalar_one())
        return bytes.fromhex(str(found))

    async def has_case_without_name(self, conversation_id: str) -> bool:
        """Whether there is an open case that a code can lead back to."""

        def work(db: Connection) -> bool:
            case = open_of(db, conversation_id)
            return case is not None and case.anonymous

        return await self._database.read(work)

    async def keep(self, conversation_id: str, code_hash: str, at: datetime) -> bool:
        """Keep the hash of a new code; an earlier code no longer works. False when there is no case for it."""

        def work(db: Connection) -> bool:
            case = open_of(db, conversation_id)
            if case is None or not case.anonymous:
                return False
            hold(db, case.id)
            still_open = (cases.c.id == case.id) & (cases.c.state != "closed")
            if db.execute(update(cases).where(still_open).values(return_code_hash=code_hash)).rowcount == 0:
                return False
            record(db, case.id, at, PERSON, "code_made")
            return True

        return await self._database.write(work)

    async def enter(
        self, code_hash: str, token_hash: str, welcome: Callable[[Case, str | None], JsonParts], at: datetime
    ) -> str | None:
        """Open the conversation of a code under a new token; the one before stops working. None: no such code.

        Args:
            code_hash: of the code.
            token_hash: of the new token.
            welcome: what is said, given the case and the region of the conversation.
            at: when.

        Returns:
            The conversation's id.
        """

        def work(db: Connection) -> str | None:
            found = select(cases.c.id).where(cases.c.return_code_hash == code_hash)
            case_id = db.execute(found).scalar()
            if case_id is None:
                return None
            hold(db, case_id)
            case = read_in(db, case_id)
            conversation_id = case.conversation_id
            if conversation_id is None:
                return None
            case = open_of(db, conversation_id) or case  # who asked again since is led to what is open now
            owner = {"new": "queue", "closed": "bot"}.get(case.state, "coach")
            here = conversations.c.id == conversation_id
            fresh = update(conversations).where(here).values(token_hash=token_hash, owner=owner)
            region = db.execute(fresh.returning(conversations.c.region)).scalar()
            record(db, case.id, at, PERSON, "returned")
            say_in(db, conversation_id, None, [welcome(case, region)], at, "system")
            return conversation_id

        return await self._database.write(work)
