"""The desk: finds who is asking, lets them in or not, and has a page drawn. Console room.

Handlers are plain coroutines `(visit) -> response`; which one serves which address stands in bot.console.routes.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit
from zoneinfo import ZoneInfo

import structlog
from aiohttp import hdrs, web
from aiohttp_jinja2 import render_template
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.channels.limits import Buckets
from bot.console.routes import ANYONE, PREFIX, ROUTES, Route
from bot.console.secrets import hash_token, same
from bot.console.site import TEMPLATES, below_desk, cookie_name
from bot.escalation.cases import NotAllowedError, Presence, Role, Scope
from bot.settings import Settings
from bot.storage.accounts import AccountRecord, Accounts, Session
from bot.storage.cases import Cases, UnknownCaseError
from bot.storage.database import Database

MAX_FORM = 64 * 1024  # bytes
#: A session of which only the password was right lives this long.
HALF_WAY_FOR = timedelta(minutes=15)
_SEEN_EVERY = timedelta(minutes=1)
# Log-in attempts of one network address: a ward may share one.
_TRIES, _TRIES_PER_SECOND = 40, 1 / 15
#: Pages ask for these by themselves: an open page is not yet someone at the desk.
_BY_ITSELF = frozenset({"queue_rows", "queue_news", "case_conversation", "case_news"})
_MODULES = ("sign_in", "account", "people", "queue", "case", "figures")
_TEMPLATES = Path(__file__).parent / "templates"
_ZONE = ZoneInfo("Europe/Brussels")
_DAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
_MONTHS = (
    *("januari", "februari", "maart", "april", "mei", "juni"),
    *("juli", "augustus", "september", "oktober", "november", "december"),
)
_TITLES = {
    401: "Je bent niet aangemeld",
    403: "Geen toegang",
    404: "Niet gevonden",
    429: "Even wachten",
    500: "Er liep iets mis",
}

log = structlog.get_logger("desk")


class DeskProblem(Exception):  # noqa: N818 - something to tell a person; often no error at all
    """Ends the handling of a request with a page; `sentence` is Dutch and is all the page says."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(status)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Account:
    """Who is signed in."""

    id: str
    name: str
    email: str
    role: Role
    organisation: str | None
    region: str | None
    presence: Presence
    demo: bool

    @property
    def scope(self) -> Scope:
        """Which cases they see."""
        return Scope(self.organisation, self.region)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to the desk that was let in.

    `account` is None only on routes for anyone. `csrf` belongs in every form (template: `{{ csrf_field() }}`).
    `form` holds the fields of a POST but for that one.
    """

    desk: Desk
    route: Route
    request: web.Request
    account: Account | None
    csrf: str
    form: dict[str, str] = field(default_factory=dict)
    session: Session | None = None
    demo_exists: bool = False

    @property
    def who(self) -> Account:
        """Who is signed in; only for routes that need it."""
        assert self.account is not None  # noqa: S101 - the desk lets nobody else in
        return self.account

    @property
    def by_htmx(self) -> bool:
        """A part of a page is asked for, not a page."""
        return "HX-Request" in self.request.headers


Handler = Callable[[Visit], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Desk:
    """What the handlers work with; made by `make_desk`."""

    settings: Settings
    database: Database
    cases: Cases
    accounts: Accounts
    clock: Callable[[], datetime]
    templates: Environment
    tries: Buckets
    # Hashing a password takes a core and 32 MiB: two at a time, so that many attempts cannot take the machine.
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    handlers: dict[str, Handler] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    async def handle(self, route: Route, request: web.Request) -> web.StreamResponse:
        """Answer one request; whatever goes wrong is a page with a Dutch sentence."""
        visit = Visit(self, route, request, None, "")
        try:
            visit = await self._recognised(visit)
            if route.who != ANYONE and visit.account is None:
                return _to_sign_in(visit)
            if route.who != ANYONE and route.who.isdisjoint(_roles(visit)):
                raise DeskProblem(403, "Deze pagina is niet voor jouw rol.")
            if request.method == hdrs.METH_POST:
                visit = replace(visit, form=await _read_form(request))
                _refuse_forged(visit)
            return await self.handlers[route.name](visit)
        except DeskProblem as problem:
            return problem_page(visit, problem.status, problem.sentence)
        except UnknownCaseError:
            return problem_page(visit, 404, "Dit dossier bestaat niet, of het is niet voor jou.")
        except NotAllowedError:
            return problem_page(visit, 409, "Dat kan nu niet met dit dossier. Misschien was iemand je voor.")
        except web.HTTPException:
            raise
        except Exception:  # a fault of ours: the coach gets a sentence, we get the place in the code
            if request.writer.output_size:  # a stream that was begun cannot become a page
                raise
            log.exception("request failed", method=request.method, route=route.name)
            return problem_page(visit, 500, "Er liep iets mis bij ons. Probeer het zo opnieuw.")

    async def still_in(self, visit: Visit) -> bool:
        """Whether the session of a long answer, such as live news, is still good."""
        return (await self._recognised(visit)).account is not None

    async def _recognised(self, visit: Visit) -> Visit:
        """The visit with who it is. A route for anyone is not told; a half-way session counts only where it may."""
        token = None
        if visit.route.who != ANYONE:
            token = visit.request.cookies.get(cookie_name(self.settings, visit.request))
        found = await self.accounts.look_up(hash_token(token) if token else None)
        visit = replace(visit, account=None, csrf="", session=None, demo_exists=found.demo_exists)
        session, account, now = found.session, found.account, self.clock()
        if (
            session is None
            or account is None
            or not self.is_alive(session, now)
            or not self.may_sign_in(account)
        ):
            return visit
        if session.passed_at is None and "password" not in visit.route.who:
            return visit
        if now - session.seen_at >= _SEEN_EVERY and visit.route.name not in _BY_ITSELF:
            await self.accounts.seen(session.token_hash, now)
        return replace(visit, account=account_of(account), csrf=session.csrf, session=session)

    def is_alive(self, session: Session, at: datetime) -> bool:
        """Whether a session that was not ended is not too old either."""
        if session.passed_at is None:
            return at - session.created_at < HALF_WAY_FOR
        life = timedelta(hours=self.settings.desk_session_hours)
        idle = timedelta(minutes=self.settings.desk_idle_minutes)
        return at - session.created_at < life and at - session.seen_at < idle

    def may_sign_in(self, account: AccountRecord) -> bool:
        """Demo accounts open nothing outside demo mode, disabled ones nothing at all."""
        return account.disabled_at is None and (self.settings.demo or not account.demo)


def make_desk(settings: Settings, database: Database, clock: Callable[[], datetime], **extra: Any) -> Desk:
    """The desk with all handlers of the console.

    Args:
        settings: all settings.
        database: where cases and accounts are.
        clock: the current moment, with time zone.
        extra: what handlers of other modules need, for `Desk.extra`.

    Raises:
        ValueError: a route has no handler, or a handler no route.
    """
    handlers: dict[str, Handler] = {}
    for name in _MODULES:  # imported here: they import this module
        handlers |= importlib.import_module(f"bot.console.{name}").HANDLERS
    wrong = set(handlers) ^ {route.name for route in ROUTES}
    if wrong:
        raise ValueError(f"routes and handlers do not match: {', '.join(sorted(wrong))}")
    return Desk(
        settings=settings,
        database=database,
        cases=Cases(database),
        accounts=Accounts(database),
        clock=clock,
        templates=_environment(clock),
        tries=Buckets(_TRIES_PER_SECOND, _TRIES, time.monotonic),
        handlers=handlers,
        extra=extra,
    )


def account_of(record: AccountRecord) -> Account:
    """An account without its secrets."""
    return Account(**{name: getattr(record, name) for name in Account.__slots__})


# --- pages ---


def page(visit: Visit, template: str, *, status: int = 200, **context: Any) -> web.Response:
    """A whole page from a template that extends base.html."""
    return render_template(
        template, visit.request, _context(visit) | context, app_key=TEMPLATES, status=status
    )


def fragment(visit: Visit, template: str, block: str | None = None, **context: Any) -> web.Response:
    """A part of a page, for htmx: a template of its own, or one block of a page's template."""
    if block is None:
        return page(visit, template, **context)
    found = visit.desk.templates.get_template(template)
    words = found.blocks[block](found.new_context(_context(visit) | context))
    return web.Response(text="".join(words), content_type="text/html")


def problem_page(visit: Visit, status: int, sentence: str) -> web.Response:
    """Say what is wrong: as a page, or to htmx as the plain sentence."""
    if visit.by_htmx:
        return web.Response(text=sentence, status=status)
    title = _TITLES.get(status, "Dat lukt niet")
    return page(visit, "message.html", status=status, title=title, sentence=sentence)


def see_other(path: str) -> web.Response:
    """Go and look there, after a form was taken."""
    return web.Response(status=303, headers={hdrs.LOCATION: path})


def _context(visit: Visit) -> dict[str, Any]:
    signed_in = visit.session is not None and visit.session.passed_at is not None
    hidden = Markup('<input type="hidden" name="csrf" value="{}">')
    return {
        "me": visit.account if signed_in else None,
        "csrf": visit.csrf,
        "csrf_field": partial(hidden.format, visit.csrf),
        "now": visit.desk.clock(),
        "path": visit.request.path,
        "half_way": visit.session is not None and not signed_in,
        "demo_exists": visit.demo_exists,
    }


def _environment(clock: Callable[[], datetime]) -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "moment": lambda at: moment(at, clock()),
        "left": lambda due: left(due, clock()),
        "day": lambda value: day(value, clock()),
    }
    return made


# --- who comes in ---


def _roles(visit: Visit) -> set[str]:
    passed = visit.session is not None and visit.session.passed_at is not None
    return {visit.who.role} if passed else {"password"}


def _to_sign_in(visit: Visit) -> web.Response:
    request = visit.request
    sign_in = f"{PREFIX}/login?next="
    if visit.by_htmx:
        shown = urlsplit(request.headers.get("HX-Current-URL", "")).path
        response = problem_page(visit, 401, "Meld je opnieuw aan.")
        response.headers["HX-Redirect"] = sign_in + quote(below_desk(shown))
        return response
    if request.method == hdrs.METH_POST:
        return problem_page(visit, 401, "Meld je aan. Wat je net invulde, is niet bewaard.")
    return see_other(sign_in + quote(below_desk(request.path)))


async def _read_form(request: web.Request) -> dict[str, str]:
    too_large = DeskProblem(413, "Dit is te groot om te versturen.")
    if (request.content_length or 0) > MAX_FORM:
        raise too_large
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large from None
    if len(body) > MAX_FORM:
        raise too_large
    if not body:
        return {}
    if request.content_type != "application/x-www-form-urlencoded":
        raise DeskProblem(415, "Dit formulier kan niet gelezen worden.")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=200)
    except ValueError:  # not UTF-8, or too many fields
        raise DeskProblem(400, "Dit formulier kan niet gelezen worden.") from None
    if "\0" in "".join(part for pair in pairs for part in pair):  # PostgreSQL cannot store it
        raise DeskProblem(400, "Dit formulier kan niet gelezen worden.")
    return dict(pairs)


def _refuse_forged(visit: Visit) -> None:
    """Refuse a form that another site sent, or one of another session."""
    headers = visit.request.headers
    if visit.route.who == ANYONE:
        site = headers.get("Sec-Fetch-Site")
        host = urlsplit(headers.get(hdrs.ORIGIN, "")).netloc
        fine = site == "same-origin" if site is not None else host == visit.request.host
    else:
        given = headers.get("X-CSRF-Token") or visit.form.get("csrf", "")
        fine = bool(visit.csrf) and same(given, visit.csrf)
    visit.form.pop("csrf", None)
    if not fine:
        raise DeskProblem(403, "Dit formulier is verlopen. Laad de pagina opnieuw en probeer nog eens.")


# --- times in words ---


def moment(at: datetime | None, now: datetime) -> str:
    """'vandaag 14.05', 'gisteren 14.05', '03/11 14.05', with the year when it is another; '' for None."""
    if at is None:
        return ""
    at, now = at.astimezone(_ZONE), now.astimezone(_ZONE)
    days = (now.date() - at.date()).days
    words = {0: "vandaag", 1: "gisteren"}.get(days) or at.strftime(
        "%d/%m" if at.year == now.year else "%d/%m/%Y"
    )
    return f"{words} {at:%H.%M}"


def left(due: datetime | None, now: datetime) -> str:
    """The time left, rounded down: 'nog 3 uur', '2 uur te laat'; '' for None."""
    if due is None:
        return ""
    minutes = int(abs((due - now).total_seconds()) // 60)
    if minutes < 1:
        return "nog geen minuut" if due >= now else "net te laat"
    if minutes < 60:
        words = f"{minutes} minuten" if minutes > 1 else "1 minuut"
    elif minutes < 48 * 60:
        words = f"{minutes // 60} uur"
    else:
        words = f"{minutes // (24 * 60)} dagen"
    return f"nog {words}" if due >= now else f"{words} te laat"


def day(value: date | str | None, now: datetime) -> str:
    """'dinsdag 3 maart', with the year when it is another; of a day, a moment or an ISO date; '' for None."""
    if not value:
        return ""
    if isinstance(value, str):
        value = date.fromisoformat(value)
    if isinstance(value, datetime):
        value = value.astimezone(_ZONE).date()
    year = "" if value.year == now.astimezone(_ZONE).year else f" {value.year}"
    return f"{_DAYS[value.weekday()]} {value.day} {_MONTHS[value.month - 1]}{year}"
