"""Builds what concerns coaches and wires it. Edge room, beside bot.assembly."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from bot.console.desk import Desk, make_desk
from bot.console.news import end_streams
from bot.conversation.hand_off import ToCoach
from bot.conversation.live import Live
from bot.conversation.outbox import Outbox
from bot.conversation.post import Post, channels, senders
from bot.conversation.reminders import Reminders
from bot.conversation.return_door import ReturnDoor
from bot.escalation.flow import Availability
from bot.escalation.hand_off_texts import shipped_hand_off_texts
from bot.escalation.notices import (
    Recipient,
    notices_for_answer,
    notices_for_flag,
    notices_for_opened,
    notices_for_raise,
)
from bot.escalation.organisation import Organisation as OrganisationData
from bot.escalation.organisation import OrganisationFile, coach_from, deputies_at
from bot.resources import RESOURCES
from bot.screening.instruments import load_instruments
from bot.screening.norms import load_norms
from bot.screening.sharing import Shareable, shareable
from bot.settings import Settings
from bot.storage.cases import Case
from bot.storage.database import Database
from bot.storage.hand_overs import HandOvers
from bot.storage.live_log import LiveLog
from bot.storage.notifications import Notifications, enqueue, team_in
from bot.storage.return_codes import ReturnCodes
from bot.storage.store import CheckIn
from bot.support.help_lines import Regions

#: Whose cases are whose where no organisation's file names one.
NO_ORGANISATION = "algemeen"

log = structlog.get_logger("coaching")


@dataclass(frozen=True, slots=True)
class Coaching:
    """The wired parts."""

    live: Live
    door: ReturnDoor
    desk: Desk
    post: Post
    reminders: Reminders

    def background(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """What runs beside the app until it stops."""
        return self.live.run(), self.post.run(), self.reminders.run()

    def stop(self) -> None:
        """End what is held open for pages of the desk."""
        end_streams(self.desk)


class Organisation:
    """The organisation's file as the rest needs it: who is there, whose turn it is."""

    def __init__(self, settings: Settings) -> None:
        """Args: settings: where the file is."""
        self._file = OrganisationFile(settings.organisation_file)
        self._told: list[str] = []

    def current(self) -> OrganisationData | None:
        """What the file says now; a fault in a new version of it is logged once."""
        found = self._file.current()
        if self._file.faults != self._told:
            self._told = list(self._file.faults)
            for fault in self._told:
                log.error("organisation's file cannot be used; the last good one counts", fault=fault)
        return found

    @property
    def id(self) -> str:
        """Its id, or `NO_ORGANISATION`."""
        found = self.current()
        return found.id if found is not None else NO_ORGANISATION

    def there(self, now: datetime) -> Availability:
        """Whether a coach works now."""
        found = self.current()
        return Availability(None) if found is None else coach_from(found, now)

    def deputies(self, organisation: str, now: datetime) -> Sequence[Recipient]:
        """The deputies on duty."""
        found = self.current()
        if found is None or found.id != organisation:
            return ()
        return [Recipient("deputy", f"deputy:{mail}"[:80], mail) for mail in deputies_at(found, now)]


def to_coach(organisation: Organisation, regions: Regions) -> ToCoach:
    """The way to a coach."""
    return ToCoach(shipped_hand_off_texts(), regions, organisation.id, organisation.there)


def hand_overs(settings: Settings, organisation: Organisation) -> HandOvers:
    """What the message log does about coaches, in its own transactions."""
    instruments = load_instruments(RESOURCES / "instruments")
    norms = load_norms(RESOURCES / "norms")

    def share(
        rounds: Sequence[CheckIn],
        triages: Sequence[Mapping[str, Any] | None],
        group: tuple[str, str] | None,
    ) -> Shareable:
        return shareable(rounds, triages, instruments, norms, group)

    announce = partial(_announce, settings, organisation)
    return HandOvers(organisation.id, settings.region, demo=settings.demo, share=share, announce=announce)


def coaching(
    settings: Settings,
    database: Database,
    outbox: Outbox,
    way: ToCoach,
    organisation: Organisation,
    clock: Callable[[], datetime],
) -> Coaching:
    """Wire the live conversation, the anonymous door, the desk and what is sent out."""
    texts = shipped_hand_off_texts()
    live = Live(LiveLog(database), outbox, way, texts, clock)
    door = ReturnDoor(ReturnCodes(database), outbox, way, texts, clock)
    post = Post(Notifications(database), senders(settings), clock)
    reminders = Reminders(database, organisation.deputies, channels(settings), post.wake, clock)
    desk = make_desk(settings, database, clock, live=live, post=post)
    return Coaching(live, door, desk, post, reminders)


def _announce(
    settings: Settings, organisation: Organisation, db: Connection, case: Case, what: str, at: datetime
) -> None:
    """Store the notices about a case in the transaction of what they tell about."""
    team = team_in(db, case, organisation.deputies(case.organisation, at), channels(settings))
    # Ten messages in a row are told once: until the coach writes, they belong to the same occasion.
    occasion = (case.turn_since if case.turn_of == "coach" and case.turn_since else at).isoformat(
        timespec="seconds"
    )
    if what == "opened":
        enqueue(db, notices_for_opened(case, team), at)
    elif what == "flagged":
        enqueue(db, notices_for_flag(case, team, occasion), at)
    elif what == "raised":
        enqueue(db, notices_for_raise(case, team, at.isoformat(timespec="seconds")), at)
    elif what == "answered":
        enqueue(db, notices_for_answer(case, team, occasion), at)
