"""Console room: the desk in a real Chromium. Live, with keys, without script, on every screen, for everyone."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.channels.pages import add_headers, add_pages
from bot.console.desk import make_desk
from bot.console.news import end_streams
from bot.console.site import add_desk
from bot.conversation.post import Post
from bot.escalation.cases import Scope
from bot.escalation.notices import Notice
from bot.settings import Settings
from bot.storage.cases import Case
from bot.storage.database import Database
from bot.storage.notifications import Notifications, enqueue
from tests.browser.tab import AXE, DESKTOP, PHONE, ROOT, SMALLEST, WEB, Tab
from tests.console.conftest import Clock, Person, RunningDesk
from tests.console.example_cases import add_case, hours, person_says, real_live

_PATH = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
#: The browser of this machine; without one, Playwright's own.
CHROMIUM = str(_PATH) if _PATH.is_file() else None
ZORGPUNT = Scope("zorgpunt", None)
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP},
    "phone": {"viewport": PHONE, "has_touch": True},
    "desktop at night": {"viewport": DESKTOP, "color_scheme": "dark"},
    "smallest phone at night": {"viewport": SMALLEST, "color_scheme": "dark"},
}


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder with the desk's files; built first when it is missing or older than its sources."""
    folder = Path(os.environ.get("ADEMRUIMTE_STATE_DIR", ROOT / ".ademruimte")) / "web"
    sources = [path for path in (WEB / "public").iterdir() if path.is_file()]
    copies = [folder / path.name for path in sources]
    npm = shutil.which("npm")
    assert npm, "npm is needed to build the desk: install Node 20.19 or newer"
    if not AXE.is_file():
        subprocess.run([npm, "ci"], cwd=WEB, check=True)
    same = (folder / "htmx.min.js").is_file() and all(
        copy.is_file() and copy.read_bytes() == path.read_bytes()
        for path, copy in zip(sources, copies, strict=True)
    )
    if not same:
        subprocess.run([npm, "run", "build"], cwd=WEB, check=True)
    return folder


@pytest.fixture
async def desk(
    built: Path, settings: Settings, database: Database, clock: Clock
) -> AsyncIterator[RunningDesk]:
    """The desk as the app serves it, with its files and the real conversation behind it."""
    app = web.Application()
    app.on_response_prepare.append(add_headers)
    there = add_desk(app)
    add_pages(app, built, "vlaanderen")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    live, post = real_live(database, clock), Post(Notifications(database), {}, clock)
    made = make_desk(dataclasses.replace(settings), database, clock, live=live, post=post)
    there.set_result(made)
    running = RunningDesk(made, f"http://127.0.0.1:{runner.addresses[0][1]}", clock)
    yield running
    end_streams(made)
    for person in running.people:
        await person.http.close()
    await runner.cleanup()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    options: dict[str, Any] = {"executable_path": CHROMIUM} if CHROMIUM else {}
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(
            args=["--no-sandbox", "--disable-dev-shm-usage"], **options
        )
        yield running
        await running.close()


OpenDesk = Callable[..., Awaitable[Tab]]


@pytest.fixture
async def open_desk(browser: Browser, desk: RunningDesk) -> AsyncIterator[OpenDesk]:
    """Opens a page as someone who is signed in: `await open_desk(person, "/", viewport=PHONE)`.

    The test fails at its end on whatever the browser complained about, such as a script the policy forbids.
    """
    tabs: list[Tab] = []

    async def make(person: Person, path: str, **options: Any) -> Tab:
        context = await browser.new_context(**{"viewport": DESKTOP, "locale": "nl-BE", **options})
        token = next(morsel.value for morsel in person.http.cookie_jar if morsel.key == "desk")
        await context.add_cookies([{"name": "desk", "value": token, "url": desk.url}])
        page = await context.new_page()
        page.set_default_timeout(10_000)
        tab = Tab(page, context, desk.url)
        page.on("console", lambda entry: tab.complaints.append(entry.text) if entry.type == "error" else None)
        page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        page.on("request", lambda request: tab.addresses.append(request.url))
        tabs.append(tab)
        await page.goto(f"{desk.url}/desk{path}")
        return tab

    yield make
    for tab in tabs:
        await tab.context.close()
    for tab in tabs:
        unexpected = [c for c in tab.complaints if not any(re.search(pattern, c) for pattern in tab.allowed)]
        assert not unexpected, f"the browser complained: {unexpected}"
        assert all(address.startswith(f"{desk.url}/") for address in tab.addresses)


@pytest.fixture
async def coach(desk: RunningDesk) -> Person:
    return await desk.sign_in("coach", name="An Voorbeeld")


@pytest.fixture
async def case(desk: RunningDesk, coach: Person) -> Case:
    """A case that the coach has."""
    made = await add_case(desk.desk.database, desk.clock() - hours(3))
    await desk.desk.cases.claim(made.id, ZORGPUNT, coach.account_id, desk.clock())
    return await desk.desk.cases.case(made.id, ZORGPUNT)


async def fine(tab: Tab, state: str) -> None:
    """No violation of WCAG 2.2 A and AA or of axe's best practices, and nothing off the screen."""
    violations = await tab.axe()
    assert not violations, f"{state}: {violations}"
    overflow = await tab.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, f"{state}: the page scrolls sideways by {overflow} px"


async def stays(page: Page) -> None:
    """Leave a mark that goes when the page is loaded anew."""
    await page.evaluate("() => (window.sameStill = true)")


async def stayed(page: Page) -> bool:
    return bool(await page.evaluate("() => window.sameStill === true"))


# --- for everyone, on every screen ---


@pytest.mark.parametrize("screen", SCREENS)
async def test_every_page_is_accessible(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person, case: Case, screen: str
) -> None:
    database, at, options = desk.desk.database, desk.clock(), SCREENS[screen]
    urgent = await add_case(database, at - hours(2), urgency="now", origin="crisis", contact={"way": "chat"})
    closed = await add_case(database, at - hours(20), scores=None, words=None)
    for path, form in (("claim", {}), ("close", {"outcome": "talked"})):
        await coach.post(f"/cases/{closed.id}/{path}", form)
    lead, administrator = await desk.sign_in("lead_coach"), await desk.sign_in("administrator")

    tab = await open_desk(coach, "/?closed=1", **options)
    await expect(tab.page.locator(".case")).to_have_count(3)
    await fine(tab, "queue")
    await tab.page.keyboard.press("?")
    await tab.page.get_by_role("dialog").wait_for()
    await fine(tab, "keys")
    await tab.page.keyboard.press("Escape")
    await tab.page.goto(f"{desk.url}/desk/?text=niemand")
    await fine(tab, "nothing found")

    await coach.post(f"/cases/{case.id}/say", {"text": "Dag Robin.", "key": "k"})
    await person_says(database, case, "Dag. Ik weet niet waar ik moet beginnen.", at)
    await coach.post(f"/cases/{case.id}/note", {"text": "Werkt nacht.\nNiet voor 14 uur bellen."})
    await coach.post(f"/cases/{case.id}/call", {"result": "voicemail", "text": ""})
    for path in ("", "?notice=claimed", "/print"):
        await tab.page.goto(f"{desk.url}/desk/cases/{case.id}{path}")
        await fine(tab, f"case{path}")
    await tab.page.goto(f"{desk.url}/desk/cases/{case.id}")
    for summary in ("Toon als tabel", "Dossier afsluiten"):
        await tab.page.get_by_text(summary, exact=True).click()
    desk.desk.extra["live"].person_types(case.conversation_id)
    await tab.page.locator("#types").wait_for()
    await fine(tab, "everything open, the person types")

    for made in (urgent, closed):
        await tab.page.goto(f"{desk.url}/desk/cases/{made.id}")
        await fine(tab, made.state)
    other = await open_desk(lead, f"/cases/{case.id}", **options)
    await fine(other, "reading along")

    key = f"case:{case.id}:opened:x:mail"
    payload = {"kind": "opened", "number": case.number, "urgency": "48h", "due_at": "", "page": "/desk/"}
    notice = Notice(key, "mail", "een.heel.lang.adres.van.een.coach@voorbeeld.example.org", payload)
    await database.write(lambda db: enqueue(db, [notice], at))
    for path in ("/figures", "/notifications"):
        tab = await open_desk(administrator, path, **options)
        await fine(tab, path)


async def test_on_paper_there_is_content_and_no_control(
    open_desk: OpenDesk, coach: Person, case: Case
) -> None:
    tab = await open_desk(coach, f"/cases/{case.id}/print", color_scheme="dark")
    await tab.page.emulate_media(media="print", color_scheme="dark")
    for hidden in (".menu", ".top", "button", "summary"):
        for control in await tab.page.locator(hidden).all():
            assert not await control.is_visible(), hidden
    assert await tab.page.get_by_role("table").is_visible()
    colour = await tab.page.evaluate("() => getComputedStyle(document.querySelector('h2')).color")
    assert colour == "rgb(0, 0, 0)"  # also when the screen is dark


# --- the queue ---


async def test_a_new_case_shows_within_two_seconds_without_reload(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person
) -> None:
    tab = await open_desk(coach, "/")
    async with tab.page.expect_response(re.compile("/desk/news")):
        await tab.page.reload()
    await stays(tab.page)
    made = await add_case(desk.desk.database, desk.clock())
    await expect(tab.page.get_by_role("link", name=f"Dossier {made.number}")).to_be_visible(timeout=2000)
    await expect(tab.page.get_by_role("status")).to_have_text("Nieuw dossier")
    assert await stayed(tab.page)


async def test_what_a_colleague_takes_shows_and_is_no_new_case(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person
) -> None:
    made = await add_case(desk.desk.database, desk.clock())
    colleague = await desk.sign_in("coach", name="Bo Voorbeeld")
    tab = await open_desk(coach, "/")
    await stays(tab.page)
    await colleague.post(f"/cases/{made.id}/claim")
    await expect(tab.page.locator(".case")).to_contain_text("Bo Voorbeeld")
    await expect(tab.page.get_by_role("button", name="Opnemen")).to_have_count(0)
    assert await tab.page.locator("#announce").text_content() == ""
    assert await stayed(tab.page)


async def test_new_rows_move_nothing_under_the_finger(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person
) -> None:
    made = [await add_case(desk.desk.database, desk.clock(), with_chat=False) for _ in range(30)]
    tab = await open_desk(coach, "/")
    row = tab.page.locator(f"#open-{made[15].id}")
    await tab.page.locator("#search").fill("half getypt")

    async def where() -> float:
        return float(await row.evaluate("(link) => link.getBoundingClientRect().top"))

    async def another() -> None:
        new = await add_case(desk.desk.database, desk.clock(), urgency="now", with_chat=False)
        await tab.page.locator(f"#open-{new.id}").wait_for()

    await row.focus()
    before = await where()
    await another()
    assert await tab.page.evaluate("() => document.activeElement.id") == f"open-{made[15].id}"
    assert await where() == pytest.approx(before, abs=1)
    await row.blur()
    await another()
    assert await where() == pytest.approx(before, abs=1)
    assert await tab.page.locator("#search").input_value() == "half getypt"


async def test_the_keyboard_stays_in_the_list_when_a_row_goes(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person
) -> None:
    first, second = [await add_case(desk.desk.database, desk.clock() + hours(n)) for n in (0, 1)]
    colleague = await desk.sign_in("coach")
    tab = await open_desk(coach, "/")
    await tab.page.locator(f"#open-{first.id}").focus()
    await colleague.post(f"/cases/{first.id}/claim")
    await colleague.post(f"/cases/{first.id}/close", {"outcome": "other"})
    await expect(tab.page.locator(".case")).to_have_count(1)
    assert await tab.page.evaluate("() => document.activeElement.id") == f"open-{second.id}"


async def test_the_queue_works_with_the_keyboard_alone(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person
) -> None:
    first, second = [await add_case(desk.desk.database, desk.clock() + hours(n)) for n in (0, 1)]
    tab = await open_desk(coach, "/")
    page, focused = tab.page, "() => document.activeElement.id"
    await page.keyboard.press("j")
    assert await page.evaluate(focused) == f"open-{first.id}"
    for key, expected in (("j", second), ("j", second), ("k", first), ("k", first)):
        await page.keyboard.press(key)
        assert await page.evaluate(focused) == f"open-{expected.id}"
    await page.keyboard.press("/")
    assert await page.evaluate(focused) == "search"
    await page.keyboard.type("jkc?gq/")
    assert await page.locator("#search").input_value() == "jkc?gq/"  # keys are letters where one types
    await page.locator("h1").click()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/cases/{first.id}")
    await page.keyboard.press("g")
    await page.keyboard.press("q")
    await page.wait_for_url("**/desk/")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("c")
    await page.wait_for_url(f"**/cases/{second.id}?notice=claimed")
    assert (await desk.desk.cases.case(second.id, ZORGPUNT)).owner_id == coach.account_id
    await page.goto(f"{desk.url}/desk/cases/{first.id}")
    await page.keyboard.press("c")
    await page.wait_for_url(f"**/cases/{first.id}?notice=claimed")


async def test_a_session_that_was_ended_leads_to_the_log_in(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person
) -> None:
    tab = await open_desk(coach, "/")
    tab.allow("EventSource|401|aborted")
    await desk.desk.accounts.end_sessions(coach.account_id, coach.account_id, desk.clock())
    await expect(tab.page.locator("#lost")).to_contain_text("Laad ze opnieuw")
    await tab.page.evaluate("() => htmx.trigger('#rows', 'desk:refresh')")
    await tab.page.wait_for_url("**/desk/login**")


# --- a conversation ---


async def test_messages_go_both_ways_without_reload(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person, case: Case
) -> None:
    tab = await open_desk(coach, f"/cases/{case.id}")
    page, box = tab.page, tab.page.locator("#say-text")
    await stays(page)
    await box.fill("Dag Robin.")
    await box.press("Shift+Enter")
    await box.type("Hoe gaat het?")
    await box.press("Enter")
    await expect(page.locator(".said-coach .bubble")).to_have_text("Dag Robin.\nHoe gaat het?")
    await expect(box).to_have_value("")
    await expect(page.locator("#case-state")).to_contain_text("In gesprek")
    await expect(page.get_by_role("button", name="Terug naar de assistent")).to_be_visible()

    await box.fill("Half getypt")
    await box.press("ArrowLeft")
    desk.desk.extra["live"].person_types(case.conversation_id)
    await expect(page.locator("#types")).to_have_text("Robin is aan het typen…")
    await person_says(desk.desk.database, case, "Niet zo goed.", desk.clock())
    await expect(page.locator(".said-user .bubble")).to_have_text("Niet zo goed.")
    await expect(page.locator("#announce")).to_contain_text("Nieuw bericht")
    assert await box.input_value() == "Half getypt"
    assert await page.evaluate("() => document.activeElement.id") == "say-text"

    await expect(page.locator(".mark")).to_have_text("verstuurd, nog niet gelezen")
    await desk.desk.extra["live"].seen(case.conversation_id, 3)
    await expect(page.locator(".mark")).to_have_text("gelezen")
    assert await stayed(page)


async def test_a_message_that_was_not_sent_stays_and_is_sent_once(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person, case: Case
) -> None:
    tab = await open_desk(coach, f"/cases/{case.id}")
    tab.allow("ERR_FAILED|Failed to load|htmx:")
    page, box = tab.page, tab.page.locator("#say-text")

    async def lose_the_answer(route: Any) -> None:
        await route.fetch()  # the server has it
        await route.abort()  # the browser does not know

    await page.route("**/say?*", lose_the_answer, times=1)
    await box.fill("Dag Robin.")
    await box.press("Enter")
    await expect(page.locator("#say-problem")).to_have_text("Niet verstuurd. Probeer het zo opnieuw.")
    assert await box.input_value() == "Dag Robin."
    await box.press("Enter")
    await expect(box).to_have_value("")
    await box.fill("En nog iets.")
    await box.press("Enter")
    await expect(page.locator(".said-coach .bubble")).to_have_text(["Dag Robin.", "En nog iets."])


async def test_a_coach_who_lost_the_case_is_told_and_keeps_the_words(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person, case: Case
) -> None:
    tab = await open_desk(coach, f"/cases/{case.id}")
    tab.allow("409|htmx:")
    lead = await desk.sign_in("lead_coach", name="Cis Voorbeeld")
    await lead.post(f"/cases/{case.id}/hand-over", {"to": lead.account_id})
    await expect(tab.page.locator("#conversation")).to_contain_text("intussen veranderd")
    await tab.page.locator("#say-text").fill("Dag Robin.")
    await tab.page.locator("#say-text").press("Enter")
    await expect(tab.page.locator("#say-problem")).to_have_text("Cis Voorbeeld heeft dit dossier.")
    assert await tab.page.locator("#say-text").input_value() == "Dag Robin."


async def test_a_canned_reply_goes_in_at_the_cursor_and_is_not_sent(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person, case: Case
) -> None:
    tab = await open_desk(coach, f"/cases/{case.id}")
    await tab.page.locator("#say-text").fill("Goeiemorgen.")
    await tab.page.locator("#canned").select_option("moment")
    await tab.page.get_by_role("button", name="Zet in het vak").click()
    value = await tab.page.locator("#say-text").input_value()
    assert value.startswith("Goeiemorgen. Ik lees mee")
    assert value.endswith("Neem gerust je tijd, Robin.")
    assert await desk.desk.cases.said(case.id, ZORGPUNT) == []


async def test_the_person_sees_that_the_coach_types(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person, case: Case
) -> None:
    tab = await open_desk(coach, f"/cases/{case.id}")
    async with tab.page.expect_response(re.compile("/typing")) as answer:
        await tab.page.locator("#say-text").type("Dag")
    assert (await (await answer.value).request.response()).status == 204


# --- without script ---


async def test_everything_can_be_done_without_script(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person
) -> None:
    made = await add_case(desk.desk.database, desk.clock())
    tab = await open_desk(coach, "/", java_script_enabled=False)
    page = tab.page
    await page.locator("#search").fill(str(made.number))
    await page.get_by_role("button", name="Toon").click()
    await page.get_by_role("button", name="Opnemen").click()
    await expect(page.get_by_role("status").last).to_have_text("Dit dossier is nu van jou.")
    await page.locator("#canned").select_option("hello")
    await page.get_by_role("button", name="Zet in het vak").click()
    await page.get_by_role("button", name="Verstuur").click()
    await expect(page.locator(".said-coach .bubble")).to_contain_text("Dag Robin, ik heb je vraag gelezen.")
    await page.get_by_role("button", name="Terug naar de assistent").click()
    await page.locator("#note-text").fill("Gaat al wat beter.")
    await page.get_by_role("button", name="Bewaar de notitie").click()
    await expect(page.locator("#notes")).to_contain_text("Gaat al wat beter.")
    await page.get_by_label("Bereikt", exact=True).check()
    await page.get_by_role("button", name="Bewaar de oproep").click()
    await page.get_by_label("Opvolgen op").fill("2026-03-10")
    await page.get_by_role("button", name="Bewaar", exact=True).click()
    await page.get_by_text("Dossier afsluiten").click()
    await page.get_by_label("Gesproken", exact=True).check()
    await page.get_by_role("button", name="Sluit af").click()
    await expect(page.locator("#case-state")).to_contain_text("Afgesloten: gesproken")


@pytest.mark.parametrize("screen", SCREENS)
async def test_signing_in_and_the_pages_around_it_are_for_everyone(
    desk: RunningDesk, open_desk: OpenDesk, coach: Person, screen: str
) -> None:
    options = SCREENS[screen]
    newcomer = await desk.half_way()
    known = await desk.half_way(account_id=coach.account_id)
    administrator = await desk.sign_in("administrator", region="vlaanderen")
    pages: list[tuple[Person, str, str]] = [
        (newcomer, "/login", "Aanmelden"),
        (newcomer, "/enrol", "Tweede stap instellen"),
        (known, "/second-factor", ""),
        (coach, "/account", "Mijn account"),
        (administrator, "/people", ""),
        (coach, "/people", ""),  # not theirs: the page that says so
        (coach, "/nergens", ""),
    ]
    for person, path, title in pages:
        tab = await open_desk(person, path, **options)
        tab.allow("Failed to load resource: the server responded with a status of 40[34]")
        await tab.page.get_by_role("heading", level=1).wait_for()
        assert title in await tab.page.title()
        await fine(tab, f"{path} on {screen}")
