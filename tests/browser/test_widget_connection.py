"""Room: tests/browser. Lines that break, servers that go away, and what may be left behind: nothing lost,
nothing twice, help always there, and no trace after "Snel sluiten".
"""

import asyncio

import pytest
from playwright.async_api import Route

from tests.browser.stub_server import WELCOME, StubServer
from tests.browser.tab import ROOT, OpenTab, Tab

NETWORK_DOWN = "ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection|ERR_INTERNET_DISCONNECTED"
STORED = "() => ({...sessionStorage, ...localStorage})"


def numbers_of(region: str) -> list[str]:
    lines = (ROOT / "resources" / "help_lines" / f"{region}.yml").read_text(encoding="utf-8").splitlines()
    return [line.split(":", 1)[1].strip().strip('"') for line in lines if line.startswith("    number:")]


async def test_after_a_lost_line_nothing_is_lost_and_nothing_twice(tab: Tab, server: StubServer) -> None:
    await tab.type("een")
    await tab.bot("Ik las: een").wait_for()
    await server.drop_sockets()
    await server.say({"type": "text", "text": "Terwijl je weg was"})
    await tab.bot("Terwijl je weg was").wait_for()
    await tab.type("twee")
    await tab.bot("Ik las: twee").wait_for()
    said = await tab.said()
    assert said[2:] == ["een", "Ik las: een", "Terwijl je weg was", "twee", "Ik las: twee"]


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_line_that_breaks_before_or_after_a_message_was_stored(
    tab: Tab, server: StubServer, moment: str
) -> None:
    server.break_line = moment
    await tab.type("kwam dit aan?")
    await tab.bot("Ik las: kwam dit aan?").wait_for()
    await tab.type("en dit?")
    await tab.bot("Ik las: en dit?").wait_for()
    assert (await tab.said())[2:] == ["kwam dit aan?", "Ik las: kwam dit aan?", "en dit?", "Ik las: en dit?"]


async def test_when_the_server_is_away_words_wait_and_arrive_later(tab: Tab, server: StubServer) -> None:
    tab.allow(NETWORK_DOWN)
    await server.stop()
    await tab.type("ben je daar?")
    await tab.page.get_by_text("Geen verbinding. Wat je typt, wordt bewaard").wait_for()
    await tab.page.get_by_text("Nog niet verstuurd").wait_for()
    await server.start()
    await tab.bot("Ik las: ben je daar?").wait_for(timeout=30_000)
    await tab.page.get_by_text("Geen verbinding.").wait_for(state="detached")
    assert (await tab.said())[2:] == ["ben je daar?", "Ik las: ben je daar?"]


async def test_words_that_wait_survive_a_reload(tab: Tab) -> None:
    await tab.context.set_offline(True)
    tab.allow(NETWORK_DOWN)
    await tab.type("dit mag niet weg")
    await tab.page.get_by_text("Geen verbinding.").wait_for()
    await tab.context.set_offline(False)
    await tab.page.reload()
    await tab.bot("Ik las: dit mag niet weg").wait_for(timeout=30_000)
    assert (await tab.said())[2:] == ["dit mag niet weg", "Ik las: dit mag niet weg"]


async def test_a_reload_shows_the_same_conversation_without_greeting_again(
    tab: Tab, server: StubServer
) -> None:
    await tab.type("hallo")
    await tab.bot("Ik las").wait_for()
    before = await tab.said()
    await tab.page.reload()
    await tab.bot("Ik las").wait_for()
    await tab.type("daar ben ik weer")
    await tab.bot("daar ben ik weer").wait_for()
    assert (await tab.said())[: len(before)] == before
    assert [message.get("payload") for message in server.received].count("/greet") == 1


async def test_without_websockets_everything_works_over_plain_requests(
    open_tab: OpenTab, server: StubServer
) -> None:
    server.sockets_allowed = False
    tab = await open_tab(server.base)
    tab.allow("WebSocket connection")
    await tab.visit()
    await tab.button("Check-in").click()
    await tab.page.get_by_role("radio", name="7").click()
    await tab.bot("onder druk").wait_for()
    await server.say({"type": "text", "text": "Van de coach"})
    await tab.bot("Van de coach").wait_for()
    said = await tab.said()
    assert len(said) == len(set(said)) == 7


async def test_a_forgotten_conversation_begins_again_in_plain_words(tab: Tab, server: StubServer) -> None:
    tab.allow("401|WebSocket connection")
    await tab.type("oud")
    await tab.bot("Ik las: oud").wait_for()
    old = list(server.conversations.values())
    server.conversations.clear()
    for conversation in old:
        for socket in list(conversation.sockets):
            await socket.close()
    await tab.page.get_by_text("We beginnen opnieuw.").wait_for(timeout=30_000)
    await tab.button("Check-in").wait_for()
    assert [words for words in await tab.said() if words == WELCOME] == [WELCOME]
    assert await tab.mine("oud").count() == 0


async def test_help_is_there_when_the_server_never_answered(open_tab: OpenTab, server: StubServer) -> None:
    tab = await open_tab(server.base)
    tab.allow(f"{NETWORK_DOWN}|Failed to load resource")
    await tab.page.route("**/api/**", lambda route: route.abort("connectionrefused"))
    await tab.visit()
    await tab.page.get_by_text("Geen verbinding.").wait_for()
    await tab.button("Ik heb nu hulp nodig").click()
    numbers = await tab.page.locator(".help .call").evaluate_all("links => links.map(link => link.href)")
    assert numbers[:3] == ["tel:112", "tel:1813", "tel:106"]
    assert await tab.focused() == "help-title"
    await tab.button("Nederland").click()
    numbers = await tab.page.locator(".help .call").evaluate_all("links => links.map(link => link.href)")
    assert numbers[:2] == ["tel:112", "tel:113"]
    # Of this line only the site is known.
    abs_line = tab.page.locator(".help .line").filter(has_text="ABS-zorgprofessionals")
    assert await abs_line.get_by_role("link").evaluate_all("links => links.map(link => link.href)") == [
        "https://abs-zorgprofessionals.nl/"
    ]
    await tab.page.keyboard.press("Escape")
    assert "help-button" in await tab.focused()


async def test_help_stays_there_when_the_server_refused_before_the_page_was_loaded(
    open_tab: OpenTab, server: StubServer
) -> None:
    tab = await open_tab(server.base)
    tab.allow(f"{NETWORK_DOWN}|Failed to load resource")
    refused = asyncio.Event()

    async def slow(route: Route) -> None:
        await refused.wait()
        await route.continue_()

    await tab.page.route("**/mark.svg", slow)
    await tab.page.route("**/api/**", lambda route: route.abort("connectionrefused"))
    await tab.page.goto(server.base, wait_until="commit")
    await tab.page.get_by_text("Geen verbinding.").wait_for()
    refused.set()
    await tab.page.wait_for_load_state("load")
    await tab.page.evaluate("() => new Promise(done => setTimeout(done))")  # the page has been shown too
    await tab.button("Ik heb nu hulp nodig").click()
    assert await tab.page.locator(".help .call").first.get_attribute("href") == "tel:112"


async def test_the_region_that_is_chosen_in_the_panel_is_kept_with_the_conversation(
    tab: Tab, server: StubServer
) -> None:
    await tab.type("hallo")
    await tab.bot("Ik las: hallo").wait_for()
    await tab.button("Ik heb nu hulp nodig").click()
    pressed = tab.page.locator(".regions [aria-pressed=true]")
    assert await pressed.inner_text() == "Vlaanderen en Brussel"
    async with tab.page.expect_response("**/api/chat/region"):
        await tab.button("Nederland").click()
    assert [found.region for found in server.conversations.values()] == ["nederland"]
    await tab.page.reload()
    await tab.bot("Ik las: hallo").wait_for()
    await tab.button("Ik heb nu hulp nodig").click()
    assert await pressed.inner_text() == "Nederland"


async def test_help_lines_are_exactly_those_of_the_resources(tab: Tab) -> None:
    await tab.button("Ik heb nu hulp nodig").click()
    for region, name in (("Vlaanderen en Brussel", "vlaanderen"), ("Nederland", "nederland")):
        await tab.button(region).click()
        shown = await tab.page.locator(".help .call[href^='tel:']").all_inner_texts()
        assert [words.strip() for words in shown] == [f"Bel {number}" for number in numbers_of(name)]


async def test_quick_exit_leaves_nothing_behind(tab: Tab) -> None:
    await tab.type("dit is geheim")
    await tab.bot("Ik las").wait_for()
    assert "ademruimte.token" in await tab.page.evaluate(STORED)
    await tab.button("Snel sluiten").click()
    await tab.page.wait_for_url("about:blank")
    assert await tab.page.evaluate("() => document.body.textContent") == ""
    assert await tab.page.evaluate("() => history.length") <= 2, "the page is replaced, not added to"
    await tab.visit()
    await tab.button("Check-in").wait_for()
    assert await tab.mine("dit is geheim").count() == 0


async def test_quick_exit_while_offline_leaves_nothing_behind(tab: Tab) -> None:
    tab.allow(NETWORK_DOWN)
    await tab.context.set_offline(True)
    await tab.type("dit is geheim")
    await tab.page.get_by_text("Nog niet verstuurd").wait_for()
    await tab.button("Snel sluiten").click()
    await tab.page.wait_for_url("about:blank")
    await tab.context.set_offline(False)
    await tab.page.goto(f"{tab.base}/mark.svg")
    assert await tab.page.evaluate(STORED) == {}


async def test_the_way_out_can_be_a_page_but_never_a_script(open_tab: OpenTab, server: StubServer) -> None:
    page = f"{server.base}/index.html?weg"
    for address, lands in (("/index.html?weg", page), ("javascript:alert(1)", "about:blank")):
        tab = await open_tab(server.base)
        await tab.visit()
        await tab.page.locator("ademruimte-chat").evaluate(
            "(chat, to) => chat.setAttribute('exit-url', to)", address
        )
        await tab.button("Snel sluiten").click()
        await tab.page.wait_for_url(lands)


async def test_the_token_stays_in_the_tab_until_keeping_was_agreed(tab: Tab, server: StubServer) -> None:
    in_device = "() => 'ademruimte.token' in localStorage"
    assert not await tab.page.evaluate(in_device)
    await server.event({"type": "session", "remember": True})
    await tab.page.wait_for_function(in_device)
    assert not await tab.page.evaluate("() => 'ademruimte.token' in sessionStorage")
    await server.event({"type": "session", "remember": False})
    await tab.page.wait_for_function("() => !('ademruimte.token' in localStorage)")


async def test_quick_exit_in_one_tab_closes_a_remembered_conversation_in_the_other(
    tab: Tab, server: StubServer
) -> None:
    await server.event({"type": "session", "remember": True})
    await tab.page.wait_for_function("() => 'ademruimte.token' in localStorage")
    for conversation in server.conversations.values():
        conversation.remember = True
    second = await tab.context.new_page()
    await second.goto(server.base)
    await second.locator(".entry.bot").first.wait_for()
    await tab.button("Snel sluiten").click()
    await second.get_by_role("button", name="Even ademruimte").wait_for()


async def test_the_widget_works_where_its_page_forbids_storage(open_tab: OpenTab, server: StubServer) -> None:
    tab = await open_tab(server.base)
    script = "for (const name of ['sessionStorage', 'localStorage'])"
    script += (
        " Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    await tab.page.add_init_script(script)
    await tab.visit()
    await tab.type("hallo")
    await tab.bot("Ik las: hallo").wait_for()
