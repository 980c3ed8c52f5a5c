"""Cases: opening, claiming, every change with its event. Storage room.

A change is one conditional UPDATE in one transaction with its event and its line in the audit log, so that of two
coaches at the same moment exactly one gets the case, and nothing is half done when the process dies.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from bot.escalation.cases import (
    URGENCIES,
    Action,
    NotAllowedError,
    Origin,
    Outcome,
    Scope,
    State,
    Urgency,
    due_at,
    states_for,
)
from bot.escalation.cases import after as state_after
from bot.storage import audit_log
from bot.storage.database import Database
from bot.storage.tables import accounts, case_events, cases, conversations, messages

PERSON, SYSTEM = "person", "system"
#: Cases on one page of the queue.
PAGE = 50


@dataclass(frozen=True, slots=True)
class Opening:
    """What a person chose to hand over. See `CaseRow` for the shapes."""

    organisation: str
    region: str
    origin: Origin
    urgency: Urgency
    contact: Mapping[str, Any]
    scores: Mapping[str, Any] | None = None
    words: str | None = None
    reasons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands; `owner_name` is the name of the account that has it."""

    id: str
    number: int
    conversation_id: str | None
    organisation: str
    region: str
    origin: Origin
    state: State
    urgency: Urgency
    opened_at: datetime
    due_at: datetime
    owner_id: str | None
    claimed_at: datetime | None
    contacted_at: datetime | None
    closed_at: datetime | None
    outcome: Outcome | None
    follow_up_on: str | None
    flagged_at: datetime | None
    contact: dict[str, Any]
    scores: dict[str, Any] | None
    words: str | None
    reasons: list[str]
    turn_of: str | None
    turn_since: datetime | None
    owner_name: str | None

    @property
    def anonymous(self) -> bool:
        """The person comes back with a code, or stays in the chat, and gave no number and no address."""
        return self.contact.get("way") == "chat"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a case. `actor_name`: the account's name, or None for person and system."""

    id: int
    at: datetime
    actor: str
    kind: str
    data: dict[str, Any]
    actor_name: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One message between the person and a coach, as the desk shows it."""

    seq: int
    role: str
    at: datetime
    parts: list[dict[str, Any]]
    author: str | None
    delivered: bool
    seen: bool


@dataclass(frozen=True, slots=True)
class Filters:
    """What the queue shows. `mine`: only this account's; `text`: a case number or a part of a name."""

    states: tuple[State, ...] = ("new", "claimed", "contacted", "live")
    urgency: Urgency | None = None
    mine: str | None = None
    overdue_at: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Cases of the queue and how many there are in all under these filters."""

    cases: list[Case] = field(default_factory=list)
    total: int = 0


_CASE = select(
    *(cases.c[name] for name in Case.__slots__ if name != "owner_name"), accounts.c.name.label("owner_name")
).select_from(cases.outerjoin(accounts, accounts.c.id == cases.c.owner_id))


def _case(row: Any) -> Case:
    return Case(*row)


class UnknownCaseError(LookupError):
    """There is no such case, or it is not this person's to see."""


# --- inside a transaction of someone else ---


def open_in(db: Connection, conversation_id: str | None, opening: Opening, at: datetime) -> Case:
    """Open a case; belongs into the transaction in which the person hears of it."""
    case_id = uuid.uuid4().hex
    # First the audit log: on a server it is locked until the end, so that two openings at once get two numbers.
    audit_log.note(db, at, PERSON, "case.opened", case_id)
    number = (db.execute(select(func.max(cases.c.number))).scalar() or 1000) + 1
    row = {
        "id": case_id,
        "number": number,
        "conversation_id": conversation_id,
        "organisation": opening.organisation,
        "region": opening.region,
        "origin": opening.origin,
        "state": "new",
        "urgency": opening.urgency,
        "opened_at": at,
        "due_at": due_at(opening.urgency, at),
        "contact": dict(opening.contact),
        "scores": None if opening.scores is None else dict(opening.scores),
        "words": opening.words,
        "reasons": list(opening.reasons),
    }
    db.execute(insert(cases).values(**row))
    add_event(db, case_id, at, PERSON, "opened", {"origin": opening.origin, "urgency": opening.urgency})
    return read_in(db, case_id)


def read_in(db: Connection, case_id: str) -> Case:
    """One case.

    Raises:
        UnknownCaseError: there is none.
    """
    row = db.execute(_CASE.where(cases.c.id == case_id)).first()
    if row is None:
        raise UnknownCaseError
    return _case(row)


def hold(db: Connection, case_id: str) -> None:
    """Let nobody else change this case or its conversation until the end of the transaction.

    Everything is locked in this order, conversation, case, audit log: no two transactions wait for each other. SQLite
    has one writer anyway.
    """
    if db.dialect.name == "sqlite":
        return
    theirs = select(conversations.c.id).join(cases, cases.c.conversation_id == conversations.c.id)
    for rows, table in ((theirs, conversations), (select(cases.c.id), cases)):
        db.execute(rows.where(cases.c.id == case_id).with_for_update(of=table, key_share=True))


def open_of(db: Connection, conversation_id: str) -> Case | None:
    """The latest case of a conversation that is not closed."""
    mine = (cases.c.conversation_id == conversation_id) & (cases.c.state != "closed")
    row = db.execute(_CASE.where(mine).order_by(cases.c.opened_at.desc()).limit(1)).first()
    return None if row is None else _case(row)


def add_event(
    db: Connection, case_id: str, at: datetime, actor: str, kind: str, data: Mapping[str, Any] | None = None
) -> None:
    """Add to a case's timeline."""
    db.execute(
        insert(case_events).values(case_id=case_id, at=at, actor=actor, kind=kind, data=dict(data or {}))
    )


def record(
    db: Connection,
    case_id: str,
    at: datetime,
    actor: str,
    kind: str,
    data: Mapping[str, Any] | None = None,
    *,
    action: str | None = None,
) -> None:
    """Write what was done to a case into the audit log, as `action` when it has another name there, and its timeline.

    In this order: on a server the log is locked until the end, so that events are numbered as they are committed, and
    who follows their numbers misses none.
    """
    audit_log.note(db, at, actor, f"case.{action or kind}", case_id)
    add_event(db, case_id, at, actor, kind, data)


def change_in(
    db: Connection,
    case_id: str,
    action: Action,
    actor: str,
    at: datetime,
    *,
    values: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    only: ColumnElement[bool] | None = None,
    kind: str | None = None,
) -> State:
    """Move a case on, with its event and its line in the audit log; the state it is in now.

    Args:
        db: the transaction.
        case_id: which case.
        action: what is done.
        actor: id of the account, 'person' or 'system'.
        at: when.
        values: further columns to set.
        data: what the event says.
        only: a further condition, such as who owns the case.
        kind: the event's name when it is not the action's.

    Raises:
        UnknownCaseError: there is no such case.
        NotAllowedError: not in this state, or `only` does not hold.
    """
    last: State | None = None
    # One statement per state it may be in: the new state follows from the old one.
    for state in states_for(action):
        last = state_after(state, action)
        here = (cases.c.id == case_id) & (cases.c.state == state)
        if only is not None:
            here &= only
        if db.execute(update(cases).where(here).values(**(values or {}), state=last)).rowcount == 1:
            record(db, case_id, at, actor, kind or action, data, action=action)
            return last
    found = read_in(db, case_id)
    raise NotAllowedError(f"{action} is not possible: state {found.state}, owner {found.owner_id}")


# --- the desk ---


class Cases:
    """What the desk reads and changes; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        """Args: database: where cases are."""
        self.database = database

    async def queue(self, scope: Scope, filters: Filters, offset: int = 0) -> Page:
        """Cases by urgency, then by time left; at most `PAGE` from `offset` on."""
        where = and_(within(scope), *_filtered(filters))

        def work(db: Connection) -> Page:
            total = int(db.execute(select(func.count()).select_from(cases).where(where)).scalar_one())
            found: list[Case] = []
            skip = offset
            # Urgency by urgency, since its names do not sort; each stretch comes in order from the index.
            for urgency in URGENCIES:
                mine = where & (cases.c.urgency == urgency)
                if skip:
                    here = int(db.execute(select(func.count()).select_from(cases).where(mine)).scalar_one())
                    if skip >= here:
                        skip -= here
                        continue
                rows = _CASE.where(mine).order_by(cases.c.due_at, cases.c.number)
                page = rows.offset(skip).limit(PAGE - len(found))
                found += map(_case, db.execute(page))
                skip = 0
                if len(found) == PAGE:
                    break
            return Page(found, total)

        return await self.database.read(work)

    async def case(self, case_id: str, scope: Scope) -> Case:
        """One case, without noting that it was opened: for changes and live news.

        Raises:
            UnknownCaseError: there is none in this scope.
        """
        return await self.database.read(lambda db: _mine(db, case_id, scope))

    async def open_page(
        self, case_id: str, scope: Scope, account_id: str, at: datetime
    ) -> tuple[Case, list[Event], list[Said]]:
        """A case with its timeline and its conversation; noted in the audit log in the same transaction.

        Raises:
            UnknownCaseError: there is none in this scope.
        """

        def work(db: Connection) -> tuple[Case, list[Event], list[Said]]:
            case = _mine(db, case_id, scope)
            audit_log.note(db, at, account_id, "case.read", case_id)
            return case, timeline(db, case_id), conversation(db, case)

        return await self.database.write(work)

    async def said(self, case_id: str, scope: Scope) -> list[Said]:
        """The conversation between the person and the coach, for live news of an open page."""

        def work(db: Connection) -> list[Said]:
            return conversation(db, _mine(db, case_id, scope))

        return await self.database.read(work)

    async def claim(self, case_id: str, scope: Scope, account_id: str, at: datetime) -> bool:
        """Take a case that nobody has; False when someone was first.

        Raises:
            UnknownCaseError: there is none in this scope.
        """

        def work(db: Connection) -> bool:
            _mine(db, case_id, scope)
            values = {"owner_id": account_id, "claimed_at": at}
            nobody = cases.c.owner_id.is_(None)
            try:
                change_in(db, case_id, "claim", account_id, at, values=values, only=nobody)
            except NotAllowedError:
                return False
            return True

        return await self.database.write(work)

    async def change(
        self,
        case_id: str,
        scope: Scope,
        action: Action,
        account_id: str,
        at: datetime,
        *,
        as_lead: bool = False,
        data: Mapping[str, Any] | None = None,
        values: Mapping[str, Any] | None = None,
        kind: str | None = None,
        then: Callable[[Connection, Case], None] | None = None,
    ) -> Case:
        """Move a case on. Only its owner may, or, `as_lead`, a lead coach.

        Args:
            case_id: which.
            scope: what the account may see.
            action: what is done; claiming has a method of its own.
            account_id: who does it.
            at: when.
            as_lead: also when someone else has the case.
            data: what the event says.
            values: further columns to set.
            kind: the event's name when it is not the action's.
            then: further work in the same transaction, given the case as it is now.

        Raises:
            UnknownCaseError: there is none in this scope.
            NotAllowedError: not in this state, or not theirs.
        """
        fixed: dict[Action, dict[str, Any]] = {
            "release": {"owner_id": None, "claimed_at": None, "turn_of": None, "turn_since": None},
            "close": {"closed_at": at, "turn_of": None, "turn_since": None},
        }

        def work(db: Connection) -> Case:
            hold(db, case_id)
            before = _mine(db, case_id, scope)
            extra = dict(fixed.get(action, {})) | dict(values or {})
            if action == "contact" and before.contacted_at is None:
                extra["contacted_at"] = at
            only = None if as_lead else cases.c.owner_id == account_id
            change_in(db, case_id, action, account_id, at, values=extra, data=data, only=only, kind=kind)
            now = read_in(db, case_id)
            if action in ("close", "release"):  # nobody waits for a coach any more, or for one to come
                here = conversations.c.id == now.conversation_id
                owner = "bot" if action == "close" else "queue"
                db.execute(update(conversations).where(here).values(owner=owner))
            if then is not None:
                then(db, now)
            return now

        return await self.database.write(work)

    async def note(
        self, case_id: str, scope: Scope, account_id: str, kind: str, data: Mapping[str, Any], at: datetime
    ) -> None:
        """Add a private note or an entry of the call log to the timeline.

        Raises:
            UnknownCaseError: there is none in this scope.
        """

        def work(db: Connection) -> None:
            hold(db, case_id)
            _mine(db, case_id, scope)
            record(db, case_id, at, account_id, kind, data)

        await self.database.write(work)

    async def follow_up(
        self, case_id: str, scope: Scope, account_id: str, day: str | None, at: datetime
    ) -> None:
        """Set or clear the day on which to come back to it (ISO date).

        Raises:
            UnknownCaseError: there is none in this scope.
        """

        def work(db: Connection) -> None:
            hold(db, case_id)
            _mine(db, case_id, scope)
            db.execute(update(cases).where(cases.c.id == case_id).values(follow_up_on=day))
            record(db, case_id, at, account_id, "follow_up", {"on": day})

        await self.database.write(work)

    async def newest_change(self, scope: Scope) -> tuple[int, int]:
        """A mark that changes when any case of this scope changes: the last event and the number of open cases."""

        def work(db: Connection) -> tuple[int, int]:
            last = db.execute(select(func.max(case_events.c.id))).scalar() or 0
            still_open = (
                select(func.count()).select_from(cases).where(within(scope), cases.c.state != "closed")
            )
            return last, int(db.execute(still_open).scalar_one())

        return await self.database.read(work)

    async def follow(self, case_id: str, scope: Scope) -> tuple[Case, list[Event], list[Said]]:
        """As `open_page`, but not noted: for a page that was opened and noted shortly before.

        Raises:
            UnknownCaseError: there is none in this scope.
        """

        def work(db: Connection) -> tuple[Case, list[Event], list[Said]]:
            case = _mine(db, case_id, scope)
            return case, timeline(db, case_id), conversation(db, case)

        return await self.database.read(work)

    async def newest_of(self, case_id: str, scope: Scope) -> tuple[int, int, int]:
        """A mark that changes when a case does: its last event, its last message, and up to which the person has seen.

        Raises:
            UnknownCaseError: there is none in this scope.
        """
        last_event = select(func.max(case_events.c.id)).where(case_events.c.case_id == case_id)
        said = (messages.c.conversation_id == cases.c.conversation_id) & (messages.c.case_id == cases.c.id)
        last_said = select(func.max(messages.c.seq)).where(said).correlate(cases)
        question = (
            select(
                last_event.scalar_subquery(),
                last_said.scalar_subquery(),
                conversations.c.seen_seq + conversations.c.delivered_seq,
            )
            .select_from(cases.outerjoin(conversations, conversations.c.id == cases.c.conversation_id))
            .where(cases.c.id == case_id, within(scope))
        )
        row = await self.database.read(lambda db: db.execute(question).first())
        if row is None:
            raise UnknownCaseError
        return row[0] or 0, row[1] or 0, row[2] or 0

    async def known(self, case_ids: Collection[str], scope: Scope) -> set[str]:
        """Which of these cases are in this scope."""
        asked = select(cases.c.id).where(cases.c.id.in_(case_ids), within(scope))
        return await self.database.read(lambda db: set(db.execute(asked).scalars()))

    async def last_event(self, case_id: str) -> int:
        """The number of the last event of a case; 0 when there is none."""
        last = select(func.max(case_events.c.id)).where(case_events.c.case_id == case_id)
        return await self.database.read(lambda db: int(db.execute(last).scalar() or 0))

    async def to_remind(self, at: datetime) -> list[Case]:
        """Open cases nobody has reached yet and of which more than three quarters of the time are gone or nearly."""
        # The shortest time is an hour: whatever is due within two days is looked at, the core decides.
        soon = at + timedelta(days=2)
        told = select(case_events.c.id).where(
            case_events.c.case_id == cases.c.id, case_events.c.kind == "reminder_100"
        )
        waits = cases.c.state.in_(("new", "claimed")) & (cases.c.state != "closed")  # as in `_filtered`
        late = waits & (cases.c.due_at <= soon) & ~told.exists()
        return await self.database.read(
            lambda db: [
                _case(row) for row in db.execute(_CASE.where(late).order_by(cases.c.due_at).limit(1000))
            ]
        )


def timeline(db: Connection, case_id: str) -> list[Event]:
    """Everything that happened to a case, oldest first."""
    columns = (case_events.c[name] for name in Event.__slots__ if name != "actor_name")
    joined = case_events.outerjoin(accounts, accounts.c.id == case_events.c.actor)
    rows = select(*columns, accounts.c.name).select_from(joined).where(case_events.c.case_id == case_id)
    found: Sequence[Any] = db.execute(rows.order_by(case_events.c.id)).all()
    return [Event(*row) for row in found]


def conversation(db: Connection, case: Case) -> list[Said]:
    """What the person and coaches said to each other in this case; nothing the person said to the bot."""
    if case.conversation_id is None:
        return []
    columns = ("seq", "role", "created_at", "body", "author")
    rows = (
        select(
            *(messages.c[name] for name in columns),
            messages.c.seq <= conversations.c.delivered_seq,
            messages.c.seq <= conversations.c.seen_seq,
        )
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(messages.c.conversation_id == case.conversation_id, messages.c.case_id == case.id)
        .order_by(messages.c.seq)
    )
    found: Sequence[Any] = db.execute(rows).all()
    return [Said(*row) for row in found]


def _mine(db: Connection, case_id: str, scope: Scope) -> Case:
    row = db.execute(_CASE.where(cases.c.id == case_id, within(scope))).first()
    if row is None:
        raise UnknownCaseError
    return _case(row)


def within(scope: Scope) -> ColumnElement[bool]:
    """The condition that a case is in this scope."""
    limits: list[ColumnElement[bool]] = []
    if scope.organisation is not None:
        limits.append(cases.c.organisation == scope.organisation)
    if scope.region is not None:
        limits.append(cases.c.region == scope.region)
    return and_(*limits)


def _filtered(filters: Filters) -> list[ColumnElement[bool]]:
    limits: list[ColumnElement[bool]] = [cases.c.state.in_(filters.states)]
    if "closed" not in filters.states:
        limits.append(cases.c.state != "closed")  # in these words, so that the index of open cases serves
    if filters.urgency is not None:
        limits.append(cases.c.urgency == filters.urgency)
    if filters.mine is not None:
        limits.append(cases.c.owner_id == filters.mine)
    if filters.overdue_at is not None:
        limits.append((cases.c.due_at < filters.overdue_at) & cases.c.contacted_at.is_(None))
    words = filters.text.strip()
    if words:
        name = cases.c.contact["name"].as_string()
        # SQLite's own small letters are those of English: a name such as Élise is looked for as it is written, too.
        written = [name.contains(form, autoescape=True) for form in (words, words.title())]
        limits.append(
            or_(
                cases.c.number == int(words)
                if words.isascii() and words.isdigit() and len(words) < 10
                else False,
                func.lower(name).contains(words.lower(), autoescape=True),
                *written,
            )
        )
    return limits
