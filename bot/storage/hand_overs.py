"""People on the way to a coach and back, inside the transactions of the message log. Storage room.

Knows rows, not what is said: the escalation core decides, and what it decided is kept here together with the message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from bot.escalation.cases import soonest
from bot.storage.case_ending import withdraw_in
from bot.storage.cases import PERSON, SYSTEM, Case, Opening, change_in, open_in, open_of, record
from bot.storage.store import CheckIn, finished_rounds
from bot.storage.tables import accounts, cases, conversations, crises, hand_offs

#: A person on the way to a coach who is done with it.
CLOSED = "closed"


class Shared(Protocol):
    """What could be shared of someone's check-ins; see bot.screening.sharing."""

    @property
    def scores(self) -> dict[str, Any] | None:
        """The latest scores with norm and trend."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Fired rules in words for the coach."""

    @property
    def level(self) -> int:
        """Level of care that triage found."""


@dataclass(frozen=True, slots=True)
class HandOffRecord:
    """Where a person is, as kept; see `HandOffRow`."""

    stage: str
    draft: dict[str, Any]
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class DeskView:
    """What the desk knows of one person.

    Attributes:
        coaches: whether a coach could come.
        case: their open case.
        shared: what could be shared.
        danger_at: when they last went on from clear danger of their own without taking it back; None: never.
    """

    coaches: bool
    case: Case | None
    shared: Shared
    danger_at: datetime | None = None


Share = Callable[
    [Sequence[CheckIn], Sequence[Mapping[str, Any] | None], tuple[str, str] | None],
    Shared,
]
#: Told inside the transaction that a case was opened, flagged or written to, so that notices are stored with it.
Announce = Callable[[Connection, Case, str, datetime], None]


_DANGER = select(func.max(crises.c.changed_at)).where(
    crises.c.conversation_id == bindparam("cid"),
    crises.c.verdict == "explicit",
    crises.c.third_party.is_(False),
    crises.c.stage == "closed",
)


class HandOvers:
    """Reads and changes what concerns coaches, always inside a transaction of the message log."""

    def __init__(
        self, organisation: str, region: str, *, demo: bool, share: Share, announce: Announce
    ) -> None:
        """Wire up.

        Args:
            organisation: whose people these are.
            region: where they live.
            demo: whether demonstration accounts count as coaches.
            share: what of someone's check-ins could be shared.
            announce: stores notices about a case: 'opened', 'flagged', 'raised', 'answered', 'withdrawn'.
        """
        self.organisation = organisation
        self.region = region
        self._share = share
        self.announce = announce
        able = (
            accounts.c.role.in_(("coach", "lead_coach"))
            & accounts.c.disabled_at.is_(None)
            & or_(accounts.c.organisation.is_(None), accounts.c.organisation == organisation)
            & or_(accounts.c.region.is_(None), accounts.c.region == region)
        )
        if not demo:
            able &= accounts.c.demo.is_(False)
        self._able = select(accounts.c.id).where(able).limit(1)

    def view(self, db: Connection, conversation_id: str) -> DeskView:
        """What the desk knows of this person."""
        rounds, triages, group = finished_rounds(db, conversation_id)
        return DeskView(
            coaches=db.execute(self._able).first() is not None,
            case=open_of(db, conversation_id),
            shared=self._share(rounds, triages, group),
            danger_at=db.scalar(_DANGER, {"cid": conversation_id}),
        )

    def opened(self, db: Connection, conversation_id: str, opening: Opening, at: datetime) -> Case:
        """Open a case and store its notices."""
        case = open_in(db, conversation_id, opening, at)
        db.execute(_owner_is(conversation_id, "queue"))
        self.announce(db, case, "opened", at)
        return case

    def withdrawn(self, db: Connection, conversation_id: str, at: datetime) -> None:
        """Close the open case because the person wants it so; what they shared is wiped."""
        case = open_of(db, conversation_id)
        if case is None:
            return
        withdraw_in(db, case, at)
        db.execute(_owner_is(conversation_id, "bot"))
        if case.owner_id is not None:
            self.announce(db, case, "withdrawn", at)

    def raised(self, db: Connection, conversation_id: str, at: datetime) -> None:
        """The person asks for a coach out of danger while a case is open: it is urgent from now on, and told so."""
        case = open_of(db, conversation_id)
        if case is None:
            return
        urgent = replace(case, urgency="now", due_at=soonest(case.due_at, at))
        values = {"urgency": urgent.urgency, "due_at": urgent.due_at}
        db.execute(update(cases).where(cases.c.id == case.id).values(**values))
        record(db, case.id, at, PERSON, "raised", {})
        self.announce(db, urgent, "raised", at)

    def said(self, db: Connection, conversation_id: str, flag: str | None, at: datetime) -> str | None:
        """The person wrote to their coach; returns the case, or None when there is none any more."""
        case = open_of(db, conversation_id)
        if case is None:
            return None
        waits = {} if case.turn_of == "coach" else {"turn_of": "coach", "turn_since": at}
        if flag is not None:
            waits["flagged_at"] = at
        if waits:
            db.execute(update(cases).where(cases.c.id == case.id).values(**waits))
        if flag is not None:
            record(db, case.id, at, SYSTEM, "flagged", {"kind": flag})
            self.announce(db, case, "flagged", at)
        elif waits:
            self.announce(db, case, "answered", at)
        return case.id

    def ended(
        self, db: Connection, conversation_id: str, actor: str, at: datetime, kind: str = "end_live"
    ) -> None:
        """The conversation is the bot's again; the case stays with its coach."""
        db.execute(_owner_is(conversation_id, "bot"))
        case = open_of(db, conversation_id)
        if case is not None and case.state == "live":
            change_in(
                db, case.id, "end_live", actor, at, values={"turn_of": None, "turn_since": None}, kind=kind
            )


def read(db: Connection, conversation_id: str) -> HandOffRecord | None:
    """Where a person is on the way to a coach; None when they are not."""
    found = select(hand_offs.c.stage, hand_offs.c.draft, hand_offs.c.changed_at)
    row = db.execute(found.where(hand_offs.c.conversation_id == conversation_id)).first()
    return HandOffRecord(*row) if row is not None else None


def keep(db: Connection, conversation_id: str, record: HandOffRecord) -> None:
    """Keep where a person is; one who is done leaves nothing behind."""
    here = hand_offs.c.conversation_id == conversation_id
    if record.stage == CLOSED:
        db.execute(delete(hand_offs).where(here))
        return
    values = {"stage": record.stage, "draft": record.draft, "changed_at": record.changed_at}
    # The conversation's row is locked by the number that was taken: nobody inserts between the two.
    if db.execute(update(hand_offs).where(here).values(**values)).rowcount == 0:
        db.execute(insert(hand_offs).values(conversation_id=conversation_id, **values))


def _owner_is(conversation_id: str, owner: str) -> Any:
    return update(conversations).where(conversations.c.id == conversation_id).values(owner=owner)
