"""Room: tests/browser. A coach in the conversation, the return code and the way in with it: who speaks is always
clear, a code is shown once and kept nowhere, and nobody brings a name along with a code.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.stub_server import BACK, RETURN_CODE, StubServer, quick_replies, text
from tests.browser.tab import OpenTab, Tab

STORED = "() => JSON.stringify({...sessionStorage, ...localStorage})"
BEFORE_EYES = """() => Object.defineProperty(document, 'visibilityState', {
    configurable: true, get: () => window.away ? 'hidden' : 'visible' })"""


def header(tab: Tab) -> Locator:
    return tab.page.locator("header .who p")


def coach_says(tab: Tab, words: str) -> Locator:
    return tab.page.locator(".entry.coach .bubble", has_text=words)


def field(tab: Tab) -> Locator:
    return tab.page.get_by_label("Je code van 16 cijfers")


async def until(tab: Tab, ready: Callable[[], bool]) -> None:
    """Waits for something on the server, a frame at a time."""
    async with asyncio.timeout(10):
        while not ready():
            await tab.page.evaluate("() => new Promise(requestAnimationFrame)")


async def heard(tab: Tab, server: StubServer, kind: str) -> list[dict[str, Any]]:
    """What the server heard of this kind; everything sent before now is in it, as lines keep their order."""
    before = len(server.received)
    await tab.type("ben je daar?")
    await until(tab, lambda: len(server.received) > before)
    return told(server, kind)


def told(server: StubServer, kind: str) -> list[dict[str, Any]]:
    return [event for event in server.told if event["type"] == kind]


async def look(tab: Tab, away: bool) -> None:
    """The person looks away from the tab, or at it again."""
    script = "away => { window.away = away; document.dispatchEvent(new Event('visibilitychange')); }"
    await tab.page.evaluate(script, away)


async def show_code(tab: Tab, button: str = "Toon mijn code") -> str:
    """Taps the button; the digits as they stand there."""
    await tab.button(button).click()
    await tab.page.locator(".digits").wait_for()
    return " ".join((await tab.page.locator(".digits").inner_text()).split())


# --- who speaks --------------------------------------------------------------------------------------------


async def test_a_coach_looks_different_and_has_a_name(tab: Tab, server: StubServer) -> None:
    await server.say(text("Je praat nu met Ilse. Dit is een mens."), role="system")
    await server.coach("Dag, ik ben Ilse.")
    await server.coach("Vertel maar.")
    await server.coach("Ik neem het even over.", author="Noor, coach")
    await coach_says(tab, "Ik neem het even over.").wait_for()
    authors = tab.page.locator(".entry.coach .author")
    assert await authors.all_inner_texts() == ["Ilse, coach", "Noor, coach"]
    colour = "bubble => getComputedStyle(bubble).backgroundColor"
    of_coach = await coach_says(tab, "Vertel maar.").evaluate(colour)
    assert of_coach != await tab.bot("Hallo").evaluate(colour)
    heard_by_reader = tab.page.locator("[aria-live=polite].live p")
    assert "Ilse, coach zegt: Vertel maar." in await heard_by_reader.all_text_contents()


async def test_the_header_follows_who_answers(tab: Tab, server: StubServer) -> None:
    await expect(header(tab)).to_have_text("Een computerprogramma, geen mens")
    await server.own("queue")
    await expect(header(tab)).to_have_text("Een coach is gevraagd · nu praat je met een computerprogramma")
    await server.coach("Dag, ik ben Ilse.")
    await expect(header(tab)).to_have_text("Je praat met Ilse, coach · een mens")
    await tab.page.reload()
    await expect(header(tab)).to_have_text("Je praat met Ilse, coach · een mens")
    await server.drop_sockets()
    await expect(header(tab)).to_have_text("Je praat met Ilse, coach · een mens")


async def test_the_way_back_to_the_assistant_is_one_tap(tab: Tab, server: StubServer) -> None:
    assert await tab.button(BACK[0]).count() == 0
    await server.coach("Dag, ik ben Ilse.")
    await server.say(text("Ilse antwoordt nu even niet."), quick_replies(BACK), role="system")
    box = await tab.button(BACK[0]).bounding_box()
    assert box is not None
    assert box["height"] >= 48
    await tab.button(BACK[0]).click()
    await expect(header(tab)).to_have_text("Een computerprogramma, geen mens")
    assert await tab.button(BACK[0]).count() == 0
    assert server.received[-1]["payload"] == "/back_to_assistant"
    await tab.type("hallo")
    await tab.bot("Ik las: hallo").wait_for()
    authors = await tab.page.locator(".entry.bot .author").all_inner_texts()
    assert set(authors) == {"Ademruimte, een programma"}


async def test_what_the_assistant_asked_is_closed_when_a_coach_comes(tab: Tab, server: StubServer) -> None:
    await server.coach("Dag, ik ben Ilse.")
    await tab.button(BACK[0]).wait_for()
    assert await tab.button("Check-in").count() == 0


async def test_the_sign_of_typing_says_who_types(tab: Tab, server: StubServer) -> None:
    await server.event({"type": "typing", "on": True})
    await expect(tab.page.locator(".typing")).to_have_text("Ademruimte schrijft")
    await server.coach("Dag, ik ben Ilse.")
    await tab.page.locator(".typing").wait_for(state="detached")
    await server.event({"type": "typing", "on": True})
    await expect(tab.page.locator(".typing")).to_have_text("Ilse, coach schrijft")


async def test_without_websockets_a_coach_is_still_a_coach(open_tab: OpenTab, server: StubServer) -> None:
    server.sockets_allowed = False
    tab = await open_tab(server.base)
    tab.allow("WebSocket connection")
    await tab.visit()
    await tab.button("Check-in").wait_for()
    await server.coach("Dag, ik ben Ilse.")
    await expect(header(tab)).to_have_text("Je praat met Ilse, coach · een mens")
    await server.say(text("Je bent weer bij Ademruimte, een computerprogramma."), role="system")
    await expect(header(tab)).to_have_text("Een computerprogramma, geen mens")


# --- what a coach may know ---------------------------------------------------------------------------------


async def test_only_a_coach_sees_that_you_type_and_at_most_every_three_seconds(
    open_tab: OpenTab, server: StubServer
) -> None:
    tab = await open_tab(server.base)
    await tab.page.clock.install()
    await tab.visit()
    await tab.button("Check-in").wait_for()
    await tab.box.press_sequentially("een woord")
    assert await heard(tab, server, "typing") == []
    await server.coach("Dag, ik ben Ilse.")
    await tab.button(BACK[0]).wait_for()
    await tab.page.clock.pause_at("2100-01-01")
    await tab.box.press_sequentially("ik zit")
    await tab.page.clock.fast_forward(2900)
    await tab.box.press_sequentially(" al")
    await tab.page.clock.fast_forward(200)
    await tab.box.press_sequentially(" lang")
    await tab.page.clock.fast_forward(2900)
    await tab.box.press_sequentially(" te typen")
    assert await heard(tab, server, "typing") == [{"type": "typing"}, {"type": "typing"}]


async def test_seen_is_told_only_when_it_is_before_your_eyes(open_tab: OpenTab, server: StubServer) -> None:
    tab = await open_tab(server.base)
    await tab.page.add_init_script(f"({BEFORE_EYES})()")
    await tab.visit()
    await tab.button("Check-in").wait_for()
    await look(tab, away=True)
    await server.coach("Ben je daar?")
    await coach_says(tab, "Ben je daar?").wait_for()
    assert await heard(tab, server, "seen") == []
    await look(tab, away=False)
    seq = next(m["seq"] for c in server.conversations.values() for m in c.messages if m["role"] == "coach")
    assert await heard(tab, server, "seen") == [{"type": "seen", "seq": seq}]


async def test_what_comes_while_the_panel_is_closed_is_not_seen(tab: Tab, server: StubServer) -> None:
    await server.coach("Eerste")
    await coach_says(tab, "Eerste").wait_for()
    (first,) = await heard(tab, server, "seen")
    await tab.button("Venster kleiner maken").click()
    await server.coach("Tweede")
    await tab.page.get_by_text("Nieuw bericht").wait_for(state="attached")
    assert told(server, "seen") == [first]
    await tab.page.get_by_role("button", name="Even ademruimte").click()
    await until(tab, lambda: len(told(server, "seen")) == 2)
    assert told(server, "seen")[-1]["seq"] > first["seq"]


async def test_what_is_below_the_screen_is_seen_when_you_get_there(tab: Tab, server: StubServer) -> None:
    for _ in range(3):
        await tab.type("lang")
    await expect(tab.bot("Een lange uitleg")).to_have_count(3)
    await tab.page.locator(".log").hover()
    await tab.page.mouse.wheel(0, -9000)
    await tab.page.wait_for_function(
        "() => document.querySelector('ademruimte-chat').shadowRoot.querySelector('.log').scrollTop === 0"
    )
    await server.coach("Ben je daar?")
    await tab.button("Nieuwe berichten").wait_for()
    assert server.told == []
    await tab.button("Nieuwe berichten").click()
    await until(tab, lambda: len(server.told) == 1)


# --- the code ----------------------------------------------------------------------------------------------


async def test_a_code_is_shown_once_copied_and_then_gone(tab: Tab, server: StubServer) -> None:
    await tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await tab.type("anoniem")
    code = await show_code(tab)
    (conversation,) = server.conversations.values()
    assert code == conversation.code
    spelled = ", ".join(" ".join(group) for group in code.split())
    await tab.page.get_by_role("img", name=f"Je code: {spelled}").wait_for()
    await tab.button("Kopieer").click()
    await tab.page.get_by_text("Gekopieerd").wait_for()
    assert await tab.page.evaluate("() => navigator.clipboard.readText()") == code
    digits = code.replace(" ", "")
    assert digits not in (await tab.page.evaluate(STORED)).replace(" ", "")
    await tab.page.reload()
    await tab.page.get_by_text("Je code is al getoond.").wait_for()
    assert digits not in (await tab.page.content()).replace(" ", "")
    assert await tab.page.locator(".digits").count() == 0
    newer = await show_code(tab, "Maak een nieuwe code")
    assert newer == conversation.code != code


async def test_a_code_goes_when_the_panel_closes(tab: Tab) -> None:
    await tab.type("anoniem")
    await show_code(tab)
    await tab.button("Venster kleiner maken").click()
    await tab.page.get_by_role("button", name="Even ademruimte").click()
    await tab.page.get_by_text("Je code is al getoond.").wait_for()
    assert await tab.page.locator(".digits").count() == 0


async def test_a_code_can_be_put_away_at_once(tab: Tab) -> None:
    await tab.type("anoniem")
    await show_code(tab)
    await tab.button("Verberg").click()
    await tab.button("Maak een nieuwe code").wait_for()
    assert "code-show" in await tab.focused()


async def test_a_page_without_a_clipboard_copies_what_is_selected(
    open_tab: OpenTab, server: StubServer
) -> None:
    tab = await open_tab(server.base)
    await tab.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    await tab.visit()
    await tab.type("anoniem")
    code = await show_code(tab)
    copied = "() => document.addEventListener('copy', () => window.copied = String(getSelection()))"
    await tab.page.evaluate(copied)
    await tab.button("Kopieer").click()
    await tab.page.get_by_text("Gekopieerd").wait_for()
    assert " ".join((await tab.page.evaluate("() => window.copied")).split()) == code


async def test_on_paper_stands_the_code_with_one_sentence_and_nothing_else(tab: Tab) -> None:
    await tab.page.evaluate("() => { window.print = () => { window.printed = true; }; }")
    await tab.type("anoniem")
    code = await show_code(tab)
    seen_on_screen = await tab.page.evaluate("() => document.body.innerText")
    await tab.button("Druk af").click()
    assert await tab.page.evaluate("() => window.printed")
    assert await tab.page.evaluate("() => document.body.innerText") == seen_on_screen
    await tab.page.emulate_media(media="print")
    on_paper = (await tab.page.evaluate("() => document.body.innerText")).split("\n")
    assert [line for line in on_paper if line] == [
        code,
        "Met deze code open je bij Ademruimte je gesprek weer: kies ‘Ik heb een code’.",
    ]
    assert not await tab.page.locator(".panel").is_visible()
    await tab.page.emulate_media(media="screen")
    await tab.page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    assert await tab.page.locator("#ademruimte-print").count() == 0


async def test_what_would_be_printed_goes_with_the_panel(tab: Tab) -> None:
    await tab.page.evaluate("() => { window.print = () => {}; }")
    await tab.type("anoniem")
    await show_code(tab)
    await tab.button("Druk af").click()
    assert await tab.page.locator("#ademruimte-print").count() == 1
    await tab.button("Venster kleiner maken").click()
    await tab.page.locator("#ademruimte-print").wait_for(state="detached")


async def test_no_code_without_a_case(tab: Tab, server: StubServer) -> None:
    tab.allow("409")
    await tab.type("anoniem")
    await tab.button("Toon mijn code").wait_for()
    for conversation in server.conversations.values():
        conversation.case_open = False
    await tab.button("Toon mijn code").click()
    await tab.page.get_by_text("Er is nu geen vraag bij een coach").wait_for()
    await tab.button("Toon mijn code").wait_for()


async def test_a_code_for_a_new_question_is_not_taken_for_shown(tab: Tab, server: StubServer) -> None:
    await tab.type("anoniem")
    await show_code(tab)
    await server.say(text("Doorgegeven."), RETURN_CODE)
    await tab.button("Toon mijn code").wait_for()
    assert await tab.page.locator(".card.code").count() == 1


# --- the way in --------------------------------------------------------------------------------------------


async def test_a_code_opens_the_other_conversation_and_brings_no_name_along(
    tab: Tab, server: StubServer
) -> None:
    code = server.talk_elsewhere(("user", "Ik sliep niet."), ("coach", "Hoe was je nacht?"))
    await tab.page.evaluate("() => { document.cookie = 'wie=iemand; path=/'; }")
    await tab.button("Ik heb een code").click()
    await field(tab).press_sequentially(code.replace(" ", ""))
    assert await field(tab).input_value() == code
    await tab.button("Open mijn gesprek").click()
    await coach_says(tab, "Hoe was je nacht?").wait_for()
    await tab.page.get_by_text("Welkom terug.").first.wait_for()
    (asked,) = server.door
    assert not {"authorization", "cookie"} & {name.lower() for name in asked}
    assert await tab.said() == ["Ik sliep niet.", "Hoe was je nacht?", "Welkom terug. Ilse heeft je vraag."]
    await expect(header(tab)).to_have_text("Je praat met Ilse, coach · een mens")
    assert await tab.focused() == "title"
    await tab.type("Beter vandaag.")
    await expect(tab.mine("Beter vandaag.")).to_be_visible()
    assert code not in await tab.page.evaluate(STORED)
    assert await tab.page.evaluate("() => localStorage.length") == 0


async def test_a_token_from_a_code_never_leaves_its_tab(tab: Tab, server: StubServer) -> None:
    code = server.talk_elsewhere(("coach", "Hoe was je nacht?"))
    server.conversations["elsewhere"].remember = True
    await tab.button("Ik heb een code").click()
    await field(tab).fill(code)
    await field(tab).press("Enter")
    await coach_says(tab, "Hoe was je nacht?").wait_for()
    await server.event({"type": "session", "remember": True})
    await server.coach("Nog iets")
    await coach_says(tab, "Nog iets").wait_for()
    assert await tab.page.evaluate("() => localStorage.length") == 0


async def test_words_that_were_said_here_are_not_closed_without_a_question(
    tab: Tab, server: StubServer
) -> None:
    code = server.talk_elsewhere(("coach", "Hoe was je nacht?"))
    await tab.type("hallo")
    await tab.bot("Ik las: hallo").wait_for()
    for answer in ("Nee, blijf hier", "Ja, open mijn gesprek"):
        assert not server.door
        await tab.button("Ik heb een code").click()
        await field(tab).fill(code.replace(" ", "-"))
        await tab.button("Open mijn gesprek").click()
        await tab.page.get_by_text("Dit gesprek op dit toestel wordt gesloten. Doorgaan?").wait_for()
        await tab.button(answer).click()
        if answer.startswith("Nee"):
            await tab.bot("Ik las: hallo").wait_for()
            assert "with-code" in await tab.focused()
    await coach_says(tab, "Hoe was je nacht?").wait_for()
    assert await tab.mine("hallo").count() == 0


async def test_a_wrong_code_keeps_the_present_conversation(tab: Tab, server: StubServer) -> None:
    tab.allow("404")
    await tab.type("hallo")
    await tab.bot("Ik las: hallo").wait_for()
    token = await tab.page.evaluate("() => sessionStorage['ademruimte.token']")
    await tab.button("Ik heb een code").click()
    await field(tab).fill("1111 2222 3333 4444")
    await tab.button("Open mijn gesprek").click()
    await tab.button("Ja, open mijn gesprek").click()
    await tab.page.get_by_role("alert").get_by_text("Deze code ken ik niet.").wait_for()
    assert await tab.focused() == "code-field"
    assert await field(tab).input_value() == "1111 2222 3333 4444"
    await field(tab).press("Enter")  # the question was answered already
    await expect(tab.page.get_by_role("alert")).to_contain_text("Deze code ken ik niet.")
    await tab.page.keyboard.press("Escape")
    await tab.bot("Ik las: hallo").wait_for()
    assert "with-code" in await tab.focused()
    assert await tab.page.evaluate("() => sessionStorage['ademruimte.token']") == token
    await tab.type("ben je er nog?")
    await tab.bot("Ik las: ben je er nog?").wait_for()


@pytest.mark.parametrize(("seconds", "words"), [(40, "over 40 seconden"), (540, "over 9 minuten")])
async def test_too_many_tries_say_how_long_to_wait(
    tab: Tab, server: StubServer, seconds: int, words: str
) -> None:
    tab.allow("429")
    server.door_closed = seconds
    await tab.button("Ik heb een code").click()
    await field(tab).fill("1111222233334444")
    await tab.button("Open mijn gesprek").click()
    await expect(tab.page.get_by_role("alert")).to_contain_text(words)


async def test_a_code_that_is_not_sixteen_digits_goes_nowhere(tab: Tab, server: StubServer) -> None:
    await tab.button("Ik heb een code").click()
    assert await tab.focused() == "code-entry-title"
    await tab.button("Open mijn gesprek").click()
    await expect(tab.page.get_by_role("alert")).to_have_text("Typ eerst de 16 cijfers van je code.")
    await field(tab).fill("123-456")
    await tab.button("Open mijn gesprek").click()
    await expect(tab.page.get_by_role("alert")).to_have_text("Een code heeft 16 cijfers. Dit zijn er 6.")
    assert not server.door


async def test_quick_exit_while_a_code_is_looked_up_leaves_nothing_behind(
    tab: Tab, server: StubServer
) -> None:
    code = server.talk_elsewhere(("coach", "Hoe was je nacht?"))
    held = server.hold_door()
    await tab.button("Ik heb een code").click()
    await field(tab).fill(code)
    await tab.button("Open mijn gesprek").click()
    await tab.page.get_by_text("Even geduld…").wait_for()
    await tab.button("Snel sluiten").click()
    held.set()
    await tab.page.wait_for_url("about:blank")
    await tab.page.goto(f"{tab.base}/mark.svg")
    assert await tab.page.evaluate(STORED) == "{}"
