"""Conversation room: each message is answered once, in order, whatever is sent twice or at once."""

import asyncio
from datetime import UTC, datetime

from bot.assembly import safety_watch
from bot.conversation.outbox import Outbox
from bot.conversation.worker import Workers
from bot.settings import Settings
from bot.storage.database import open_database
from bot.storage.message_log import MessageLog
from tests.running import Person, Running, run_app, until


async def test_a_message_is_answered_in_the_same_request(running: Running) -> None:
    person = await running.person()
    answer = await person.say("hallo")
    assert answer["pending"] is False
    assert [(m["seq"], m["role"], m["parts"]) for m in answer["messages"]] == [
        (2, "bot", [{"type": "text", "text": "je zei: hallo"}])
    ]
    assert [m["role"] for m in await person.read()] == ["user", "bot"]


async def test_the_same_message_sent_twice_is_handled_once_and_answered_the_same(running: Running) -> None:
    person = await running.person()
    first = await person.say("hallo", "m1")
    assert await person.say("hallo", "m1") == first
    at_once = await asyncio.gather(*(person.say("nog eens", "m2") for _ in range(10)))
    assert all(answer["messages"] == at_once[0]["messages"] for answer in at_once)
    assert await person.texts() == ["hallo", "je zei: hallo", "nog eens", "je zei: nog eens"]


async def test_the_same_id_with_other_words_is_a_conflict(running: Running) -> None:
    person = await running.person()
    await person.say("hallo", "m1")
    status, problem = await person.post({"id": "m1", "text": "iets anders"})
    assert (status, problem["error"]) == (409, "conflict")
    status, problem = await person.post({"id": "m1", "payload": "/affirm"})
    assert (status, problem["error"]) == (409, "conflict")
    assert await person.texts() == ["hallo", "je zei: hallo"]


async def test_two_people_can_use_the_same_message_ids(running: Running) -> None:
    one, two = await running.person(), await running.person()
    await one.say("van één", "m1")
    await two.say("van twee", "m1")
    assert await two.texts() == ["van twee", "je zei: van twee"]


async def test_fifty_messages_at_once_are_all_answered_in_the_order_of_their_numbers(
    running: Running,
) -> None:
    person = await running.person()
    await asyncio.gather(*(person.say(f"bericht {i}", f"m{i}") for i in range(50)))

    async def all_answered() -> bool:
        return len(await person.read()) >= 100

    await until(all_answered, seconds=8)  # sooner than a sweep would come to the rescue
    log = await person.read()
    assert [m["seq"] for m in log] == list(range(1, 101))
    asked = [m["parts"][0]["text"] for m in log if m["role"] == "user"]
    said = [m["parts"][0]["text"] for m in log if m["role"] == "bot"]
    assert said == [f"je zei: {text}" for text in asked]


async def test_typed_slashes_are_words_and_taps_are_commands(running: Running) -> None:
    person = await running.person()
    assert (await person.say("/restart alles"))["messages"][0]["parts"][0]["text"] == "je zei: restart alles"
    assert (await person.say("/"))["messages"][0]["parts"][0]["text"] == "je zei: …"
    _, answer = await person.post({"id": "t1", "payload": '/give_score{"score": 7}', "title": "7 van 10"})
    assert answer["messages"][0]["parts"][0]["text"] == 'je zei: /give_score{"score": 7}'
    await person.post({"id": "t2", "payload": '/give_score{"score": 6}'})
    await person.post({"id": "t3", "payload": "/greet"})
    shown = [m["parts"][0]["text"] for m in await person.read() if m.get("id", "").startswith("t")]
    assert shown == ["7 van 10", "6", "…"]


async def test_parts_come_through_and_unknown_ones_do_not(running: Running) -> None:
    person = await running.person()
    buttons = (await person.say("buttons"))["messages"]
    assert buttons[0]["parts"][1] == {
        "type": "quick_replies",
        "choices": [{"title": "Ja", "payload": "/affirm"}],
    }
    scale = (await person.say("scale"))["messages"]
    assert [m["parts"][0]["type"] for m in scale] == ["text", "scale"]
    strange = (await person.say("strange"))["messages"]
    assert strange[0]["parts"] == [{"type": "text", "text": "dit wel"}]
    silent = await person.say("silent")
    assert [m["role"] for m in silent["messages"]] == ["system"]  # an apology: nobody gets silence


async def test_a_turn_that_was_answered_but_not_stored_is_stored_once_after_a_restart(
    settings: Settings,
) -> None:
    """The app is killed after the engine answered and before the commit: the same work is done again."""
    async with run_app(settings) as running:
        await running.ready()
        person = await running.person()
        log = running.app.parts.workers._messages
        stored, log.complete = log.complete, None  # as if the process ended here
        answer = await person.say("vlak voor het einde")
        assert answer["pending"] is True
        assert sum(len(turns) for turns in running.trackers().values()) == 1
        log.complete = stored
    async with run_app(settings) as running:
        person.url, person.http = running.url, running.http
        await until(lambda: _says(person, "je zei: vlak voor het einde"))
        texts = await person.texts()
        assert texts.count("vlak voor het einde") == 1
        assert texts.count("je zei: vlak voor het einde") == 1
        assert sum(len(turns) for turns in running.trackers().values()) == 1
        await person.say("en verder")
        assert (await person.texts())[-2:] == ["en verder", "je zei: en verder"]


async def test_two_processes_on_one_database_answer_each_message_once(running: Running) -> None:
    person = await running.person()
    database = open_database(running.app.settings.database_url)
    log = MessageLog(database)
    outbox = Outbox(log, lambda: datetime.now(UTC))
    others = Workers(
        log,
        outbox,
        running.app.client,
        safety_watch(running.app.settings),
        starting=lambda: False,
        calm_seconds=5,
        clock=lambda: datetime.now(UTC),
    )
    waits = [asyncio.create_task(person.say(f"bericht {i}", f"m{i}")) for i in range(30)]
    while not all(wait.done() for wait in waits):
        await others.sweep()
        await asyncio.sleep(0.001)
    assert all(wait.result() for wait in waits)

    async def all_answered() -> bool:
        return len(await person.read()) >= 60

    await until(all_answered)
    texts = await person.texts()
    assert len(texts) == len(set(texts)) == 60
    assert [m["seq"] for m in await person.read()] == list(range(1, 61))
    await others.stop(1)
    await database.close()


async def _says(person: Person, text: str) -> bool:
    return text in await person.texts()
