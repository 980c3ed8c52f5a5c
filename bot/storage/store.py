"""What conversations keep about people: consent, the chosen norm group, check-ins. Storage room.

Used by the app and by the actions. Times are passed in where they matter for what is kept how long.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Delete, Select, Update, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.settings import load_settings
from bot.storage.case_ending import forget_cases_in
from bot.storage.database import Database, open_database
from bot.storage.migrate import migrate
from bot.storage.tables import answers, check_ins, conversations, forgotten, messages

#: An answer as kept: a score, the codes of several options, or None for a skipped question.
Given = int | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation. `consent` is None as long as the person was not asked or did not answer."""

    id: str
    channel: str
    consent: bool | None
    consent_at: datetime | None
    norm_kind: str | None
    norm_label: str | None
    region: str | None
    created_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One round of a questionnaire with the answers so far; None is a skipped question."""

    id: str
    conversation_id: str
    instrument: str
    content_hash: str
    started_at: datetime
    finished_at: datetime | None
    answers: dict[str, Given] = field(default_factory=dict)


def _now() -> datetime:
    return datetime.now(UTC)


_CONVERSATION = select(*(conversations.c[name] for name in Conversation.__slots__))
_CHECK_IN = select(*(check_ins.c[name] for name in CheckIn.__slots__ if name != "answers"))


class Store:
    """Questions and changes about conversations and check-ins; each method is one small transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        """Args: database; clock: the current moment (with time zone) where a method is not given one."""
        self.database = database
        self._clock = clock

    async def conversation(self, conversation_id: str) -> Conversation | None:
        """The conversation, or None when there is none (any more)."""
        return await self.database.read(lambda db: _conversation(db, conversation_id))

    async def ensure_conversation(self, conversation_id: str, channel: str) -> Conversation:
        """The conversation, made when it is new, as for `rasa shell`.

        One that was forgotten is not made again: the answer then describes an empty conversation that is
        not stored.
        """
        now = self._clock()
        fresh = Conversation(conversation_id, channel, None, None, None, None, None, now, now)

        def work(db: Connection) -> Conversation:
            gone = select(forgotten.c.conversation_id).where(forgotten.c.conversation_id == conversation_id)
            if db.execute(gone).first() is None:
                row = {"id": conversation_id, "channel": channel, "created_at": now, "last_seen_at": now}
                db.execute(insert(conversations).values(row))
            return fresh

        known = await self.conversation(conversation_id)
        if known is not None:
            return known
        try:
            return await self.database.write(work)
        except IntegrityError:  # made by somebody else between the two
            return await self.conversation(conversation_id) or fresh

    async def set_consent(self, conversation_id: str, given: bool, at: datetime) -> None:
        """Note whether the person wants their check-ins kept, and since when.

        Raises:
            LookupError: the conversation is unknown or forgotten.
        """
        await self._change(conversation_id, consent=given, consent_at=at)

    async def set_norm_group(self, conversation_id: str, kind: str | None, label: str | None) -> None:
        """Note the group the person compares with; both None takes it back.

        Raises:
            LookupError: the conversation is unknown or forgotten.
        """
        await self._change(conversation_id, norm_kind=kind, norm_label=label)

    async def start_check_in(
        self, conversation_id: str, instrument: str, content_hash: str, at: datetime
    ) -> CheckIn:
        """Start a round; an open one of the same instrument without answers is used again.

        Args:
            conversation_id: whose.
            instrument: id of the instrument.
            content_hash: which questions exactly.
            at: when.

        Raises:
            LookupError: the conversation is unknown or forgotten.
        """
        asked = {"content_hash": content_hash, "started_at": at}
        empty = _open(conversation_id).where(
            check_ins.c.instrument == instrument, ~select(answers).where(_of_check_in).exists()
        )

        def work(db: Connection) -> CheckIn:
            row = db.execute(empty).first()
            if row is not None:
                db.execute(update(check_ins).where(check_ins.c.id == row.id).values(asked))
                return CheckIn(row.id, conversation_id, instrument, content_hash, at, None)
            new = {"id": uuid.uuid4().hex, "conversation_id": conversation_id, "instrument": instrument}
            db.execute(insert(check_ins).values(new | asked))
            return CheckIn(new["id"], conversation_id, instrument, content_hash, at, None)

        try:
            return await self.database.write(work)
        except IntegrityError:
            raise LookupError("unknown conversation") from None

    async def open_check_in(self, conversation_id: str) -> CheckIn | None:
        """The latest round that was started and not finished, with its answers."""
        found = await self.database.read(lambda db: _with_answers(db, _open(conversation_id)))
        return found[0] if found else None

    async def save_answer(self, check_in_id: str, item: str, value: Given, at: datetime) -> None:
        """Store an answer as given; a later one for the same item takes its place. None: skipped.

        Raises:
            LookupError: the check-in is unknown (any more).
        """
        given = {
            "value": None if isinstance(value, tuple) else value,
            "codes": list(value) if isinstance(value, tuple) else None,
            "answered_at": at,
        }
        here = (answers.c.check_in_id == check_in_id) & (answers.c.item == item)

        def work(db: Connection) -> None:
            if db.execute(update(answers).where(here).values(given)).rowcount == 0:
                db.execute(insert(answers).values(check_in_id=check_in_id, item=item, **given))

        try:
            try:
                await self.database.write(work)
            except IntegrityError:  # another process may have inserted it at this very moment: update then
                await self.database.write(work)
        except IntegrityError:
            raise LookupError("unknown check-in") from None

    async def remove_answer(self, check_in_id: str, item: str) -> None:
        """Take an answer back, so that the question is open again."""
        here = (answers.c.check_in_id == check_in_id) & (answers.c.item == item)
        await self._run(delete(answers).where(here))

    async def finish_check_in(self, check_in_id: str, at: datetime) -> None:
        """Close the round. One that was finished keeps its first time."""
        unfinished = (check_ins.c.id == check_in_id) & check_ins.c.finished_at.is_(None)
        await self._run(update(check_ins).where(unfinished).values(finished_at=at))

    async def keep_triage(self, check_in_id: str, triage: dict[str, Any]) -> None:
        """Keep what triage found with the round."""
        await self._run(update(check_ins).where(check_ins.c.id == check_in_id).values(triage=triage))

    async def drop_check_in(self, check_in_id: str) -> None:
        """Delete the round and its answers."""
        await self._run(delete(check_ins).where(check_ins.c.id == check_in_id))

    async def finished_check_ins(self, conversation_id: str) -> list[CheckIn]:
        """All finished rounds with their answers, oldest first."""
        finished = (check_ins.c.conversation_id == conversation_id) & check_ins.c.finished_at.is_not(None)
        statement = _CHECK_IN.where(finished).order_by(check_ins.c.finished_at, check_ins.c.id)
        return await self.database.read(lambda db: _with_answers(db, statement))

    async def export(self, conversation_id: str) -> dict[str, Any]:
        """Everything we hold about a conversation, ready for JSON; empty when there is nothing."""
        said = (
            select(messages.c.seq, messages.c.role, messages.c.created_at, messages.c.body)
            .where(messages.c.conversation_id == conversation_id)
            .order_by(messages.c.seq)
        )
        rounds = _CHECK_IN.where(check_ins.c.conversation_id == conversation_id)

        def work(db: Connection) -> dict[str, Any]:
            conversation = _conversation(db, conversation_id)
            if conversation is None:
                return {}
            kept = _with_answers(db, rounds.order_by(check_ins.c.started_at, check_ins.c.id))
            return {
                "conversation": _plain(conversation, Conversation.__slots__),
                "messages": [
                    {"seq": row.seq, "role": row.role, "at": row.created_at.isoformat(), "parts": row.body}
                    for row in db.execute(said)
                ],
                "check_ins": [_plain(check_in, CheckIn.__slots__) for check_in in kept],
            }

        return await self.database.read(work)

    async def forget(self, conversation_id: str) -> None:
        """Delete everything about a conversation now; the engine's tracker is noted for deletion.

        The person's token stops working at once.
        """
        now = self._clock()

        def work(db: Connection) -> None:
            forget_cases_in(db, conversation_id, now)
            forget_in(db, conversation_id, now)

        await self.database.write(work)

    async def _change(self, conversation_id: str, **values: object) -> None:
        here = conversations.c.id == conversation_id
        if await self._run(update(conversations).where(here).values(**values)) == 0:
            raise LookupError("unknown conversation")

    async def _run(self, statement: Update | Delete) -> int:
        return await self.database.write(lambda db: db.execute(statement).rowcount)


def forget_in(db: Connection, conversation_id: str, at: datetime) -> None:
    """Inside a transaction: delete a conversation with all below it, and note the tracker for deletion."""
    db.execute(delete(conversations).where(conversations.c.id == conversation_id))
    note_tracker(db, conversation_id, at)


def note_tracker(db: Connection, conversation_id: str, at: datetime) -> None:
    """Inside a transaction: note that the engine has to delete this tracker."""
    db.execute(delete(forgotten).where(forgotten.c.conversation_id == conversation_id))
    db.execute(insert(forgotten).values(conversation_id=conversation_id, requested_at=at))


def finished_rounds(
    db: Connection, conversation_id: str
) -> tuple[list[CheckIn], list[dict[str, Any] | None], tuple[str, str] | None]:
    """Inside a transaction: finished rounds, oldest first, what triage found for each, and the chosen norm group."""
    mine = (check_ins.c.conversation_id == conversation_id) & check_ins.c.finished_at.is_not(None)
    order = (check_ins.c.finished_at, check_ins.c.id)
    rounds = _with_answers(db, _CHECK_IN.where(mine).order_by(*order))
    triages = list(db.execute(select(check_ins.c.triage).where(mine).order_by(*order)).scalars())
    found = _conversation(db, conversation_id)
    chosen = found is not None and found.norm_kind is not None and found.norm_label is not None
    group = (str(found.norm_kind), str(found.norm_label)) if found is not None and chosen else None
    return rounds, triages, group


_of_check_in = answers.c.check_in_id == check_ins.c.id


def _open(conversation_id: str) -> Select[Any]:
    return (
        _CHECK_IN.where(check_ins.c.conversation_id == conversation_id, check_ins.c.finished_at.is_(None))
        .order_by(check_ins.c.started_at.desc(), check_ins.c.id)
        .limit(1)
    )


def _conversation(db: Connection, conversation_id: str) -> Conversation | None:
    row = db.execute(_CONVERSATION.where(conversations.c.id == conversation_id)).first()
    return Conversation(*row) if row else None


def _with_answers(db: Connection, statement: Select[Any]) -> list[CheckIn]:
    found = [CheckIn(*row) for row in db.execute(statement)]
    if not found:
        return []
    by_id = {check_in.id: check_in.answers for check_in in found}
    given = (
        select(answers.c.check_in_id, answers.c.item, answers.c.value, answers.c.codes)
        .where(answers.c.check_in_id.in_(list(by_id)))
        .order_by(answers.c.answered_at, answers.c.item)
    )
    for check_in_id, item, value, codes in db.execute(given):
        by_id[check_in_id][item] = value if codes is None else tuple(codes)
    return found


def _plain(record: object, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in names}
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}


_default: Store | None = None


def set_default_store(store: Store | None) -> None:
    """Give the actions the app's own store; None makes the next use build one from the settings."""
    global _default  # noqa: PLW0603 - rasa-sdk makes the actions, so nothing can be handed to them
    _default = store


async def _migrate(url: str) -> None:
    database = open_database(url)
    try:
        await migrate(database)
    finally:
        await database.close()


def default_store() -> Store:
    """The store the actions use: the app's, or, outside the app, one built from the settings and migrated."""
    if _default is None:
        url = load_settings()[0].database_url
        with ThreadPoolExecutor(1) as beside:  # the caller's event loop is running already
            beside.submit(asyncio.run, _migrate(url)).result()
        set_default_store(Store(open_database(url)))
    assert _default is not None  # noqa: S101 - set just above
    return _default
