"""How long things are kept: the statements behind retention. Storage room; the limits are passed in.

Each deletion repeats its condition in its own transaction, so that someone who comes back at that very moment
keeps what they have.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Connection, Table, Text, cast, delete, or_, select, true, update

from bot.storage.case_ending import wipe_in
from bot.storage.choices import drop_choices_in
from bot.storage.database import Database
from bot.storage.store import forget_in, note_tracker
from bot.storage.tables import cases, check_ins, conversations, crises, hand_offs, messages

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
        idle &= ~_awaits_a_coach(words_before)
        return await self._each(idle, idle, lambda db, cid: forget_in(db, cid, at))

    async def drop_idle_words(self, *, before: datetime, at: datetime) -> int:
        """Delete the messages of conversations last seen before `before` that stay: those with consent keep check-ins.

        Others stay only for a coach's answer; what they told the assistant goes, check-ins too.

        Returns:
            How many conversations lost their words.
        """
        stays = _awaits_a_coach(before)
        no_consent = conversations.c.consent.is_not(True)
        going: dict[Table, ColumnElement[bool]] = {
            # What was said to a coach stays as long as the case needs it; what was said to the assistant does not.
            messages: messages.c.case_id.is_(None) | ~stays,
            hand_offs: true(),
            check_ins: no_consent,
            crises: no_consent,
        }

        def goes(table: Table) -> ColumnElement[bool]:
            theirs = table.c.conversation_id == conversations.c.id
            return select(conversations.c.id).where(theirs, going[table]).exists()

        def drop(db: Connection, conversation_id: str) -> None:
            for table in going:
                db.execute(delete(table).where(table.c.conversation_id == conversation_id, goes(table)))
            note_tracker(db, conversation_id, at)

        idle = (conversations.c.consent.is_(True) | stays) & (conversations.c.last_seen_at < before)
        some = or_(
            *(
                select(table).where(table.c.conversation_id == conversations.c.id, going[table]).exists()
                for table in going
            )
        )
        return await self._each(idle & some, idle, drop)

    async def wipe_cases(self, *, closed_before: datetime) -> int:
        """Take everything personal out of cases that were closed before this moment; what is counted stays.

        Returns:
            How many were wiped.
        """
        old = (cases.c.state == "closed") & (cases.c.closed_at < closed_before)
        # As text: a server does not compare JSON.
        full = or_(cast(cases.c.contact, Text) != "{}", cases.c.conversation_id.is_not(None))

        def work(db: Connection) -> int:
            found = list(db.execute(select(cases.c.id).where(old, full).limit(BATCH)).scalars())
            for case_id in found:
                wipe_in(db, case_id)
            return len(found)

        count = 0
        while found := await self._database.write(work):
            count += found
        return count

    async def drop_choices(self, *, before: datetime) -> int:
        """Delete what people meant where the assistant was not sure, when it was kept before this moment.

        Returns:
            How many were deleted.
        """
        return await self._database.write(lambda db: drop_choices_in(db, before))

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


def _awaits_a_coach(closed_after: datetime) -> ColumnElement[bool]:
    """Someone without a number or an address can only be answered in the conversation itself: it has to stay."""
    lasting = (cases.c.state != "closed") | (cases.c.closed_at >= closed_after)
    mine = cases.c.conversation_id == conversations.c.id
    return select(cases.c.id).where(mine, lasting, cases.c.contact["way"].as_string() == "chat").exists()


def _act(
    conversation_id: str, still: ColumnElement[bool], act: Callable[[Connection, str], None], db: Connection
) -> int:
    # Changes nothing, but locks the row and tells whether it still matches.
    here = update(conversations).where(conversations.c.id == conversation_id, still)
    if db.execute(here.values(channel=conversations.c.channel)).rowcount == 0:
        return 0
    act(db, conversation_id)
    return 1
