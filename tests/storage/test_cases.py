"""Storage room: cases. Whoever is first gets one, nobody sees another's, and nothing changes without a trace."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from bot.escalation.audit import first_fault
from bot.escalation.cases import DUE, NotAllowedError, Scope
from bot.storage import audit_log
from bot.storage.cases import PAGE, Case, Cases, Filters, Opening, Page, UnknownCaseError, open_in, record
from bot.storage.database import Database, open_database
from bot.storage.message_log import MessageLog, say_in
from bot.storage.tables import Base, accounts, case_events, cases, conversations

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HERE = Scope("zorgpunt", "vlaanderen")
CONTACT = {"way": "phone", "name": "Robin", "phone": "0470 12 34 56", "moment": "morgen na 16 uur"}
CHAT = {"way": "chat"}
ROOT = Path(__file__).parents[2]


def an_opening(**chosen: Any) -> Opening:
    fields: dict[str, Any] = {
        "organisation": "zorgpunt",
        "region": "vlaanderen",
        "origin": "request",
        "urgency": "48h",
        "contact": CONTACT,
        "scores": {"instrument": "check_in", "at": T0.isoformat(), "items": []},
        "words": "ik slaap niet meer",
        "reasons": ["Slaap ligt hoog."],
    }
    return Opening(**fields | chosen)


async def add_account(database: Database, name: str, role: str = "coach", **fields: Any) -> str:
    """Someone at the desk; the id is the name."""
    row = {
        "id": name,
        "email": f"{name}@example.org",
        "name": name.capitalize(),
        "role": role,
        "organisation": "zorgpunt",
        "password_hash": "-",
        "recovery_hashes": [],
        "demo": False,
        "created_at": T0,
    }
    await database.write(lambda db: db.execute(insert(accounts).values(row | fields)).rowcount)
    return name


async def open_case(database: Database, at: datetime = T0, *, with_chat: bool = True, **chosen: Any) -> Case:
    conversation_id = await MessageLog(database).open_session(None, "web", at) if with_chat else None
    return await database.write(lambda db: open_in(db, conversation_id, an_opening(**chosen), at))


async def everything(database: Database) -> dict[str, list[Any]]:
    """Every row of every table."""

    def work(db: Connection) -> dict[str, list[Any]]:
        return {table.name: db.execute(select(table)).all() for table in Base.metadata.sorted_tables}

    return await database.read(work)


async def owner_of(database: Database, conversation_id: str | None) -> str:
    """Who answers the conversation."""
    asked = select(conversations.c.owner).where(conversations.c.id == conversation_id)
    return await database.read(lambda db: str(db.execute(asked).scalar_one()))


async def assert_nothing_happens_unseen(database: Database) -> None:
    """Each event of a case has its line in the audit log, in the same order, and the chain is whole."""
    columns = (case_events.c.at, case_events.c.actor, case_events.c.case_id)
    rows = select(*columns).order_by(case_events.c.id)
    told = await database.read(lambda db: [tuple(row) for row in db.execute(rows)])
    entries = await audit_log.entries(database)
    noted = [
        (entry.at, entry.actor, entry.subject)
        for entry in entries
        if entry.action.startswith("case.") and entry.action != "case.read"
    ]
    assert noted == told
    assert first_fault(entries) is None


class Breaking:
    """A database whose process dies at the end of every transaction, just before it holds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_sqlite = database.is_sqlite
        self.read = database.read
        self.close = database.close

    async def write(self, work: Callable[[Connection], Any]) -> Any:
        def broken(db: Connection) -> Any:
            work(db)
            raise ConnectionError

        return await self._database.write(broken)


@pytest.fixture
async def coaches(database: Database) -> Cases:
    await add_account(database, "ilse")
    await add_account(database, "bram")
    return Cases(database)


async def a_claimed(coaches: Cases, **chosen: Any) -> Case:
    case = await open_case(coaches.database, **chosen)
    assert await coaches.claim(case.id, HERE, "ilse", T0)
    return await coaches.case(case.id, HERE)


# --- a change, its event and its audit line ---

Change = Callable[[Cases, str], Awaitable[Any]]
HANDED = {"owner_id": "bram", "claimed_at": T0}
CHANGES: dict[str, tuple[Change, str, str]] = {
    "contact": (
        lambda c, i: c.change(i, HERE, "contact", "ilse", T0, kind="call", data={"result": "reached"}),
        "call",
        "case.contact",
    ),
    "close": (
        lambda c, i: c.change(i, HERE, "close", "ilse", T0, values={"outcome": "talked"}),
        "close",
        "case.close",
    ),
    "release": (lambda c, i: c.change(i, HERE, "release", "ilse", T0), "release", "case.release"),
    "hand_over": (
        lambda c, i: c.change(i, HERE, "hand_over", "ilse", T0, values=HANDED),
        "hand_over",
        "case.hand_over",
    ),
    "note": (lambda c, i: c.note(i, HERE, "ilse", "note", {"text": "belt morgen"}, T0), "note", "case.note"),
    "follow_up": (
        lambda c, i: c.follow_up(i, HERE, "ilse", "2026-03-09", T0),
        "follow_up",
        "case.follow_up",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_leaves_one_event_and_one_audit_line(coaches: Cases, name: str) -> None:
    change, kind, action = CHANGES[name]
    case = await a_claimed(coaches)
    before = await everything(coaches.database)
    await change(coaches, case.id)
    after = await everything(coaches.database)
    (event,) = after["case_events"][len(before["case_events"]) :]
    (line,) = after["audit_log"][len(before["audit_log"]) :]
    assert (event.case_id, event.actor, event.kind, event.at) == (case.id, "ilse", kind, T0)
    assert (line.subject, line.actor, line.action, line.at) == (case.id, "ilse", action, T0)
    await assert_nothing_happens_unseen(coaches.database)


@pytest.mark.parametrize("name", [*CHANGES, "claim", "open", "read"])
async def test_a_change_that_does_not_hold_leaves_nothing(coaches: Cases, name: str) -> None:
    change = {
        "claim": lambda c, i: c.claim(i, HERE, "bram", T0),
        "open": lambda c, _: open_case(c.database, with_chat=False),
        "read": lambda c, i: c.open_page(i, HERE, "ilse", T0),
    } | {known: CHANGES[known][0] for known in CHANGES}
    case = await (open_case(coaches.database) if name == "claim" else a_claimed(coaches))
    before = await everything(coaches.database)
    with pytest.raises(ConnectionError):
        await change[name](Cases(Breaking(coaches.database)), case.id)
    assert await everything(coaches.database) == before


async def test_a_refused_change_leaves_nothing(coaches: Cases) -> None:
    case = await a_claimed(coaches)
    before = await everything(coaches.database)
    for action in ("contact", "close", "release", "hand_over", "start_live", "end_live"):
        with pytest.raises(NotAllowedError):
            await coaches.change(case.id, HERE, action, "bram", T0)
    with pytest.raises(NotAllowedError):
        await coaches.change(case.id, HERE, "end_live", "ilse", T0)
    assert not await coaches.claim(case.id, HERE, "bram", T0)
    assert await everything(coaches.database) == before


async def test_what_is_done_beside_a_change_holds_or_goes_with_it(coaches: Cases) -> None:
    case = await a_claimed(coaches)
    before = await everything(coaches.database)

    def then(db: Connection, now: Case) -> None:
        record(db, now.id, T0, "ilse", "note")
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await coaches.change(case.id, HERE, "contact", "ilse", T0, then=then)
    assert await everything(coaches.database) == before


async def test_opening_the_page_of_a_case_is_noted_and_following_it_is_not(coaches: Cases) -> None:
    case = await a_claimed(coaches)
    before = len(await audit_log.entries(coaches.database))
    await coaches.open_page(case.id, HERE, "bram", T0)
    await coaches.follow(case.id, HERE)
    await coaches.said(case.id, HERE)
    (line,) = (await audit_log.entries(coaches.database))[before:]
    assert (line.actor, line.action, line.subject) == ("bram", "case.read", case.id)


# --- opening ---


async def test_cases_opened_at_the_same_moment_get_numbers_of_their_own(
    database: Database, tmp_path: Path
) -> None:
    elsewhere = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    both = (database, elsewhere)
    opened = await asyncio.gather(*(open_case(both[n % 2], with_chat=False) for n in range(40)))
    assert sorted(case.number for case in opened) == list(range(1001, 1041))
    await assert_nothing_happens_unseen(elsewhere)
    await elsewhere.close()


@pytest.mark.parametrize("urgency", DUE)
async def test_the_time_to_reach_someone_counts_from_opening_and_never_pauses(
    coaches: Cases, urgency: str
) -> None:
    case = await a_claimed(coaches, urgency=urgency)
    assert case.due_at == T0 + DUE[urgency]
    for action in ("contact", "release"):
        await coaches.change(case.id, HERE, action, "ilse", T0 + timedelta(hours=5))
    assert (await coaches.case(case.id, HERE)).due_at == T0 + DUE[urgency]


# --- claiming ---

CLAIMED_AT_ONCE = 200
CLAIM_ALL = """
import asyncio, json, sys
from datetime import UTC, datetime
from bot.escalation.cases import Scope
from bot.storage.cases import Cases
from bot.storage.database import open_database

async def main():
    url, account, *wanted = sys.argv[1:]
    database = open_database(url)
    cases, scope, at = Cases(database), Scope("zorgpunt", "vlaanderen"), datetime(2026, 3, 2, tzinfo=UTC)
    print("ready", flush=True)
    sys.stdin.readline()
    won = await asyncio.gather(*(cases.claim(case, scope, account, at) for case in wanted))
    await database.close()
    print(json.dumps(dict(zip(wanted, won))))

asyncio.run(main())
"""


async def many_cases(database: Database) -> list[str]:
    def work(db: Connection) -> list[str]:
        return [open_in(db, None, an_opening(), T0).id for _ in range(CLAIMED_AT_ONCE)]

    return await database.write(work)


async def assert_each_has_one_owner(database: Database, won: Iterable[tuple[str, str, bool]]) -> None:
    """`won`: case, account, and whether claiming said it is theirs now."""
    found = select(cases.c.id, cases.c.owner_id, cases.c.state)
    owners = {row.id: row.owner_id for row in await database.read(lambda db: db.execute(found).all())}
    winners = [(case, account) for case, account, took in won if took]
    assert len(winners) == CLAIMED_AT_ONCE
    assert dict(winners) == owners
    told = select(case_events.c.case_id, case_events.c.actor).where(case_events.c.kind == "claim")
    assert sorted(winners) == sorted(
        tuple(row) for row in await database.read(lambda db: db.execute(told).all())
    )
    await assert_nothing_happens_unseen(database)


async def test_of_two_coaches_who_claim_at_once_exactly_one_gets_the_case_and_the_other_is_told(
    coaches: Cases, tmp_path: Path
) -> None:
    elsewhere = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    wanted = await many_cases(coaches.database)
    claims = [
        (case, account, mine.claim(case, HERE, account, T0))
        for case in wanted
        for account, mine in (("ilse", coaches), ("bram", Cases(elsewhere)))
    ]
    took = await asyncio.gather(*(claim for _, _, claim in claims))
    won = [(case, account, mine) for (case, account, _), mine in zip(claims, took, strict=True)]
    await assert_each_has_one_owner(coaches.database, won)
    await elsewhere.close()


async def test_of_two_processes_that_claim_at_once_exactly_one_gets_the_case(
    coaches: Cases, tmp_path: Path
) -> None:
    wanted = await many_cases(coaches.database)
    url = f"sqlite:///{tmp_path / 'test.db'}"
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE, "cwd": ROOT}
    children = {
        name: await asyncio.create_subprocess_exec(
            sys.executable, "-c", CLAIM_ALL, url, name, *wanted, limit=2**20, **pipes
        )
        for name in ("ilse", "bram")
    }
    for child in children.values():
        assert await child.stdout.readline() == b"ready\n"
    for child in children.values():  # only now, so that both begin at the same moment
        child.stdin.write(b"go\n")
    won = []
    for name, child in children.items():
        said, _ = await child.communicate()
        assert child.returncode == 0
        won += [(case, name, took) for case, took in json.loads(said).items()]
    await assert_each_has_one_owner(coaches.database, won)


async def test_a_case_that_was_taken_or_closed_cannot_be_claimed(coaches: Cases) -> None:
    case = await a_claimed(coaches)
    assert not await coaches.claim(case.id, HERE, "ilse", T0)
    await coaches.change(case.id, HERE, "close", "ilse", T0, values={"outcome": "talked"})
    assert not await coaches.claim(case.id, HERE, "bram", T0)


# --- another organisation, another region ---

ELSEWHERE = [Scope("ander", None), Scope(None, "nederland"), Scope("zorgpunt", "nederland"), Scope("", "")]
LOOKS: dict[str, Callable[[Cases, str, Scope], Awaitable[Any]]] = {
    "case": lambda c, i, s: c.case(i, s),
    "open_page": lambda c, i, s: c.open_page(i, s, "ilse", T0),
    "follow": lambda c, i, s: c.follow(i, s),
    "said": lambda c, i, s: c.said(i, s),
    "newest_of": lambda c, i, s: c.newest_of(i, s),
    "claim": lambda c, i, s: c.claim(i, s, "ilse", T0),
    "change": lambda c, i, s: c.change(i, s, "contact", "ilse", T0),
    "as_lead": lambda c, i, s: c.change(i, s, "release", "bram", T0, as_lead=True),
    "note": lambda c, i, s: c.note(i, s, "ilse", "note", {"text": "x"}, T0),
    "follow_up": lambda c, i, s: c.follow_up(i, s, "ilse", "2026-03-09", T0),
}


@pytest.mark.parametrize("scope", ELSEWHERE, ids=str)
@pytest.mark.parametrize("look", LOOKS)
async def test_a_coach_cannot_read_claim_or_change_a_case_of_others(
    coaches: Cases, look: str, scope: Scope
) -> None:
    case = await (open_case(coaches.database) if look == "claim" else a_claimed(coaches))
    before = await everything(coaches.database)
    with pytest.raises(UnknownCaseError):
        await LOOKS[look](coaches, case.id, scope)
    assert await everything(coaches.database) == before


@pytest.mark.parametrize("look", LOOKS)
async def test_a_case_that_does_not_exist_looks_like_one_of_others(coaches: Cases, look: str) -> None:
    with pytest.raises(UnknownCaseError):
        await LOOKS[look](coaches, "0" * 32, HERE)


async def test_the_queue_shows_the_cases_of_the_organisation_and_the_region_and_no_others(
    coaches: Cases,
) -> None:
    where = [("zorgpunt", "vlaanderen"), ("zorgpunt", "nederland"), ("ander", "vlaanderen")]
    made = {
        place: await open_case(coaches.database, with_chat=False, organisation=place[0], region=place[1])
        for place in where
    }
    for scope in (HERE, Scope("zorgpunt", None), Scope(None, "vlaanderen"), Scope("ander", "nederland")):
        seen = {place for place in where if scope.covers(*place)}
        page = await coaches.queue(scope, Filters())
        assert {case.id for case in page.cases} == {made[place].id for place in seen}
        assert page.total == len(seen)
        known = await coaches.known([case.id for case in made.values()], scope)
        assert known == {made[place].id for place in seen}
        assert (await coaches.newest_change(scope))[1] == len(seen)


# --- the queue ---


async def test_the_queue_goes_by_urgency_and_then_by_time_left(coaches: Cases) -> None:
    made = [
        await open_case(coaches.database, T0 + timedelta(hours=hour), with_chat=False, urgency=urgency)
        for hour, urgency in ((5, "week"), (9, "now"), (1, "48h"), (0, "week"), (2, "now"), (0, "48h"))
    ]
    page = await coaches.queue(HERE, Filters())
    assert [case.id for case in page.cases] == [made[place].id for place in (4, 1, 5, 2, 3, 0)]


async def filtered(coaches: Cases, **limits: Any) -> set[int]:
    page = await coaches.queue(HERE, Filters(**limits))
    assert page.total == len(page.cases)
    return {case.number for case in page.cases}


async def test_the_queue_can_be_narrowed_down(coaches: Cases) -> None:
    new = await open_case(coaches.database, urgency="now")
    mine = await a_claimed(coaches)
    reached = await a_claimed(coaches)
    await coaches.change(reached.id, HERE, "contact", "ilse", T0)
    closed = await a_claimed(coaches)
    await coaches.change(closed.id, HERE, "close", "ilse", T0, values={"outcome": "talked"})
    assert await filtered(coaches) == {new.number, mine.number, reached.number}
    assert await filtered(coaches, states=("closed",)) == {closed.number}
    assert await filtered(coaches, states=("new", "closed")) == {new.number, closed.number}
    assert await filtered(coaches, urgency="now") == {new.number}
    assert await filtered(coaches, mine="ilse") == {mine.number, reached.number}
    assert await filtered(coaches, mine="bram") == set()
    # Who was reached is not overdue, however late it is.
    assert await filtered(coaches, overdue_at=T0 + timedelta(hours=2)) == {new.number}
    assert await filtered(coaches, overdue_at=T0 + timedelta(hours=49)) == {new.number, mine.number}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rob", {"Robin", "Rob_in"}),
        ("  ROBIN ", {"Robin"}),
        ("b_i", {"Rob_in"}),
        ("%", {"50%"}),
        ("é", {"Élise"}),
        ("élise", {"Élise"}),
        ("Élise", {"Élise"}),
        ("Robin'; --", set()),
        ("0470", set()),
        ("²", set()),
        ("9" * 30, set()),
        ("", {"Robin", "Rob_in", "50%", "Élise", None}),
    ],
)
async def test_searching_looks_at_names_and_takes_every_character_as_it_is(
    coaches: Cases, text: str, names: set[str | None]
) -> None:
    for name in ("Robin", "Rob_in", "50%", "Élise"):
        await open_case(coaches.database, with_chat=False, contact=CONTACT | {"name": name})
    await open_case(coaches.database, contact=CHAT)
    page = await coaches.queue(HERE, Filters(text=text))
    assert {case.contact.get("name") for case in page.cases} == names


async def test_searching_finds_a_case_by_its_number(coaches: Cases) -> None:
    made = [await open_case(coaches.database, with_chat=False) for _ in range(3)]
    assert await filtered(coaches, text=f" {made[1].number} ") == {made[1].number}
    assert await filtered(coaches, text="100") == set()


async def test_every_case_stands_on_exactly_one_page(coaches: Cases) -> None:
    def many(db: Connection) -> None:
        for urgency, count in (("48h", 70), ("now", 30), ("week", 45)):
            for _ in range(count):  # all at the same moment, so that their time left is the same
                open_in(db, None, an_opening(urgency=urgency), T0)

    await coaches.database.write(many)
    pages: list[Page] = [await coaches.queue(HERE, Filters(), place * PAGE) for place in range(4)]
    assert [len(page.cases) for page in pages] == [50, 50, 45, 0]
    assert {page.total for page in pages} == {145}
    shown = [case for page in pages for case in page.cases]
    assert [case.urgency for case in shown] == ["now"] * 30 + ["48h"] * 70 + ["week"] * 45
    assert len({case.id for case in shown}) == 145
    assert [case.number for case in shown[:30]] == sorted(case.number for case in shown[:30])


# --- closing, giving back, passing on ---


async def test_closing_keeps_when_and_how_and_gives_the_conversation_to_the_assistant(coaches: Cases) -> None:
    case = await a_claimed(coaches)
    await coaches.database.write(lambda db: db.execute(update(conversations).values(owner="queue")).rowcount)
    at = T0 + timedelta(hours=3)
    closed = await coaches.change(case.id, HERE, "close", "ilse", at, values={"outcome": "referred"})
    assert (closed.state, closed.closed_at, closed.outcome) == ("closed", at, "referred")
    assert closed.owner_name == "Ilse"
    assert await owner_of(coaches.database, case.conversation_id) == "bot"


async def test_a_case_that_nobody_has_is_closed_by_a_lead_alone(coaches: Cases) -> None:
    case = await open_case(coaches.database)
    with suppress(NotAllowedError):
        await coaches.change(case.id, HERE, "close", "ilse", T0)
    assert (await coaches.case(case.id, HERE)).state == "new"
    await coaches.change(case.id, HERE, "close", "bram", T0, as_lead=True)
    assert (await coaches.case(case.id, HERE)).state == "closed"


async def test_a_case_that_is_given_back_is_anyones_again_and_the_person_waits_again(coaches: Cases) -> None:
    case = await a_claimed(coaches)
    # The person came back with a code and wrote to the coach who had the case.
    waits = {"turn_of": "coach", "turn_since": T0}
    await coaches.database.write(lambda db: db.execute(update(cases).values(waits)).rowcount)
    await coaches.database.write(lambda db: db.execute(update(conversations).values(owner="coach")).rowcount)
    back = await coaches.change(case.id, HERE, "release", "ilse", T0)
    assert (back.state, back.owner_id, back.claimed_at, back.turn_of) == ("new", None, None, None)
    assert await owner_of(coaches.database, case.conversation_id) == "queue"
    assert await coaches.claim(case.id, HERE, "bram", T0)


async def test_a_case_that_is_passed_on_belongs_to_the_colleague_alone(coaches: Cases) -> None:
    case = await a_claimed(coaches)
    passed = await coaches.change(case.id, HERE, "hand_over", "ilse", T0, values=HANDED)
    assert (passed.owner_id, passed.owner_name, passed.state) == ("bram", "Bram", "claimed")
    with pytest.raises(NotAllowedError):
        await coaches.change(case.id, HERE, "contact", "ilse", T0)
    await coaches.change(case.id, HERE, "contact", "bram", T0)


async def test_a_lead_gives_back_the_case_of_someone_who_is_not_there(coaches: Cases) -> None:
    case = await a_claimed(coaches)
    with pytest.raises(NotAllowedError):
        await coaches.change(case.id, HERE, "release", "bram", T0)
    await coaches.change(case.id, HERE, "release", "bram", T0, as_lead=True)
    assert (await coaches.case(case.id, HERE)).state == "new"


async def test_the_first_contact_counts_and_stays(coaches: Cases) -> None:
    case = await a_claimed(coaches)
    for hour in (1, 2):
        await coaches.change(case.id, HERE, "contact", "ilse", T0 + timedelta(hours=hour))
    await coaches.change(case.id, HERE, "release", "ilse", T0)
    assert await coaches.claim(case.id, HERE, "bram", T0)
    await coaches.change(case.id, HERE, "contact", "bram", T0 + timedelta(hours=3))
    assert (await coaches.case(case.id, HERE)).contacted_at == T0 + timedelta(hours=1)


# --- what a coach reads ---


async def test_a_coach_reads_what_was_said_in_the_case_and_nothing_else(coaches: Cases) -> None:
    case = await a_claimed(coaches)
    other = await open_case(coaches.database)

    def talk(db: Connection) -> None:
        said = (
            (None, "GEHEIM voor de assistent"),
            (case.id, "voor de coach"),
            (other.id, "een ander dossier"),
        )
        for case_id, words in said:
            part = [{"type": "text", "text": words}]
            say_in(db, str(case.conversation_id), None, [part], T0, "user", case_id=case_id)

    await coaches.database.write(talk)
    said = await coaches.said(case.id, HERE)
    assert [one.parts[0]["text"] for one in said] == ["voor de coach"]
    _, events, on_page = await coaches.open_page(case.id, HERE, "ilse", T0)
    assert on_page == said
    assert [(event.kind, event.actor_name) for event in events] == [("opened", None), ("claim", "Ilse")]


async def test_the_mark_of_a_case_and_of_the_queue_move_with_every_change(coaches: Cases) -> None:
    case = await a_claimed(coaches)
    seen = {await coaches.newest_of(case.id, HERE)}
    queue = {await coaches.newest_change(HERE)}
    steps = [CHANGES[name][0] for name in ("note", "follow_up", "contact", "hand_over")]
    for step in steps:
        await step(coaches, case.id)
        seen.add(await coaches.newest_of(case.id, HERE))
        queue.add(await coaches.newest_change(HERE))
    part = [{"type": "text", "text": "dag"}]
    await coaches.database.write(
        lambda db: say_in(db, str(case.conversation_id), None, [part], T0, "user", case_id=case.id)
    )
    seen.add(await coaches.newest_of(case.id, HERE))
    assert (len(seen), len(queue)) == (6, 5)
