"""Signing in: password, then second factor, which is set up at the first log-in. Console room.

What is answered to a wrong password says nothing about whether the address has an account.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from aiohttp import web
from markupsafe import Markup

from bot.channels.limits import client_address
from bot.console import secrets
from bot.console.desk import DeskProblem, Handler, Visit, page, see_other
from bot.console.routes import PREFIX
from bot.console.site import below_desk, cookie_name
from bot.storage.accounts import LOCK_AFTER, LOCK_FOR, AccountRecord, NewSession, Session

_MINUTES = int(LOCK_FOR.total_seconds() // 60)
WRONG_PASSWORD = (
    "Dit e-mailadres of wachtwoord klopt niet. "
    f"Na {LOCK_AFTER} foute pogingen gaat een account {_MINUTES} minuten op slot."
)
WRONG_CODE = "Deze code klopt niet, of ze is al gebruikt. Wacht op de volgende code en probeer opnieuw."
LOCKED = (
    f"Er waren te veel foute pogingen. Je account is {_MINUTES} minuten op slot. Probeer het daarna opnieuw."
)


async def login_page(visit: Visit) -> web.Response:
    """Ask for address and password."""
    return _login(visit, visit.request.query.get("next"))


async def login(visit: Visit) -> web.Response:
    """Take address and password; when they are right, open a session for the second factor only."""
    slow_down(visit)
    accounts, now = visit.desk.accounts, visit.desk.clock()
    email = visit.form.get("email", "").strip()
    account = await accounts.by_email(email.casefold())
    if account is not None and not visit.desk.may_sign_in(account):
        account = None
    if not await is_password_of(visit, account, visit.form.get("password", "")) or account is None:
        return _login(visit, visit.form.get("next"), status=401, email=email, problem=WRONG_PASSWORD)
    token, session = new_session()
    had = _token(visit)
    await accounts.open_half_way(account.id, session, now, secrets.hash_token(had) if had else None)
    step = "second-factor" if account.totp_secret else "enrol"
    onward = quote(below_desk(visit.form.get("next")))
    return with_cookie(visit, see_other(f"{PREFIX}/{step}?next={onward}"), token)


async def second_factor_page(visit: Visit) -> web.Response:
    """Ask for the code of the app, or for a recovery code."""
    if (await record_of(visit)).totp_secret is None:
        return see_other(f"{PREFIX}/enrol")
    return _second_factor(visit, visit.request.query.get("next"))


async def second_factor(visit: Visit) -> web.Response:
    """Take a code; when it is right, the browser gets a new session that is signed in."""
    slow_down(visit)
    account, now = await record_of(visit), visit.desk.clock()
    if account.totp_secret is None:
        return see_other(f"{PREFIX}/enrol")
    number = await visit.desk.accounts.begin_attempt(account.id, now)
    token, session = new_session()
    if number == 0 or not await _passes(visit, account, account.totp_secret, session):
        problem = WRONG_CODE if 0 < number < LOCK_AFTER else LOCKED
        await visit.desk.accounts.attempt_failed(account.id, number, now)
        return _second_factor(visit, visit.form.get("next"), status=401, problem=problem)
    return with_cookie(visit, see_other(below_desk(visit.form.get("next"))), token)


async def enrol_page(visit: Visit) -> web.Response:
    """Show what the authenticator app scans. Never to someone who has a second factor: it would be replaced."""
    if (await record_of(visit)).totp_secret is not None:
        return see_other(f"{PREFIX}/second-factor")
    return _enrol(visit, visit.request.query.get("next"))


async def enrol(visit: Visit) -> web.Response:
    """Take the app's first code; set up the second factor, sign in and show the recovery codes once."""
    slow_down(visit)
    account, now = await record_of(visit), visit.desk.clock()
    if account.totp_secret is not None:
        return see_other(f"{PREFIX}/second-factor")
    secret = secrets.totp_secret_for(_token(visit))
    step = secrets.step_of(secret, visit.form.get("code", ""), now)
    if step is None:
        return _enrol(visit, visit.form.get("next"), status=401, problem=WRONG_CODE)
    codes = secrets.new_recovery_codes()
    hashes = [secrets.hash_recovery_code(account.id, code) for code in codes]
    token, session = new_session()
    done = await visit.desk.accounts.enrol(
        account.id,
        secret=secret,
        step=step,
        recovery_hashes=hashes,
        session=own(visit).token_hash,
        new=session,
        at=now,
    )
    if not done:
        raise DeskProblem(409, "Je tweede stap was al ingesteld. Meld je opnieuw aan.")
    passed = replace(own(visit), token_hash=session.token_hash, csrf=session.csrf, passed_at=now)
    visit = replace(visit, session=passed, csrf=session.csrf)
    return with_cookie(visit, _enrol(visit, visit.form.get("next"), codes=codes), token)


async def logout(visit: Visit) -> web.Response:
    """End this session, here and in the browser."""
    await visit.desk.accounts.log_out(own(visit).token_hash, visit.who.id, visit.desk.clock())
    return with_cookie(visit, see_other(f"{PREFIX}/login"), "")


HANDLERS: dict[str, Handler] = {
    "login_page": login_page,
    "login": login,
    "second_factor_page": second_factor_page,
    "second_factor": second_factor,
    "enrol_page": enrol_page,
    "enrol": enrol,
    "logout": logout,
}


# --- also for one's own account ---


def slow_down(visit: Visit) -> None:
    """Count an attempt of this network address; the address is kept in memory only, and not for long.

    Raises:
        DeskProblem: there were too many.
    """
    request, proxies = visit.request, visit.desk.settings.trusted_proxies
    address = client_address(request.remote, request.headers.get("X-Forwarded-For"), proxies)
    if visit.desk.tries.wait_for(address):
        raise DeskProblem(429, "Er waren te veel pogingen. Wacht een paar minuten en probeer opnieuw.")


async def is_password_of(visit: Visit, account: AccountRecord | None, password: str) -> bool:
    """Whether this is their password; a wrong one is counted and noted, and a locked account has no right one.

    Nobody's (None) takes as long as anyone's. What was counted for a right one is taken back by what follows:
    `open_half_way` or `attempt_right`.
    """
    accounts, now = visit.desk.accounts, visit.desk.clock()
    account_id = account.id if account is not None else None
    number = await accounts.begin_attempt(account_id, now)
    expected = account.password_hash if account is not None and number else secrets.NOBODY
    async with visit.desk.hashing:
        right = await asyncio.to_thread(secrets.is_password, expected, password)
    if not right:
        await accounts.attempt_failed(account_id, number, now)
    return right


async def record_of(visit: Visit) -> AccountRecord:
    """The account of who is asking, with its hashes."""
    record = await visit.desk.accounts.by_id(visit.who.id)
    assert record is not None  # noqa: S101 - accounts are disabled, never deleted
    return record


def own(visit: Visit) -> Session:
    """The session of who is asking; only on routes that need one."""
    assert visit.session is not None  # noqa: S101 - the desk lets nobody else in
    return visit.session


def new_session() -> tuple[str, NewSession]:
    """A token for the browser, and what is stored of it."""
    token = secrets.new_token()
    return token, NewSession(secrets.hash_token(token), secrets.new_token())


def with_cookie(visit: Visit, response: web.Response, token: str) -> web.Response:
    """The response with the session's token in its cookie; '' takes the cookie away."""
    name = cookie_name(visit.desk.settings, visit.request)
    secure = name.startswith("__Host-")
    age = None if token else 0
    response.set_cookie(name, token, max_age=age, path="/", secure=secure, httponly=True, samesite="Strict")
    return response


# --- pages ---


def _login(visit: Visit, onward: str | None, *, status: int = 200, **context: Any) -> web.Response:
    words = {"email": "", "problem": None} | context
    return page(visit, "login.html", status=status, next=below_desk(onward), **words)


def _second_factor(
    visit: Visit, onward: str | None, *, status: int = 200, problem: str | None = None
) -> web.Response:
    return page(visit, "second_factor.html", status=status, next=below_desk(onward), problem=problem)


def _enrol(visit: Visit, onward: str | None, *, status: int = 200, **context: Any) -> web.Response:
    secret = secrets.totp_secret_for(_token(visit))
    words: dict[str, Any] = {"problem": None, "codes": None, "secret": secret}
    words["qr"] = Markup(secrets.qr_code(secret, visit.who.email))  # noqa: S704 - drawn by us
    return page(visit, "enrol.html", status=status, next=below_desk(onward), **words | context)


def _token(visit: Visit) -> str:
    return visit.request.cookies.get(cookie_name(visit.desk.settings, visit.request), "")


async def _passes(visit: Visit, account: AccountRecord, secret: str, new: NewSession) -> bool:
    accounts, now, session = visit.desk.accounts, visit.desk.clock(), own(visit).token_hash
    if "recovery" in visit.form:
        used = secrets.hash_recovery_code(account.id, visit.form["recovery"])
        return await accounts.pass_recovery(account.id, used, session, new, now)
    step = secrets.step_of(secret, visit.form.get("code", ""), now)
    return step is not None and await accounts.pass_code(account.id, step, session, new, now)
