"""Twenty thousand strings that nobody would write, through everything that reads strings from outside."""

import asyncio
import io
import json
from typing import get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.safety.guard import load_guard
from bot.safety.lines import run as judge_lines
from bot.safety.verdict import Kind, Verdict
from bot.screening.screen import run
from bot.settings import load_settings
from tests.running import Running

COUNT = 20_000
AT_ONCE = 100
#: Pieces that break naive readers: markup, commands, joiners, marks that pile up, other directions, half pairs.
PIECES = st.sampled_from(
    [
        *("ik wil dood", "niet", "ZELFMOORD", "k.i.l.l", "’", "/restart", "{}", "[[[", '"', "\\", "%s%n"),
        *("\u200d", "\u202e", "\u0301" * 30, "\x00", "\ud800", "\u2028", "\ufeff", "\n\n", "\t"),
        *("😭", "👩\u200d👩\u200d👧", "ﷺ", "١٢", "½", "a" * 300, "' OR 1=1 --", "<script>"),
    ]
)
STRINGS = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=12).map("".join),
    st.lists(st.one_of(PIECES, st.text(max_size=10)), max_size=8).map(" ".join),
    st.characters(exclude_categories=()).map(lambda character: character * 50),
)


@pytest.fixture(scope="module")
def strings() -> list[str]:
    made: list[str] = []

    @settings(
        max_examples=COUNT,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(STRINGS)
    def collect(text: str) -> None:
        made.append(text)

    collect()
    assert len(made) >= COUNT
    return made


def test_no_string_breaks_the_guard(strings: list[str]) -> None:
    guard = load_guard(load_settings()[0].guard_model)
    for text in strings:
        found = guard.judge(text)
        assert found.verdict in get_args(Verdict)
        assert found.kind is None or found.kind in get_args(Kind)
        assert found.verdict == "none" or found.kind is not None
        assert found.verdict == "none" or not found.past


async def test_no_string_gets_a_server_error_from_the_chat_api(strings: list[str], running: Running) -> None:
    people = [await running.person() for _ in range(AT_ONCE)]

    async def say(place: int, text: str) -> None:
        status, answer = await people[place % AT_ONCE].post({"id": f"s{place}", "text": text})
        assert status in (200, 400, 413, 422), (text, answer)

    async def goes_on(place: int, start: int) -> None:
        back = {"id": f"b{start}", "payload": '/crisis{"answer": "back"}', "title": "Terug"}
        status, answer = await people[place].post(back)
        assert status == 200, answer

    for start in range(0, len(strings), AT_ONCE):
        if start % (10 * AT_ONCE) == 0:  # else all would soon be held in a crisis, and nothing else be tried
            await asyncio.gather(*(goes_on(place, start) for place in range(AT_ONCE)))
        batch = strings[start : start + AT_ONCE]
        await asyncio.gather(*(say(start + place, text) for place, text in enumerate(batch)))


def test_no_string_breaks_the_judging_of_lines(strings: list[str]) -> None:
    guard = load_guard(load_settings()[0].guard_model)
    lines = [json.dumps({"id": place, "text": text}) for place, text in enumerate(strings[::40])]
    out = io.StringIO()
    judge_lines(guard, [*strings, *lines], out)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [one["id"] for one in found if "verdict" in one] == list(range(len(lines)))
    assert {tuple(one) for one in found if "verdict" not in one} == {("id", "error")}


def test_no_string_breaks_the_screening(strings: list[str]) -> None:
    asked = [{"id": "x", "instrument": "pols", "answers": {"sleep": text}} for text in strings[::2]]
    good = {"id": "good", "instrument": "phq2", "answers": {"phq2_interest": 0, "phq2_mood": 0}}
    # An empty line is no line.
    strange = [text for text in strings[1::2] if text.strip().removeprefix("\ufeff")]
    out = io.StringIO()
    refused = run([*strange, json.dumps(good), *map(json.dumps, asked)], out)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(found) == len(strange) + 1 + len(asked)
    assert refused == len(found) - 1
    assert [one["id"] for one in found if "error" not in one] == ["good"]
