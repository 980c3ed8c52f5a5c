"""Danger, with the real engine: it interrupts every questionnaire, and needs no engine to be answered."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from bot.screening.instruments import shipped_instruments
from tests.full.stack import Stack, words

INSTRUMENTS = sorted(shipped_instruments())


@pytest.mark.parametrize("instrument", INSTRUMENTS)
async def test_danger_interrupts_every_questionnaire(
    instrument: str, stack: Stack, http: aiohttp.ClientSession
) -> None:
    person = await stack.person(http)
    asked = await person.tap(f'/start_check_in{{"instrument": "{instrument}"}}')
    if "bewaren" in words(asked):
        asked = await person.say("nee")
    question = words(asked)
    answer = await person.say("ik wil dood")
    assert [part["type"] for part in answer] == ["text", "help_lines", "text", "quick_replies"]
    for reply in ("yes", "not_now", "back"):
        answer = await person.tap(f'/crisis{{"answer": "{reply}"}}')
    assert "meer over vertellen" in words(answer)  # nothing of the questionnaire is asked any more
    assert not any(part["type"] in ("scale", "multi_select") for part in answer)
    assert question


OTHER_QUESTIONS = {
    "whether answers are kept": '/start_check_in{"instrument": "pols"}',
    "whether all is deleted": "/request_delete_data",
}


@pytest.mark.parametrize("question", OTHER_QUESTIONS)
async def test_danger_interrupts_every_other_question(
    question: str, stack: Stack, http: aiohttp.ClientSession
) -> None:
    person = await stack.person(http)
    asked = await person.tap(OTHER_QUESTIONS[question])
    assert any(part["type"] == "quick_replies" for part in asked)
    answer = await person.say("ik wil dood")
    assert [part["type"] for part in answer] == ["text", "help_lines", "text", "quick_replies"]


@pytest.mark.parametrize("instrument", INSTRUMENTS)
async def test_a_suspicion_is_asked_about_and_then_the_same_question_comes_back(
    instrument: str, stack: Stack, http: aiohttp.ClientSession
) -> None:
    person = await stack.person(http)
    asked = await person.tap(f'/start_check_in{{"instrument": "{instrument}"}}')
    if "bewaren" in words(asked):
        asked = await person.say("nee")
    assert "denk je aan zelfmoord?" in words(await person.say("ik zie het niet meer zitten"))
    after = await person.tap('/crisis{"answer": "no"}')
    assert asked[-1] in after, (asked[-1], after)


async def test_the_assistants_own_lines_are_those_of_where_the_person_is(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    person = await stack.person(http)
    assert "tel:106" in _numbers(await person.tap("/request_helpline"))
    await person.move("nederland")
    assert _numbers(await person.tap("/request_helpline"))[0] == "tel:+31880767000"


def _numbers(answer: list[dict[str, Any]]) -> list[str]:
    return [line["tel"] for part in answer if part["type"] == "help_lines" for line in part["lines"]]


async def test_with_the_engine_killed_the_help_lines_come_within_a_second(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    person = await stack.person(http)
    await person.say("hallo")
    stack.kill_engine()
    async with asyncio.timeout(1):
        answer = await person.say("ik maak er vannacht een einde aan")
    assert [part["type"] for part in answer] == ["text", "help_lines", "text", "quick_replies"]
    await stack.ready()
