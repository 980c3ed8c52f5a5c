"""Room: tests/browser. Answering by tap, by keyboard and by typing; who is heard; where the keyboard stays."""

from tests.browser.stub_server import StubServer
from tests.browser.tab import PHONE, OpenTab, Tab


async def test_a_check_in_by_tapping(tab: Tab, server: StubServer) -> None:
    await tab.button("Check-in").click()
    await tab.page.get_by_role("radio", name="7").click()
    await tab.bot("onder druk").wait_for()
    await tab.button("Sla over").click()
    await tab.bot("Het is geen diagnose").wait_for()
    sent = [(message.get("payload"), message.get("title")) for message in server.received]
    assert sent == [
        ("/greet", None),
        ("/start_check_in", "Check-in"),
        ('/give_score{"item": "sleep", "score": 7}', "7"),
        ("/skip", "Sla over"),
    ]


async def test_a_check_in_by_typing_only(tab: Tab) -> None:
    await tab.type("check-in")
    await tab.bot("wakker").wait_for()
    await tab.type("7")
    await tab.bot("onder druk").wait_for()
    await tab.type("/skip")
    await tab.bot("Het is geen diagnose").wait_for()
    assert await tab.focused() == "box"


async def test_a_check_in_by_keyboard_only(tab: Tab, server: StubServer) -> None:
    keyboard = tab.page.keyboard
    await tab.button("Check-in").focus()
    await keyboard.press("Enter")
    await tab.page.get_by_role("radiogroup").wait_for()
    await keyboard.press("Tab")  # from one's own words straight to the numbers
    assert await tab.focused() == "0"
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowLeft", "Home", "ArrowLeft", "7"):
        await keyboard.press(key)
    assert await tab.focused() == "7"
    assert len(server.received) == 2, "moving must not send"
    await keyboard.press("Enter")
    await tab.bot("onder druk").wait_for()
    await keyboard.press("Tab")
    await keyboard.press("ArrowDown")
    await keyboard.press("Space")
    await tab.bot("Het is geen diagnose").wait_for()
    assert [message.get("title") for message in server.received] == [None, "Check-in", "7", "1"]


async def test_several_answers_are_ticked_and_sent_at_once(tab: Tab, server: StubServer) -> None:
    await tab.type("klachten")
    await tab.page.get_by_role("group", name="Welke klachten heb je?").wait_for()
    done = tab.button("Klaar")
    assert await done.is_disabled()
    await tab.page.get_by_label("geen van deze").check()
    await tab.page.get_by_label("moe").check()  # unticks "none of these"
    assert not await tab.page.get_by_label("geen van deze").is_checked()
    await tab.page.get_by_label("slecht slapen").focus()
    await tab.page.keyboard.press("Space")
    await done.click()
    await tab.bot("Ik las").wait_for()
    assert server.received[-1]["payload"] == '/give_score{"item": "complaints", "codes": ["tired","awake"]}'
    assert server.received[-1]["title"] == "moe, slecht slapen"


async def test_the_question_names_the_numbers(tab: Tab) -> None:
    await tab.button("Check-in").click()
    group = tab.page.get_by_role("radiogroup", name="Hoe vaak sliep je de voorbije week te weinig")
    await group.wait_for()
    assert await group.get_by_role("radio", name="0, nooit").count() == 1
    assert await group.get_by_role("radio", checked=True).count() == 0


async def test_only_the_newest_choices_can_be_used(tab: Tab) -> None:
    await tab.button("Check-in").click()
    await tab.page.get_by_role("radiogroup").wait_for()
    assert await tab.button("Check-in").count() == 0
    await tab.type("7")
    await tab.bot("onder druk").wait_for()
    assert await tab.page.get_by_role("radiogroup").count() == 1


async def test_enter_sends_and_shift_enter_starts_a_new_line(tab: Tab) -> None:
    await tab.box.press_sequentially("regel een")
    await tab.box.press("Shift+Enter")
    await tab.box.press_sequentially("regel twee")
    await tab.box.press("Enter")
    await tab.bot("Ik las").wait_for()
    assert "regel een\nregel twee" in await tab.said()
    assert await tab.box.input_value() == ""


async def test_nothing_is_sent_when_nothing_is_typed(tab: Tab, server: StubServer) -> None:
    await tab.type("   \n ")
    await tab.type("toch iets")
    await tab.bot("Ik las: toch iets").wait_for()
    assert [message.get("text") for message in server.received] == [None, "toch iets"]


async def test_the_box_counts_near_the_end_and_stops_at_4000(tab: Tab) -> None:
    await tab.box.fill("x" * 3700)
    await tab.page.get_by_text("3.700 van 4.000 tekens").wait_for()
    await tab.box.focus()
    await tab.page.keyboard.insert_text("y" * 900)
    assert len(await tab.box.input_value()) == 4000


async def test_words_are_shown_as_words_never_as_page(tab: Tab) -> None:
    await tab.type("<img src=x onerror=alert(1)> https://ergens.example")
    await tab.bot("onerror").wait_for()
    assert await tab.page.locator(".bubble img, .bubble a").count() == 0


async def test_new_words_are_announced_once_apart_from_the_list(tab: Tab) -> None:
    live = tab.page.locator("[aria-live=polite].live p")
    await tab.type("hallo")
    await tab.bot("Ik las: hallo").wait_for()
    assert (await live.all_text_contents())[-1] == "Ademruimte zegt: Ik las: hallo"
    assert await live.filter(has_text="Ik las: hallo").count() == 1
    assert await tab.page.locator("[aria-live] .entry").count() == 0


async def test_each_message_names_who_speaks(tab: Tab) -> None:
    await tab.type("hallo")
    await tab.bot("Ik las").wait_for()
    assert (await tab.page.locator(".entry.user").last.text_content() or "").split() == [
        "Jij",
        "zegt:",
        "hallo",
    ]
    assert (
        (await tab.page.locator(".entry.bot").last.text_content() or "")
        .strip()
        .startswith("Ademruimte zegt:")
    )


async def test_the_keyboard_stays_where_it_is_when_something_new_arrives(
    tab: Tab, server: StubServer
) -> None:
    for place in ("Snel sluiten", "Iets van het hart"):
        await tab.button(place).focus()
        before = await tab.focused()
        await server.say({"type": "text", "text": f"Bij {place}"})
        await tab.bot(f"Bij {place}").wait_for()
        assert await tab.focused() == before
    await tab.box.fill("ik typ nog")
    await server.say({"type": "text", "text": "Nog iets"})
    await tab.bot("Nog iets").wait_for()
    assert await tab.focused() == "box"
    assert await tab.box.input_value() == "ik typ nog"


async def test_an_open_widget_does_not_take_the_keyboard_from_the_page(tab: Tab) -> None:
    assert await tab.page.evaluate("() => document.activeElement === document.body")


async def test_who_reads_back_is_not_pulled_down(tab: Tab, server: StubServer) -> None:
    for _ in range(3):
        await tab.type("lang")
    await tab.page.wait_for_function(
        "() => document.querySelector('ademruimte-chat').shadowRoot.querySelectorAll('.entry.bot').length >= 5"
    )
    log = tab.page.locator(".log")
    await log.hover()
    await tab.page.mouse.wheel(0, -5000)
    await tab.page.wait_for_function(
        "() => document.querySelector('ademruimte-chat').shadowRoot.querySelector('.log').scrollTop === 0"
    )
    await server.say({"type": "text", "text": "Helemaal onderaan"})
    await tab.button("Nieuwe berichten").wait_for()
    assert await log.evaluate("log => log.scrollTop") == 0
    await tab.button("Nieuwe berichten").click()
    await tab.button("Nieuwe berichten").wait_for(state="detached")


async def test_a_long_answer_is_read_from_its_top(tab: Tab) -> None:
    await tab.type("lang")
    answer = tab.bot("Een lange uitleg").last
    await answer.wait_for()
    box, log = await answer.bounding_box(), await tab.page.locator(".log").bounding_box()
    assert box is not None
    assert log is not None
    assert 0 <= box["y"] - log["y"] <= 40


async def test_escape_closes_the_panel_and_the_keyboard_goes_back(tab: Tab) -> None:
    await tab.box.focus()
    await tab.page.keyboard.press("Escape")
    await tab.page.get_by_role("button", name="Even ademruimte").wait_for()
    assert await tab.focused() == "launcher"
    await tab.page.keyboard.press("Enter")
    await tab.button("Check-in").wait_for()
    assert await tab.focused() == "title"


async def test_full_screen_tab_goes_round_inside_the_panel(open_tab: OpenTab, server: StubServer) -> None:
    tab = await open_tab(server.base, viewport=PHONE)
    await tab.visit()
    await tab.button("Check-in").wait_for()
    await tab.button("Verstuur").focus()
    await tab.page.keyboard.press("Tab")
    assert "minimise" in await tab.focused()
    await tab.page.keyboard.press("Shift+Tab")
    assert await tab.focused() == "send"
