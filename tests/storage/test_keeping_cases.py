"""Storage room: what remains of cases and of the conversations they need, before and after their time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, update

from bot.storage.cases import Case, Filters
from bot.storage.crisis_log import CrisisRecord, Ruling
from bot.storage.database import Database
from bot.storage.hand_overs import HandOffRecord
from bot.storage.keeping import BATCH, Keeping
from bot.storage.store import Store
from bot.storage.tables import answers, cases, check_ins, conversations, crises, hand_offs, messages
from tests.storage.test_cases import CHAT, CONTACT, HERE, T0, add_account, everything
from tests.storage.test_hand_overs import ALL, World

DAY = timedelta(days=1)
TOLD = "iets dat ik alleen aan de assistent vertel"
SHARED = "iets voor de coach"
DANGER = CrisisRecord("ambiguous", "overdose", False, "closed", T0)


class Kept(World):
    """A person who told something to the assistant and something to a coach, and how time goes by."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.keeping, self.store = Keeping(database), Store(database, lambda: T0)

    async def talked(self, consent: bool | None, **chosen: Any) -> Case:
        """A check-in, words to the assistant, words to a coach; then the talk ends."""
        self.person = await self.log.open_session(None, "web", T0)
        if consent is not None:
            await self.store.set_consent(self.person, consent, T0)
        check_in = await self.store.start_check_in(self.person, "check_in", "hash", T0)
        await self.store.save_answer(check_in.id, "sleep", 8, T0)
        await self.send("told", Ruling(engine=None, crisis=DANGER, opens=True), text=TOLD)
        case = await self.talking(**chosen)
        await self.send("shared", Ruling(engine=None, live="said"), text=SHARED)
        await self.send("stop", Ruling(engine=None, live="ended"))
        return case

    async def close(self, case: Case, at: datetime) -> None:
        await self.cases.change(case.id, HERE, "close", "ilse", at, values={"outcome": "talked"})

    async def night(self, at: datetime) -> None:
        """What retention does: words are kept for a day, check-ins with consent for a year."""
        before = at - DAY
        await self.keeping.forget_idle(words_before=before, history_before=at - 365 * DAY, at=at)
        await self.keeping.drop_idle_words(before=before, at=at)

    async def left(self) -> dict[str, int]:
        tables = (conversations, messages, check_ins, answers, crises, hand_offs)

        def count(db: Connection) -> dict[str, int]:
            return {t.name: db.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}

        return {name: number for name, number in (await self.database.read(count)).items() if number}


@pytest.fixture
async def kept(database: Database) -> Kept:
    await add_account(database, "ilse", presence="available")
    return Kept(database)


# --- conversations that a coach's answer needs ---


@pytest.mark.parametrize("consent", [None, False, True])
async def test_someone_without_a_name_keeps_the_conversation_and_what_was_said_to_the_coach(
    kept: Kept, consent: bool | None
) -> None:
    case = await kept.talked(consent, contact=CHAT)
    await kept.night(T0 + DAY)
    assert TOLD in str(await kept.said())
    await kept.night(T0 + 9 * DAY)
    assert await kept.log.exists(kept.person)
    assert [text for role, text in await kept.said() if role in ("user", "coach")] == ["Dag", SHARED]
    assert SHARED in str(await kept.cases.said(case.id, HERE))
    await kept.coach_says(await kept.only(), "Ben je er nog?", "k2", at=T0 + 9 * DAY)


@pytest.mark.parametrize("consent", [None, False, True])
async def test_what_was_told_to_the_assistant_goes_after_a_day_and_check_ins_stay_with_consent_alone(
    kept: Kept, consent: bool | None
) -> None:
    await kept.talked(consent, contact=CHAT)
    await kept.night(T0 + 9 * DAY)
    assert TOLD not in str(await everything(kept.database))
    left = await kept.left()
    assert {"check_ins", "answers", "crises"} & set(left) == (
        {"check_ins", "answers", "crises"} if consent else set()
    )


async def test_the_engine_is_told_to_forget_what_the_assistant_was_told(kept: Kept) -> None:
    await kept.talked(None, contact=CHAT)
    await kept.night(T0 + 9 * DAY)
    ((conversation_id, noted, _),) = await kept.log.trackers_to_delete()
    assert (conversation_id, noted) == (kept.person, T0 + 9 * DAY)


@pytest.mark.parametrize("consent", [None, False])
async def test_a_conversation_without_a_name_goes_when_its_case_is_closed_and_the_time_is_over(
    kept: Kept, consent: bool | None
) -> None:
    case = await kept.talked(consent, contact=CHAT)
    await kept.close(case, T0 + 5 * DAY)
    await kept.night(T0 + 6 * DAY)  # just closed: what the coach wrote can still be read
    assert await kept.log.exists(kept.person)
    await kept.night(T0 + 6 * DAY + timedelta(seconds=1))
    assert await kept.left() == {}
    assert (await kept.only()).conversation_id is None


async def test_with_consent_what_was_said_to_the_coach_goes_when_the_case_is_over_and_check_ins_stay(
    kept: Kept,
) -> None:
    case = await kept.talked(True, contact=CHAT)
    await kept.close(case, T0 + 5 * DAY)
    await kept.night(T0 + 6 * DAY)
    assert SHARED in str(await kept.said())
    await kept.night(T0 + 6 * DAY + timedelta(seconds=1))
    assert await kept.said() == []
    assert set(await kept.left()) == {"conversations", "check_ins", "answers", "crises"}


async def test_someone_who_is_called_does_not_need_the_conversation_and_the_case_stays(kept: Kept) -> None:
    case = await kept.talked(None, contact=CONTACT)
    await kept.night(T0 + 2 * DAY)
    assert await kept.left() == {}
    now = await kept.only()
    assert (now.id, now.conversation_id, now.contact, now.state) == (case.id, None, CONTACT, "contacted")


async def test_someone_who_is_still_there_keeps_everything(kept: Kept) -> None:
    await kept.talked(None, contact=CHAT)
    before = await kept.left()
    await kept.log.visited(kept.person, T0 + 8 * DAY)
    await kept.night(T0 + 9 * DAY)
    assert await kept.left() == before


async def test_a_number_given_on_a_way_that_was_not_finished_goes_after_a_day(kept: Kept) -> None:
    for consent in (True, None):
        kept.person = await kept.log.open_session(None, "web", T0)
        if consent:
            await kept.store.set_consent(kept.person, True, T0)
        draft = HandOffRecord("words", {"phone": "0470 12 34 56"}, T0)
        await kept.send("m", Ruling(engine=None, hand_off=draft))
    await kept.night(T0 + DAY)
    assert (await kept.left())["hand_offs"] == 2
    await kept.night(T0 + DAY + timedelta(seconds=1))
    assert await kept.left() == {"conversations": 1}


async def test_looking_again_finds_nothing_more_to_delete(kept: Kept) -> None:
    await kept.talked(None, contact=CHAT)
    at = T0 + 9 * DAY
    assert await kept.keeping.drop_idle_words(before=at - DAY, at=at) == 1
    assert await kept.keeping.drop_idle_words(before=at - DAY, at=at) == 0


# --- cases ---


async def test_a_closed_case_loses_what_is_personal_after_its_time_and_stays_counted(kept: Kept) -> None:
    case = await kept.talked(True, contact=CONTACT)
    await kept.cases.note(case.id, HERE, "ilse", "note", {"text": "belt met de huisarts"}, T0)
    assert await kept.keeping.wipe_cases(closed_before=T0 + 400 * DAY) == 0  # it is not closed
    await kept.close(case, T0 + DAY)
    assert await kept.keeping.wipe_cases(closed_before=T0 + DAY) == 0
    before = await kept.only()
    assert await kept.keeping.wipe_cases(closed_before=T0 + DAY + timedelta(seconds=1)) == 1
    assert await kept.keeping.wipe_cases(closed_before=T0 + 400 * DAY) == 0
    after = await kept.only()
    assert (after.conversation_id, after.contact, after.scores, after.words, after.reasons) == (
        None,
        {},
        None,
        None,
        [],
    )
    same = (
        "number",
        "origin",
        "urgency",
        "state",
        "outcome",
        "opened_at",
        "contacted_at",
        "closed_at",
        "owner_id",
    )
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    _, events, said = await kept.cases.follow(case.id, HERE)
    assert ("note", {}) in [(event.kind, event.data) for event in events]
    assert said == []
    left = str(
        {name: rows for name, rows in (await everything(kept.database)).items() if name.startswith("case")}
    )
    assert not any(word in left for word in ("Robin", "0470", "huisarts", "slaap"))


async def test_more_cases_than_one_batch_are_wiped_and_the_others_are_left_alone(kept: Kept) -> None:
    def many(db: Connection) -> None:
        for number in range(2 * BATCH + 5):
            closed_at = T0 + DAY if number % 100 == 0 else T0 - DAY
            db.execute(
                insert(cases).values(
                    id=f"{number:032}",
                    number=number,
                    organisation="zorgpunt",
                    region="vlaanderen",
                    origin="request",
                    state="closed",
                    urgency="48h",
                    opened_at=T0 - 9 * DAY,
                    due_at=T0,
                    closed_at=closed_at,
                    outcome="talked",
                    contact=CONTACT,
                    reasons=[],
                )
            )

    await kept.database.write(many)
    assert await kept.keeping.wipe_cases(closed_before=T0) == 2 * BATCH
    named = (await kept.cases.queue(HERE, Filters(states=ALL, text="robin"))).cases
    assert {case.number for case in named} == {0, 100, 200, 300, 400}


async def test_a_case_that_was_taken_back_has_nothing_left_to_wipe(kept: Kept) -> None:
    kept.person = await kept.log.open_session(None, "web", T0)
    await kept.claimed()
    await kept.send("back", Ruling(engine=None, withdraws=True))
    assert await kept.keeping.wipe_cases(closed_before=T0 + 400 * DAY) == 0


async def test_wiped_words_are_gone_from_the_files(kept: Kept, tmp_path: Path) -> None:
    def in_files() -> bool:
        return any(b"GEHEIM" in path.read_bytes() for path in tmp_path.glob("test.db*"))

    case = await kept.talked(True, words="GEHEIM in de vraag")
    await kept.cases.note(case.id, HERE, "ilse", "note", {"text": "GEHEIM in een notitie"}, T0)
    await kept.close(case, T0)
    assert in_files()
    await kept.keeping.wipe_cases(closed_before=T0 + DAY)
    await kept.keeping.clear_traces()
    assert not in_files()


async def test_someone_who_comes_back_while_idle_ones_are_looked_for_keeps_everything(kept: Kept) -> None:
    await kept.talked(None, contact=CHAT)
    read = kept.database.read

    async def and_someone_comes_back(work: Any) -> Any:
        found = await read(work)
        back = update(conversations).values(last_seen_at=T0 + 9 * DAY)
        await kept.database.write(lambda db: db.execute(back).rowcount)
        return found

    kept.database.read = and_someone_comes_back
    at = T0 + 9 * DAY
    assert await kept.keeping.drop_idle_words(before=at - DAY, at=at) == 0
    kept.database.read = read
    assert TOLD in str(await kept.said())
