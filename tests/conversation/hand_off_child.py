"""What the survival test kills: people ask for a coach, coaches take their cases, and they talk. Started as

    python -m tests.conversation.hand_off_child <database address>

Imports take seconds and a process that is killed does not get them back, so this process only imports. Each line on its
standard input, such as `[3, 0]` or `[3, 0, 20]`, makes it fork one that does the real work on a database opened anew:
lane 0 from step 3 on, lane 1 from step 0 on, up to step 20 or until it is killed. A step that is done is printed in one
write as `{"lane": 0, "step": 3, ...}` with the keys it used; when the process is gone, `{"gone": exit status}` follows.
A step that was not printed is done again with the same keys, as browsers and people do.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.conversation.hand_off import ToCoach
from bot.conversation.inbox import tapped, typed
from bot.conversation.watch import Watch
from bot.escalation.cases import NotAllowedError, Scope
from bot.escalation.flow import Availability
from bot.escalation.hand_off_texts import shipped_hand_off_texts
from bot.escalation.notices import notices_for_answer, notices_for_opened
from bot.resources import RESOURCES
from bot.safety.crisis_texts import shipped_crisis_texts
from bot.safety.verdict import NOTHING, Judgement
from bot.screening.sharing import Shareable
from bot.storage.cases import Case, Cases, open_of
from bot.storage.database import Database, open_database
from bot.storage.hand_overs import HandOffRecord, HandOvers
from bot.storage.live_log import LiveLog
from bot.storage.message_log import MessageLog
from bot.storage.notifications import enqueue, team_in
from bot.support.help_lines import Regions, load_help_lines

HERE = Scope("zorgpunt", "vlaanderen")
#: Who takes the cases of lane 0 and of lane 1, and whom each passes a case on to.
COACHES, OTHER = ("ilse", "bram"), {"ilse": "bram", "bram": "ilse"}
WORDS = [{"type": "text", "text": "Dag."}]
BEGINS = [{"type": "text", "text": "Vanaf nu schrijft een mens."}]
ENDS = [[{"type": "text", "text": "Dank je, ik neem weer over."}]]
#: How a round goes: what each step is, and how it ends (a different way each round).
ASK = ("session", "tap:/request_human", "tap:chat", "tap:no_words", "tap:send")
TALK = ("claim", "says", "writes", "writes", "says", "writes")
ENDINGS = (
    ("stop", "tap:good"),
    ("end", "close"),
    ("end", "tap:/request_human", "tap:withdraw"),
    ("says", "writes"),
    ("end", "pass_on", "says:other", "writes"),
)
LANES = 2


def plan(round_number: int) -> tuple[str, ...]:
    """The steps of a round."""
    return ASK + TALK + ENDINGS[round_number % len(ENDINGS)]


def place(step: int) -> tuple[int, int]:
    """Which round a step of a lane belongs to, and which of its steps it is."""
    number = 0
    while step >= len(plan(number)):
        step -= len(plan(number))
        number += 1
    return number, step


def rounds_end(step: int) -> int:
    """The first step of the round after the one of `step`."""
    number, within = place(step)
    return step - within + len(plan(number))


class NoDanger:
    """Stands for the guard."""

    def judge_recent(self, texts: list[str], /) -> Judgement:  # noqa: ARG002
        return NOTHING


def announce(db: Connection, case: Case, what: str, at: datetime) -> None:
    team = team_in(db, case)
    since = case.turn_since if case.turn_of == "coach" and case.turn_since else at
    if what == "opened":
        enqueue(db, notices_for_opened(case, team), at)
    elif what == "answered":
        enqueue(db, notices_for_answer(case, team, since.isoformat()), at)


class Lane:
    """One person after another, and the coach who answers them."""

    def __init__(self, database: Database, watch: Watch, number: int) -> None:
        share = lambda *_: Shareable(None, (), 0)  # noqa: E731
        desk = HandOvers("zorgpunt", "vlaanderen", demo=False, share=share, announce=announce)
        self.database, self.watch, self.number = database, watch, number
        self.log, self.cases, self.live = MessageLog(database, desk), Cases(database), LiveLog(database)
        self.coach = COACHES[number]

    async def do(self, step: int) -> dict[str, Any]:
        """One step; doing it again changes nothing."""
        number, within = place(step)
        name, _, detail = plan(number)[within].partition(":")
        self.token, self.key = f"token-{self.number}-{number}", f"key-{self.number}-{step}"
        acts: dict[str, Callable[[str], Awaitable[dict[str, Any]]]] = {
            act: getattr(self, act) for act in ("session", "tap", "writes", "stop", "claim", "says")
        } | {act: getattr(self, act) for act in ("end", "close", "pass_on")}
        return {"lane": self.number, "step": step, "act": name} | await acts[name](detail)

    async def session(self, _: str) -> dict[str, Any]:
        try:
            found = await self.log.open_session(self.token, "web", datetime.now(UTC))
        except IntegrityError:  # it was made, and the answer got lost
            found = await self.person()
        return {"conversation": found}

    async def tap(self, answer: str) -> dict[str, Any]:
        payload = answer if answer.startswith("/") else f'/hand_off{{"answer": "{answer}"}}'
        sent = await self.send(tapped(self.key, payload, answer))
        if answer == "send":
            sent["case"] = (await self.case()).number
        return sent

    async def writes(self, _: str) -> dict[str, Any]:
        return await self.send(typed(self.key, "ik ben er nog", 2000))

    async def stop(self, _: str) -> dict[str, Any]:
        return await self.send(typed(self.key, "stop", 2000))

    async def claim(self, _: str) -> dict[str, Any]:
        case = await self.case()
        took = await self.cases.claim(case.id, HERE, self.coach, datetime.now(UTC))
        assert took or (await self.case()).owner_id == self.coach
        return {"case": case.number}

    async def says(self, who: str) -> dict[str, Any]:
        case, coach = await self.case(), OTHER[self.coach] if who == "other" else self.coach
        now = datetime.now(UTC)
        said = await self.live.say(case.id, coach, f"{coach}, coach", WORDS, self.key, BEGINS, now)
        return {"conversation": said[-1].conversation_id, "key": self.key, "seq": said[-1].seq}

    async def end(self, _: str) -> dict[str, Any]:
        case, now = await self.case(), datetime.now(UTC)
        try:
            await self.live.end(case.id, self.coach, ENDS, HandOffRecord("after", {}, now), now)
        except NotAllowedError:
            assert (await self.case()).state == "contacted"
        return {"case": case.number}

    async def close(self, _: str) -> dict[str, Any]:
        case = await self.open()
        if case is not None:
            now = datetime.now(UTC)
            done = {"outcome": "talked"}
            await self.cases.change(case.id, HERE, "close", self.coach, now, values=done)
        return {}

    async def pass_on(self, _: str) -> dict[str, Any]:
        case, now = await self.case(), datetime.now(UTC)
        if case.owner_id == self.coach:
            to = {"owner_id": OTHER[self.coach], "claimed_at": now}
            await self.cases.change(case.id, HERE, "hand_over", self.coach, now, values=to)
        return {"case": case.number}

    async def send(self, incoming: Any) -> dict[str, Any]:
        person, now = await self.person(), datetime.now(UTC)
        accepted = await self.log.accept(
            person,
            client_id=incoming.client_id,
            content_hash=incoming.content_hash,
            parts=[{"type": "text", "text": incoming.text}],
            payload=incoming.payload,
            at=now,
            decide=self.watch.inbound(incoming.text, incoming.payload, now),
        )
        return {"conversation": person, "key": incoming.client_id, "seq": accepted.message.seq}

    async def person(self) -> str:
        session = await self.log.session(self.token)
        assert session is not None
        return session.conversation_id

    async def open(self) -> Case | None:
        person = await self.person()
        return await self.database.read(lambda db: open_of(db, person))

    async def case(self) -> Case:
        found = await self.open()
        assert found is not None
        return found


async def work(address: str, watch: Watch, firsts: list[int], last: int | None) -> None:
    database = open_database(address)

    async def go(number: int, step: int) -> None:
        lane = Lane(database, watch, number)
        end = rounds_end(last) if last is not None else None
        while step != end:
            done = await lane.do(step)
            os.write(1, json.dumps(done).encode() + b"\n")  # whole, or not at all
            step += 1

    await asyncio.gather(*(go(number, step) for number, step in enumerate(firsts)))
    await database.close()


def main(address: str) -> None:
    regions = Regions(load_help_lines(RESOURCES / "help_lines"), "vlaanderen")
    way = ToCoach(shipped_hand_off_texts(), regions, "zorgpunt", lambda _now: Availability(None))
    watch = Watch(NoDanger(), shipped_crisis_texts(), regions, way)
    os.write(1, b'{"ready": true}\n')
    for line in sys.stdin:
        first, second, *last = json.loads(line)
        pid = os.fork()
        if pid == 0:
            asyncio.run(work(address, watch, [first, second], *last or [None]))
            os._exit(0)
        os.write(1, json.dumps({"pid": pid}).encode() + b"\n")
        os.write(1, json.dumps({"gone": os.waitpid(pid, 0)[1]}).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
