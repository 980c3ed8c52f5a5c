"""Fixtures of the console room: a running desk with a fixed clock, and people who are signed in to it."""

from __future__ import annotations

import dataclasses
import itertools
import re
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pyotp
import pytest
from aiohttp import web
from yarl import URL

from bot.channels.pages import add_headers
from bot.console.desk import Desk, make_desk
from bot.console.secrets import STEP_SECONDS, hash_password, hash_token
from bot.console.site import add_desk
from bot.escalation.cases import Role
from bot.settings import Settings
from bot.storage.accounts import NewAccount, NewSession
from bot.storage.database import Database

T0 = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
PASSWORD = "vier gewone woorden"
PASSWORD_HASH = hash_password(PASSWORD)
_NUMBERS = itertools.count(1)


@dataclass
class Clock:
    """The time in a test; it stands still until it is moved."""

    now: datetime = T0

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        """Go forward: `clock.move(minutes=15)`."""
        self.now += timedelta(**by)


@dataclass
class Person:
    """Someone at the desk, with a browser of their own. `csrf` is the token of their session."""

    account_id: str
    email: str
    url: str
    http: aiohttp.ClientSession
    csrf: str = ""

    @property
    def token(self) -> str:
        """The token in the session's cookie; '' when there is none."""
        return next((morsel.value for morsel in self.http.cookie_jar if morsel.key == "desk"), "")

    def carry(self, token: str) -> None:
        """Put a token into the session's cookie."""
        self.http.cookie_jar.update_cookies({"desk": token}, URL(self.url))

    async def get(self, path: str, **options: Any) -> tuple[int, str]:
        """Status and text of a page below /desk; redirects are not followed."""
        async with self.http.get(f"{self.url}/desk{path}", allow_redirects=False, **options) as answer:
            return answer.status, await answer.text()

    async def post(self, path: str, fields: dict[str, str] | None = None, **options: Any) -> tuple[int, str]:
        """Send a form as the page does: with the token of the session, and from the same site."""
        options["headers"] = {"Sec-Fetch-Site": "same-origin"} | options.get("headers", {})
        data = {"csrf": self.csrf} | (fields or {})
        async with self.http.post(
            f"{self.url}/desk{path}", data=data, allow_redirects=False, **options
        ) as answer:
            return answer.status, await answer.text()


@dataclass
class RunningDesk:
    """A desk that is served on loopback, with its clock."""

    desk: Desk
    url: str
    clock: Clock
    people: list[Person] = field(default_factory=list)

    async def account(self, role: Role = "coach", **options: Any) -> str:
        """Make an account with `PASSWORD` and no second factor yet; its id. Options: fields of NewAccount."""
        number = next(_NUMBERS)
        scope = {"organisation": "zorgpunt", "region": None} if role != "administrator" else {}
        named = {
            "email": f"{role}{number}@example.org",
            "name": f"Naam {number}",
            "password_hash": PASSWORD_HASH,
        }
        fields = {"organisation": None, "region": None, "role": role} | named | scope | options
        return await self.desk.accounts.add(NewAccount(**fields), self.clock())

    def browser(self, account_id: str = "", email: str = "") -> Person:
        """A browser without cookies."""
        person = Person(
            account_id, email, self.url, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        )
        self.people.append(person)
        return person

    async def sign_in(self, role: Role = "coach", account_id: str | None = None, **options: Any) -> Person:
        """Someone who is signed in already, with a new account unless `account_id` names one.

        Their session is put into the database: log-in pages have their own tests.
        """
        person = await self._with_password(role, account_id, **options)
        token, new = _session()
        code = {"secret": "A" * 32, "step": 1, "recovery_hashes": []}
        half_way = hash_token(person.token)
        if not await self.desk.accounts.enrol(
            person.account_id, session=half_way, new=new, at=self.clock(), **code
        ):
            record = await self.desk.accounts.by_id(person.account_id)
            assert record is not None
            await self.desk.accounts.set_recovery_codes(
                record.id, [*record.recovery_hashes, "x"], self.clock()
            )
            used = await self.desk.accounts.pass_recovery(record.id, "x", half_way, new, self.clock())
            assert used
        return _carrying(person, token, new)

    async def half_way(self, role: Role = "coach", account_id: str | None = None, **options: Any) -> Person:
        """Someone who gave the password, and no code yet."""
        return await self._with_password(role, account_id, **options)

    async def _with_password(self, role: Role, account_id: str | None, **options: Any) -> Person:
        account_id = account_id or await self.account(role, **options)
        record = await self.desk.accounts.by_id(account_id)
        assert record is not None
        token, new = _session()
        await self.desk.accounts.open_half_way(account_id, new, self.clock(), None)
        return _carrying(self.browser(account_id, record.email), token, new)


def _session() -> tuple[str, NewSession]:
    token = secrets.token_urlsafe(16)
    return token, NewSession(hash_token(token), secrets.token_urlsafe(16))


def _carrying(person: Person, token: str, session: NewSession) -> Person:
    person.carry(token)
    person.csrf = session.csrf
    return person


# --- signing in by hand, page by page ---

SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


async def refresh(person: Person, path: str) -> str:
    """Load a page and take the token of its forms, as a browser has it."""
    status, words = await person.get(path)
    assert status == 200, words
    found = re.search(r'name="csrf" value="([^"]+)"', words)
    person.csrf = found[1] if found else ""
    return words


async def give_password(
    desk: RunningDesk, account_id: str, password: str = PASSWORD, person: Person | None = None
) -> tuple[Person, aiohttp.ClientResponse]:
    record = await desk.desk.accounts.by_id(account_id)
    assert record is not None
    person = person or desk.browser(account_id, record.email)
    fields = {"email": record.email, "password": password}
    address = f"{desk.url}/desk/login"
    answer = await person.http.post(address, data=fields, headers=SAME_SITE, allow_redirects=False)
    await answer.read()
    return person, answer


async def enrolled(desk: RunningDesk, **options: object) -> tuple[str, str, list[str], Person]:
    """An account that was set up by hand: id, secret, recovery codes, and the browser it was done in."""
    account_id = await desk.account(**options)
    person, answer = await give_password(desk, account_id)
    assert answer.headers["Location"] == "/desk/enrol?next=/desk/"
    words = await refresh(person, "/enrol")
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', words)[1].replace(" ", "")
    status, words = await person.post("/enrol", {"code": code_of(secret, desk.clock)})
    assert status == 200, words
    codes = re.search(r"<textarea[^>]*>([^<]+)<", words)[1].split()
    desk.clock.move(seconds=STEP_SECONDS)  # so that the next code is another one
    return account_id, secret, codes, person


def code_of(secret: str, clock: Clock) -> str:
    return pyotp.TOTP(secret).at(clock())


async def sign_in(desk: RunningDesk, account_id: str, secret: str) -> Person:
    person, _ = await give_password(desk, account_id)
    await refresh(person, "/second-factor")
    status, words = await person.post("/second-factor", {"code": code_of(secret, desk.clock)})
    assert status == 303, words
    desk.clock.move(seconds=STEP_SECONDS)
    return person


async def is_in(person: Person) -> bool:
    return (await person.get("/account"))[0] == 200


# --- fixtures ---


@pytest.fixture
def clock() -> Clock:
    return Clock()


StartDesk = Callable[..., Any]


@pytest.fixture
async def start_desk(settings: Settings, database: Database, clock: Clock) -> AsyncIterator[StartDesk]:
    """Starts a desk; keywords are settings that differ, `extra` is for `make_desk`."""
    runners: list[web.AppRunner] = []
    started: list[RunningDesk] = []

    async def start(extra: dict[str, Any] | None = None, **changes: Any) -> RunningDesk:
        app = web.Application()
        app.on_response_prepare.append(add_headers)
        there = add_desk(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        desk = make_desk(dataclasses.replace(settings, **changes), database, clock, **(extra or {}))
        there.set_result(desk)
        running = RunningDesk(desk, f"http://127.0.0.1:{runner.addresses[0][1]}", clock)
        started.append(running)
        return running

    yield start
    for running in started:
        for person in running.people:
            await person.http.close()
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def desk(start_desk: StartDesk) -> RunningDesk:
    """A running desk: `person = await desk.sign_in("coach")`, then `await person.get("/")`."""
    return await start_desk()
