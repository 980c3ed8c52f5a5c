"""Conversation room: danger is answered before anything else, also when the engine is gone."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.settings import Settings
from bot.storage import crisis_log
from bot.storage.database import Database, open_database
from bot.storage.store import Store
from tests.running import Person, Running, run_app, until

GONE = {"FAKE_LOAD_SECONDS": "9999"}  # an engine that never gets ready


def parts(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for message in answer["messages"] for part in message["parts"]]


def kinds(answer: dict[str, Any]) -> list[str]:
    return [part["type"] for part in parts(answer)]


def numbers(answer: dict[str, Any]) -> list[str]:
    return [line["tel"] for part in parts(answer) if part["type"] == "help_lines" for line in part["lines"]]


async def tap(person: Person, answer: str) -> dict[str, Any]:
    number = next(person.numbers)
    status, body = await person.post(
        {"id": f"t{number}", "payload": f'/crisis{{"answer": "{answer}"}}', "title": "…"}
    )
    assert status == 200, body
    return body


async def listening(app: Running) -> None:
    async def asked() -> bool:
        return (await app.health())["database"] == "ok"

    await until(asked)


async def open_check_in(settings: Settings, person: Person) -> Database:
    """A questionnaire that stands open in the database, as the engine's form would have made it."""
    database = open_database(settings.database_url)
    async with person.http.get(f"{person.url}/api/chat/session", headers=person.headers) as response:
        assert response.status == 200
    store = Store(database)
    conversation = next(iter(await conversations(database)))
    await store.start_check_in(conversation, "pols", "hash", datetime.now(UTC))
    return database


async def conversations(database: Database) -> list[str]:
    return await database.read(
        lambda db: [row[0] for row in db.exec_driver_sql("SELECT id FROM conversations").all()]
    )


async def test_with_the_engine_gone_a_person_in_danger_reads_the_help_lines_within_a_second(
    settings: Settings,
) -> None:
    async with run_app(settings, engine_environment=GONE) as app:
        await listening(app)
        person = await app.person()
        async with asyncio.timeout(1):
            answer = await person.say("ik wil dood")
        assert kinds(answer) == ["text", "help_lines", "text", "quick_replies"]
        numbers = [line["tel"] for line in parts(answer)[1]["lines"]]
        assert "tel:1813" in numbers
        assert answer["pending"] is False


async def test_who_is_in_the_netherlands_reads_the_help_lines_of_there_from_then_on(
    settings: Settings,
) -> None:
    async with run_app(settings, engine_environment=GONE) as app:
        await listening(app)
        person, other = await app.person(), await app.person()
        await person.move("nederland")
        answer = await person.say("ik wil dood")
        assert numbers(answer) == ["tel:113", "tel:112", "tel:+31880767000"]
        assert numbers(await tap(person, "numbers")) == numbers(answer)
        assert "tel:113" not in numbers(await other.say("ik wil dood"))
        await person.move("vlaanderen")
        assert "tel:1813" in numbers(await person.say("ik spring van het dak"))


async def test_112_comes_first_when_someone_is_hurt_now_and_who_listens_when_that_is_not_clear(
    running: Running,
) -> None:
    person, other = await running.person(), await running.person()
    assert numbers(await person.say("mijn man slaat me nu, help"))[0] == "tel:112"
    asked = await other.say("ik ben bang van mijn man")
    assert "bang dat iemand jou iets aandoet" in str(asked)
    assert len(numbers(asked)) == 1  # one for who does not answer, and the answers stay in sight
    assert numbers(asked) != ["tel:112"]
    in_doubt = numbers(await tap(other, "rather_not"))
    assert in_doubt[0] != "tel:112"
    assert "tel:112" in in_doubt
    assert numbers(await tap(other, "numbers")) == in_doubt  # also when it is settled


async def test_a_page_for_people_in_the_netherlands_says_so_with_a_new_conversation(running: Running) -> None:
    async with running.http.post(f"{running.url}/api/chat/sessions", json={"region": "nederland"}) as opened:
        person = Person(running.http, running.url, (await opened.json())["token"])
    assert numbers(await person.say("ik wil dood"))[0] == "tel:113"
    async with person.http.get(f"{person.url}/api/chat/session", headers=person.headers) as session:
        assert (await session.json())["region"] == "nederland"


@pytest.mark.parametrize(
    ("before", "words", "first"),
    [
        ("ik wil dood", "ik zit in Nederland", "tel:113"),
        ("mijn zus heeft een overdosis genomen", "ik woon in Nederland", "tel:112"),
        ("hoi", "1813 is belgisch, geef me een nederlands nummer aub", "tel:+31880767000"),
    ],
    ids=["in a crisis", "worried about someone else", "outside a crisis"],
)
async def test_who_tells_where_they_are_gets_the_numbers_of_there_from_then_on(
    before: str, words: str, first: str, running: Running
) -> None:
    person = await running.person()
    await person.say(before)
    there = await person.say(words)
    assert numbers(there)[0] == first
    assert parts(there)[0]["text"].endswith("nummers van Nederland.")
    assert "Kies je land" not in str(there)
    async with person.http.get(f"{person.url}/api/chat/session", headers=person.headers) as session:
        assert (await session.json())["region"] == "nederland"
    assert numbers(await person.say("ik ga vannacht uit het leven stappen"))[0] == "tel:113"


async def test_danger_told_with_where_they_are_brings_the_numbers_of_there_first_of_all(
    running: Running,
) -> None:
    person = await running.person()
    found = await person.say("ik woon in Nederland en ik wil dood")
    assert [part["type"] for part in parts(found)][:2] == ["text", "help_lines"]
    assert numbers(found)[0] == "tel:113"


async def test_who_types_what_stands_on_a_choice_has_tapped_it_and_a_question_mark_is_no_tap(
    running: Running,
) -> None:
    doubting, sure = await running.person(), await running.person()
    for person in (doubting, sure):
        await person.say("ik heb een hele doos pillen geslikt")
    assert "Roep iemand" in str(await doubting.say("Ja?"))
    assert "Roep iemand" not in str(await sure.say("ja"))


@pytest.mark.parametrize(
    "body", [{"region": "belgie"}, {"region": None}, {"region": 1}, {"region": []}, {}, []]
)
async def test_a_region_that_is_not_known_is_refused(body: object, running: Running) -> None:
    person = await running.person()
    there = f"{person.url}/api/chat/region"
    async with person.http.post(there, json=body, headers=person.headers) as answer:
        assert (answer.status, (await answer.json())["error"]) == (422, "invalid")


async def test_a_message_that_waits_for_the_engine_does_not_hold_danger_back(settings: Settings) -> None:
    async with run_app(settings, engine_environment=GONE) as app:
        await listening(app)
        person = await app.person()
        async with person.socket() as socket:
            await socket.send_json({"type": "send", "id": "a", "text": "hallo daar"})
            await socket.send_json({"type": "send", "id": "b", "text": "ik ga mezelf van kant maken"})
            async with asyncio.timeout(3):
                while True:
                    event = await socket.receive_json()
                    message = event.get("message", event)
                    if any(part["type"] == "help_lines" for part in message.get("parts", [])):
                        break


async def test_in_a_crisis_the_whole_flow_works_without_the_engine(settings: Settings) -> None:
    async with run_app(settings, engine_environment=GONE) as app:
        await listening(app)
        person = await app.person()
        await person.say("ik wil niet meer leven, ik heb afscheidsbrieven geschreven")
        assert "help_lines" in kinds(await tap(person, "no"))
        assert "quick_replies" in kinds(await tap(person, "someone"))
        staying = await person.say("ik weet niet wie")
        assert kinds(staying) == ["text", "quick_replies"]
        assert staying["pending"] is False


async def test_the_same_message_in_danger_sent_twice_is_answered_once(running: Running) -> None:
    person = await running.person()
    first = await person.say("ik wil dood", "m1")
    assert await person.say("ik wil dood", "m1") == first
    assert [message["role"] for message in await person.read()] == ["user", "bot", "bot"]


async def test_a_questionnaire_is_put_aside_before_the_engine_hears_anything_else(
    settings: Settings, running: Running
) -> None:
    person = await running.person()
    await person.say("hallo")
    database = await open_check_in(settings, person)
    await person.say("ik wil dood")
    after = await tap(person, "back")
    assert [part.get("text") for part in parts(after)][-1] == 'je zei: /repeat{"resume": "yes"}'
    turns = [turn for tracker in running.trackers().values() for turn in tracker]
    assert any(turn.endswith(":before") for turn in turns)
    assert "je zei: /stop" not in await person.texts()  # what the form says to that is shown to nobody
    await person.say("en verder")
    assert sum(turn.endswith(":before") for turn in turns) == 1
    await database.close()


async def test_after_a_false_alarm_the_questionnaire_goes_on_where_it_was(
    settings: Settings, running: Running
) -> None:
    person = await running.person()
    await person.say("hallo")
    database = await open_check_in(settings, person)
    await person.say("ik wil dood")
    put_right = await tap(person, "false_alarm")
    assert "We gaan gewoon verder" in parts(put_right)[0]["text"]
    assert parts(put_right)[-1]["text"] == 'je zei: /repeat{"resume": "yes"}'
    turns = [turn for tracker in running.trackers().values() for turn in tracker]
    assert not any(turn.endswith(":before") for turn in turns)
    counted = await database.read(crisis_log.tally)
    assert [(event, kind, count) for _, event, kind, count in counted] == [
        ("explicit", "suicidal_thoughts", 1),
        ("false_alarm", "suicidal_thoughts", 1),
    ]
    await database.close()


async def test_many_short_messages_in_a_row_are_judged_together(running: Running) -> None:
    person = await running.person()
    for part in ("ik wil niet", "meer"):  # tests/safety/test_guard.py: each part alone says nothing
        assert kinds(await person.say(part)) == ["text"]
    assert "help_lines" in kinds(await person.say("wakker worden"))


async def test_words_of_a_settled_crisis_do_not_raise_it_again(running: Running) -> None:
    person = await running.person()
    await person.say("ik wil dood")
    await tap(person, "false_alarm")
    assert kinds(await person.say("goed zo")) == ["text"]


async def test_danger_typed_on_a_button_with_plain_words_is_judged_too(running: Running) -> None:
    person = await running.person()
    _, answer = await person.post({"id": "t1", "payload": "ik wil dood", "title": "Iets anders"})
    assert "help_lines" in kinds(answer)


async def test_forgetting_a_person_forgets_their_crises_but_keeps_the_count(
    settings: Settings, running: Running
) -> None:
    person = await running.person()
    await person.say("ik wil dood")
    database = open_database(settings.database_url)
    for conversation in await conversations(database):
        await Store(database).forget(conversation)

    def count(table: str) -> int:
        return int(database_count[table])

    database_count = await database.read(
        lambda db: {
            table: db.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()  # noqa: S608 - two fixed names
            for table in ("crises", "guard_tally")
        }
    )
    assert count("crises") == 0
    assert count("guard_tally") == 1
    await database.close()
