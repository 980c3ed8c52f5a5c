"""What coaches say to people, and who has a conversation. Storage room.

A coach's message, the change of owner and the case's event are one transaction, as are the end and what is said then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.escalation.cases import NotAllowedError
from bot.storage import hand_overs
from bot.storage.cases import SYSTEM, Case, change_in, hold, open_of, read_in
from bot.storage.database import Database
from bot.storage.hand_overs import HandOffRecord
from bot.storage.message_log import StoredMessage, read_message, say_in
from bot.storage.tables import accounts, cases, conversations

Parts = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Quiet:
    """A live conversation in which someone has not answered for long; `name` is the coach's.

    `conversation_id` is None when the conversation is gone and the case stayed.
    """

    case_id: str
    conversation_id: str | None
    turn_of: str
    since: datetime
    name: str
    region: str | None


class LiveLog:
    """Reads and writes of live conversations."""

    def __init__(self, database: Database) -> None:
        """Args: database: where everything is."""
        self._database = database

    async def say(
        self,
        case_id: str,
        account_id: str,
        author: str,
        parts: Parts,
        client_id: str,
        begins: Parts,
        at: datetime,
    ) -> list[StoredMessage]:
        """Store a coach's message once per `client_id`; before the first one of a conversation stands `begins`.

        Raises:
            NotAllowedError: the account does not have the case, it is closed, or nobody can be written to.
        """

        def work(db: Connection) -> list[StoredMessage]:
            hold(db, case_id)
            case = read_in(db, case_id)
            if case.owner_id != account_id or case.state not in ("claimed", "contacted", "live"):
                raise NotAllowedError("only who has the case writes to the person")
            if case.conversation_id is None:
                raise NotAllowedError("the person cannot be written to here")
            said: list[StoredMessage] = []
            if case.state != "live":
                mine = cases.c.owner_id == account_id
                contacted = {} if case.contacted_at is not None else {"contacted_at": at}
                change_in(db, case_id, "start_live", account_id, at, values=contacted, only=mine)
                db.execute(_owner(case.conversation_id, "coach"))
                # Nothing of the assistant stands open any more; what it still works on will not be said.
                hand_overs.keep(db, case.conversation_id, HandOffRecord(hand_overs.CLOSED, {}, at))
                said += say_in(db, case.conversation_id, None, [begins], at, "system", case_id=case_id)
            said += say_in(
                db,
                case.conversation_id,
                None,
                [parts],
                at,
                "coach",
                case_id=case_id,
                author=author,
                client_id=client_id,
            )
            turn = {"turn_of": "person", "turn_since": at, "flagged_at": None}
            db.execute(update(cases).where(cases.c.id == case_id).values(**turn))
            return said

        def again(db: Connection) -> list[StoredMessage]:
            case = read_in(db, case_id)
            return [read_message(db, str(case.conversation_id), client_id)]

        try:
            return await self._database.write(work)
        except IntegrityError:  # the same form, sent twice
            return await self._database.read(again)

    async def end(
        self, case_id: str, account_id: str, lines: Sequence[Parts], record: HandOffRecord, at: datetime
    ) -> list[StoredMessage]:
        """The conversation is the assistant's again; says `lines`.

        Raises:
            NotAllowedError: the account does not have the case, or it is not live.
        """

        def work(db: Connection) -> list[StoredMessage]:
            hold(db, case_id)
            case = read_in(db, case_id)
            return give_back(db, case, account_id, lines, record, at)

        return await self._database.write(work)

    async def owner(self, conversation_id: str) -> tuple[str, str | None]:
        """Who answers a conversation, and the name of the coach when it is one."""

        def work(db: Connection) -> tuple[str, str | None]:
            here = select(conversations.c.owner).where(conversations.c.id == conversation_id)
            owner = db.execute(here).scalar() or "bot"
            case = open_of(db, conversation_id) if owner == "coach" else None
            return owner, case.owner_name if case is not None else None

        return await self._database.read(work)

    async def seen(self, conversation_id: str, seq: int) -> None:
        """The person's page has shown messages up to `seq`; never goes back, never beyond what there is."""
        await self._reached(conversation_id, conversations.c.seen_seq, seq)

    async def delivered(self, conversation_id: str, seq: int) -> None:
        """Messages up to `seq` have reached the person's browser; never goes back."""
        await self._reached(conversation_id, conversations.c.delivered_seq, seq)

    async def _reached(self, conversation_id: str, mark: ColumnElement[int], seq: int) -> None:
        here = (conversations.c.id == conversation_id) & (mark < seq) & (conversations.c.next_seq > seq)
        moved = update(conversations).where(here).values({mark: seq})
        await self._database.write(lambda db: db.execute(moved).rowcount)

    async def quiet(self, coach_since: datetime, person_since: datetime) -> list[Quiet]:
        """Live conversations in which the coach, or the person, has not answered since then."""
        late = or_(
            (cases.c.turn_of == "coach") & (cases.c.turn_since < coach_since),
            (cases.c.turn_of == "person") & (cases.c.turn_since < person_since),
        )
        columns = (
            cases.c.id, cases.c.conversation_id, cases.c.turn_of, cases.c.turn_since,
            accounts.c.name, conversations.c.region,
        )  # fmt: skip
        joined = cases.join(accounts, accounts.c.id == cases.c.owner_id).outerjoin(
            conversations, conversations.c.id == cases.c.conversation_id
        )
        found = select(*columns).select_from(joined).where(cases.c.state == "live", late).limit(200)
        return await self._database.read(lambda db: [Quiet(*row) for row in db.execute(found)])

    async def quieted(self, quiet: Quiet, lines: Sequence[Parts], at: datetime) -> list[StoredMessage]:
        """Say `lines` unless someone wrote meanwhile; a conversation that the person left is the assistant's again."""

        def work(db: Connection) -> list[StoredMessage]:
            hold(db, quiet.case_id)
            still = (
                (cases.c.id == quiet.case_id)
                & (cases.c.state == "live")
                & (cases.c.turn_of == quiet.turn_of)
                & (cases.c.turn_since == quiet.since)
            )
            if db.execute(update(cases).where(still).values(turn_of=None, turn_since=None)).rowcount == 0:
                return []
            if quiet.turn_of == "person":
                change_in(db, quiet.case_id, "end_live", SYSTEM, at, kind="person_quiet")
            if quiet.conversation_id is None:
                return []
            if quiet.turn_of == "person":
                db.execute(_owner(quiet.conversation_id, "bot"))
            return say_in(db, quiet.conversation_id, None, lines, at, "system", case_id=quiet.case_id)

        return await self._database.write(work)


def give_back(
    db: Connection,
    case: Case,
    account_id: str,
    lines: Sequence[Parts],
    record: HandOffRecord | None,
    at: datetime,
) -> list[StoredMessage]:
    """Inside a transaction: a live conversation is the assistant's again; `lines` are said by the system."""
    if case.owner_id != account_id:
        raise NotAllowedError("only who has the case gives the conversation back")
    none = {"turn_of": None, "turn_since": None}
    change_in(db, case.id, "end_live", account_id, at, values=none)
    if case.conversation_id is None:
        return []
    db.execute(_owner(case.conversation_id, "bot"))
    if record is not None:
        hand_overs.keep(db, case.conversation_id, record)
    return say_in(db, case.conversation_id, None, lines, at, "system", case_id=case.id)


def _owner(conversation_id: str, owner: str) -> Any:
    return update(conversations).where(conversations.c.id == conversation_id).values(owner=owner)
