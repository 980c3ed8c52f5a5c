"""From a check-in to a coach and back, in two real browsers: one of a nurse, one of a coach."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.tab import DESKTOP, PHONE, OpenTab, Tab
from tests.full.stack import ROOT, Stack

PASSWORD = "een lange zin voor de balie"


@pytest_asyncio.fixture(loop_scope="session")
async def with_coach(tmp_path: Path) -> AsyncIterator[Stack]:
    """A stack with one coach, made as an administrator makes one."""
    made = Stack(tmp_path / "state")
    made.start()
    try:
        await made.ready()
        add = ["users", "add", "--email", "ilse@example.org", "--name", "Ilse", "--role", "coach"]
        await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "bot", *add, "--region", "vlaanderen", "--password-stdin"],
            cwd=ROOT,
            env=made.environment,
            input=PASSWORD + "\n",
            text=True,
            check=True,
        )
        yield made
    finally:
        made.stop()


async def signed_in(open_tab: OpenTab, stack: Stack) -> Page:
    """A coach's first log-in: password, second factor, recovery codes, queue."""
    tab = await open_tab(stack.base, viewport=DESKTOP)
    page = tab.page
    await page.goto(f"{stack.base}/desk/")
    await page.get_by_label("E-mailadres").fill("ilse@example.org")
    await page.get_by_label("Wachtwoord").fill(PASSWORD)
    await page.get_by_role("button", name="Verder").click()
    await page.get_by_text("Ik kan niet scannen").click()
    secret = (await page.locator("code.secret").inner_text()).replace(" ", "")
    await page.get_by_label("Code uit je app").fill(pyotp.TOTP(secret).at(datetime.now(UTC)))
    await page.get_by_role("button", name="Instellen en aanmelden").click()
    await page.get_by_role("link", name="Ik heb ze bewaard").click()
    await page.get_by_text("Hier wacht niemand").wait_for()
    return page


async def heavy_check_in(open_tab: OpenTab, stack: Stack) -> Tab:
    """A nurse on her phone, for whom everything is too much."""
    tab = await open_tab(stack.base, viewport=PHONE, has_touch=True)
    await tab.visit()
    await tab.button("Check-in (2 minuten)").tap()
    await tab.button("Ja, bewaar ze").tap()
    for number in range(1, 10):
        await tab.bot(f"Vraag {number} van").last.wait_for()
        await tab.page.get_by_role("radio", name=re.compile(r"^9\b")).last.tap()
    await tab.button("Woonzorgcentrum").tap()
    return tab


async def passes_on(tab: Tab) -> None:
    await tab.button("Een mens spreken").tap()
    await tab.button("Hier, zonder naam").tap()
    await tab.button("Ja, dat mag").tap()
    await tab.type("de nachten zijn te zwaar")
    preview = tab.bot("Dit ziet de coach, en niets anders")
    await preview.wait_for()
    shown = await preview.inner_text()
    assert "de nachten zijn te zwaar" in shown
    assert "Scores van je check-in van" in shown
    await tab.button("Geef dit door").tap()


async def test_from_a_check_in_to_a_coach_and_back(
    with_coach: Stack, open_tab: OpenTab, widget: object
) -> None:
    desk = await signed_in(open_tab, with_coach)
    nurse = await heavy_check_in(open_tab, with_coach)
    who = nurse.page.locator("ademruimte-chat header .who p")
    await expect(who).to_contain_text("computerprogramma, geen mens")
    await passes_on(nurse)

    # The coach sees it without a reload, within two seconds after the person read that it was passed on.
    await nurse.bot("Doorgegeven, dossier").wait_for()
    await expect(desk.get_by_role("link", name=re.compile("Dossier"))).to_be_visible(timeout=2000)
    await expect(who).to_contain_text("Een coach is gevraagd")

    await desk.get_by_role("button", name=re.compile("Opnemen")).click()
    await desk.get_by_text("de nachten zijn te zwaar").first.wait_for()
    await desk.get_by_label(re.compile("Je bericht aan")).fill("Dag, ik ben Ilse. Wil je erover vertellen?")
    await desk.get_by_role("button", name="Verstuur").click()

    coach_says = nurse.page.locator(".entry.coach .bubble")
    await coach_says.get_by_text("Dag, ik ben Ilse.").wait_for()
    await expect(who).to_contain_text("Ilse")
    await expect(who).to_contain_text("een mens")
    await nurse.type("ja, graag")
    await desk.locator(".said-user", has_text="ja, graag").wait_for()
    assert await nurse.axe() == []

    # Nothing of what was told to the assistant before is at the desk.
    assert await desk.locator(".said-user").count() == 1

    await desk.get_by_role("button", name=re.compile("erug naar de assistent")).click()
    await nurse.page.locator(".entry.system .bubble", has_text="Hoe was het gesprek voor jou?").wait_for()
    await expect(who).to_contain_text("computerprogramma, geen mens")
    await nurse.button("Het hielp").tap()
    await nurse.bot("Fijn dat het hielp").wait_for()


async def test_a_return_code_brings_someone_back_in_another_browser(
    with_coach: Stack, open_tab: OpenTab, widget: object
) -> None:
    nurse = await open_tab(with_coach.base, viewport=PHONE, has_touch=True)
    await nurse.visit()
    await nurse.button("Een mens spreken").first.tap()
    await nurse.button("Hier, zonder naam").tap()
    await nurse.button("Nee, niets").tap()
    await nurse.button("Geef dit door").tap()
    await nurse.button("Toon mijn code").tap()
    code = re.sub(r"\D", "", await nurse.page.locator(".digits").inner_text())
    assert len(code) == 16

    elsewhere = await open_tab(with_coach.base, viewport=DESKTOP)
    await elsewhere.visit()
    await elsewhere.button("Ik heb een code").click()
    await elsewhere.page.get_by_label("Je code van 16 cijfers").fill(code)
    await elsewhere.button("Open mijn gesprek").click()
    await elsewhere.page.locator(".entry.system .bubble", has_text="Welkom terug.").wait_for()
    await elsewhere.bot("Doorgegeven, dossier").wait_for()
