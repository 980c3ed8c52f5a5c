"""Room: tests/browser. Every state of the widget, for everyone: no axe violation, nothing off the screen."""

from typing import Any

import pytest

from tests.browser.stub_server import HELP_LINES, StubServer, text
from tests.browser.tab import DESKTOP, PHONE, SMALLEST, OpenTab, Tab

SCREENS = {
    "desktop": {"viewport": DESKTOP},
    "phone": {"viewport": PHONE, "has_touch": True},
    "phone at night": {"viewport": PHONE, "color_scheme": "dark"},
    "smallest phone": {"viewport": SMALLEST},
    "desktop at night": {"viewport": DESKTOP, "color_scheme": "dark"},
    "forced colours": {"viewport": PHONE, "forced_colors": "active"},
}
NETWORK_DOWN = "ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection"


async def _accessible(tab: Tab, state: str) -> None:
    await tab.page.wait_for_timeout(0)
    violations = await tab.axe()
    assert not violations, f"{state}: {violations}"
    overflow = await tab.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, f"{state}: the page scrolls sideways by {overflow} px"


@pytest.mark.parametrize("screen", SCREENS)
async def test_every_state_is_accessible(open_tab: OpenTab, server: StubServer, screen: str) -> None:
    options: dict[str, Any] = SCREENS[screen]
    tab = await open_tab(server.base, reduced_motion="reduce", **options)
    await tab.visit()
    await tab.button("Check-in").wait_for()
    await _accessible(tab, "open, with quick replies")

    await tab.button("Ik heb een code").click()
    await _accessible(tab, "a field for a code")
    await tab.button("Open mijn gesprek").click()
    await tab.page.get_by_text("Typ eerst de 16 cijfers").wait_for()
    await _accessible(tab, "a code that is none")
    await tab.page.keyboard.press("Escape")

    await tab.button("Check-in").click()
    await tab.page.get_by_role("radiogroup").wait_for()
    await _accessible(tab, "scale")

    await tab.page.get_by_role("radio", name="7").click()
    await tab.bot("onder druk").wait_for()
    await tab.page.get_by_role("radio", name="6").click()
    await tab.button("Later").wait_for()
    await _accessible(tab, "chart")

    await tab.page.get_by_text("Toon als tabel").click()
    await tab.page.get_by_role("table").wait_for()
    await _accessible(tab, "table")

    await tab.type("klachten")
    await tab.page.get_by_role("group", name="Welke klachten heb je?").wait_for()
    await _accessible(tab, "ticks")

    await tab.type("hulplijnen")
    await tab.page.get_by_role("link", name="Bel 106").wait_for()
    await _accessible(tab, "help lines in the conversation")

    await tab.type("anoniem")
    await tab.button("Toon mijn code").wait_for()
    await server.own("queue")
    await tab.page.get_by_text("Een coach is gevraagd").wait_for()
    await _accessible(tab, "a coach was asked, with the card for a code")
    await tab.button("Toon mijn code").click()
    await tab.page.locator(".digits").wait_for()
    await _accessible(tab, "a code")
    await tab.button("Verberg").click()
    await _accessible(tab, "a code that was shown")

    await server.coach("Dag, ik ben Ilse.")
    await server.say(text("Deze mensen kan je nu bellen."), HELP_LINES, role="system")
    await server.coach("Ik neem het even over.", author="Noor, coach")
    await server.event({"type": "typing", "on": True})
    await tab.page.get_by_text("Noor, coach schrijft").wait_for()
    await _accessible(tab, "with a coach")
    await tab.button("Ik heb een code").click()
    await tab.page.get_by_label("Je code van 16 cijfers").fill("1111222233334444")
    await tab.button("Open mijn gesprek").click()
    await tab.button("Ja, open mijn gesprek").wait_for()
    await _accessible(tab, "the question before another conversation")
    await tab.page.keyboard.press("Escape")
    await tab.button("Terug naar de assistent").click()
    await tab.page.get_by_text("Een computerprogramma, geen mens").wait_for()

    server.answering = False
    await tab.type("wacht even")
    await server.event({"type": "typing", "on": True})
    await server.say({"type": "text", "text": "Dit duurt iets langer."}, role="system")
    await tab.page.locator(".typing").wait_for()
    await tab.page.get_by_text("Dit duurt iets langer.").first.wait_for()
    await _accessible(tab, "typing")

    await tab.button("Ik heb nu hulp nodig").click()
    await tab.page.get_by_role("link", name="Bel 112").wait_for()
    await _accessible(tab, "help panel")
    await tab.button("Terug naar het gesprek").click()

    tab.allow(NETWORK_DOWN)
    await server.stop()
    await tab.type("Ben je er nog?")
    await tab.page.get_by_text("Geen verbinding.").wait_for()
    await _accessible(tab, "offline")

    await tab.button("Venster kleiner maken").click()
    await tab.page.get_by_role("button", name="Even ademruimte").wait_for()
    await _accessible(tab, "closed")


@pytest.mark.parametrize("viewport", [SMALLEST, PHONE, DESKTOP], ids=["320", "390", "1280"])
async def test_all_eleven_numbers_are_on_screen_and_big_enough_to_tap(
    open_tab: OpenTab, server: StubServer, viewport: dict[str, int]
) -> None:
    tab = await open_tab(server.base, viewport=viewport)
    await tab.visit()
    await tab.button("Check-in").click()
    await tab.page.get_by_role("radiogroup").wait_for()
    boxes = [await radio.bounding_box() for radio in await tab.page.get_by_role("radio").all()]
    assert len(boxes) == 11
    for box in boxes:
        assert box is not None
        assert box["width"] >= 40
        assert box["height"] >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= viewport["width"]
        assert box["y"] + box["height"] <= viewport["height"]


@pytest.mark.parametrize("viewport", [SMALLEST, PHONE, DESKTOP], ids=["320", "390", "1280"])
async def test_the_button_under_many_ticks_is_on_screen_and_hides_none_of_them(
    open_tab: OpenTab, server: StubServer, viewport: dict[str, int]
) -> None:
    tab = await open_tab(server.base, viewport=viewport)
    await tab.visit()
    await tab.type("klachten")
    done = tab.button("Klaar")
    await done.wait_for()
    await tab.page.get_by_label("moe").focus()
    top = """element => { const box = element.getBoundingClientRect();
        const found = element.getRootNode().elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return found === element; }"""
    ticks = await tab.page.get_by_role("checkbox").all()
    for place, tick in enumerate(ticks):
        if place:
            await tab.page.keyboard.press("Tab")
        assert await tick.evaluate("tick => tick.getRootNode().activeElement === tick")
        assert await tick.evaluate(top), f"tick {place} is behind something"
        assert await done.evaluate(top), f"at tick {place} the button is off the screen"
    assert len(ticks) == 9


@pytest.mark.parametrize("viewport", [SMALLEST, PHONE, DESKTOP], ids=["320", "390", "1280"])
async def test_a_code_stands_on_one_line_or_on_two_of_two_groups(
    open_tab: OpenTab, server: StubServer, viewport: dict[str, int]
) -> None:
    tab = await open_tab(server.base, viewport=viewport)
    await tab.visit()
    await tab.type("anoniem")
    await tab.button("Toon mijn code").click()
    digits = tab.page.locator(".digits")
    await digits.wait_for()
    for half in await digits.locator("span").all():
        box, around = await half.bounding_box(), await digits.bounding_box()
        assert box is not None
        assert around is not None
        assert box["x"] >= around["x"]
        assert box["x"] + box["width"] <= around["x"] + around["width"]
        assert box["height"] < 60


async def test_on_a_phone_the_panel_fills_the_screen(open_tab: OpenTab, server: StubServer) -> None:
    tab = await open_tab(server.base, viewport=PHONE)
    await tab.visit()
    box = await tab.page.get_by_role("dialog").bounding_box()
    assert box == {"x": 0, "y": 0, **PHONE}


async def test_at_200_percent_zoom_the_choices_can_still_be_reached(
    open_tab: OpenTab, server: StubServer
) -> None:
    tab = await open_tab(server.base, viewport={"width": 640, "height": 360})
    await tab.visit()
    await tab.button("Check-in").click()
    await tab.page.get_by_role("radio", name="10, altijd").click()
    await tab.mine("10").wait_for()


async def test_with_reduced_motion_nothing_moves(open_tab: OpenTab, server: StubServer) -> None:
    tab = await open_tab(server.base, reduced_motion="reduce")
    await tab.visit()
    await tab.button("Check-in").wait_for()
    await server.event({"type": "typing", "on": True})
    await tab.page.locator(".typing").wait_for()
    running = "() => document.querySelector('ademruimte-chat').shadowRoot.getAnimations().length"
    assert await tab.page.evaluate(running) == 0


async def test_a_low_score_is_the_worry_where_high_is_good(tab: Tab) -> None:
    await tab.type("/skip")
    await tab.button("Later").wait_for()
    drawing = tab.page.get_by_role("img", name="Genoeg steun kunnen vragen")
    words = await drawing.get_attribute("aria-label")
    assert words == (
        "Genoeg steun kunnen vragen: 2 van 10, laag, vraagt aandacht, gemiddelde 4,6, vorige keer 4. "
        "Hier is een hoge score goed."
    )
    worrying = drawing.locator(".band.worrying")
    assert await worrying.get_attribute("x") == "0%"
    other = tab.page.get_by_role("img", name="Te weinig slaap").locator(".band.worrying")
    assert await other.get_attribute("x") == "65%"


async def test_the_table_holds_what_the_chart_shows(tab: Tab) -> None:
    await tab.type("/skip")
    await tab.page.get_by_text("Toon als tabel").click()
    rows = await tab.page.get_by_role("row").all_inner_texts()
    cells = [row.split("\t") for row in rows]
    assert cells[0] == ["Vraag", "Jouw score", "Dat is", "Gemiddelde", "Vorige keer"]
    assert cells[1] == ["Te weinig slaap", "8", "hoog, vraagt aandacht", "4,6", "5"]
    assert cells[3] == ["Moe zijn", "overgeslagen", "–", "4,6", "–"]
    assert cells[4] == ["Er alleen voor staan", "0", "laag", "–", "–"]


async def test_help_lines_say_who_answers_now_and_can_be_tapped(
    open_tab: OpenTab, server: StubServer
) -> None:
    tab = await open_tab(server.base, viewport=SMALLEST)
    await tab.visit()
    await tab.type("hulplijnen")
    await tab.page.get_by_role("link", name="Bel 1712").wait_for()
    said = await tab.page.locator(".card .opens").all_inner_texts()
    assert said == [
        "Nu open",
        "Niet zeker of er nu iemand opneemt",
        "Nu gesloten, open vanaf morgen 9 uur",
    ]
    for link in await tab.page.locator(".card .call").all():
        box = await link.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
        assert (await link.get_attribute("href") or "").startswith("tel:")


@pytest.mark.parametrize(("region", "least"), [("Vlaanderen en Brussel", 6), ("Nederland", 5)])
@pytest.mark.parametrize("viewport", [SMALLEST, PHONE, DESKTOP], ids=["320", "390", "1280"])
async def test_no_number_covers_the_name_of_its_help_line_or_sticks_out(
    open_tab: OpenTab, server: StubServer, viewport: dict[str, int], region: str, least: int
) -> None:
    tab = await open_tab(server.base, viewport=viewport)
    await tab.visit()
    await tab.button("Ik heb nu hulp nodig").click()
    await tab.button(region).click()
    await tab.page.get_by_role("link", name="Bel 112").wait_for()
    covered = await tab.page.locator(".help .line").evaluate_all(
        """lines => lines.filter(line => {
            const words = document.createRange();
            words.selectNodeContents(line.querySelector("h4"));
            const call = line.querySelector(".call").getBoundingClientRect();
            return [...words.getClientRects()].some(word =>
                word.right > call.left && word.left < call.right &&
                word.bottom > call.top && word.top < call.bottom
                || word.right > line.getBoundingClientRect().right
            ) || Math.max(call.right, line.getBoundingClientRect().right) > document.documentElement.clientWidth - 4;
        }).map(line => line.innerText)"""
    )
    assert await tab.page.locator(".help .line").count() >= least
    assert covered == []


async def test_yesterdays_help_lines_do_not_say_that_someone_answers_now(tab: Tab) -> None:
    await tab.page.clock.install()
    await tab.type("hulplijnen")
    await tab.page.get_by_role("link", name="Bel 1712").wait_for()
    assert await tab.page.locator(".card .opens").count() == 3
    await tab.page.clock.fast_forward("20:00:00")
    await tab.type("ben je er nog?")
    await tab.bot("Ik las: ben je er nog?").wait_for()
    assert await tab.page.locator(".card .opens").count() == 0
    hours = await tab.page.locator(".card .quiet").all_inner_texts()
    assert hours[0] == "Bellen kan dag en nacht."
    assert hours[1] == "De uren zijn hier niet bekend."
