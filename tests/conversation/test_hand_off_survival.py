"""Conversation room: killed at any moment, nothing of a case is lost and nothing is there twice."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot.storage.database import Database, open_database
from bot.storage.tables import case_events, cases, conversations, messages, notifications
from tests.conversation.hand_off_child import COACHES, LANES, place, plan, rounds_end
from tests.storage.test_cases import ROOT, add_account, assert_nothing_happens_unseen

KILLS = 50
#: Killed after so many steps at most, and then at any moment of the next ones.
STEPS, NEXT_SECONDS = 20, 0.05


class Child:
    """The process that forks those that are killed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        #: The next step of each lane, and everything that was said to be done.
        self.next, self.done = [0] * LANES, list[dict[str, Any]]()

    async def line(self) -> dict[str, Any]:
        line = await self.process.stdout.readline()
        assert line, "the process that forks has ended"
        return json.loads(line)

    async def start(self, *last: int) -> None:
        self.process.stdin.write(json.dumps([*self.next, *last]).encode() + b"\n")

    async def read(self, enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read what was done until a line is `enough`."""
        while True:
            line = await self.line()
            if "step" in line:
                assert line["step"] == self.next[line["lane"]], "a step was left out"
                self.next[line["lane"]] += 1
                self.done.append(line)
            if enough(line):
                return line
            assert "gone" not in line, "it ended by itself"


@asynccontextmanager
async def child_of(address: str) -> AsyncIterator[Child]:
    command = [sys.executable, "-m", "tests.conversation.hand_off_child", address]
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE, "cwd": ROOT}
    process = await asyncio.create_subprocess_exec(*command, start_new_session=True, **pipes)
    child = Child(process)
    try:
        assert await child.line() == {"ready": True}
        yield child
        process.stdin.close()
        assert await process.wait() == 0
    finally:
        if process.returncode is None:  # something failed: what it forked must not live on
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def killed(child: Child, chance: random.Random) -> None:
    """Start one, and kill it at a moment that chance picks."""
    steps, more = chance.randrange(STEPS), chance.uniform(0, NEXT_SECONDS)
    enough = sum(child.next) + steps
    await child.start()
    pid = (await child.read(lambda line: "pid" in line))["pid"]
    if steps:
        await child.read(lambda _: sum(child.next) >= enough)
    await asyncio.sleep(more)  # not a wait for anything: this is the moment
    os.kill(pid, signal.SIGKILL)
    assert (await child.read(lambda line: "gone" in line))["gone"] == signal.SIGKILL


@pytest.fixture
async def survived(database: Database, tmp_path: Path) -> AsyncIterator[tuple[Database, Child]]:
    """A database on which processes were killed, and what they had said to be done; every round is at its end."""
    for name in COACHES:
        await add_account(database, name, presence="available")
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed: {seed}")  # noqa: T201 - shown when it fails
    chance = random.Random(seed)  # noqa: S311 - no secret
    address = f"sqlite:///{tmp_path / 'test.db'}"
    await database.close()  # each that starts must find the file as the killed one left it
    async with child_of(address) as child:
        for _ in range(KILLS):
            await killed(child, chance)
        await child.start(max(child.next))
        assert (await child.read(lambda line: "gone" in line))["gone"] == 0
        print(f"steps: {sum(child.next)}")  # noqa: T201 - shown when it fails
    found = open_database(address)
    yield found, child
    await found.close()


async def rows(database: Database, *columns: Any, where: Any = True) -> list[Any]:
    def work(db: Connection) -> list[Any]:
        return list(db.execute(select(*columns).where(where)).all())

    return await database.read(work)


def texts(body: list[dict[str, Any]]) -> str:
    return " ".join(part["text"] for part in body if part["type"] == "text")


async def test_killed_fifty_times_nothing_is_lost_and_nothing_is_there_twice(
    survived: tuple[Database, Child],
) -> None:
    database, child = survived
    said = await rows(database, messages)
    opened = {row.number: row for row in await rows(database, cases)}
    events = await rows(database, case_events)
    assert len(child.done) > KILLS
    assert len(set(child.next)) == 1
    rounds = place(child.next[0])[0]

    # Every message that was said to be stored is there once, under its number; and none that nobody sent.
    keys = Counter((row.conversation_id, row.client_id) for row in said if row.client_id)
    sent = {(done["conversation"], done["key"]): done["seq"] for done in child.done if "key" in done}
    assert keys == Counter(sent.keys())
    assert {(row.conversation_id, row.client_id): row.seq for row in said if row.client_id} == sent

    # Every case that was said to be open is there, and each stands beside one line that says so.
    assert {done["case"] for done in child.done if "case" in done} == set(opened)
    passed_on = [
        (row.conversation_id, int(number))
        for row in said
        for number in re.findall(r"Doorgegeven, dossier (\d+)", texts(row.body))
    ]
    assert sorted(number for _, number in passed_on) == sorted(opened)
    assert sorted(opened) == list(range(1001, 1001 + LANES * rounds))
    theirs = {number: person for person, number in passed_on}
    assert all(row.conversation_id in (theirs[n], None) for n, row in opened.items())
    assert sum(row.conversation_id is None for row in opened.values()) == LANES * sum(
        "tap:withdraw" in plan(number) for number in range(rounds)
    )

    # Each was opened once, claimed once, and told once; each turn of the person was told once.
    kinds = Counter((event.case_id, event.kind) for event in events)
    told = Counter(
        row.dedupe.split(":")[1] + row.payload["kind"] for row in await rows(database, notifications)
    )
    for row in opened.values():
        assert (kinds[row.id, "opened"], kinds[row.id, "claim"], told[row.id + "opened"]) == (
            1,
            1,
            len(COACHES),
        )
    per_round = [answers_in(plan(number)) for number in range(rounds)]
    assert sum(count for what, count in told.items() if what.endswith("answered")) == LANES * sum(per_round)
    assert sum(told.values()) == LANES * (sum(per_round) + len(COACHES) * rounds)

    # A talk begins with the line that says so, once each time it begins.
    begun = sum(texts(row.body).startswith("Vanaf nu schrijft") for row in said)
    assert begun == sum(count for (_, kind), count in kinds.items() if kind == "start_live")

    # The numbers of a conversation have no gap and no double, and who answers fits the case.
    for person in await rows(database, conversations):
        numbers = sorted(row.seq for row in said if row.conversation_id == person.id)
        assert numbers == list(range(1, person.next_seq))
        state = next(
            (c.state for c in opened.values() if c.conversation_id == person.id and c.state != "closed"), ""
        )
        assert person.owner == {"new": "queue", "claimed": "queue", "live": "coach"}.get(state, "bot")

    await assert_nothing_happens_unseen(database)


def answers_in(steps: tuple[str, ...]) -> int:
    """How often a coach is told in a round that the person wrote: once each time it becomes the coach's turn."""
    said = [step for step in steps if step.startswith(("says", "writes"))]
    return sum(one.startswith("says") and two == "writes" for one, two in itertools.pairwise(said))


def test_a_round_goes_through_everything_and_steps_are_found_again() -> None:
    steps = [place(number) for number in range(200)]
    assert steps[0] == (0, 0)
    assert len(set(steps)) == 200
    assert rounds_end(0) == rounds_end(len(plan(0)) - 1) == len(plan(0))
