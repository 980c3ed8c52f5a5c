"""Conversation room: on the way to a coach, talking with one, and back, through the chat API of a running app."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from sqlalchemy import Connection, func, insert, select, update

from bot.escalation.cases import Scope
from bot.settings import Settings
from bot.storage.cases import Case, Filters
from bot.storage.tables import accounts, cases, conversations, crises, notifications
from tests.running import Person, Running, run_app, until

EVERYTHING = Scope(None, "vlaanderen")
NEVER_READY = {"FAKE_LOAD_SECONDS": "600"}


async def with_coach(running: Running, name: str = "Ilse", role: str = "coach") -> str:
    """Someone who can take cases; their id."""
    row = {
        "id": name.lower(),
        "email": f"{name.lower()}@example.org",
        "name": name,
        "role": role,
        "region": "vlaanderen",
        "password_hash": "-",
        "recovery_hashes": [],
        "demo": False,
        "created_at": datetime.now(UTC),
    }
    await parts(running).database.write(lambda db: db.execute(insert(accounts).values(row)).rowcount)
    return row["id"]


def parts(running: Running) -> Any:
    assert running.app.parts is not None
    return running.app.parts


def tap(number: int, answer: str) -> dict[str, str]:
    payload = answer if answer.startswith("/") else f'/hand_off{{"answer": "{answer}"}}'
    return {"id": f"t{number}", "payload": payload, "title": answer}


async def taps(person: Person, *answers: str) -> list[dict[str, Any]]:
    """Tap one thing after another; the last answer."""
    messages: list[dict[str, Any]] = []
    for answer in answers:
        status, said = await person.post(tap(next(person.numbers), answer))
        assert status == 200, said
        messages = said["messages"]
    return messages


def words(messages: list[dict[str, Any]]) -> str:
    return "\n".join(part["text"] for m in messages for part in m["parts"] if part["type"] == "text")


def numbers_of(messages: list[dict[str, Any]]) -> list[str]:
    found = [part["lines"] for m in messages for part in m["parts"] if part["type"] == "help_lines"]
    return [line["tel"] for lines in found for line in lines]


async def only_case(running: Running) -> Case:
    page = await parts(running).coaching.desk.cases.queue(EVERYTHING, Filters())
    assert page.total == 1
    return page.cases[0]


async def in_chat(running: Running) -> tuple[Person, Case]:
    """Someone without a name whose case a coach has."""
    person = await running.person()
    await taps(person, "/request_human", "chat", "no_words", "send")
    case = await only_case(running)
    assert await parts(running).coaching.desk.cases.claim(case.id, EVERYTHING, "ilse", datetime.now(UTC))
    return person, await only_case(running)


def marks(event: dict[str, Any]) -> set[tuple[str, Any]]:
    return {(name, event[name]) for name in ("owner", "role") if name in event}


async def coach_says(running: Running, case: Case, text: str, key: str = "k1") -> int:
    live = parts(running).coaching.live
    return await live.say(case, "ilse", "Ilse, coach", text, key, datetime.now(UTC))


@pytest.fixture
async def desk(running: Running) -> Running:
    await with_coach(running)
    return running


async def test_without_a_coach_the_person_reads_what_there_is_and_nothing_is_promised(
    running: Running,
) -> None:
    person = await running.person()
    assert words((await person.say("a person"))["messages"]) == "hier is geen coach"
    answer = await taps(person, "/request_human")
    assert "coach" not in words(answer)


async def test_asking_in_words_begins_the_way_to_a_coach(desk: Running) -> None:
    person = await desk.person()
    assert "Hoe wil je contact?" in words((await person.say("a person"))["messages"])


async def test_the_case_is_there_as_soon_as_the_person_reads_that_it_was_passed_on(desk: Running) -> None:
    person = await desk.person()
    await taps(person, "/request_human", "phone")
    await person.say("0470 12 34 56, morgen na 16u")
    await person.say("Noor")
    preview = (await person.say("het gaat over mijn rooster"))["messages"]
    assert "bellen naar 0470 12 34 56" in words(preview)
    assert "het gaat over mijn rooster" in words(preview)
    passed_on = await taps(person, "send")
    case = await only_case(desk)
    assert f"dossier {case.number}" in words(passed_on)
    assert case.contact["phone"] == "0470 12 34 56"
    assert case.contact["name"] == "Noor"
    assert case.words == "het gaat over mijn rooster"
    assert (case.scores, case.reasons, case.state) == (None, [], "new")


async def test_opening_a_case_stores_its_notices_with_it(desk: Running) -> None:
    person = await desk.person()
    await taps(person, "/request_human", "chat", "no_words", "send")
    count = select(func.count()).select_from(notifications)
    assert await parts(desk).database.read(lambda db: db.execute(count).scalar_one()) == 1


async def test_what_was_told_to_the_assistant_is_not_passed_on(desk: Running) -> None:
    person = await desk.person()
    await person.say("GEHEIM over mijn team")
    await taps(person, "/request_human", "chat", "no_words", "send")
    case = await only_case(desk)
    await parts(desk).coaching.desk.cases.claim(case.id, EVERYTHING, "ilse", datetime.now(UTC))
    await coach_says(desk, case, "Dag, ik ben Ilse.")
    page = await parts(desk).coaching.desk.cases.open_page(case.id, EVERYTHING, "ilse", datetime.now(UTC))
    assert "GEHEIM" not in repr(page)


async def test_a_person_reaches_a_coach_while_the_engine_is_down(settings: Settings) -> None:
    async with run_app(settings, engine_environment=NEVER_READY) as started:
        await until(lambda: _assembled(started))
        await with_coach(started)
        person = await started.person()
        passed_on = await taps(person, "/request_human", "chat", "no_words", "send")
        assert "Doorgegeven" in words(passed_on)
        assert (await only_case(started)).anonymous


async def _assembled(started: Running) -> bool:
    return started.app.parts is not None


async def test_a_question_on_the_way_is_answered_and_the_open_question_is_asked_again(desk: Running) -> None:
    person = await desk.person()
    await taps(person, "/request_human")
    said = words((await person.say("echo wie leest dit"))["messages"])
    assert "je zei: echo wie leest dit" in said
    assert said.index("je zei") < said.index("Hoe wil je contact?")


async def test_asking_twice_opens_one_case(desk: Running) -> None:
    person = await desk.person()
    await taps(person, "/request_human", "chat", "no_words", "send", "send")
    again = await taps(person, "/request_human")
    assert f"dossier {(await only_case(desk)).number}" in words(again)


async def test_who_asks_for_a_coach_again_out_of_danger_no_longer_waits_two_days(desk: Running) -> None:
    person = await desk.person()
    await taps(person, "/request_human", "chat", "no_words", "send")
    before = await only_case(desk)
    assert before.urgency == "48h"
    await person.say("ik wil dood")
    answer = await taps(person, "crisis")
    assert "dat het nu dringend is" in words(answer)
    assert any(part["type"] == "help_lines" for message in answer for part in message["parts"])
    after = await only_case(desk)
    assert after.urgency == "now"
    assert after.due_at < before.due_at - timedelta(hours=40)
    kinds = select(notifications.c.id).where(notifications.c.dedupe.contains(":raised:"))
    assert await parts(desk).database.read(lambda db: db.execute(kinds).first()) is not None
    assert numbers_of(answer)[0] == "tel:1813"  # what fits the danger, not any talk
    await person.say("ik wil dood")
    assert "dat het nu dringend is" not in words(await taps(person, "crisis"))


@pytest.mark.parametrize(
    ("said", "taps_after", "urgency"),
    [
        (["ik wil dood"], ["back"], "now"),
        (["ik wil dood"], ["false_alarm"], "48h"),
        (["ik wil dood"], ["back", "false_alarm"], "48h"),
        (["ik zie het niet meer zitten"], ["no"], "48h"),
        (["mijn collega wil dood"], ["go_on"], "48h"),
    ],
)
async def test_who_asks_for_a_person_soon_after_danger_waits_no_two_days_unless_it_was_not_meant_so(
    desk: Running, said: list[str], taps_after: list[str], urgency: str
) -> None:
    person = await desk.person()
    for one in said:
        await person.say(one)
    await taps(person, *(f'/crisis{{"answer": "{answer}"}}' for answer in taps_after))
    await taps(person, "/request_human", "chat", "no_words", "send")
    assert (await only_case(desk)).urgency == urgency


async def test_a_doubt_in_between_does_not_make_danger_less_near(desk: Running) -> None:
    person = await desk.person()
    await person.say("ik wil dood")
    await taps(person, '/crisis{"answer": "back"}')
    await person.say("ik durf niet naar huis")
    await taps(person, '/crisis{"answer": "rather_not"}', "/request_human", "chat", "no_words", "send")
    case = await only_case(desk)
    assert (case.urgency, case.origin) == ("now", "crisis")


async def test_an_hour_after_danger_asking_for_a_person_is_an_ordinary_request(desk: Running) -> None:
    person = await desk.person()
    await person.say("ik wil dood")
    await taps(person, '/crisis{"answer": "back"}')
    long_ago = datetime.now(UTC) - timedelta(minutes=61)
    await parts(desk).database.write(lambda db: db.execute(update(crises).values(changed_at=long_ago)))
    await taps(person, "/request_human", "chat", "no_words", "send")
    assert (await only_case(desk)).urgency == "48h"


async def test_a_case_can_be_taken_back_and_nothing_personal_is_left(desk: Running) -> None:
    person = await desk.person()
    await taps(person, "/request_human", "phone")
    await person.say("0470 12 34 56 morgen")
    await taps(person, "no_name", "no_words", "send", "/request_human", "withdraw")
    closed = Filters(states=("closed",))
    page = await parts(desk).coaching.desk.cases.queue(EVERYTHING, closed)
    assert [(one.outcome, one.contact) for one in page.cases] == [("withdrawn", {})]


async def test_a_coach_and_a_person_talk_and_the_person_sees_who_writes(desk: Running) -> None:
    person, case = await in_chat(desk)
    async with person.socket() as socket:
        await coach_says(desk, case, "Dag, ik ben Ilse.")
        heard: list[dict[str, Any]] = []
        # In which order the two arrive depends on whether the socket was ready before the coach wrote.
        while not {("owner", "coach"), ("role", "coach")} <= {item for e in heard for item in marks(e)}:
            heard.append(await socket.receive_json(timeout=20))
        owner = [event for event in heard if event["type"] == "owner"][-1]
        assert (owner["owner"], owner["name"]) == ("coach", "Ilse")
        said = next(event for event in heard if event.get("role") == "coach")
        assert said["author"] == "Ilse, coach"
        begins = next(
            event for event in heard if event.get("role") == "system" and "mens" in str(event["parts"])
        )
        assert begins["seq"] < said["seq"]
    answer = await person.say("echo dag Ilse")
    assert answer["messages"] == []
    told = await parts(desk).coaching.desk.cases.said(case.id, EVERYTHING)
    assert [(one.role, one.parts[0]["text"]) for one in told if one.role != "system"] == [
        ("coach", "Dag, ik ben Ilse."),
        ("user", "echo dag Ilse"),
    ]
    assert "echo dag Ilse" not in repr(desk.trackers())


async def test_the_bot_never_speaks_into_a_conversation_that_a_coach_owns(desk: Running) -> None:
    person, case = await in_chat(desk)
    for number in range(5):
        slow = asyncio.create_task(person.say(f"slow 0.{number + 1}"))
        await until(lambda: _pending(desk, person))
        await coach_says(desk, case, f"Ik ben er. {number}", f"k{number}")
        await slow
        await until(lambda: _settled(desk))
        last = (await person.read())[-1]
        assert last["role"] == "coach"
        await taps(person, "/back_to_assistant", "good")
        await until(lambda: _settled(desk))
    assert not any("slow 0." in text and text.startswith("je zei") for text in await person.texts())


async def _pending(desk: Running, person: Person) -> bool:
    return bool(await parts(desk).chat.log.conversations_waiting())


async def _settled(desk: Running) -> bool:
    return not await parts(desk).chat.log.conversations_waiting()


@pytest.mark.parametrize("way", ["stop", "Terug naar de assistent", "/back_to_assistant"])
async def test_the_person_can_always_end_the_talk_and_is_asked_how_it_was(desk: Running, way: str) -> None:
    person, case = await in_chat(desk)
    await coach_says(desk, case, "Dag")
    answer = await (taps(person, way) if way.startswith("/") else _said(person, way))
    assert "een computerprogramma" in words(answer)
    assert "Hoe was het gesprek" in words(answer)
    assert (await only_case(desk)).state == "contacted"
    after = await taps(person, "good")
    assert "Fijn dat het hielp" in words(after)


async def _said(person: Person, text: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = (await person.say(text))["messages"]
    return messages


async def test_the_coach_gives_the_talk_back_and_the_bot_goes_on(desk: Running) -> None:
    person, case = await in_chat(desk)
    await coach_says(desk, case, "Dag")
    await parts(desk).coaching.live.end(await only_case(desk), "ilse", datetime.now(UTC))
    assert "Ilse geeft het gesprek terug" in "\n".join(await person.texts())
    assert words((await person.say("echo terug"))["messages"]) == "je zei: echo terug"


async def test_danger_said_to_a_coach_brings_the_lines_and_flags_the_case(desk: Running) -> None:
    person, case = await in_chat(desk)
    await coach_says(desk, case, "Dag")
    answer = (await person.say("ik wil er een einde aan maken, ik heb pillen klaarliggen"))["messages"]
    assert [message["role"] for message in answer] == ["system"]
    assert [part["type"] for part in answer[0]["parts"]] == ["text", "help_lines", "text"]
    assert "Ilse krijgt een teken" in words(answer)
    flagged = await only_case(desk)
    assert flagged.flagged_at is not None
    await coach_says(desk, case, "Ik bel je nu.", "k2")
    assert (await only_case(desk)).flagged_at is None


async def test_a_number_from_the_netherlands_reaches_a_flemish_desk_with_its_country(desk: Running) -> None:
    person = await desk.person()
    await person.move("nederland")
    await taps(person, "/request_human", "phone")
    await person.say("0475 123456, morgen na 16u")
    await taps(person, "no_name", "no_words", "send")
    assert (await only_case(desk)).contact["phone"] == "+31 475 123 456"


async def test_with_a_coach_too_the_lines_are_those_of_where_the_person_is(desk: Running) -> None:
    person, case = await in_chat(desk)
    await coach_says(desk, case, "Dag")
    await person.move("nederland")
    answer = await person.say("ik wil er een einde aan maken")
    _, lines, _ = answer["messages"][0]["parts"]
    assert lines["lines"][0]["tel"] == "tel:113"


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("ik heb net al mijn slaappillen ingenomen", "zeg wat je nam, hoeveel en wanneer"),
        ("mijn man heeft al zijn pillen geslikt en wordt niet wakker", "Bel nu 112"),
    ],
)
async def test_an_overdose_told_to_a_coach_gets_what_to_do_first(
    said: str, first: str, desk: Running
) -> None:
    person, case = await in_chat(desk)
    await coach_says(desk, case, "Dag")
    answer = (await person.say(said))["messages"]
    told, lines, _ = answer[0]["parts"]
    assert first in told["text"]
    assert lines["lines"][0]["tel"] == "tel:112"
    assert (await only_case(desk)).flagged_at is not None


WAYS = {
    "the way of contact": (),
    "a telephone number": ("phone",),
    "an address": ("mail",),
    "words for the coach": ("chat",),
    "the last check": ("chat", "no_words"),
}


@pytest.mark.parametrize("asked", WAYS)
async def test_danger_interrupts_every_question_on_the_way_to_a_coach(asked: str, desk: Running) -> None:
    person = await desk.person()
    await taps(person, "/request_human", *WAYS[asked])
    answer = (await person.say("ik wil dood"))["messages"]
    shown = [part["type"] for message in answer for part in message["parts"]]
    assert shown == ["text", "help_lines", "text", "quick_replies"]
    page = await parts(desk).coaching.desk.cases.queue(EVERYTHING, Filters())
    assert page.total == 0


async def test_the_same_form_sent_twice_is_one_message(desk: Running) -> None:
    person, case = await in_chat(desk)
    first, second = await asyncio.gather(coach_says(desk, case, "Dag"), coach_says(desk, case, "Dag"))
    assert first == second
    assert [m["role"] for m in await person.read()].count("coach") == 1


async def test_a_silent_coach_is_said_so_and_a_silent_person_is_the_bots_again(desk: Running) -> None:
    person, case = await in_chat(desk)
    live = parts(desk).coaching.live
    await coach_says(desk, case, "Dag")
    await person.say("ben je daar?")
    live._clock = lambda: datetime.now(UTC) + timedelta(minutes=11)
    await live.sweep()
    await live.sweep()
    said = await person.texts()
    assert sum("antwoordt nu even niet" in text for text in said) == 1
    await coach_says(desk, case, "Hier ben ik", "k2")
    live._clock = lambda: datetime.now(UTC) + timedelta(minutes=31)
    await live.sweep()
    assert (await only_case(desk)).state == "contacted"
    assert words((await person.say("echo hallo"))["messages"]) == "je zei: echo hallo"


async def test_the_coach_sees_what_the_person_has_seen(desk: Running) -> None:
    person, case = await in_chat(desk)
    number = await coach_says(desk, case, "Dag")
    told = await parts(desk).coaching.desk.cases.said(case.id, EVERYTHING)
    assert [(one.delivered, one.seen) for one in told if one.role == "coach"] == [(False, False)]
    await person.read()
    told = await parts(desk).coaching.desk.cases.said(case.id, EVERYTHING)
    assert [(one.delivered, one.seen) for one in told if one.role == "coach"] == [(True, False)]
    async with person.socket() as socket:
        await socket.send_json({"type": "seen", "seq": number})
        await until(lambda: _seen(desk, case))


async def _seen(desk: Running, case: Case) -> bool:
    told = await parts(desk).coaching.desk.cases.said(case.id, EVERYTHING)
    return [one.seen for one in told if one.role == "coach"] == [True]


async def test_typing_is_shown_to_both_and_kept_by_nobody(desk: Running) -> None:
    person, case = await in_chat(desk)
    await coach_says(desk, case, "Dag")
    live, case = parts(desk).coaching.live, await only_case(desk)
    async with person.socket() as socket:
        await socket.send_json({"type": "typing"})

        async def types() -> bool:
            return bool(live.typing(case.conversation_id))

        await until(types)
        live.coach_types(case)
        while (await socket.receive_json(timeout=20)) != {"type": "typing", "on": True}:
            pass
        await socket.send_json({"type": "send", "id": "w1", "text": "hier ben ik"})
        while (await socket.receive_json(timeout=20))["type"] != "ack":
            pass
        assert not live.typing(case.conversation_id)


# --- the anonymous door ---


async def code_of(running: Running, person: Person) -> str:
    async with running.http.post(f"{running.url}/api/chat/code", json={}, headers=person.headers) as response:
        assert response.status == 201
        code: str = (await response.json())["code"]
        return code


async def enter(running: Running, code: str, **options: Any) -> tuple[int, dict[str, Any]]:
    url = f"{running.url}/api/chat/return"
    async with running.http.post(url, json={"code": code}, **options) as response:
        return response.status, await response.json()


async def test_a_return_code_opens_the_conversation_in_any_browser(desk: Running) -> None:
    person, case = await in_chat(desk)
    await coach_says(desk, case, "Dag, wat scheelt er?")
    code = await code_of(desk, person)
    assert len(code.replace(" ", "")) == 16
    status, answer = await enter(desk, code.replace(" ", "-"))
    assert status == 201
    elsewhere = Person(desk.http, desk.url, answer["token"])
    said = "\n".join(await elsewhere.texts())
    assert "Dag, wat scheelt er?" in said
    assert "Welkom terug. Ilse heeft je vraag." in said
    assert (await elsewhere.say("echo hier ben ik"))["messages"] == []
    status, _ = await person.post({"id": "x", "text": "hallo"})
    assert status == 401


async def test_the_browser_that_had_the_conversation_before_is_let_go(desk: Running) -> None:
    person, _ = await in_chat(desk)
    code = await code_of(desk, person)
    async with person.socket() as socket:
        await socket.receive_json(timeout=20)
        assert (await enter(desk, code))[0] == 201
        while (await socket.receive(timeout=20)).type is not aiohttp.WSMsgType.CLOSE:
            pass
        assert socket.close_code == 4401


async def test_a_code_is_nowhere_but_in_the_answer_to_who_asked_for_it(desk: Running) -> None:
    person, _ = await in_chat(desk)
    code = await code_of(desk, person)
    digits = code.replace(" ", "")

    def everything(db: Connection) -> str:
        return repr([db.execute(select(table)).all() for table in (cases, conversations)])

    assert digits not in (await parts(desk).database.read(everything))
    assert code not in repr(await person.read())


async def test_a_new_code_makes_the_old_one_useless(desk: Running) -> None:
    person, _ = await in_chat(desk)
    old, new = await code_of(desk, person), await code_of(desk, person)
    assert (await enter(desk, old))[0] == 404
    assert (await enter(desk, new))[0] == 201


async def test_the_anonymous_door_refuses_identity(desk: Running) -> None:
    person, _ = await in_chat(desk)
    code = await code_of(desk, person)
    for headers in ({"Cookie": "who=me"}, {"Authorization": "Bearer x"}):
        status, answer = await enter(desk, code, headers=headers)
        assert (status, answer["error"]) == (400, "identity")
    assert (await enter(desk, code))[0] == 201


async def test_wrong_codes_are_limited_per_address(desk: Running) -> None:
    statuses = [(await enter(desk, f"1234 5678 9012 345{number}"))[0] for number in range(6)]
    assert statuses == [404] * 5 + [429]


async def test_wrong_codes_are_limited_in_all_when_each_comes_from_another_address(desk: Running) -> None:
    statuses = []
    for number in range(10, 41):
        from_there = aiohttp.TCPConnector(local_addr=(f"127.0.0.{number}", 0))
        async with aiohttp.ClientSession(connector=from_there) as http:
            url = f"{desk.url}/api/chat/return"
            async with http.post(url, json={"code": f"1234 5678 9012 34{number}"}) as response:
                statuses.append(response.status)
    assert statuses == [404] * 30 + [429]


async def test_a_code_without_a_case_is_not_made(desk: Running) -> None:
    person = await desk.person()
    async with desk.http.post(f"{desk.url}/api/chat/code", json={}, headers=person.headers) as response:
        assert response.status == 409
