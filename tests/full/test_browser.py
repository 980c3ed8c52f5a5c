"""The whole product in a real Chromium: a check-in by tapping, by typing only, by keyboard only."""

from __future__ import annotations

import re

import aiohttp

from tests.browser.tab import DESKTOP, PHONE, OpenTab, Tab
from tests.full.stack import Stack


async def arrive(open_tab: OpenTab, stack: Stack, **options: object) -> Tab:
    tab = await open_tab(stack.base, **options)
    await tab.visit()
    await tab.bot("computerprogramma, geen mens").wait_for()
    return tab


async def question(tab: Tab, number: int) -> None:
    await tab.bot(f"Vraag {number} van").last.wait_for()


async def result_is_shown(tab: Tab) -> None:
    await tab.bot("geen diagnose").last.wait_for()
    await tab.page.get_by_text("Jouw check-in").first.wait_for()
    await tab.page.get_by_text("Toon als tabel").click()
    await tab.page.get_by_role("table").wait_for()
    assert await tab.axe() == []


async def test_a_full_check_in_by_tapping_on_a_phone(open_tab: OpenTab, stack: Stack, widget: object) -> None:
    tab = await arrive(open_tab, stack, viewport=PHONE, has_touch=True)
    await tab.button("Check-in (2 minuten)").tap()
    await tab.button("Ja, bewaar ze").tap()
    for number in range(1, 10):
        await question(tab, number)
        await tab.page.get_by_role("radio", name=re.compile(r"^7\b")).last.tap()
    await tab.button("Woonzorgcentrum").tap()
    await result_is_shown(tab)


async def test_a_full_check_in_by_typing_only(open_tab: OpenTab, stack: Stack, widget: object) -> None:
    tab = await arrive(open_tab, stack, viewport=DESKTOP)
    await tab.type("ik wil een check-in doen")
    await tab.bot("mag ik je scores bewaren").wait_for()
    await tab.type("nee")
    typed = ["7", "zeven", "heel vaak", "6,5", "nooit", "een 3", "sla over", "geef maar een 8", "9"]
    for number, words in enumerate(typed, 1):
        await question(tab, number)
        await tab.type(words)
    await tab.bot("In welke sector").wait_for()
    await tab.type("ik ben verpleegkundige in een ziekenhuis")
    await result_is_shown(tab)


async def test_a_full_check_in_by_keyboard_only(open_tab: OpenTab, stack: Stack, widget: object) -> None:
    tab = await arrive(open_tab, stack, viewport=DESKTOP)

    async def tab_to(name: str, role: str = "button") -> None:
        wanted = tab.page.get_by_role(role, name=re.compile(f"^{re.escape(name)}")).last
        await wanted.wait_for()
        for _ in range(60):
            if await wanted.evaluate("node => node.getRootNode().activeElement === node"):
                return
            await tab.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard never reaches {name!r}")

    await tab_to("Korte pols (1 minuut)")
    await tab.page.keyboard.press("Enter")
    await tab_to("Nee, niet bewaren")
    await tab.page.keyboard.press("Enter")
    for number in range(1, 5):
        await question(tab, number)
        await tab_to("0", "radio")
        for _ in range(6):
            await tab.page.keyboard.press("ArrowRight")
        await tab.page.keyboard.press("Enter")
        await tab.mine("6").nth(number - 1).wait_for()
    await tab_to("Sla over")
    await tab.page.keyboard.press("Enter")
    await result_is_shown(tab)


async def test_a_killed_app_comes_back_with_the_same_conversation_on_the_page(
    open_tab: OpenTab, mortal: Stack, widget: object, http: aiohttp.ClientSession
) -> None:
    tab = await arrive(open_tab, mortal)
    tab.allow("ERR_CONNECTION|WebSocket|Failed to load resource")
    await tab.button("Korte pols (1 minuut)").click()
    await tab.button("Nee, niet bewaren").click()
    await question(tab, 1)
    await tab.type("7")
    await question(tab, 2)
    before = await tab.said()
    mortal.kill_app()
    await tab.page.get_by_text("Geen verbinding").first.wait_for()
    await tab.type("8")
    mortal.start()
    await mortal.until_health("ok")
    await tab.bot("Vraag 3 van 4").wait_for(timeout=60_000)
    after = await tab.said()
    assert after[: len(before)] == before
    assert [words for words in after if words in ("7", "8")] == ["7", "8"]
    assert sum("Vraag 3 van 4" in words for words in after) == 1
