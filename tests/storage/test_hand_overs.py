"""Storage room: people on the way to a coach, talking with one, and taking it all back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update

from bot.escalation.cases import NotAllowedError
from bot.escalation.figures import Week
from bot.escalation.notices import notices_for_answer, notices_for_flag, notices_for_opened
from bot.screening.sharing import Shareable
from bot.storage.cases import Case, Cases, Filters, UnknownCaseError, timeline
from bot.storage.crisis_log import Ruling
from bot.storage.database import Database, open_database
from bot.storage.figures import figures
from bot.storage.hand_overs import DeskView, HandOffRecord, HandOvers
from bot.storage.live_log import LiveLog
from bot.storage.message_log import Accepted, MessageLog
from bot.storage.notifications import Notifications, enqueue, team_in
from bot.storage.store import Store
from bot.storage.tables import accounts, cases, conversations, hand_offs
from tests.storage.test_cases import (
    CHAT,
    HANDED,
    HERE,
    T0,
    Breaking,
    a_claimed,
    add_account,
    an_opening,
    assert_nothing_happens_unseen,
    everything,
    owner_of,
)

LATER = T0 + timedelta(minutes=5)
BEGINS = [{"type": "text", "text": "Vanaf nu schrijft een mens."}]
DONE = HandOffRecord("closed", {}, T0)


def words(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text}]


def announce(db: Connection, case: Case, what: str, at: datetime) -> None:
    team = team_in(db, case)
    notices = {
        "opened": lambda: notices_for_opened(case, team),
        "answered": lambda: notices_for_answer(case, team, at.isoformat()),
        "flagged": lambda: notices_for_flag(case, team, at.isoformat()),
        "withdrawn": list,
    }
    enqueue(db, notices[what](), at)


def hand_overs(**chosen: Any) -> HandOvers:
    known = {
        "organisation": "zorgpunt",
        "region": "vlaanderen",
        "demo": False,
        "share": lambda *_: Shareable(None, (), 0),
        "announce": announce,
    }
    return HandOvers(**known | chosen)


class World:
    """A person and two coaches, on one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.log, self.cases = MessageLog(database, hand_overs()), Cases(database)
        self.live, self.outbox = LiveLog(database), Notifications(database)
        self.person = ""

    async def send(self, key: str, ruling: Ruling, at: datetime = T0, text: str = "hallo") -> Accepted:
        """The person sends a message about which `ruling` is made."""
        return await self.log.accept(
            self.person,
            client_id=key,
            content_hash=text,
            parts=words(text),
            payload=None,
            at=at,
            decide=lambda _: ruling,
        )

    async def opened(self, **chosen: Any) -> Case:
        """The person asked for a coach."""
        await self.send("open", opens(**chosen))
        return await self.only()

    async def only(self) -> Case:
        (case,) = (await self.cases.queue(HERE, Filters(states=ALL))).cases
        return case

    async def claimed(self, **chosen: Any) -> Case:
        case = await self.opened(**chosen)
        assert await self.cases.claim(case.id, HERE, "ilse", T0)
        return await self.only()

    async def coach_says(
        self, case: Case, text: str = "Dag", key: str = "k1", who: str = "ilse", at=T0
    ) -> Any:
        return await self.live.say(case.id, who, f"{who}, coach", words(text), key, BEGINS, at)

    async def talking(self, **chosen: Any) -> Case:
        case = await self.claimed(**chosen)
        await self.coach_says(case)
        return await self.only()

    async def owner(self) -> str:
        return await owner_of(self.database, self.person)

    async def told(self) -> list[str]:
        """What there is to tell outside, oldest first."""
        return [one.payload["kind"] for one in reversed(await self.outbox.listing(None, 100))]

    async def said(self) -> list[tuple[str, str]]:
        return [(one.role, one.parts[0]["text"]) for one in await self.log.after(self.person, 0)]

    async def kinds(self, case: Case) -> list[str]:
        events = await self.database.read(lambda db: timeline(db, case.id))
        return [event.kind for event in events]

    async def view(self, desk: HandOvers | None = None) -> DeskView:
        return await self.database.read(lambda db: (desk or hand_overs()).view(db, self.person))


ALL = ("new", "claimed", "contacted", "live", "closed")


def opens(**chosen: Any) -> Ruling:
    def said(case: Case) -> tuple[Any, ...]:
        return (words(f"Doorgegeven, dossier {case.number}."),)

    return Ruling(engine=None, opening=an_opening(**chosen), opened=said, hand_off=DONE)


@pytest.fixture
async def world(database: Database) -> World:
    made = World(database)
    await add_account(database, "ilse", presence="available")
    await add_account(database, "bram")
    made.person = await made.log.open_session("token", "web", T0)
    return made


# --- asking ---


async def test_the_case_its_notices_and_the_words_that_say_so_are_stored_together(world: World) -> None:
    answer = await world.send("open", opens())
    case = await world.only()
    assert answer.owner_changed
    assert [reply.parts for reply in answer.replies] == [words(f"Doorgegeven, dossier {case.number}.")]
    assert await world.told() == ["opened"]
    assert (case.state, case.conversation_id, await world.owner()) == ("new", world.person, "queue")
    await assert_nothing_happens_unseen(world.database)


async def test_a_case_that_does_not_hold_is_not_said_to_be_passed_on(world: World) -> None:
    before = await everything(world.database)
    broken = MessageLog(Breaking(world.database), hand_overs())
    world.log = broken
    with pytest.raises(ConnectionError):
        await world.send("open", opens())
    assert await everything(world.database) == before


async def test_notices_that_cannot_be_stored_take_the_case_with_them(world: World) -> None:
    def nobody(*_: Any) -> None:
        raise ConnectionError

    before = await everything(world.database)
    world.log = MessageLog(world.database, hand_overs(announce=nobody))
    with pytest.raises(ConnectionError):
        await world.send("open", opens())
    assert await everything(world.database) == before


async def test_the_same_message_ten_times_at_once_opens_one_case(world: World) -> None:
    answers = await asyncio.gather(*(world.send("open", opens()) for _ in range(10)))
    assert [answer.new for answer in answers].count(True) == 1
    assert (await world.only()).number == 1001
    assert await world.told() == ["opened"]
    assert [message.seq for message in await world.log.after(world.person, 0)] == [1, 2]


async def test_where_someone_is_on_the_way_is_kept_and_leaves_nothing_at_the_end(world: World) -> None:
    found = select(hand_offs.c.stage)
    for stage in ("way", "phone", "closed"):
        record = HandOffRecord(stage, {"way": "phone"}, T0)
        await world.send(stage, Ruling(engine=None, hand_off=record))
        stages = await world.database.read(lambda db: list(db.execute(found).scalars()))
        assert stages == ([] if stage == "closed" else [stage])


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({}, True),
        ({"role": "lead_coach"}, True),
        ({"organisation": None, "region": "vlaanderen"}, True),
        ({"role": "administrator"}, False),
        ({"organisation": "ander"}, False),
        ({"region": "nederland"}, False),
        ({"disabled_at": T0}, False),
        ({"demo": True}, False),
    ],
    ids=str,
)
async def test_a_coach_is_offered_only_where_one_could_take_the_case(
    database: Database, fields: dict[str, Any], counts: bool
) -> None:
    world = World(database)
    world.person = await world.log.open_session("token", "web", T0)
    assert not (await world.view()).coaches
    await add_account(database, "an", **fields)
    assert (await world.view()).coaches is counts
    assert (await world.view(hand_overs(demo=True))).coaches is (counts or fields.get("demo", False))


# --- taking it back ---


async def test_a_case_that_is_taken_back_is_closed_and_wiped(world: World) -> None:
    case = await world.claimed(contact=CHAT)
    await world.cases.note(case.id, HERE, "ilse", "note", {"text": "belt met de huisarts"}, T0)
    code = update(cases).values(return_code_hash="h" * 64)
    await world.database.write(lambda db: db.execute(code).rowcount)
    await world.send("back", Ruling(engine=None, withdraws=True), LATER)
    gone, events, said = await world.cases.open_page(case.id, HERE, "ilse", LATER)
    assert (gone.state, gone.outcome, gone.closed_at) == ("closed", "withdrawn", LATER)
    assert (gone.contact, gone.scores, gone.words, gone.reasons) == ({}, None, None, [])
    assert {str(event.data) for event in events} == {"{}"}
    assert [event.kind for event in events] == ["opened", "claim", "note", "withdrawn"]
    assert (events[-1].actor, said) == ("person", [])
    hashes = select(cases.c.return_code_hash)
    assert await world.database.read(lambda db: db.execute(hashes).scalar_one()) is None
    assert await world.owner() == "bot"
    await assert_nothing_happens_unseen(world.database)


async def test_what_was_said_to_a_coach_is_read_by_nobody_at_the_desk_once_it_is_taken_back(
    world: World,
) -> None:
    case = await world.talking()
    await world.send("m", Ruling(engine=None, live="said"), text="iets heel persoonlijks")
    await world.send("stop", Ruling(engine=None, live="ended"))
    assert "persoonlijks" in str(await world.cases.said(case.id, HERE))
    await world.send("back", Ruling(engine=None, withdraws=True), LATER)
    assert await world.cases.said(case.id, HERE) == []
    assert ("user", "iets heel persoonlijks") in await world.said()  # the person still has it


async def test_taking_back_what_is_not_there_changes_nothing(world: World) -> None:
    await world.send("back", Ruling(engine=None, withdraws=True))
    assert (await world.cases.queue(HERE, Filters(states=ALL))).total == 0


async def test_forgetting_a_conversation_wipes_and_withdraws_its_cases_and_the_counts_stay(
    world: World,
) -> None:
    first = await world.claimed()
    await world.cases.change(first.id, HERE, "close", "ilse", T0, values={"outcome": "talked"})
    await world.send("again", opens(contact=CHAT))
    week = Week(2026, 10, T0 - timedelta(days=1), T0 + timedelta(days=6))
    before = await figures(world.database, HERE, [week], LATER)
    await Store(world.database, lambda: LATER).forget(world.person)
    after = await figures(world.database, HERE, [week], LATER)
    assert (
        (after.weeks[0].new, after.weeks[0].claimed)
        == (before.weeks[0].new, before.weeks[0].claimed)
        == (2, 1)
    )
    assert (before.now.open, after.now.open) == (1, 0)
    assert after.outcomes == before.outcomes | {"withdrawn": 1}
    page = await world.cases.queue(HERE, Filters(states=ALL))
    for case in page.cases:
        left = (case.conversation_id, case.contact, case.scores, case.words, case.reasons)
        assert left == (None, {}, None, None, [])
        assert {str(event.data) for event in (await world.cases.follow(case.id, HERE))[1]} == {"{}"}
    assert {case.outcome for case in page.cases} == {"talked", "withdrawn"}
    assert "Robin" not in str(await everything(world.database))
    await assert_nothing_happens_unseen(world.database)


async def test_forgetting_that_does_not_hold_leaves_the_cases_as_they_were(world: World) -> None:
    await world.claimed()
    before = await everything(world.database)
    with pytest.raises(ConnectionError):
        await Store(Breaking(world.database), lambda: LATER).forget(world.person)
    assert await everything(world.database) == before


# --- talking ---


async def test_the_first_message_of_a_coach_makes_the_conversation_theirs(world: World) -> None:
    case = await world.claimed()
    said = await world.coach_says(case, at=LATER)
    now = await world.only()
    assert [(one.role, one.author) for one in said] == [("system", None), ("coach", "ilse, coach")]
    assert (now.state, now.contacted_at, now.turn_of, now.turn_since) == ("live", LATER, "person", LATER)
    assert await world.owner() == "coach"
    assert await world.live.owner(world.person) == ("coach", "Ilse")
    await world.coach_says(now, key="k2")
    assert [role for role, _ in await world.said()].count("system") == 1
    assert await world.kinds(case) == ["opened", "claim", "start_live"]
    await assert_nothing_happens_unseen(world.database)


async def test_a_message_that_does_not_hold_leaves_the_conversation_to_the_assistant(world: World) -> None:
    case = await world.claimed()
    before = await everything(world.database)
    world.live = LiveLog(Breaking(world.database))
    with pytest.raises(ConnectionError):
        await world.coach_says(case)
    assert await everything(world.database) == before


async def refused(world: World, step: Callable[[], Any]) -> None:
    before = await everything(world.database)
    with pytest.raises(NotAllowedError):
        await step()
    assert await everything(world.database) == before


async def test_only_who_has_the_case_writes_to_the_person(world: World) -> None:
    case = await world.opened()
    await refused(world, lambda: world.coach_says(case))
    assert await world.cases.claim(case.id, HERE, "ilse", T0)
    await refused(world, lambda: world.coach_says(case, who="bram"))
    await world.coach_says(case)
    await refused(world, lambda: world.coach_says(case, who="bram"))
    await refused(world, lambda: world.live.end(case.id, "bram", [words("dag")], DONE, T0))
    await world.live.end(case.id, "ilse", [words("dag")], DONE, T0)
    await world.cases.change(case.id, HERE, "hand_over", "ilse", T0, values=HANDED)
    await refused(world, lambda: world.coach_says(case, key="k2"))
    await world.coach_says(case, who="bram", key="k2")


async def test_nobody_writes_in_a_case_that_was_given_back_or_closed(world: World) -> None:
    case = await world.claimed()
    await world.cases.change(case.id, HERE, "release", "ilse", T0)
    await refused(world, lambda: world.coach_says(case))
    assert await world.cases.claim(case.id, HERE, "ilse", T0)
    await world.cases.change(case.id, HERE, "close", "ilse", T0, values={"outcome": "talked"})
    await refused(world, lambda: world.coach_says(case))


async def test_nobody_writes_to_a_person_whose_conversation_is_gone(world: World) -> None:
    case = await world.claimed()
    await world.database.write(lambda db: db.execute(delete(conversations)).rowcount)
    await refused(world, lambda: world.coach_says(case))


async def test_a_case_that_does_not_exist_cannot_be_written_in(world: World) -> None:
    with pytest.raises(UnknownCaseError):
        await world.live.say("0" * 32, "ilse", "ilse, coach", words("x"), "k", BEGINS, T0)


async def test_of_a_message_and_a_passing_on_at_once_nothing_is_said_by_who_no_longer_has_it(
    world: World, tmp_path: Path
) -> None:
    case = await world.claimed()
    elsewhere = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    passing = Cases(elsewhere).change(case.id, HERE, "hand_over", "ilse", T0, values=HANDED)
    said = await asyncio.gather(world.coach_says(case), passing, return_exceptions=True)
    now = await world.only()
    # Exactly one of the two holds: a conversation that runs is not passed on.
    assert [isinstance(one, NotAllowedError) for one in said].count(True) == 1
    assert (now.owner_id, now.state) in (("ilse", "live"), ("bram", "claimed"))
    assert any(role == "coach" for role, _ in await world.said()) is (now.state == "live")
    await elsewhere.close()


async def test_the_same_key_is_stored_once_however_often_it_comes(world: World, tmp_path: Path) -> None:
    case = await world.claimed()
    elsewhere = World(open_database(f"sqlite:///{tmp_path / 'test.db'}"))
    said = await asyncio.gather(*((world, elsewhere)[n % 2].coach_says(case) for n in range(12)))
    assert len({one[-1].seq for one in said}) == 1
    assert await world.said() == [
        ("user", "hallo"),
        ("bot", f"Doorgegeven, dossier {case.number}."),
        ("system", BEGINS[0]["text"]),
        ("coach", "Dag"),
    ]
    # Also when the talk is over meanwhile: nothing begins anew.
    await world.live.end(case.id, "ilse", [words("dag")], DONE, T0)
    (again,) = await world.coach_says(case)
    assert again == said[0][-1]
    assert (await world.only()).state == "contacted"
    await elsewhere.database.close()


async def test_what_the_person_writes_is_the_coachs_turn_and_told_once_until_answered(world: World) -> None:
    case = await world.talking()
    for number in range(3):
        at = LATER + timedelta(seconds=number)
        answer = await world.send(f"m{number}", Ruling(engine=None, live="said"), at)
        assert answer.message.case_id == case.id
    now = await world.only()
    assert (now.turn_of, now.turn_since) == ("coach", LATER)
    assert await world.told() == ["opened", "answered"]
    await world.coach_says(case, key="k2", at=LATER)
    await world.send("m9", Ruling(engine=None, live="said"), LATER + timedelta(minutes=1))
    assert await world.told() == ["opened", "answered", "answered"]


async def test_danger_flags_the_case_until_the_coach_writes(world: World) -> None:
    case = await world.talking()
    await world.send("m", Ruling(engine=None, live="said", flag="overdose"), LATER)
    assert (await world.only()).flagged_at == LATER
    assert await world.kinds(case) == ["opened", "claim", "start_live", "flagged"]
    assert await world.told() == ["opened", "flagged"]
    await assert_nothing_happens_unseen(world.database)
    await world.coach_says(case, key="k2")
    assert (await world.only()).flagged_at is None


async def test_the_assistant_says_nothing_in_a_conversation_that_a_coach_has(world: World) -> None:
    case = await world.claimed()
    asked = (await world.send("m", Ruling())).message
    await world.coach_says(case)
    before = await world.said()
    done = await world.log.complete(world.person, asked.seq, [("bot", words("zeg ik niet meer"))], LATER)
    assert (done.stored, done.messages) == (True, [])
    assert await world.log.system_line(world.person, asked.seq, words("even geduld"), LATER) is None
    assert await world.said() == before
    assert (await world.coach_says(case, key="k2"))[0].seq == len(before) + 1


async def test_either_side_ends_the_talk_and_the_coach_keeps_the_case(world: World) -> None:
    case = await world.talking()
    await world.send("stop", Ruling(engine=None, live="ended", voice="system"))
    assert ((await world.only()).state, await world.owner()) == ("contacted", "bot")
    await world.coach_says(case, key="k2")
    assert ((await world.only()).state, await world.owner()) == ("live", "coach")
    said = await world.live.end(case.id, "ilse", [words("Ilse geeft het gesprek terug.")], DONE, T0)
    assert [one.role for one in said] == ["system"]
    now = await world.only()
    assert (now.state, now.owner_id, now.turn_of, await world.owner()) == ("contacted", "ilse", None, "bot")
    with pytest.raises(NotAllowedError):
        await world.live.end(case.id, "ilse", [words("nog eens")], DONE, T0)
    actors = [
        event.actor for event in (await world.cases.follow(case.id, HERE))[1] if event.kind == "end_live"
    ]
    assert actors == ["person", "ilse"]
    await assert_nothing_happens_unseen(world.database)


# --- silence ---


async def test_who_is_silent_too_long_is_found(world: World) -> None:
    case = await world.talking()
    assert await world.live.quiet(LATER, T0) == []
    (quiet,) = await world.live.quiet(T0, LATER)
    assert (quiet.case_id, quiet.turn_of, quiet.since, quiet.name) == (case.id, "person", T0, "Ilse")
    await world.send("m", Ruling(engine=None, live="said"), LATER)
    assert await world.live.quiet(LATER, LATER + timedelta(hours=1)) == []
    (quiet,) = await world.live.quiet(LATER + timedelta(seconds=1), T0)
    assert quiet.turn_of == "coach"


async def test_a_person_who_left_is_the_assistants_again(world: World) -> None:
    case = await world.talking()
    (quiet,) = await world.live.quiet(T0, LATER)
    said = await world.live.quieted(quiet, [words("Ik neem over.")], LATER)
    assert [one.role for one in said] == ["system"]
    assert ((await world.only()).state, await world.owner()) == ("contacted", "bot")
    assert (await world.kinds(case))[-1] == "person_quiet"
    assert await world.live.quieted(quiet, [words("Ik neem over.")], LATER) == []
    await assert_nothing_happens_unseen(world.database)


async def test_a_silent_coach_is_said_so_once_and_keeps_the_conversation(world: World) -> None:
    await world.talking()
    await world.send("m", Ruling(engine=None, live="said"), T0)
    await world.log.move(world.person, "nederland")
    (quiet,) = await world.live.quiet(LATER, T0)
    assert quiet.region == "nederland"  # the lines that are shown then are those of there
    assert len(await world.live.quieted(quiet, [words("Ilse antwoordt even niet.")], LATER)) == 1
    assert ((await world.only()).state, await world.owner()) == ("live", "coach")
    assert await world.live.quiet(LATER, LATER) == []


async def test_who_wrote_at_the_last_moment_is_not_called_silent(world: World) -> None:
    case = await world.talking()
    (quiet,) = await world.live.quiet(T0, LATER)
    await world.send("m", Ruling(engine=None, live="said"), LATER)
    before = await everything(world.database)
    assert await world.live.quieted(quiet, [words("Ik neem over.")], LATER) == []
    assert await everything(world.database) == before
    await world.coach_says(case, key="k2", at=LATER)


async def test_a_talk_whose_conversation_is_gone_ends_without_stopping_the_others(world: World) -> None:
    case = await world.talking()
    await world.database.write(lambda db: db.execute(delete(conversations)).rowcount)
    (quiet,) = await world.live.quiet(T0, LATER)
    assert await world.live.quieted(quiet, [words("Ik neem over.")], LATER) == []
    assert (await world.only()).state == "contacted"
    assert await world.live.quiet(T0, LATER) == []
    await world.cases.change(case.id, HERE, "close", "ilse", LATER, values={"outcome": "no_reply"})


# --- what was seen ---


async def test_what_was_seen_never_goes_back_and_never_beyond_what_there_is(world: World) -> None:
    case = await world.talking()
    last = len(await world.said())
    found = select(conversations.c.seen_seq)
    for seen, kept in (
        (last - 1, last - 1),
        (1, last - 1),
        (last + 1, last - 1),
        (10**9, last - 1),
        (last, last),
    ):
        await world.live.seen(world.person, seen)
        assert await world.database.read(lambda db: db.execute(found).scalar_one()) == kept
        marks = [one.seen for one in await world.cases.said(case.id, HERE) if one.role == "coach"]
        assert marks == [kept == last]


async def test_a_coach_who_left_the_service_is_still_named(world: World) -> None:
    case = await a_claimed(world.cases)
    await world.database.write(lambda db: db.execute(update(accounts).values(disabled_at=T0)).rowcount)
    assert (await world.cases.case(case.id, HERE)).owner_name == "Ilse"
