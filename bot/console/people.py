"""The accounts of others, for administrators. Console room.

Accounts are made on the command line (`bot users add`): nobody can make one through a stolen session.
"""

from __future__ import annotations

from collections import Counter

from aiohttp import web

from bot.console.desk import DeskProblem, Handler, Visit, page, see_other
from bot.console.routes import PREFIX
from bot.storage.accounts import AccountRecord

ROLE_WORDS = {"coach": "Coach", "lead_coach": "Hoofdcoach", "administrator": "Beheerder"}
_DONE = {"disabled": "Het account is geblokkeerd.", "ended": "De sessies van dit account zijn beëindigd."}


async def people_page(visit: Visit) -> web.Response:
    """Everyone with an account: role, which cases they see, and where they are signed in."""
    now = visit.desk.clock()
    alive = [session for session in await visit.desk.accounts.sessions() if visit.desk.is_alive(session, now)]
    return page(
        visit,
        "people.html",
        people=await visit.desk.accounts.everyone(),
        sessions=Counter(session.account_id for session in alive),
        roles=ROLE_WORDS,
        done=_DONE.get(visit.request.query.get("done", "")),
    )


async def disable_account(visit: Visit) -> web.Response:
    """Let nobody sign in with an account any more, and end its sessions."""
    account = await _meant(visit)
    if account.id == visit.who.id:
        raise DeskProblem(409, "Je kan je eigen account niet blokkeren. Vraag het aan een andere beheerder.")
    await visit.desk.accounts.disable(account.id, visit.who.id, visit.desk.clock())
    return see_other(f"{PREFIX}/people?done=disabled")


async def end_sessions_of(visit: Visit) -> web.Response:
    """End every session of an account."""
    account = await _meant(visit)
    await visit.desk.accounts.end_sessions(account.id, visit.who.id, visit.desk.clock())
    return see_other(f"{PREFIX}/people?done=ended")


HANDLERS: dict[str, Handler] = {
    "people_page": people_page,
    "disable_account": disable_account,
    "end_sessions_of": end_sessions_of,
}


async def _meant(visit: Visit) -> AccountRecord:
    account = await visit.desk.accounts.by_id(visit.request.match_info["account"])
    if account is None:
        raise DeskProblem(404, "Dit account bestaat niet.")
    return account
