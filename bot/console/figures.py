"""Figures about cases, and notifications that did not arrive. Console room.

Here administrators see how it goes without reading anybody's case: every number of people is one that may be shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.console.case import OUTCOME_WORDS
from bot.console.desk import DeskProblem, Handler, Visit, page, see_other
from bot.console.routes import PREFIX
from bot.escalation.cases import Scope
from bot.escalation.figures import (
    WEEKS,
    count_shown,
    duration_shown,
    part_shown,
    parts_shown,
    rough_share_shown,
    share_shown,
    weeks_until,
)
from bot.storage import figures
from bot.storage.notifications import Notification, SendState

_ZONE = ZoneInfo("Europe/Brussels")
_LISTED = 200
KIND_WORDS = {
    "opened": "Nieuw dossier",
    "reminder_75": "Driekwart van de tijd is om",
    "reminder_100": "De tijd is om",
    "flagged": "Mogelijk gevaar",
    "raised": "Nu dringend",
    "answered": "De persoon schreef",
}
CHANNEL_WORDS = {"mail": "e-mail", "webhook": "webhook"}


class Post(Protocol):
    """Sends notifications (bot.conversation.post): `desk.extra["post"]`."""

    async def again(self, notification_id: str, at: datetime) -> bool:
        """Try one anew; whether there was such a one that had not arrived."""

    async def listing(self, state: SendState | None, limit: int) -> Sequence[Notification]:
        """Notifications in this state, newest first."""


async def figures_page(visit: Visit) -> web.StreamResponse:
    """How many, how soon, how it ended."""
    at = visit.desk.clock()
    found = await figures.figures(visit.desk.database, _scope(visit), weeks_until(at, _ZONE), at)
    closed, outcomes = parts_shown(list(found.outcomes.values()))
    return page(
        visit,
        "figures.html",
        open=count_shown(found.now.open),
        overdue=part_shown(found.now.overdue, found.now.open),
        median=duration_shown(found.median.seconds, found.median.of),
        in_time=rough_share_shown(
            sum(week.in_time for week in found.weeks), sum(week.judged for week in found.weeks)
        ),
        closed=closed,
        outcomes=dict(zip((OUTCOME_WORDS[one] for one in found.outcomes), outcomes, strict=True)),
        weeks=[_week(week) for week in reversed(found.weeks)],
        count=WEEKS,
    )


async def notifications_page(visit: Visit) -> web.StreamResponse:
    """What waits to be sent, and what was given up."""
    return await _notifications(visit)


async def send_again(visit: Visit) -> web.StreamResponse:
    """Try a notification once more."""
    wanted = visit.request.match_info["notification"]
    if wanted not in {one.id for one in [*await _listed(visit, "dead"), *await _listed(visit, "waiting")]}:
        raise DeskProblem(404, "Deze melding staat niet meer in de lijst. Misschien is ze net verstuurd.")
    await _post(visit).again(wanted, visit.desk.clock())
    return see_other(f"{PREFIX}/notifications?notice=again")


HANDLERS: dict[str, Handler] = {
    "figures_page": figures_page,
    "notifications_page": notifications_page,
    "send_again": send_again,
}


def _scope(visit: Visit) -> Scope | None:
    """Which cases count. An administrator who is limited to nothing runs the whole, and sees numbers only."""
    who = visit.who
    if who.role == "administrator" and who.organisation is None and who.region is None:
        return None
    return who.scope


def _week(found: figures.WeekFigures) -> dict[str, Any]:
    return {
        "name": f"Week {found.week.number}",
        "from": found.week.start,
        "new": count_shown(found.new),
        "claimed": count_shown(found.claimed),
        "contacted": count_shown(found.contacted),
        "in_time": share_shown(found.in_time, found.judged),
        "median": duration_shown(found.median.seconds, found.median.of),
    }


async def _notifications(visit: Visit) -> web.Response:
    return page(
        visit,
        "notifications.html",
        dead=await _listed(visit, "dead"),
        waiting=await _listed(visit, "waiting"),
        kind_words=KIND_WORDS,
        channel_words=CHANNEL_WORDS,
        notice="We proberen het opnieuw." if visit.request.query.get("notice") == "again" else None,
    )


async def _listed(visit: Visit, state: SendState) -> list[Notification]:
    """Those about cases they may know of."""
    found = await _post(visit).listing(state, _LISTED)
    scope = _scope(visit)
    if scope is None:
        return list(found)
    known = await visit.desk.cases.known({_case_of(one) for one in found}, scope)
    return [one for one in found if _case_of(one) in known]


def _case_of(notification: Notification) -> str:
    """The case a notification is about, which its key names: 'case:<id>:…'."""
    return notification.dedupe.removeprefix("case:").partition(":")[0]


def _post(visit: Visit) -> Post:
    post: Post = visit.desk.extra["post"]
    return post
