"""Storage room: numbers without gaps, each message once, replies together with the mark."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.storage.crisis_log import Ruling, Situation
from bot.storage.database import Database, open_database
from bot.storage.message_log import MessageLog, UnknownConversationError
from tests.running import calm

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HELLO = [{"type": "text", "text": "hallo"}]


@pytest.fixture
def log(database: Database) -> MessageLog:
    return MessageLog(database)


async def accept(log: MessageLog, conversation_id: str, client_id: str, content: str = "x"):
    return await log.accept(
        conversation_id,
        client_id=client_id,
        content_hash=content,
        parts=HELLO,
        payload=None,
        at=T0,
        decide=calm,
    )


async def test_fifty_messages_at_once_get_fifty_numbers_in_a_row(log: MessageLog) -> None:
    conversation_id = await log.open_session("hash", "web", T0)
    accepted = await asyncio.gather(*(accept(log, conversation_id, f"m{i}") for i in range(50)))
    assert sorted(a.message.seq for a in accepted) == list(range(1, 51))
    assert [m.seq for m in await log.after(conversation_id, 0)] == list(range(1, 51))


async def test_the_same_client_id_is_stored_once_and_leaves_no_gap(log: MessageLog) -> None:
    conversation_id = await log.open_session("hash", "web", T0)
    both = await asyncio.gather(*(accept(log, conversation_id, "m1") for _ in range(10)))
    assert [a.new for a in both].count(True) == 1
    assert {a.message.seq for a in both} == {1}
    assert (await accept(log, conversation_id, "m2")).message.seq == 2


async def test_of_two_workers_only_one_stores_replies(tmp_path: Path, database: Database) -> None:
    log, conversation = MessageLog(database), None
    conversation = await log.open_session("hash", "web", T0)
    asked = (await accept(log, conversation, "m1")).message
    elsewhere = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    others = [MessageLog(elsewhere), log, MessageLog(elsewhere), log]
    done = await asyncio.gather(*(o.complete(conversation, asked.seq, [("bot", HELLO)], T0) for o in others))
    await elsewhere.close()
    assert [d.stored for d in done].count(True) == 1
    assert [m.role for m in await log.after(conversation, 0)] == ["user", "bot"]
    assert (await accept(log, conversation, "m2")).message.seq == 3


async def test_safety_judges_a_message_with_the_two_before_it_of_the_last_ten_minutes(
    log: MessageLog,
) -> None:
    conversation = await log.open_session("hash", "web", T0)
    heard: list[tuple[str, ...]] = []

    def listening(situation: Situation) -> Ruling:
        heard.append(situation.recent)
        return calm(situation)

    async def says(text: str, minutes: float) -> None:
        await log.accept(
            conversation,
            client_id=text,
            content_hash=text,
            parts=[{"type": "text", "text": text}],
            payload=None,
            at=T0 + timedelta(minutes=minutes),
            decide=listening,
        )

    times = {"een": 0, "twee": 9.9, "drie": 10.1, "vier": 10.2, "vijf": 10.3, "zes": 20.4}
    for text, minutes in times.items():
        await says(text, minutes)
    assert heard == [(), ("een",), ("twee",), ("twee", "drie"), ("drie", "vier"), ()]


async def test_a_turn_without_replies_is_answered_too(log: MessageLog) -> None:
    conversation = await log.open_session("hash", "web", T0)
    asked = (await accept(log, conversation, "m1")).message
    assert (await log.complete(conversation, asked.seq, [], T0)).stored
    assert await log.turn(conversation, asked.seq) == ([], False)


async def test_what_stands_on_a_choice_is_known_until_the_person_goes_on(log: MessageLog) -> None:
    conversation = await log.open_session("hash", "web", T0)
    asked = (await accept(log, conversation, "m1")).message
    titles = {
        "Toch verdergaan!": "/affirm",
        "Stoppen": "/stop",
        "Waarom?": "/ask_why",
        "Ja": '/give_score{"score": 1}',
    }
    choices = [{"title": title, "payload": payload} for title, payload in titles.items()]
    offer = [*HELLO, {"type": "quick_replies", "choices": choices}]
    await log.complete(conversation, asked.seq, [("bot", offer), ("bot", HELLO)], T0)
    typed = ("toch verder gaan", " STOPPEN. ", "waarom", "stop", "toch", "stoppen?", "ja")
    found = [await log.offered(conversation, one) for one in typed]
    assert found == ["/affirm", "/stop", "/ask_why", None, None, None, None]
    await accept(log, conversation, "m2")
    assert await log.offered(conversation, "stoppen") is None


async def test_one_system_line_per_waiting_message_and_none_below_an_answered_one(log: MessageLog) -> None:
    conversation = await log.open_session("hash", "web", T0)
    first = (await accept(log, conversation, "m1")).message
    lines = await asyncio.gather(*(log.system_line(conversation, first.seq, HELLO, T0) for _ in range(5)))
    assert sum(line is not None for line in lines) == 1
    await log.complete(conversation, first.seq, [("bot", HELLO)], T0)
    assert await log.system_line(conversation, first.seq, HELLO, T0) is None
    assert [m.role for m in await log.after(conversation, 0)] == ["user", "system", "bot"]


async def test_waiting_messages_come_oldest_first_with_their_consent(log: MessageLog) -> None:
    conversation = await log.open_session("hash", "web", T0)
    for number in range(30):
        await accept(log, conversation, f"m{number}")
    waiting = await log.waiting(conversation)
    assert [m.seq for m in waiting] == list(range(1, 21))
    assert waiting[0].consent is None
    assert await log.conversations_waiting() == [conversation]


async def test_an_unknown_conversation_takes_nothing(log: MessageLog) -> None:
    with pytest.raises(UnknownConversationError):
        await accept(log, "nobody", "m1")
    gone = await log.complete("nobody", 1, [("bot", HELLO)], T0)
    assert (gone.stored, gone.gone) == (False, True)
