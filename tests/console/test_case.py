"""Console room: one case. What a coach reads, what they can do with it, and who may not."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.escalation.cases import Scope
from bot.storage import audit_log
from bot.storage.case_ending import wipe_in
from bot.storage.cases import Case
from bot.storage.database import Database
from bot.storage.tables import conversations, messages
from tests.console.conftest import Clock, Person, RunningDesk, StartDesk
from tests.console.example_cases import add_case, hours, person_says, real_live
from tests.console.test_queue import listening

ZORGPUNT = Scope("zorgpunt", None)


@pytest.fixture
async def desk(start_desk: StartDesk, database: Database, clock: Clock) -> RunningDesk:
    return await start_desk(extra={"live": real_live(database, clock)})


@pytest.fixture
async def coach(desk: RunningDesk) -> Person:
    return await desk.sign_in("coach", name="An Voorbeeld")


@pytest.fixture
async def case(desk: RunningDesk, coach: Person) -> Case:
    """A case that the coach has."""
    made = await add_case(desk.desk.database, desk.clock())
    await desk.desk.cases.claim(made.id, ZORGPUNT, coach.account_id, desk.clock())
    return await read(desk, made)


async def read(desk: RunningDesk, case: Case) -> Case:
    return await desk.desk.cases.case(case.id, ZORGPUNT)


async def page(person: Person, case: Case, path: str = "") -> str:
    status, text = await person.get(f"/cases/{case.id}{path}")
    assert status == 200, text
    return text


async def kinds(desk: RunningDesk, case: Case) -> list[str]:
    _, events, _ = await desk.desk.cases.follow(case.id, ZORGPUNT)
    return [event.kind for event in events]


async def said_to_person(desk: RunningDesk, case: Case) -> list[tuple[str, str, str | None]]:
    """Role, words and author of everything in the person's conversation."""
    rows = select(messages.c.role, messages.c.body, messages.c.author).where(
        messages.c.conversation_id == case.conversation_id
    )
    found = await desk.desk.database.read(lambda db: db.execute(rows.order_by(messages.c.seq)).all())
    return [(role, body[0]["text"], author) for role, body, author in found]


# --- reading ---


async def test_opening_a_case_is_in_the_audit_log(desk: RunningDesk, coach: Person, case: Case) -> None:
    for path in ("", "/print"):
        before = len(await audit_log.entries(desk.desk.database))
        await page(coach, case, path)
        new = (await audit_log.entries(desk.desk.database))[before:]
        assert [(entry.actor, entry.action, entry.subject) for entry in new] == [
            (coach.account_id, "case.read", case.id)
        ]


async def test_who_fetches_only_the_conversation_opened_the_case_too(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    async def reads() -> int:
        return sum(entry.action == "case.read" for entry in await audit_log.entries(desk.desk.database))

    await page(coach, case, "/conversation")
    assert await reads() == 1
    # The open page fetches what is new: that is no second opening.
    await page(coach, case, "/conversation")
    assert await reads() == 1
    desk.clock.move(minutes=61)
    coach = await desk.sign_in("coach", account_id=coach.account_id)
    await page(coach, case, "/conversation")
    assert await reads() == 2


async def test_the_page_shows_what_the_person_chose_to_share(coach: Person, case: Case) -> None:
    text = await page(coach, case)
    for words in (
        "Robin",
        'href="tel:0470123456"',
        "morgen na 16 uur",
        "Slaap, druk en vermoeidheid liggen alle drie hoog.",
        "Ik slaap slecht sinds de nachten.",
        "slaapproblemen: 8 op 10, hoog, vraagt aandacht, gemiddeld 5,4, vorige keer 6",
        "Verloop slaapproblemen: 4, 6, 8",
        "gemiddelde van medewerkers in ziekenhuizen",
    ):
        assert words in text, words


async def test_a_case_without_scores_words_or_name_says_so(desk: RunningDesk, coach: Person) -> None:
    bare = await add_case(
        desk.desk.database, desk.clock(), scores=None, words=None, contact={"way": "chat"}, reasons=[]
    )
    text = await page(coach, bare)
    for words in (
        "De persoon deelde geen scores.",
        "De persoon gaf geen woorden mee.",
        "niet gegeven",
        "De persoon vroeg zelf een gesprek.",
    ):
        assert words in text, words


async def test_what_was_taken_back_is_not_shown(desk: RunningDesk, coach: Person) -> None:
    gone = await add_case(desk.desk.database, desk.clock(), scores=None, words=None, contact={}, reasons=[])
    assert "Neem geen contact op." in await page(coach, gone)
    assert (await coach.get("/"))[0] == 200


async def test_markup_in_what_a_person_wrote_stays_text(desk: RunningDesk, coach: Person) -> None:
    nasty = '<script>alert(1)</script>" onload="x'
    odd = await add_case(
        desk.desk.database,
        desk.clock(),
        words=nasty,
        reasons=[nasty],
        contact={"way": "mail", "name": nasty, "mail": "x@example.org", "moment": nasty},
    )
    await person_says(desk.desk.database, odd, nasty, desk.clock())
    for path in ("", "/print", "/conversation"):
        text = await page(coach, odd, path)
        assert "<script>alert" not in text
        assert '" onload="' not in text


async def test_no_page_carries_script_or_style_of_its_own(coach: Person, case: Case) -> None:
    for path in ("/", f"/cases/{case.id}", f"/cases/{case.id}/print", "/figures"):
        _, text = await coach.get(path)
        assert not re.search(r"<style|<script(?! src=)|\sstyle=|\son[a-z]+=|javascript:", text), path


async def test_the_print_has_everything_and_no_form_to_write(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    await coach.post(f"/cases/{case.id}/note", {"text": "Werkt nacht."})
    text = await page(coach, case, "/print")
    for words in (
        "Vertrouwelijk",
        "Robin",
        "Werkt nacht.",
        "slaapproblemen",
        "An Voorbeeld nam het dossier op.",
    ):
        assert words in text, words
    assert "/say" not in text


# --- writing to the person ---


async def test_what_a_coach_writes_reaches_the_person_with_name_and_role(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    status, _ = await coach.post(f"/cases/{case.id}/say", {"text": "Dag Robin.", "key": "k1"})
    assert status == 303
    said = await said_to_person(desk, case)
    assert said[-1] == ("coach", "Dag Robin.", "An Voorbeeld, coach")
    assert "Je praat nu met An Voorbeeld, coach." in said[0][1]
    now = await read(desk, case)
    assert now.state == "live"
    assert now.contacted_at == desk.clock()  # a message is the first contact
    assert "Dag Robin." in await page(coach, case)


async def test_a_form_sent_twice_is_one_message(desk: RunningDesk, coach: Person, case: Case) -> None:
    form = {"text": "Dag Robin.", "key": "k1"}
    answers = await asyncio.gather(*(coach.post(f"/cases/{case.id}/say", form) for _ in range(3)))
    assert {status for status, _ in answers} == {303}
    assert [words for role, words, _ in await said_to_person(desk, case) if role == "coach"] == ["Dag Robin."]


async def test_only_the_owner_writes_to_the_person(desk: RunningDesk, coach: Person, case: Case) -> None:
    for role in ("coach", "lead_coach"):
        other = await desk.sign_in(role)
        text = await page(other, case)
        assert 'id="say"' not in text
        assert "Alleen An Voorbeeld schrijft naar de persoon." in text
        status, text = await other.post(f"/cases/{case.id}/say", {"text": "Dag.", "key": "k"})
        assert status == 409
        assert "An Voorbeeld heeft dit dossier." in text
        assert (await other.post(f"/cases/{case.id}/back-to-assistant"))[0] == 409
        assert (await other.post(f"/cases/{case.id}/call", {"result": "reached"}))[0] == 409
        assert (await other.post(f"/cases/{case.id}/close", {"outcome": "talked"}))[0] == 409
    assert await said_to_person(desk, case) == []


async def test_who_reads_along_sees_what_was_said(desk: RunningDesk, coach: Person, case: Case) -> None:
    await coach.post(f"/cases/{case.id}/say", {"text": "Dag Robin.", "key": "k1"})
    await person_says(desk.desk.database, case, "Dag, daar ben ik.", desk.clock())
    other = await desk.sign_in("coach")
    text = await page(other, case)
    assert "Dag Robin." in text
    assert "Dag, daar ben ik." in text


async def test_a_coach_sees_whether_a_message_was_read(desk: RunningDesk, coach: Person, case: Case) -> None:
    await coach.post(f"/cases/{case.id}/say", {"text": "Dag Robin.", "key": "k1"})
    assert "verstuurd, nog niet gelezen" in await page(coach, case)
    assert case.conversation_id is not None
    await desk.desk.extra["live"].seen(case.conversation_id, 2)
    text = await page(coach, case)
    assert ">gelezen<" in text
    assert "nog niet gelezen" not in text


async def test_what_the_person_told_the_assistant_is_not_shown(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    def move_out(db: object) -> None:
        db.execute(messages.update().values(case_id=None))

    await person_says(desk.desk.database, case, "Dit is voor de assistent.", desk.clock())
    await desk.desk.database.write(move_out)
    assert "Dit is voor de assistent." not in await page(coach, case)


async def test_a_refused_message_stays_in_the_box(desk: RunningDesk, coach: Person, case: Case) -> None:
    long = "woord " * 900
    status, text = await coach.post(f"/cases/{case.id}/say", {"text": long, "key": "k"})
    assert status == 422
    assert "maak het korter dan 4000 tekens" in text
    assert long.strip() in text
    status, text = await coach.post(
        f"/cases/{case.id}/say", {"text": "  ", "key": "k"}, headers={"HX-Request": "true"}
    )
    assert (status, text) == (422, "Je bericht is leeg.")


async def test_a_case_of_which_everything_personal_was_taken_out_can_still_be_opened(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    await coach.post(f"/cases/{case.id}/call", {"result": "no_answer", "text": "GEHEIM"})
    await coach.post(f"/cases/{case.id}/note", {"text": "GEHEIM"})
    await coach.post(f"/cases/{case.id}/close", {"outcome": "talked"})
    await desk.desk.database.write(lambda db: wipe_in(db, case.id))
    for path in ("", "/print"):
        text = await page(coach, case, path)
        assert "GEHEIM" not in text
        assert "None" not in text


async def test_a_wiped_conversation_cannot_be_written_to(desk: RunningDesk, coach: Person) -> None:
    case = await add_case(desk.desk.database, desk.clock(), with_chat=False)
    await coach.post(f"/cases/{case.id}/claim")
    assert "Het gesprek is gewist." in await page(coach, case)
    assert (await coach.post(f"/cases/{case.id}/say", {"text": "Dag.", "key": "k"}))[0] == 409


async def test_a_canned_reply_without_script_stands_in_the_box(coach: Person, case: Case) -> None:
    text = await page(coach, case, "?canned=hello")
    assert ">Dag Robin, ik heb je vraag gelezen." in text


async def test_giving_the_conversation_back_keeps_the_case(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    await coach.post(f"/cases/{case.id}/say", {"text": "Dag Robin.", "key": "k1"})
    assert "Terug naar de assistent" in await page(coach, case)
    status, _ = await coach.post(f"/cases/{case.id}/back-to-assistant")
    assert status == 303
    now = await read(desk, case)
    assert (now.state, now.owner_id) == ("contacted", coach.account_id)
    assert "gaf het gesprek terug aan de assistent" in await page(coach, case)


# --- calls, notes, dates ---


async def test_a_call_that_reached_someone_is_the_first_contact(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    await coach.post(f"/cases/{case.id}/call", {"result": "no_answer", "text": ""})
    assert (await read(desk, case)).contacted_at is None
    desk.clock.move(minutes=5)
    await coach.post(f"/cases/{case.id}/call", {"result": "reached", "text": "Belt morgen terug."})
    now = await read(desk, case)
    assert (now.state, now.contacted_at) == ("contacted", desk.clock())
    text = await page(coach, case)
    for words in ("Geen antwoord", "Bereikt", "Belt morgen terug.", "An Voorbeeld belde: bereikt."):
        assert words in text, words
    desk.clock.move(minutes=5)
    await coach.post(f"/cases/{case.id}/call", {"result": "reached", "text": ""})
    assert (await read(desk, case)).contacted_at == now.contacted_at  # the first one counts
    assert (await coach.post(f"/cases/{case.id}/call", {"result": "nonsense"}))[0] == 422


async def test_notes_are_for_coaches_and_never_reach_the_person(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    other = await desk.sign_in("coach", name="Bo Voorbeeld")
    await other.post(f"/cases/{case.id}/note", {"text": "Ik ken deze dienst."})
    text = await page(coach, case)
    assert "Ik ken deze dienst." in text
    assert "Bo Voorbeeld schreef een notitie." in text
    assert await said_to_person(desk, case) == []
    assert (await coach.post(f"/cases/{case.id}/note", {"text": " "}))[0] == 422


async def test_a_follow_up_date_can_be_set_and_cleared(desk: RunningDesk, coach: Person, case: Case) -> None:
    await coach.post(f"/cases/{case.id}/follow-up", {"day": "2026-03-10"})
    assert (await read(desk, case)).follow_up_on == "2026-03-10"
    assert "dinsdag 10 maart" in (await coach.get("/"))[1]
    for wrong in ("2026-02-20", "2028-01-01", "morgen", "2026-13-01"):
        assert (await coach.post(f"/cases/{case.id}/follow-up", {"day": wrong}))[0] == 422, wrong
    await coach.post(f"/cases/{case.id}/follow-up", {"day": ""})
    assert (await read(desk, case)).follow_up_on is None


# --- whose it is ---


async def test_a_case_is_handed_to_a_colleague_who_may_see_it(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    colleague = await desk.sign_in("coach", name="Bo Voorbeeld")
    await desk.desk.accounts.set_presence(colleague.account_id, "available", desk.clock())
    elsewhere = await desk.account("coach", name="Elders Voorbeeld", organisation="elders")
    gone = await desk.account("coach", name="Weg Voorbeeld")
    await desk.desk.accounts.disable(gone, "system", desk.clock())
    administrator = await desk.account("administrator", name="Dirk Voorbeeld")
    text = await page(coach, case)
    assert "Bo Voorbeeld (beschikbaar)" in text
    for name in ("Elders Voorbeeld", "Weg Voorbeeld", "Dirk Voorbeeld"):
        assert name not in text
    for wrong in (elsewhere, gone, administrator, coach.account_id, ""):
        assert (await coach.post(f"/cases/{case.id}/hand-over", {"to": wrong}))[0] == 422
    assert (await coach.post(f"/cases/{case.id}/hand-over", {"to": colleague.account_id}))[0] == 303
    assert (await read(desk, case)).owner_id == colleague.account_id
    assert "An Voorbeeld gaf het door aan Bo Voorbeeld." in await page(colleague, case)
    assert (await coach.post(f"/cases/{case.id}/say", {"text": "Dag.", "key": "k"}))[0] == 409


async def test_in_the_middle_of_a_conversation_the_person_first_hears_that_it_ends(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    colleague = await desk.account("coach")
    await coach.post(f"/cases/{case.id}/say", {"text": "Dag Robin.", "key": "k1"})
    assert (await coach.post(f"/cases/{case.id}/hand-over", {"to": colleague}))[0] == 303
    assert (await read(desk, case)).owner_id == colleague
    assert any("geeft het gesprek terug" in words for _, words, _ in await said_to_person(desk, case))


async def test_a_lead_coach_can_pass_on_or_give_back_a_case_of_someone_else(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    lead = await desk.sign_in("lead_coach")
    assert (await lead.post(f"/cases/{case.id}/hand-over", {"to": lead.account_id}))[0] == 303
    assert (await read(desk, case)).owner_id == lead.account_id
    assert (await coach.post(f"/cases/{case.id}/release"))[0] == 409
    await lead.post(f"/cases/{case.id}/hand-over", {"to": coach.account_id})
    assert (await lead.post(f"/cases/{case.id}/release"))[0] == 303
    now = await read(desk, case)
    assert (now.state, now.owner_id, now.claimed_at) == ("new", None, None)


async def test_nobody_takes_a_person_out_of_a_conversation_of_someone_else(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    await coach.post(f"/cases/{case.id}/say", {"text": "Dag Robin.", "key": "k1"})
    lead = await desk.sign_in("lead_coach")
    for path, form in (("release", {}), ("hand-over", {"to": lead.account_id})):
        status, text = await lead.post(f"/cases/{case.id}/{path}", form)
        assert status == 409
        assert "An Voorbeeld is nog in gesprek." in text
    assert (await read(desk, case)).state == "live"


async def test_a_coach_cannot_move_a_case_of_someone_else(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    other = await desk.sign_in("coach")
    assert (await other.post(f"/cases/{case.id}/hand-over", {"to": other.account_id}))[0] == 409
    assert (await other.post(f"/cases/{case.id}/release"))[0] == 409
    assert (await other.post(f"/cases/{case.id}/follow-up", {"day": "2026-03-10"}))[0] == 409
    assert (await read(desk, case)).owner_id == coach.account_id


async def test_a_closed_case_has_an_outcome_and_takes_no_more(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    await coach.post(f"/cases/{case.id}/say", {"text": "Dag Robin.", "key": "k1"})
    assert (await coach.post(f"/cases/{case.id}/close", {"outcome": "nonsense"}))[0] == 422
    assert (await coach.post(f"/cases/{case.id}/close", {"outcome": "referred"}))[0] == 303
    now = await read(desk, case)
    assert (now.state, now.outcome, now.closed_at) == ("closed", "referred", desk.clock())
    text = await page(coach, case)
    assert "Afgesloten: doorverwezen" in text
    assert "An Voorbeeld sloot het af: doorverwezen." in text
    assert (await coach.post(f"/cases/{case.id}/say", {"text": "Dag.", "key": "k2"}))[0] == 409
    assert (await coach.post(f"/cases/{case.id}/follow-up", {"day": "2026-03-10"}))[0] == 409
    owner = select(conversations.c.owner).where(conversations.c.id == case.conversation_id)
    assert await desk.desk.database.read(lambda db: db.execute(owner).scalar()) == "bot"


async def test_every_change_stands_in_the_timeline_and_the_audit_log(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    steps = [
        ("note", {"text": "a"}),
        ("call", {"result": "voicemail", "text": ""}),
        ("call", {"result": "reached", "text": ""}),
        ("follow-up", {"day": "2026-03-10"}),
        ("release", {}),
        ("claim", {}),
        ("close", {"outcome": "talked"}),
    ]
    for path, form in steps:
        assert (await coach.post(f"/cases/{case.id}/{path}", form))[0] == 303, path
    expected = ["opened", "claim", "note", "call", "call", "follow_up", "release", "claim", "close"]
    assert await kinds(desk, case) == expected
    noted = [e.action for e in await audit_log.entries(desk.desk.database) if e.subject == case.id]
    assert len([action for action in noted if action != "case.read"]) == len(expected)


@pytest.mark.parametrize(
    "path",
    [
        "claim",
        "release",
        "hand-over",
        "call",
        "note",
        "follow-up",
        "say",
        "typing",
        "back-to-assistant",
        "close",
    ],
)
async def test_a_case_elsewhere_cannot_be_changed(desk: RunningDesk, coach: Person, path: str) -> None:
    case = await add_case(desk.desk.database, desk.clock(), organisation="elders")
    form = {"text": "x", "result": "no_answer", "outcome": "talked", "to": coach.account_id, "key": "k"}
    assert (await coach.post(f"/cases/{case.id}/{path}", form))[0] == 404


# --- live ---


async def test_the_page_hears_that_something_was_said_and_that_the_person_types(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    text = await page(coach, case)
    found = re.search(r'data-news="/desk([^"]+)"', text)
    assert found
    async with listening(coach, found[1]) as events, asyncio.timeout(10):
        seq = await person_says(desk.desk.database, case, "Ben je daar?", desk.clock())
        assert await events.get() == ("said", str(seq))
        desk.desk.extra["live"].person_types(case.conversation_id)
        assert await events.get() == ("typing", "1")
        await coach.post(f"/cases/{case.id}/note", {"text": "a"})
        name, _ = await events.get()
        assert name == "changed"
    assert "Ben je daar?" in await page(coach, case, "/conversation")


async def test_news_holds_no_words(desk: RunningDesk, coach: Person, case: Case) -> None:
    async with listening(coach, f"/cases/{case.id}/news") as events, asyncio.timeout(10):
        await person_says(desk.desk.database, case, "Geheim", desk.clock())
        for _ in range(2):
            assert re.fullmatch(r"\d+", (await events.get())[1])


async def test_an_open_page_is_told_when_the_case_went_to_someone_else(
    desk: RunningDesk, coach: Person, case: Case
) -> None:
    found = re.search(r'hx-get="/desk([^"]+)"', (await page(coach, case)).split('id="conversation"')[1])
    assert found
    assert "intussen veranderd" not in (await coach.get(found[1]))[1]
    await coach.post(f"/cases/{case.id}/release")
    assert "intussen veranderd" in (await coach.get(found[1]))[1]


async def test_times_in_the_timeline_are_those_of_the_clock_on_the_wall(
    desk: RunningDesk, coach: Person
) -> None:
    case = await add_case(desk.desk.database, desk.clock() - hours(24) + timedelta(minutes=7))
    assert "gisteren 10.07" in await page(coach, case)
