"""One's own account: password, sessions, recovery codes, and whether one is there. Console room."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from aiohttp import web

from bot.console import secrets
from bot.console.desk import DeskProblem, Handler, Visit, page, see_other
from bot.console.routes import PREFIX
from bot.console.sign_in import is_password_of, new_session, own, record_of, slow_down, with_cookie
from bot.console.site import below_desk
from bot.escalation.cases import PRESENCES, Presence

PRESENCE_WORDS: dict[Presence, str] = {"available": "Beschikbaar", "busy": "Bezet", "away": "Afwezig"}
_DONE = {
    "password": "Je wachtwoord is gewijzigd. Op je andere toestellen ben je nu afgemeld.",
    "sessions": "Je bent op je andere toestellen afgemeld.",
}
_WRONG = "Je huidige wachtwoord klopt niet."


async def account_page(visit: Visit) -> web.Response:
    """What someone can see and change of their own account."""
    return await _account(visit, done=_DONE.get(visit.request.query.get("done", "")))


async def change_password(visit: Visit) -> web.Response:
    """Take a new password; every other session ends, and this one gets a new token."""
    slow_down(visit)
    account, chosen = await record_of(visit), visit.form.get("new", "")
    weak = secrets.weakness(chosen, account.email, account.name)
    if weak is None and chosen != visit.form.get("again", ""):
        weak = "De twee nieuwe wachtwoorden zijn niet gelijk."
    if weak is not None:
        return await _account(visit, status=422, password_problem=weak)
    if not await is_password_of(visit, account, visit.form.get("old", "")):
        return await _account(visit, status=422, password_problem=_WRONG)
    await visit.desk.accounts.attempt_right(account.id)
    async with visit.desk.hashing:
        hashed = await asyncio.to_thread(secrets.hash_password, chosen)
    token, session = new_session()
    await visit.desk.accounts.change_password(account.id, hashed, session, visit.desk.clock())
    return with_cookie(visit, see_other(f"{PREFIX}/account?done=password"), token)


async def end_other_sessions(visit: Visit) -> web.Response:
    """Sign out everywhere but here."""
    keep = own(visit).token_hash
    await visit.desk.accounts.end_sessions(visit.who.id, visit.who.id, visit.desk.clock(), keep)
    return see_other(f"{PREFIX}/account?done=sessions")


async def new_recovery_codes(visit: Visit) -> web.Response:
    """Make new recovery codes and show them once. Asks the password: codes outlive this session."""
    slow_down(visit)
    account = await record_of(visit)
    if not await is_password_of(visit, account, visit.form.get("password", "")):
        return await _account(visit, status=422, codes_problem=_WRONG)
    await visit.desk.accounts.attempt_right(account.id)
    codes = secrets.new_recovery_codes()
    hashes = [secrets.hash_recovery_code(account.id, code) for code in codes]
    await visit.desk.accounts.set_recovery_codes(account.id, hashes, visit.desk.clock())
    return await _account(visit, codes=codes)


async def set_presence(visit: Visit) -> web.Response:
    """Take whether a coach is there; htmx gets a page from which it takes the switch."""
    chosen = next((presence for presence in PRESENCES if presence == visit.form.get("presence")), None)
    if chosen is None:
        raise DeskProblem(422, "Kies beschikbaar, bezet of afwezig.")
    await visit.desk.accounts.set_presence(visit.who.id, chosen, visit.desk.clock())
    if not visit.by_htmx:
        return see_other(below_desk(visit.form.get("next")))
    visit = replace(visit, account=replace(visit.who, presence=chosen))
    sentence = f"Je staat nu op: {PRESENCE_WORDS[chosen].lower()}."
    return page(visit, "message.html", title="Aanwezigheid", sentence=sentence)


HANDLERS: dict[str, Handler] = {
    "account_page": account_page,
    "change_password": change_password,
    "end_other_sessions": end_other_sessions,
    "new_recovery_codes": new_recovery_codes,
    "set_presence": set_presence,
}


async def _account(visit: Visit, *, status: int = 200, **context: Any) -> web.Response:
    account, now = await record_of(visit), visit.desk.clock()
    found = await visit.desk.accounts.sessions(account.id)
    words: dict[str, Any] = {"done": None, "password_problem": None, "codes_problem": None, "codes": None}
    return page(
        visit,
        "account.html",
        status=status,
        sessions=[session for session in found if visit.desk.is_alive(session, now)],
        this=own(visit).token_hash,
        codes_left=len(account.recovery_hashes),
        min_password=secrets.MIN_PASSWORD,
        **words | context,
    )
