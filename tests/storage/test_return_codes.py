"""Storage room: return codes. Only hashes are kept, and a code opens one conversation to whoever has it."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from bot.escalation.return_code import SALT_BYTES
from bot.storage.cases import Case, timeline
from bot.storage.crisis_log import Ruling
from bot.storage.database import Database, open_database
from bot.storage.return_codes import ReturnCodes
from bot.storage.tables import conversations, installation
from tests.storage.test_cases import (
    CHAT,
    CONTACT,
    HERE,
    ROOT,
    T0,
    Breaking,
    add_account,
    assert_nothing_happens_unseen,
    everything,
    owner_of,
)
from tests.storage.test_hand_overs import DONE, World, opens, words

LATER = T0 + timedelta(days=2)


class Door:
    """Someone without a name whose case is open."""

    def __init__(self, database: Database) -> None:
        self.world, self.codes = World(database), ReturnCodes(database)

    async def keep(self, code_hash: str) -> bool:
        return await self.codes.keep(self.world.person, code_hash, T0)

    async def enter(self, code_hash: str) -> str | None:
        return await self.codes.enter(code_hash, "new", self.welcome, LATER)

    def welcome(self, case: Case, region: str | None) -> list[dict[str, Any]]:
        return words(f"Welkom terug: {case.number}, {case.state}{f', {region}' if region else ''}")


@pytest.fixture
async def door(database: Database) -> Door:
    made = Door(database)
    await add_account(database, "ilse")
    made.world.person = await made.world.log.open_session("old", "web", T0)
    return made


async def said(door: Door, code_hash: str = "hash") -> str:
    """Come back with a code; what is said then."""
    assert await door.enter(code_hash) == door.world.person
    role, text = (await door.world.said())[-1]
    assert role == "system"
    return text


# --- the salt ---

ASK = """
import asyncio, sys
from bot.storage.database import open_database
from bot.storage.return_codes import ReturnCodes

async def main():
    database = open_database(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    print((await ReturnCodes(database).salt()).hex())
    await database.close()

asyncio.run(main())
"""


async def test_two_processes_that_make_the_salt_at_once_get_the_same_one(
    database: Database, tmp_path: Path
) -> None:
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE, "cwd": ROOT}
    url = f"sqlite:///{tmp_path / 'test.db'}"
    children = [await asyncio.create_subprocess_exec(sys.executable, "-c", ASK, url, **pipes) for _ in "ab"]
    for child in children:
        assert await child.stdout.readline() == b"ready\n"
    for child in children:
        child.stdin.write(b"go\n")
    salts = {(await child.communicate())[0].decode().strip() for child in children}
    assert salts == {(await ReturnCodes(database).salt()).hex()}
    assert len(bytes.fromhex(salts.pop())) >= SALT_BYTES


async def test_the_salt_is_made_once_in_one_process_too(database: Database, tmp_path: Path) -> None:
    elsewhere = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    asked = [ReturnCodes((database, elsewhere)[n % 2]).salt() for n in range(10)]
    assert len(set(await asyncio.gather(*asked))) == 1
    kept = select(installation.c.name)
    assert await database.read(lambda db: list(db.execute(kept).scalars())) == ["return_code_salt"]
    await elsewhere.close()


# --- a code ---


async def test_a_code_is_for_an_open_case_without_a_name(door: Door) -> None:
    assert not await door.codes.has_case_without_name(door.world.person)
    assert not await door.keep("hash")
    case = await door.world.opened(contact=CONTACT)
    assert not await door.codes.has_case_without_name(door.world.person)
    assert not await door.keep("hash")
    await door.world.send("back", Ruling(engine=None, withdraws=True))
    await door.world.send("again", opens(contact=CHAT))
    assert await door.codes.has_case_without_name(door.world.person)
    assert await door.keep("hash")
    assert await door.enter("other") is None
    assert await said(door) == f"Welkom terug: {case.number + 1}, new"


async def test_a_new_code_makes_the_earlier_one_useless(door: Door) -> None:
    await door.world.opened(contact=CHAT)
    for code_hash in ("first", "second"):
        assert await door.keep(code_hash)
    assert await door.enter("first") is None
    assert (await said(door, "second")).startswith("Welkom terug")
    await assert_nothing_happens_unseen(door.world.database)


async def test_coming_back_gives_a_new_token_and_ends_the_old_one(door: Door) -> None:
    await door.world.opened(contact=CHAT)
    await door.keep("hash")
    assert await door.world.log.session("old") is not None
    await said(door)
    assert await door.world.log.session("old") is None
    session = await door.world.log.session("new")
    assert session is not None
    assert session.conversation_id == door.world.person


async def test_who_comes_back_is_greeted_as_someone_of_their_region(door: Door) -> None:
    await door.world.opened(contact=CHAT)
    await door.world.log.move(door.world.person, "nederland")
    await door.keep("hash")
    assert (await said(door)).endswith(", nederland")
    session = await door.world.log.session("new")
    assert session is not None
    assert session.region == "nederland"


async def test_coming_back_is_on_the_timeline_and_in_the_audit_log(door: Door) -> None:
    case = await door.world.opened(contact=CHAT)
    await door.keep("hash")
    await said(door)
    events = await door.world.database.read(lambda db: timeline(db, case.id))
    assert [(event.kind, event.actor) for event in events][1:] == [
        ("code_made", "person"),
        ("returned", "person"),
    ]
    await assert_nothing_happens_unseen(door.world.database)


async def test_a_return_that_does_not_hold_leaves_the_old_token(door: Door) -> None:
    await door.world.opened(contact=CHAT)
    await door.keep("hash")
    before = await everything(door.world.database)
    door.codes = ReturnCodes(Breaking(door.world.database))
    for step in (door.enter("hash"), door.keep("other")):
        with pytest.raises(ConnectionError):
            await step
    assert await everything(door.world.database) == before


async def test_who_comes_back_speaks_to_who_has_the_case(door: Door) -> None:
    world = door.world
    case = await world.opened(contact=CHAT)
    await door.keep("hash")
    owners = []
    for step in ("wait", "claim", "talk", "end", "close"):
        if step == "claim":
            assert await world.cases.claim(case.id, HERE, "ilse", T0)
        elif step == "talk":
            await world.coach_says(case)
        elif step == "end":
            await world.live.end(case.id, "ilse", [words("dag")], DONE, T0)
        elif step == "close":
            await world.cases.change(case.id, HERE, "close", "ilse", T0, values={"outcome": "talked"})
        await said(door)
        owners.append(await owner_of(world.database, world.person))
    assert owners == ["queue", "coach", "coach", "coach", "bot"]


async def test_what_someone_who_came_back_writes_reaches_the_coach_before_the_coach_wrote(door: Door) -> None:
    case = await door.world.claimed(contact=CHAT)
    await door.keep("hash")
    await said(door)
    await door.world.send("m", Ruling(engine=None, live="said"), LATER, "ik ben er weer")
    assert "ik ben er weer" in str(await door.world.cases.said(case.id, HERE))
    assert (await door.world.told())[-1] == "answered"


async def test_an_old_code_leads_to_what_was_asked_since(door: Door) -> None:
    world = door.world
    case = await world.claimed(contact=CHAT)
    await door.keep("hash")
    await world.cases.change(case.id, HERE, "close", "ilse", T0, values={"outcome": "talked"})
    await world.send("again", opens(contact=CHAT))
    assert await said(door) == f"Welkom terug: {case.number + 1}, new"
    assert await owner_of(world.database, world.person) == "queue"


async def test_a_code_of_what_was_taken_back_or_forgotten_leads_nowhere(door: Door) -> None:
    await door.world.opened(contact=CHAT)
    await door.keep("hash")
    await door.world.send("back", Ruling(engine=None, withdraws=True))
    assert await door.enter("hash") is None
    await door.world.send("again", opens(contact=CHAT))
    await door.keep("other")
    await door.world.database.write(lambda db: db.execute(delete(conversations)).rowcount)
    assert await door.enter("other") is None
