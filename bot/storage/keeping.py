"""How long things are kept: the statements behind retention. Storage room; the limits are passed in.

Each deletion repeats its condition in its own transaction, so that someone who comes back at that very moment
keeps what they have.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Connection, delete, select, update

from bot.storage.database import Database
from bot.storage.store import forget_in, note_tracker
from bot.storage.tables import conversations, messages

BATCH = 200


class Keeping:
    """Finds and deletes what is past its time."""

    def __init__(self, database: Database) -> None:
        """Args: database: where everything is."""
        self._database = database

    async def forget_idle(self, *, words_before: datetime, history_before: datetime, at: datetime) -> int:
        """Delete whole conversations: without consent and idle, or with consent and idle very long.

        Args:
            words_before: without consent, those last seen before this moment go.
            history_before: with consent, those last seen before this moment go.
            at: now.

        Returns:
            How many were deleted.
        """
        idle = (conversations.c.consent.is_not(True) & (conversations.c.last_seen_at < words_before)) | (
            conversations.c.last_seen_at < min(history_before, words_before)
        )
        return await self._each(idle, idle, lambda db, cid: forget_in(db, cid, at))

    async def drop_idle_words(self, *, before: datetime, at: datetime) -> int:
        """With consent: delete the messages of conversations last seen before `before`, keep the check-ins.

        Returns:
            How many conversations lost their words.
        """
        has_words = select(messages.c.seq).where(messages.c.conversation_id == conversations.c.id).exists()
        idle = conversations.c.consent.is_(True) & (conversations.c.last_seen_at < before)

        def drop(db: Connection, conversation_id: str) -> None:
            db.execute(delete(messages).where(messages.c.conversation_id == conversation_id))
            note_tracker(db, conversation_id, at)

        return await self._each(idle & has_words, idle, drop)

    async def clear_traces(self) -> None:
        """On SQLite: empty the write-ahead log, so that deleted words are gone from the disk as well."""
        if self._database.is_sqlite:
            await self._database.read(lambda db: db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all())

    async def _each(
        self,
        find: ColumnElement[bool],
        still: ColumnElement[bool],
        act: Callable[[Connection, str], None],
    ) -> int:
        """Act on each conversation that matches, if it is `still` so in the acting transaction."""
        some = select(conversations.c.id).where(find).limit(BATCH)
        count = 0
        while found := await self._database.read(lambda db: list(db.execute(some).scalars())):
            for conversation_id in found:
                count += await self._database.write(partial(_act, conversation_id, still, act))
        return count


def _act(
    conversation_id: str, still: ColumnElement[bool], act: Callable[[Connection, str], None], db: Connection
) -> int:
    # Changes nothing, but locks the row and tells whether it still matches.
    here = update(conversations).where(conversations.c.id == conversation_id, still)
    if db.execute(here.values(channel=conversations.c.channel)).rowcount == 0:
        return 0
    act(db, conversation_id)
    return 1
