"""One case: what the person shared, the conversation with them, and everything a coach does with it. Console room.

Who has the case writes to the person; others read along. A lead coach may also pass on or give back someone else's.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol, cast

from aiohttp import web

from bot.console import news
from bot.console.account import PRESENCE_WORDS
from bot.console.chart import score_chart
from bot.console.desk import DeskProblem, Handler, Visit, fragment, page, see_other
from bot.console.queue import STATE_WORDS, URGENCY_WORDS, WAY_WORDS
from bot.console.routes import COACHES, PREFIX
from bot.escalation.canned import shipped_canned_replies
from bot.escalation.cases import OUTCOMES, Action, NotAllowedError, Outcome, Scope
from bot.storage.accounts import AccountRecord
from bot.storage.cases import Case, Event, Said

OUTCOME_WORDS: dict[Outcome, str] = {
    "talked": "Gesproken",
    "referred": "Doorverwezen",
    "no_reply": "Niet kunnen bereiken",
    "withdrawn": "De persoon trok de vraag in",
    "other": "Anders",
}
CALL_WORDS = {"reached": "Bereikt", "no_answer": "Geen antwoord", "voicemail": "Voicemail ingesproken"}
#: What a page says at the top after something was done; the name stands in the address.
NOTICES = {
    "claimed": "Dit dossier is nu van jou.",
    "taken": "Iemand was je net voor.",
    "called": "De oproep staat in het dossier.",
    "noted": "Je notitie is bewaard.",
    "followed": "De datum is bewaard.",
    "handed": "Het dossier is doorgegeven.",
    "back": "De assistent heeft het gesprek weer overgenomen.",
    "closed": "Het dossier is afgesloten.",
}
_TALKS = "{name} is nog in gesprek. Dit kan zodra dat gesprek stopt."
#: Someone who opened a case is not noted again for this long when the open page fetches what is new in it.
_OPENED_FOR = timedelta(hours=1)
_FURTHEST = timedelta(days=366)
_MAX_NOTE = 4000
_OPENED = "case_pages_opened"


class Live(Protocol):
    """The conversation with the person (bot.conversation.live): `desk.extra["live"]`."""

    async def say(self, case: Case, account_id: str, author: str, text: str, key: str, at: datetime) -> int:
        """Send a message; its number."""

    async def end(self, case: Case, account_id: str, at: datetime) -> None:
        """Give the conversation back to the assistant."""

    def coach_types(self, case: Case) -> None:
        """Show the person that the coach writes."""

    def typing(self, conversation_id: str | None) -> bool:
        """Whether the person is writing now."""


# --- looking ---


async def case_page(visit: Visit) -> web.StreamResponse:
    """The page; opening it is noted in the audit log."""
    return await _page(visit)


async def case_print(visit: Visit) -> web.StreamResponse:
    """Everything on paper."""
    return page(visit, "print.html", **await _context(visit))


async def case_conversation(visit: Visit) -> web.StreamResponse:
    """The parts of an open page that change by themselves."""
    case_id, who, at = _id(visit), visit.who, visit.desk.clock()
    key, opened = (who.id, case_id), _opened(visit)
    if key in opened and at - opened[key] < _OPENED_FOR:
        found = await visit.desk.cases.follow(case_id, who.scope)
    else:
        found = await visit.desk.cases.open_page(case_id, who.scope, who.id, at)
        opened[key] = at
    return fragment(visit, "conversation.html", **_shown(visit, *found), fresh=True)


async def case_news(visit: Visit) -> web.StreamResponse:
    """Tells that something was said, that the person types, or that something else changed."""
    case = await visit.desk.cases.case(_id(visit), visit.who.scope)
    types = False

    async def look(mark: str) -> tuple[str, Sequence[tuple[str, str]]]:
        nonlocal types
        event, said, seen = await visit.desk.cases.newest_of(case.id, visit.who.scope)
        old_event, _, old_said = mark.partition("-")
        found: list[tuple[str, str]] = []
        if old_said != f"{said}-{seen}":
            found.append(("said", str(said)))
        if old_event != str(event):
            found.append(("changed", str(event)))
        if types != (types := _live(visit).typing(case.conversation_id)):
            found.append(("typing", "1" if types else "0"))
        return f"{event}-{said}-{seen}", found

    return await news.stream(visit, look)


# --- whose it is ---


async def claim_case(visit: Visit) -> web.StreamResponse:
    """Take a case; who comes second is told who has it."""
    case_id = _id(visit)
    took = await visit.desk.cases.claim(case_id, visit.who.scope, visit.who.id, visit.desk.clock())
    if not took:
        case = await visit.desk.cases.case(case_id, visit.who.scope)
        took = case.owner_id == visit.who.id  # a second press of one's own button
    return _done(case_id, "claimed" if took else "taken")


async def release_case(visit: Visit) -> web.StreamResponse:
    """Give a case back to the queue."""
    case = await _case(visit)
    if _talks_elsewhere(visit, case):
        return await _refused(visit, 409, _TALKS.format(name=case.owner_name))
    await _end_live(visit, case)
    await _change(visit, case, "release")
    return see_other(f"{PREFIX}/")


async def hand_over_case(visit: Visit) -> web.StreamResponse:
    """Pass a case on to a colleague who may see it."""
    case, to = await _case(visit), visit.form.get("to", "")
    colleague = next((one for one in await _colleagues(visit, case) if one.id == to), None)
    if colleague is None:
        return await _refused(visit, 422, "Kies een collega.")
    if _talks_elsewhere(visit, case):
        return await _refused(visit, 409, _TALKS.format(name=case.owner_name))
    await _end_live(visit, case)
    at = visit.desk.clock()
    values = {"owner_id": colleague.id, "claimed_at": at}
    await _change(
        visit, case, "hand_over", values=values, data={"to": colleague.id, "to_name": colleague.name}
    )
    return _done(case.id, "handed")


# --- what a coach does ---


async def say_to_person(visit: Visit) -> web.StreamResponse:
    """Send a message to the person."""
    case, who, text = await _case(visit), visit.who, visit.form.get("text", "").strip()
    limit = visit.desk.settings.max_text
    if not text:
        return await _refused(visit, 422, "Je bericht is leeg.")
    if len(text) > limit:
        return await _refused(visit, 422, f"Je bericht is te lang: maak het korter dan {limit} tekens.")
    if case.owner_id != who.id:
        return await _refused(visit, 409, _who_has(case))
    key = visit.form.get("key") or uuid.uuid4().hex
    try:
        await _live(visit).say(case, who.id, f"{who.name}, coach", text, key, visit.desk.clock())
    except NotAllowedError:
        return await _refused(visit, 409, "Schrijven kan nu niet: het dossier of het gesprek is veranderd.")
    if visit.by_htmx:
        return await case_conversation(visit)
    return see_other(f"{PREFIX}/cases/{case.id}#gesprek")


async def coach_types(visit: Visit) -> web.StreamResponse:
    """Show the person that the coach writes."""
    case = await _case(visit)
    if case.owner_id == visit.who.id:
        _live(visit).coach_types(case)
    return web.Response(status=204)


async def back_to_assistant(visit: Visit) -> web.StreamResponse:
    """Give the conversation back; the case stays."""
    case = await _case(visit)
    await _live(visit).end(case, visit.who.id, visit.desk.clock())
    return _done(case.id, "back")


async def log_call(visit: Visit) -> web.StreamResponse:
    """Note a call. When the person was reached, that is the first contact."""
    case, result = await _case(visit), visit.form.get("result", "")
    text = _note(visit)
    if result not in CALL_WORDS:
        return await _refused(visit, 422, "Kies hoe de oproep afliep.")
    if case.owner_id != visit.who.id:
        return await _refused(visit, 409, _who_has(case))
    data = {"result": result, "text": text}
    if result == "reached":
        await _change(visit, case, "contact", data=data, kind="call")
    else:
        await visit.desk.cases.note(case.id, visit.who.scope, visit.who.id, "call", data, visit.desk.clock())
    return _done(case.id, "called")


async def add_note(visit: Visit) -> web.StreamResponse:
    """Keep a note, for coaches only."""
    text = _note(visit)
    if not text:
        return await _refused(visit, 422, "Je notitie is leeg.")
    await visit.desk.cases.note(
        _id(visit), visit.who.scope, visit.who.id, "note", {"text": text}, visit.desk.clock()
    )
    return _done(_id(visit), "noted")


async def set_follow_up(visit: Visit) -> web.StreamResponse:
    """Set the day on which to come back to it, or none."""
    case, given = await _case(visit), visit.form.get("day", "")
    if not _may_move(visit, case) or case.state == "closed":
        return await _refused(visit, 409, _who_has(case))
    at = visit.desk.clock()
    if given:
        try:
            chosen = date.fromisoformat(given)
        except ValueError:
            return await _refused(visit, 422, "Kies een datum.")
        if not at.date() - timedelta(days=1) <= chosen <= (at + _FURTHEST).date():
            return await _refused(visit, 422, "Kies een datum vanaf vandaag, binnen het jaar.")
    await visit.desk.cases.follow_up(case.id, visit.who.scope, visit.who.id, given or None, at)
    return _done(case.id, "followed")


async def close_case(visit: Visit) -> web.StreamResponse:
    """Close it with an outcome."""
    case, outcome = await _case(visit), visit.form.get("outcome", "")
    if outcome not in OUTCOMES:
        return await _refused(visit, 422, "Kies hoe het afliep.")
    await _end_live(visit, case)
    await _change(visit, case, "close", values={"outcome": outcome}, data={"outcome": outcome})
    return _done(case.id, "closed")


HANDLERS: dict[str, Handler] = {
    "case_page": case_page,
    "case_print": case_print,
    "case_conversation": case_conversation,
    "case_news": case_news,
    "claim_case": claim_case,
    "release_case": release_case,
    "hand_over_case": hand_over_case,
    "log_call": log_call,
    "add_note": add_note,
    "set_follow_up": set_follow_up,
    "say_to_person": say_to_person,
    "coach_types": coach_types,
    "back_to_assistant": back_to_assistant,
    "close_case": close_case,
}


# --- shared ---


def _id(visit: Visit) -> str:
    return visit.request.match_info["case"]


async def _case(visit: Visit) -> Case:
    return await visit.desk.cases.case(_id(visit), visit.who.scope)


def _live(visit: Visit) -> Live:
    return cast("Live", visit.desk.extra["live"])


def _done(case_id: str, notice: str) -> web.Response:
    return see_other(f"{PREFIX}/cases/{case_id}?notice={notice}")


def _note(visit: Visit) -> str:
    text = visit.form.get("text", "").strip()
    if len(text) > _MAX_NOTE:
        raise DeskProblem(422, f"Dit is te lang: maak het korter dan {_MAX_NOTE} tekens.")
    return text


def _may_move(visit: Visit, case: Case) -> bool:
    """Whether they may pass it on or give it back."""
    return case.owner_id is not None and (case.owner_id == visit.who.id or visit.who.role == "lead_coach")


def _who_has(case: Case) -> str:
    if case.state == "closed":
        return "Dit dossier is afgesloten."
    return f"{case.owner_name} heeft dit dossier." if case.owner_name else "Neem dit dossier eerst op."


def _talks_elsewhere(visit: Visit, case: Case) -> bool:
    """A conversation of someone else runs: nobody takes a person out of it."""
    return case.state == "live" and case.owner_id != visit.who.id and _may_move(visit, case)


async def _end_live(visit: Visit, case: Case) -> None:
    """A conversation that runs ends first, so that the person hears it; only who has the case can do that."""
    if case.state == "live" and case.owner_id == visit.who.id:
        await _live(visit).end(case, visit.who.id, visit.desk.clock())


async def _change(visit: Visit, case: Case, action: Action, **details: Any) -> None:
    lead = visit.who.role == "lead_coach" and action in ("release", "hand_over")
    await visit.desk.cases.change(
        case.id, visit.who.scope, action, visit.who.id, visit.desk.clock(), as_lead=lead, **details
    )


async def _refused(visit: Visit, status: int, sentence: str) -> web.Response:
    """Say why not; a page keeps what was typed."""
    if visit.by_htmx:
        raise DeskProblem(status, sentence)
    return await _page(visit, status=status, problem=sentence)


async def _page(visit: Visit, status: int = 200, problem: str | None = None) -> web.Response:
    return page(visit, "case.html", status=status, **await _context(visit, problem))


async def _context(visit: Visit, problem: str | None = None) -> dict[str, Any]:
    case_id, who, at, query = _id(visit), visit.who, visit.desk.clock(), visit.request.query
    # The mark is read before the page: what changes between the two is told once more, and not missed.
    mark = await visit.desk.cases.newest_of(case_id, who.scope)
    found = await visit.desk.cases.open_page(case_id, who.scope, who.id, at)
    _opened(visit)[who.id, case_id] = at
    case = found[0]
    canned = [(reply, reply.said_to(case.contact.get("name"))) for reply in shipped_canned_replies()]
    chosen = next((text for reply, text in canned if reply.id == query.get("canned")), "")
    typed = {"say_to_person": chosen, "log_call": "", "add_note": ""}
    if problem is not None:
        typed[visit.route.name] = visit.form.get("text", "")
    return _shown(visit, *found) | {
        "mark": "-".join(map(str, mark)),
        "colleagues": await _colleagues(visit, case) if _may_move(visit, case) else [],
        "chart": score_chart(case.scores),
        "canned": canned,
        "typed": typed,
        "key": visit.form.get("key") or uuid.uuid4().hex,
        "phone_link": re.sub(r"[^\d+]", "", case.contact.get("phone", "")),
        "notice": NOTICES.get(query.get("notice", "")) if problem is None else None,
        "problem": problem,
        "today": at.date().isoformat(),
        "fresh": False,
        "call_words": CALL_WORDS,
        "outcome_words": OUTCOME_WORDS,
        "urgency_words": URGENCY_WORDS,
        "way_words": WAY_WORDS,
        "presence_words": PRESENCE_WORDS,
        "max_text": visit.desk.settings.max_text,
        "max_note": _MAX_NOTE,
    }


def _shown(visit: Visit, case: Case, events: list[Event], said: list[Said]) -> dict[str, Any]:
    """What the page and its parts that change share."""
    mine = case.owner_id == visit.who.id
    version = f"{case.owner_id or ''}.{'closed' if case.state == 'closed' else 'open'}"
    return {
        "case": case,
        "events": events,
        "said": said,
        "mine": mine,
        "may_move": _may_move(visit, case),
        "may_write": mine and case.conversation_id is not None and case.state != "closed",
        "types": _live(visit).typing(case.conversation_id),
        "person": case.contact.get("name") or "De persoon",
        "who_has": _who_has(case),
        "version": version,
        # The page was drawn for another owner, or before it was closed: its forms no longer fit.
        "outdated": visit.request.query.get("version", version) != version,
        "state_words": STATE_WORDS,
        "call_words": CALL_WORDS,
        "outcome_words": OUTCOME_WORDS,
    }


async def _colleagues(visit: Visit, case: Case) -> list[AccountRecord]:
    """Who may take it over: coaches that see this case, but for who has it; those that are there come first."""
    order = list(PRESENCE_WORDS)
    found = [
        one
        for one in await visit.desk.accounts.everyone()
        if one.role in COACHES
        and one.id != case.owner_id
        and visit.desk.may_sign_in(one)
        and (one.organisation or one.region)
        and Scope(one.organisation, one.region).covers(case.organisation, case.region)
    ]
    return sorted(found, key=lambda one: (order.index(one.presence), one.name))


def _opened(visit: Visit) -> dict[tuple[str, str], datetime]:
    """Who opened which case and when, in this process; those of long ago are forgotten."""
    opened: dict[tuple[str, str], datetime] = visit.desk.extra.setdefault(_OPENED, {})
    if len(opened) > 1000:
        limit = visit.desk.clock() - _OPENED_FOR
        for key in [key for key, at in opened.items() if at < limit]:
            del opened[key]
    return opened
