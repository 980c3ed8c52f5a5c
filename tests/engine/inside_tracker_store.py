"""Runs with the engine's Python: the tracker store against a cold read of the same database by Rasa's own."""

# ruff: noqa: PLC0415, PT017, S311 - no pytest in the engine's environment; stand-ins have Rasa's signatures

import random
import sys
from pathlib import Path
from typing import Any

from tests.engine.inside import Actions, check, prepare, random_messages, run_checks, state

MODEL, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])
prepare(MODEL)

from rasa.core.agent import Agent  # noqa: E402
from rasa.core.channels.channel import UserMessage  # noqa: E402
from rasa.core.processor import MessageProcessor  # noqa: E402
from rasa.core.tracker_store import SQLTrackerStore  # noqa: E402
from rasa.shared.core.events import SlotSet  # noqa: E402
from rasa.utils.endpoints import EndpointConfig  # noqa: E402

from engine import patches  # noqa: E402
from engine.channel import recorded_answer  # noqa: E402
from engine.lock_store import AsyncLockStore  # noqa: E402
from engine.tracker_store import CachedSQLTrackerStore  # noqa: E402

patches.apply()


def open_agent(
    file: Path, url: str = "http://127.0.0.1:9/none", **options: Any
) -> tuple[Agent, CachedSQLTrackerStore]:
    store = CachedSQLTrackerStore(db=str(file), **options)
    endpoint = EndpointConfig(url, enable_selective_domain=True)
    agent = Agent.load(MODEL, tracker_store=store, lock_store=AsyncLockStore(), action_endpoint=endpoint)
    return agent, store


async def cold(agent: Agent, file: Path, sender: str = "a") -> Any:
    """What Rasa's own store reads from the same file."""
    tracker = await SQLTrackerStore(domain=agent.domain, db=str(file)).retrieve(sender)
    return state(tracker) if tracker else None


async def say(agent: Agent, text: str, number: str = "1", sender: str = "a") -> None:
    await agent.handle_message(UserMessage(text, sender_id=sender, message_id=number))


@check
async def the_live_tracker_is_what_a_cold_read_gives(_model: Path, folder: Path) -> None:
    for seed in range(3):
        runner, url = await Actions(seed).start()
        file = folder / f"{seed}.db"
        agent, store = open_agent(file, url)
        for number, text in enumerate(random_messages(seed, 40)):
            await say(agent, text, str(number))
            live = await store.peek("a")
            assert state(live) == await cold(agent, file), (seed, number, text)
        await patches.close_sessions()
        await runner.cleanup()


@check
async def a_failed_turn_leaves_no_trace(_model: Path, folder: Path) -> None:
    agent, store = open_agent(folder / "a.db")
    for text in ("/greet", None):  # in a conversation that is under way, and in a new one
        sender = "a" if text else "new"
        if text:
            await say(agent, text, sender=sender)
        before = await cold(agent, folder / "a.db", sender)
        original = MessageProcessor._run_prediction_loop

        async def fails(self: Any, channel: Any, tracker: Any) -> None:
            tracker.update(SlotSet("tired", True))
            raise RuntimeError("half-way")

        MessageProcessor._run_prediction_loop = fails
        try:
            await say(agent, "/start_check_in", "2", sender)
        except RuntimeError:
            pass
        else:
            raise AssertionError("the turn did not fail")
        finally:
            MessageProcessor._run_prediction_loop = original
        live = await store.peek(sender)
        assert (state(live) if live else None) == before
        await say(agent, "/greet", "3", sender)
        assert recorded_answer(await store.peek(sender), "2") is None
        assert recorded_answer(await store.peek(sender), "3")


@check
async def a_database_that_fails_fails_the_turn(_model: Path, folder: Path) -> None:
    agent, store = open_agent(folder / "a.db")
    await say(agent, "/greet")
    before = await cold(agent, folder / "a.db")
    good = store._insert
    store._insert = good.values(nonsense=1)
    try:
        await say(agent, "/start_check_in", "2")
    except Exception as error:
        assert "start_check_in" not in str(error), "the message of a database error holds what was written"
    else:
        raise AssertionError("the turn did not fail")
    store._insert = good
    assert state(await store.peek("a")) == before


@check
async def what_another_process_writes_is_seen(_model: Path, folder: Path) -> None:
    agent, store = open_agent(folder / "a.db")
    other, _ = open_agent(folder / "a.db")
    for number in range(6):
        await say(agent if number % 2 else other, "/greet", str(number))
        for ours in (await store.peek("a"),):
            assert state(ours) == await cold(agent, folder / "a.db")
    tracker = await store.retrieve("a")
    assert tracker is not None
    assert [e.message_id for e in tracker.events if e.type_name == "user"] == [str(n) for n in range(6)]


@check
async def a_deleted_conversation_begins_anew(_model: Path, folder: Path) -> None:
    runner, url = await Actions(0).start()
    agent, store = open_agent(folder / "a.db", url)
    await say(agent, "/start_check_in")
    await say(agent, "/greet", sender="b")
    assert await store.delete("a") > 0
    assert await store.delete("a") == 0
    assert not await store.exists("a")
    assert await store.peek("a") is None
    assert list(await store.keys()) == ["b"]
    await say(agent, "/greet")
    tracker = await store.peek("a")
    assert tracker is not None
    assert tracker.active_loop_name is None
    await patches.close_sessions()
    await runner.cleanup()


@check
async def a_small_cache_is_only_slower(_model: Path, folder: Path) -> None:
    for size in (0, 40):
        file = folder / f"{size}.db"
        agent, store = open_agent(file, cached_events=size)
        chosen = random.Random(1)
        for number in range(40):
            sender = chosen.choice("abcdef")
            await say(agent, chosen.choice(["/greet", "/ask_why"]), str(number), sender)
            assert state(await store.peek(sender)) == await cold(agent, file, sender)
        assert store._kept._events <= size


@check
async def a_new_model_gets_trackers_with_its_own_slots(_model: Path, folder: Path) -> None:
    agent, store = open_agent(folder / "a.db")
    await say(agent, "/greet")
    agent.load_model(MODEL)
    tracker = await store.peek("a")
    assert tracker is not None
    assert store.domain is agent.domain
    assert set(tracker.slots) == {slot.name for slot in agent.domain.slots}


@check
async def rasa_makes_it_from_endpoints_yml(_model: Path, folder: Path) -> None:
    from rasa.core.tracker_store import TrackerStore
    from rasa.utils.endpoints import read_endpoint_config

    config = read_endpoint_config("endpoints.yml", "tracker_store")
    config.kwargs["db"] = str(folder / "new" / "a.db")
    store = TrackerStore.create(config)
    assert type(store) is CachedSQLTrackerStore
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


run_checks(MODEL, FOLDER)
