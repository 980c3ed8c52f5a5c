"""Crashes in the middle of a conversation, with the real engine: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from tests.full.stack import Person, Stack, until

ANSWERS = ["7", "8", "3", "9"]


async def start_pols(person: Person) -> None:
    await person.tap('/start_check_in{"instrument": "pols"}')
    await person.say("nee")


def said_by(log: list[dict], role: str) -> list[str]:
    return [part["text"] for m in log if m["role"] == role for part in m["parts"] if part["type"] == "text"]


async def answered(person: Person, words: str) -> list[dict]:
    async def look() -> list[dict] | None:
        log = await person.log()
        return log if any(words in text for text in said_by(log, "bot")) else None

    found = await until(look)
    assert isinstance(found, list)
    return found


async def test_a_killed_engine_leaves_nobody_without_a_word_for_three_seconds_and_the_check_in_goes_on(
    mortal: Stack, http: aiohttp.ClientSession
) -> None:
    person = await mortal.person(http)
    await start_pols(person)
    await person.say("7")
    mortal.kill_engine()
    began = time.monotonic()
    answer = await person.send({"text": "8"})
    assert time.monotonic() - began < 3
    # The calm line, or the next question already when the engine was back sooner.
    assert [message["role"] for message in answer["messages"]] == ["system" if answer["pending"] else "bot"]
    log = await answered(person, "Vraag 3 van 4")
    assert said_by(log, "user")[-1] == "8"
    await person.say("3")
    await person.say("9")
    await person.tap("/skip")
    log = await person.log()
    chart = next(part for m in log for part in m["parts"] if part["type"] == "chart")
    assert [bar["value"] for bar in chart["bars"]] == [7, 8, 3, 9]


async def test_an_app_killed_between_any_two_messages_goes_on_with_the_same_conversation(
    mortal: Stack, http: aiohttp.ClientSession
) -> None:
    person = await mortal.person(http)
    await start_pols(person)
    for number, score in enumerate(ANSWERS, 1):
        before = await person.log()
        mortal.kill_app()
        mortal.start()
        await mortal.until_health("ok")
        assert await person.log() == before
        await person.say(score)
        if number < len(ANSWERS):
            await answered(person, f"Vraag {number + 1} van 4")
    await person.tap("/skip")
    log = await answered(person, "geen diagnose. Die kan alleen")
    assert [message["seq"] for message in log] == list(range(1, len(log) + 1))
    questions = [text for text in said_by(log, "bot") if text.startswith("Vraag ")]
    assert [text.split("\n")[0] for text in questions] == [f"Vraag {n} van 4" for n in (1, 2, 3, 4)]
    chart = next(part for m in log for part in m["parts"] if part["type"] == "chart")
    assert [bar["value"] for bar in chart["bars"]] == [7, 8, 3, 9]


async def test_an_app_killed_while_it_answers_answers_once_after_the_restart(
    mortal: Stack, http: aiohttp.ClientSession
) -> None:
    person = await mortal.person(http)
    await start_pols(person)
    sending = asyncio.create_task(person.send({"text": "7"}, again="once"))

    async def arrived() -> bool:
        return "7" in said_by(await person.log(), "user")

    await until(arrived)
    mortal.kill_app()
    await asyncio.gather(sending, return_exceptions=True)
    mortal.start()
    await mortal.until_health("ok")
    answer = await person.send({"text": "7"}, again="once")
    assert not answer["pending"]
    log = await answered(person, "Vraag 2 van 4")
    assert said_by(log, "user").count("7") == 1
    assert sum(text.startswith("Vraag 2 van 4") for text in said_by(log, "bot")) == 1


async def test_what_is_sent_while_the_engine_still_loads_is_answered_when_it_is_ready(
    mortal: Stack, http: aiohttp.ClientSession
) -> None:
    mortal.stop()
    mortal.start()

    async def serves() -> bool:
        try:
            async with http.get(mortal.base + "/") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    await until(serves)
    person = await mortal.person(http)
    await person.send({"text": "hallo"})
    await answered(person, "computerprogramma, geen mens")
