"""Console room: closed by default. Who gets where, forged forms, cookies, and the headers around every page."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from html.parser import HTMLParser

import aiohttp
import pytest
from aiohttp import web

from bot.channels.pages import add_headers
from bot.console import site
from bot.console.routes import ANYONE, HALF_WAY, ROUTES, Route
from bot.console.site import add_desk
from bot.escalation.cases import ROLES, NotAllowedError
from tests.console.conftest import PASSWORD, SAME_SITE, Person, RunningDesk, StartDesk

#: Where the table leads; nothing is there, so whoever is let in reads that.
PLACES = {"case": "unknown", "account": "unknown", "notification": "unknown"}


def address(route: Route) -> str:
    return route.path.format(**PLACES)


async def ask(person: Person, route: Route, **options: object) -> aiohttp.ClientResponse:
    headers = SAME_SITE
    data = {"csrf": person.csrf} if route.method == "POST" else None
    url = f"{person.url}/desk{address(route)}"
    answer = await person.http.request(
        route.method, url, data=data, allow_redirects=False, **{"headers": headers} | options
    )
    answer.release()
    return answer


# --- the table ---


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_every_route_lets_in_whom_the_table_names_and_nobody_else(
    desk: RunningDesk, route: Route
) -> None:
    reached: list[str] = []

    async def handler(_visit: object) -> web.Response:
        reached.append(route.name)
        return web.Response(text="in")

    desk.desk.handlers[route.name] = handler
    nobody, half_way = desk.browser(), await desk.half_way()
    for who, person in [("anyone", nobody), ("password", half_way)]:
        answer = await ask(person, route)
        if route.who & {"anyone", who}:
            assert answer.status == 200, who
        elif route.method == "GET":
            assert answer.status == 303, who
            assert answer.headers["Location"].startswith("/desk/login?next=/desk")
        else:
            assert answer.status == 401, who
    for role in ROLES:
        answer = await ask(await desk.sign_in(role), route)
        assert answer.status == (200 if route.who & {"anyone", role} else 403), role
    allowed = len(route.who) if route.who != ANYONE else 5
    assert reached == [route.name] * allowed


@pytest.mark.parametrize("route", [r for r in ROUTES if r.who == ANYONE], ids=lambda route: route.method)
async def test_a_route_for_anyone_is_told_nobodys_name(desk: RunningDesk, route: Route) -> None:
    seen: list[object] = []

    async def handler(visit: object) -> web.Response:
        seen.append(visit)
        return web.Response()

    desk.desk.handlers[route.name] = handler
    await ask(await desk.sign_in(), route)
    assert [(visit.account, visit.session, visit.csrf) for visit in seen] == [(None, None, "")]


async def test_administrators_cannot_open_cases(desk: RunningDesk) -> None:
    boss = await desk.sign_in("administrator")
    for route in ROUTES:
        if route.path.startswith("/cases/"):
            assert (await ask(boss, route)).status == 403


async def test_what_stands_in_no_table_does_not_exist(desk: RunningDesk) -> None:
    person = await desk.sign_in("administrator")
    for path in ("/nothing", "/cases", "/login/", "/people/x", "/..%2fsecret", "//"):
        status, words = await person.get(path)
        assert (status, "Deze pagina bestaat niet" in words) == (404, True), path
    for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
        async with person.http.request(method, f"{desk.url}/desk/account") as answer:
            assert answer.status == 404
    assert (await person.get("/people/x/disable"))[0] == 404


async def test_the_desk_without_a_slash_leads_to_the_desk(desk: RunningDesk) -> None:
    async with desk.browser().http.get(f"{desk.url}/desk", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (308, "/desk/")


async def test_htmx_is_told_to_go_and_sign_in(desk: RunningDesk) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"{desk.url}/desk/cases/x?y=z"}
    answer = await ask(desk.browser(), Route("GET", "/rows", "queue_rows", HALF_WAY), headers=headers)
    assert (answer.status, answer.headers["HX-Redirect"]) == (401, "/desk/login?next=/desk/cases/x")
    headers["HX-Current-URL"] = "https://example.com/elsewhere"
    answer = await ask(desk.browser(), Route("GET", "/rows", "queue_rows", HALF_WAY), headers=headers)
    assert answer.headers["HX-Redirect"] == "/desk/login?next=/desk/"


async def test_what_is_not_allowed_with_a_case_is_said_in_a_sentence(desk: RunningDesk) -> None:
    async def handler(_visit: object) -> web.Response:
        raise NotAllowedError("close is not possible in state closed")

    desk.desk.handlers["account_page"] = handler
    person = await desk.sign_in()
    status, words = await person.get("/account")
    assert (status, "Dat kan nu niet" in words, "closed" in words) == (409, True, False)
    status, words = await person.get("/account", headers={"HX-Request": "true"})
    assert (status, words.startswith("Dat kan nu niet"), "<" in words) == (409, True, False)


# --- forged forms ---


async def test_a_form_without_the_token_of_this_session_is_refused(desk: RunningDesk) -> None:
    person, other = await desk.sign_in(), await desk.sign_in()
    right = person.csrf
    for wrong in ("", other.csrf, right + "x", "é"):
        person.csrf = wrong
        assert (await person.post("/presence", {"presence": "busy"}))[0] == 403
    person.csrf = ""
    assert (await person.post("/presence", {"presence": "busy"}, headers={"X-CSRF-Token": right}))[0] == 303
    person.csrf = right
    assert (await person.post("/presence", {"presence": "busy"}))[0] == 303


async def test_every_form_of_who_is_signed_in_needs_the_token(desk: RunningDesk) -> None:
    people = {role: await desk.sign_in(role) for role in ROLES} | {"password": await desk.half_way()}
    for route in ROUTES:
        if route.method == "POST" and route.who != ANYONE:
            person = people[sorted(route.who)[0]]
            answer = await person.http.post(f"{person.url}/desk{address(route)}", allow_redirects=False)
            assert answer.status == 403, route.path
            answer.release()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 401),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 401),
        ({"Origin": "{url}"}, 401),
        ({}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://example.com"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "{url}"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
    ],
)
async def test_nobody_is_signed_in_by_another_site(
    desk: RunningDesk, headers: dict[str, str], status: int
) -> None:
    sent = {name: value.format(url=desk.url) for name, value in headers.items()}
    fields = {"email": "nobody@example.org", "password": "x"}
    async with desk.browser().http.post(f"{desk.url}/desk/login", data=fields, headers=sent) as answer:
        assert answer.status == status


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"csrf=x&note=" + b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"email=%ff", "application/x-www-form-urlencoded", 400),
        (b"email=\xff", "application/x-www-form-urlencoded", 400),
        (b"email=%00", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 300, "application/x-www-form-urlencoded", 400),
        (b'{"email": 1}', "application/json", 415),
        (b"x", "multipart/form-data; boundary=x", 415),
        (b"", "application/x-www-form-urlencoded", 401),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused_with_a_page(
    desk: RunningDesk, body: bytes, kind: str, status: int
) -> None:
    headers = {"Content-Type": kind, "Sec-Fetch-Site": "same-origin"}
    for data in (body, _in_pieces(body)):  # also when its length is not known beforehand
        async with desk.browser().http.post(f"{desk.url}/desk/login", data=data, headers=headers) as answer:
            assert (answer.status, answer.content_type) == (status, "text/html")


async def _in_pieces(body: bytes):
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://example.com",
        "//example.com",
        "/desk//example.com",
        "/desk/\\example.com",
        "/",
        "desk/",
        "/desk/\n",
    ],
)
async def test_nobody_is_sent_elsewhere_after_signing_in(desk: RunningDesk, elsewhere: str) -> None:
    record = await desk.desk.accounts.by_id(await desk.account())
    assert record is not None
    fields = {"email": record.email, "password": PASSWORD, "next": elsewhere}
    answer = await desk.browser().http.post(
        f"{desk.url}/desk/login", data=fields, headers=SAME_SITE, allow_redirects=False
    )
    assert answer.headers["Location"] == "/desk/enrol?next=/desk/"


# --- cookies ---


async def cookie_of(desk: RunningDesk, **headers: str) -> str:
    record = await desk.desk.accounts.by_id(await desk.account())
    assert record is not None
    fields = {"email": record.email, "password": PASSWORD}
    sent = SAME_SITE | headers
    async with desk.browser().http.post(
        f"{desk.url}/desk/login", data=fields, headers=sent, allow_redirects=False
    ) as answer:
        assert answer.status == 303
        return answer.headers["Set-Cookie"]


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(start_desk: StartDesk) -> None:
    desk = await start_desk(trusted_proxies=1)
    here, https = await cookie_of(desk), await cookie_of(desk, **{"X-Forwarded-Proto": "https"})
    for cookie in (here, https):
        assert {"HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    assert here.startswith("desk=")
    assert https.startswith("__Host-desk=")
    assert "; Secure" in https


async def test_plain_http_from_elsewhere_gets_a_cookie_that_only_https_sends_back(
    start_desk: StartDesk,
) -> None:
    strict, lenient = await start_desk(), await start_desk(desk_insecure_cookie=True)
    for elsewhere in ({"Host": "desk.example.be"}, {"X-Forwarded-For": "192.0.2.1"}):
        assert (await cookie_of(strict, **elsewhere)).startswith("__Host-desk=")
        assert (await cookie_of(lenient, **elsewhere)).startswith("desk=")


async def test_a_cookie_of_the_other_name_opens_nothing(start_desk: StartDesk) -> None:
    desk = await start_desk(trusted_proxies=1)
    person = await desk.sign_in()
    assert (await person.get("/account"))[0] == 200
    assert (await person.get("/account", headers={"X-Forwarded-Proto": "https"}))[0] == 303


async def test_a_cookie_that_is_no_token_opens_nothing(desk: RunningDesk) -> None:
    for value in ("x", "a" * 4000, "%00", "é", '"'):
        async with aiohttp.ClientSession() as http:
            headers = {"Cookie": f"desk={value}"}
            async with http.get(f"{desk.url}/desk/account", headers=headers, allow_redirects=False) as answer:
                assert answer.status == 303


# --- headers and pages ---


class Faults(HTMLParser):
    """Collects what the policy would block, and controls without a name."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in named):
            self.found.append(tag)
        self.found += [name for name in named if name.startswith(("on", "hx-on")) or name == "style"]
        self.found += [
            value for value in named.values() if value and value.startswith(("javascript:", "http"))
        ]
        if "id" in named:
            self.ids.append(named["id"] or "")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and data.strip():
            self.found.append(data)


async def test_no_page_has_script_or_style_of_its_own(desk: RunningDesk) -> None:
    half_way, coach = await desk.half_way(), await desk.sign_in("lead_coach")
    boss = await desk.sign_in("administrator")
    pages = [await desk.browser().get("/login"), await half_way.get("/enrol"), await half_way.post("/enrol")]
    pages += [await coach.get("/account"), await coach.get("/people"), await coach.get("/nothing")]
    pages += [await boss.get("/people"), await boss.post("/account/password")]
    for _, words in pages:
        page = Faults()
        page.feed(words)
        assert page.found == []
        assert len(page.ids) == len(set(page.ids))
        assert '<html lang="nl-BE">' in words
        assert "<main" in words


async def test_every_answer_of_the_desk_is_kept_nowhere_and_runs_only_our_files(desk: RunningDesk) -> None:
    person = await desk.sign_in()
    for path in ("", "/", "/login", "/account", "/people", "/nothing", "/cases/unknown"):
        for who in (person, desk.browser()):
            async with who.http.get(f"{desk.url}/desk{path}", allow_redirects=False) as answer:
                assert answer.headers["Cache-Control"] == "no-store"
                policy = answer.headers["Content-Security-Policy"]
                assert "unsafe" not in policy
                assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(
                    policy.split("; ")
                )
                assert {"form-action 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))
                assert answer.headers["X-Frame-Options"] == "DENY"


async def test_names_are_shown_as_text_never_as_html(desk: RunningDesk) -> None:
    await desk.account(name="<script>alert(1)</script>", email="'onfocus=x@example.org")
    _, words = await (await desk.sign_in("administrator")).get("/people")
    assert "<script>alert" not in words
    assert "&lt;script&gt;" in words
    _, words = await desk.browser().post("/login", {"email": '"><img src=x>'})
    assert "<img src=x>" not in words


async def test_the_menu_shows_what_ones_role_may_open(desk: RunningDesk) -> None:
    shown = {}
    for role in ROLES:
        person = await desk.sign_in(role)
        _, words = await person.get("/account")
        shown[role] = {
            path for path in ("/desk/people", "/desk/notifications", "/desk/presence") if path in words
        }
    assert shown == {
        "coach": {"/desk/presence"},
        "lead_coach": {"/desk/presence", "/desk/notifications"},
        "administrator": {"/desk/people", "/desk/notifications"},
    }


async def test_while_the_desk_is_not_there_yet_a_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "START_SECONDS", 0.05)
    app = web.Application()
    app.on_response_prepare.append(add_headers)
    add_desk(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/desk/login"
    async with aiohttp.ClientSession() as http, http.get(address) as answer:
        assert (answer.status, "opstarten" in await answer.text()) == (503, True)
        assert answer.headers["Cache-Control"] == "no-store"
    await runner.cleanup()


async def test_time_left_and_moments_read_as_people_say_them(desk: RunningDesk) -> None:
    filters, now = desk.desk.templates.filters, desk.clock()
    said = [
        filters["moment"](now - timedelta(**ago)) for ago in ({}, {"hours": 11}, {"days": 40}, {"days": 100})
    ]
    assert said == ["vandaag 10.00", "gisteren 23.00", "22/01 10.00", "23/11/2025 10.00"]
    left = [filters["left"](now + timedelta(minutes=m)) for m in (0, 1, 59, 179, 2879, 2880, -1, -125, -4320)]
    assert left[:5] == ["nog geen minuut", "nog 1 minuut", "nog 59 minuten", "nog 2 uur", "nog 47 uur"]
    assert left[5:] == ["nog 2 dagen", "1 minuut te laat", "2 uur te laat", "3 dagen te laat"]
    assert [filters["day"](day) for day in ("2026-03-03", now, None)] == ["dinsdag 3 maart"] * 2 + [""]
    assert filters["day"]("2027-01-01") == "vrijdag 1 januari 2027"


def test_the_addresses_alone_load_nothing_heavy() -> None:
    heavy = ("jinja2", "aiohttp_jinja2", "argon2", "pyotp", "segno", "sqlalchemy")
    program = f"import sys, bot.console.site; print([name for name in {heavy} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
