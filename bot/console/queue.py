"""The queue: which cases there are, by urgency and time left. Console room.

Administrators see numbers only, so for them this is the page with figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args
from urllib.parse import urlencode

from aiohttp import web

from bot.console import news
from bot.console.desk import Handler, Visit, fragment, page, see_other
from bot.console.routes import PREFIX
from bot.escalation.cases import STATES, State, Urgency
from bot.storage import figures
from bot.storage.cases import PAGE, Filters

URGENCY_WORDS = {"now": "Nu", "48h": "Binnen 48 uur", "week": "Binnen een week"}
STATE_WORDS = {
    "new": "Wacht op een coach",
    "claimed": "Opgenomen",
    "contacted": "Contact gehad",
    "live": "In gesprek",
    "closed": "Afgesloten",
}
WAY_WORDS = {"phone": "Bellen", "mail": "Mailen", "chat": "Chat, zonder naam"}
#: Which cases are shown: the name in the address, and what stands on the link.
VIEWS = {"open": "Open", "mine": "Van mij", "overdue": "Te laat"}
_MAX_SEARCH = 100


async def queue_page(visit: Visit) -> web.StreamResponse:
    """The whole page."""
    if visit.who.role == "administrator":
        return see_other(f"{PREFIX}/figures")
    return page(visit, "queue.html", **await _context(visit))


async def queue_rows(visit: Visit) -> web.StreamResponse:
    """The rows alone, for when something changed."""
    return fragment(visit, "rows.html", **await _context(visit))


async def queue_news(visit: Visit) -> web.StreamResponse:
    """Tells that something changed, with the number of open cases."""
    scope = visit.who.scope

    async def look(mark: str) -> tuple[str, Sequence[tuple[str, str]]]:
        last, still_open = await visit.desk.cases.newest_change(scope)
        now = f"{last}-{still_open}"
        return now, [] if now == mark else [("changed", str(still_open))]

    return await news.stream(visit, look)


async def _context(visit: Visit) -> dict[str, Any]:
    asked = _asked(visit.request.query.get)
    at, who = visit.desk.clock(), visit.who
    states: tuple[State, ...] = STATES if asked["closed"] else STATES[:-1]
    filters = Filters(
        states=states,
        urgency=cast("Urgency | None", asked["urgency"] or None),
        mine=who.id if asked["view"] == "mine" else None,
        overdue_at=at if asked["view"] == "overdue" else None,
        text=asked["text"],
    )
    # The mark is read before the rows: what changes between the two is told once more, and not missed.
    last, still_open = await visit.desk.cases.newest_change(who.scope)
    number = _number(visit.request.query.get("page"))
    found = await visit.desk.cases.queue(who.scope, filters, (number - 1) * PAGE)
    pages = max((found.total + PAGE - 1) // PAGE, 1)
    if number > pages:  # what stood there was closed meanwhile
        number = pages
        found = await visit.desk.cases.queue(who.scope, filters, (number - 1) * PAGE)
    return {
        "found": found,
        "counts": await figures.counts(visit.desk.database, who.scope, who.id, at),
        "asked": asked,
        "address": lambda **changes: address(asked | {"page": 1} | changes),
        "rows_address": address(asked | {"page": number}, "/rows"),
        "number": number,
        "pages": pages,
        "first": (number - 1) * PAGE + 1,
        "mark": f"{last}-{still_open}",
        "views": VIEWS,
        "urgency_words": URGENCY_WORDS,
        "state_words": STATE_WORDS,
        "way_words": WAY_WORDS,
    }


def address(asked: dict[str, Any], path: str = "/") -> str:
    """The address of a view of the queue; what is as usual is left out."""
    usual = {"view": "open", "urgency": "", "text": "", "closed": "", "page": 1}
    query = {key: value for key, value in asked.items() if value != usual[key]}
    return f"{PREFIX}{path}" + (f"?{urlencode(query)}" if query else "")


def _asked(get: Any) -> dict[str, str]:
    """What the address asks for; what is not known counts as not asked."""
    view, urgency = "mine" if get("mine") == "1" else get("view", ""), get("urgency", "")
    return {
        "view": view if view in VIEWS else "open",
        "urgency": urgency if urgency in get_args(Urgency) else "",
        "text": get("text", "").strip()[:_MAX_SEARCH],
        "closed": "1" if get("closed") == "1" else "",
    }


def _number(given: str | None) -> int:
    number = int(given) if given and given.isascii() and given.isdigit() and len(given) < 7 else 1
    return max(number, 1)


HANDLERS: dict[str, Handler] = {
    "queue_page": queue_page,
    "queue_rows": queue_rows,
    "queue_news": queue_news,
}
