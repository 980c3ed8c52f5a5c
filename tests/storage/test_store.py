"""Storage room: what is kept about people, as the app and the actions use it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.storage.database import Database
from bot.storage.store import Store

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
async def store(database: Database) -> Store:
    store = Store(database, clock=lambda: T0)
    await store.ensure_conversation("c1", "web")
    return store


async def counted(store: Store, table: str) -> int:
    question = text(f"SELECT count(*) FROM {table}")  # noqa: S608 - names of our own tables
    return await store.database.read(lambda db: db.execute(question).scalar_one())


async def test_a_conversation_is_made_once_and_keeps_its_consent(store: Store) -> None:
    await store.set_consent("c1", True, T0)
    again = await store.ensure_conversation("c1", "shell")
    assert (again.channel, again.consent, again.consent_at) == ("web", True, T0)


async def test_a_conversation_asked_for_twice_at_once_is_made_once(store: Store) -> None:
    made = await asyncio.gather(*(store.ensure_conversation("c2", "web") for _ in range(20)))
    assert len(set(made)) == 1
    assert await counted(store, "conversations") == 2


async def test_consent_of_an_unknown_conversation_is_an_error(store: Store) -> None:
    with pytest.raises(LookupError):
        await store.set_consent("nobody", True, T0)
    with pytest.raises(LookupError):
        await store.start_check_in("nobody", "check_in", "hash", T0)
    with pytest.raises(LookupError):
        await store.save_answer("nothing", "sleep", 5, T0)


async def test_norm_group_can_be_chosen_and_taken_back(store: Store) -> None:
    await store.set_norm_group("c1", "sector", "Thuiszorg")
    known = await store.conversation("c1")
    assert (known.norm_kind, known.norm_label) == ("sector", "Thuiszorg")
    await store.set_norm_group("c1", None, None)
    assert (await store.conversation("c1")).norm_kind is None


async def test_answers_are_kept_as_given_in_the_order_given(store: Store) -> None:
    check_in = await store.start_check_in("c1", "check_in", "hash", T0)
    await store.save_answer(check_in.id, "sleep", 7, T0)
    await store.save_answer(check_in.id, "fatigue", None, T0 + timedelta(seconds=1))
    await store.save_answer(check_in.id, "sleep", 6, T0 + timedelta(seconds=2))
    found = await store.open_check_in("c1")
    assert found.answers == {"fatigue": None, "sleep": 6}
    await store.remove_answer(check_in.id, "sleep")
    assert (await store.open_check_in("c1")).answers == {"fatigue": None}


async def test_an_empty_open_check_in_is_used_again_and_one_with_answers_is_not(store: Store) -> None:
    first = await store.start_check_in("c1", "check_in", "old", T0)
    again = await store.start_check_in("c1", "check_in", "new", T0 + timedelta(hours=1))
    assert (again.id, again.content_hash) == (first.id, "new")
    assert (await store.start_check_in("c1", "pols", "hash", T0)).id != first.id
    await store.save_answer(first.id, "sleep", 3, T0)
    assert (await store.start_check_in("c1", "check_in", "new", T0)).id != first.id


async def test_a_finished_check_in_is_no_longer_open_and_stays_finished(store: Store) -> None:
    for hour in (2, 1):
        check_in = await store.start_check_in("c1", "pols", "hash", T0)
        await store.save_answer(check_in.id, "sleep", hour, T0)
        await store.finish_check_in(check_in.id, T0 + timedelta(hours=hour))
        await store.finish_check_in(check_in.id, T0 + timedelta(days=9))
    assert await store.open_check_in("c1") is None
    assert [done.answers["sleep"] for done in await store.finished_check_ins("c1")] == [1, 2]


async def test_a_dropped_check_in_takes_its_answers_along(store: Store) -> None:
    check_in = await store.start_check_in("c1", "pols", "hash", T0)
    await store.save_answer(check_in.id, "sleep", 1, T0)
    await store.drop_check_in(check_in.id)
    assert await counted(store, "answers") == 0


async def test_forgetting_leaves_nothing_but_a_note_for_the_engine(store: Store) -> None:
    check_in = await store.start_check_in("c1", "pols", "hash", T0)
    await store.save_answer(check_in.id, "sleep", 1, T0)
    await store.forget("c1")
    await store.forget("c1")
    left = {
        t: await counted(store, t) for t in ("conversations", "messages", "check_ins", "answers", "forgotten")
    }
    assert left == {"conversations": 0, "messages": 0, "check_ins": 0, "answers": 0, "forgotten": 1}
    assert await store.export("c1") == {}


async def test_a_forgotten_conversation_is_not_made_again_by_a_late_action(store: Store) -> None:
    await store.forget("c1")
    late = await store.ensure_conversation("c1", "web")
    assert late.consent is None
    assert await store.conversation("c1") is None
    with pytest.raises(LookupError):
        await store.start_check_in("c1", "pols", "hash", T0)


async def test_export_holds_all_that_is_kept_and_no_token(store: Store) -> None:
    check_in = await store.start_check_in("c1", "pols", "hash", T0)
    await store.save_answer(check_in.id, "sleep", 4, T0)
    data = await store.export("c1")
    assert data["conversation"]["id"] == "c1"
    assert data["check_ins"][0]["answers"] == {"sleep": 4}
    assert "token" not in str(data)


async def test_a_moment_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="time zone"):
        await store.set_consent("c1", True, T0.replace(tzinfo=None))
