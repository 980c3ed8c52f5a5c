"""Runs with the engine's Python: compares each patch with the function of Rasa that it stands in for."""

# ruff: noqa: PLC0415, PT017, S311 - no pytest in the engine's environment; chance here is for repeating

import random
import sys
from pathlib import Path
from typing import Any

from tests.engine.inside import (
    MESSAGES,
    Actions,
    check,
    comparable,
    prepare,
    random_messages,
    run_checks,
    state,
)

MODEL, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])
prepare(MODEL)

from rasa.core.actions.action import RemoteAction  # noqa: E402
from rasa.core.agent import Agent  # noqa: E402
from rasa.core.channels.channel import UserMessage  # noqa: E402
from rasa.core.policies.rule_policy import RulePolicy  # noqa: E402
from rasa.core.tracker_store import InMemoryTrackerStore, SQLTrackerStore  # noqa: E402
from rasa.shared.core import events as rasa_events  # noqa: E402
from rasa.shared.core.trackers import DialogueStateTracker  # noqa: E402
from rasa.utils.endpoints import EndpointConfig  # noqa: E402

from engine import patches  # noqa: E402
from engine.lock_store import AsyncLockStore  # noqa: E402
from engine.tracker_store import CachedSQLTrackerStore  # noqa: E402


async def conversation(agent_options: dict[str, Any], seed: int, messages: list[str]) -> tuple[list, list]:
    """All outputs and all events of a conversation."""
    runner, url = await Actions(seed).start()
    endpoint = EndpointConfig(url, enable_selective_domain=True)
    agent = Agent.load(MODEL, action_endpoint=endpoint, **agent_options)
    outputs = []
    try:
        for number, text in enumerate(messages):
            message = UserMessage(text, sender_id="a", message_id=str(number))
            await agent.handle_message(message)
            outputs.append(message.output_channel.messages)
    finally:
        await patches.close_sessions()
        await runner.cleanup()
    tracker = await agent.tracker_store.retrieve_full_tracker("a")
    return outputs, [comparable(event) for event in tracker.events]


@check
async def stock_first(_model: Path, folder: Path) -> None:
    """Must run before the patches are applied: the conversations that the patched engine has to repeat."""
    for seed in range(3):
        store = SQLTrackerStore(db=str(folder / f"{seed}.db"))
        STOCK[seed] = await conversation({"tracker_store": store}, seed, random_messages(seed, 60))


STOCK: dict[int, Any] = {}


@check
def another_source_text_is_refused(_model: Path, _folder: Path) -> None:
    original = RemoteAction.run
    first = patches.PATCHES[0]
    patches.PATCHES = (first._replace(owner=RemoteAction, name="run"), *patches.PATCHES)
    try:
        patches.apply()
    except RuntimeError as error:
        assert "RemoteAction.run" in str(error)
    else:
        raise AssertionError("it was applied")
    finally:
        patches.PATCHES = patches.PATCHES[1:]
    assert RemoteAction.run is original


@check
def every_patch_fits_this_rasa(_model: Path, _folder: Path) -> None:
    patches.apply()
    patches.apply()
    for patch in patches.PATCHES:
        expected = getattr(patch.replacement, "__func__", patch.replacement)
        assert getattr(patch.owner, patch.name) is expected, patch.name


@check
async def whole_conversations_are_the_same(_model: Path, folder: Path) -> None:
    for seed, (outputs, events) in STOCK.items():
        store = CachedSQLTrackerStore(db=str(folder / f"{seed}.db"))
        options = {"tracker_store": store, "lock_store": AsyncLockStore()}
        ours, our_events = await conversation(options, seed, random_messages(seed, 60))
        for number, (one, other) in enumerate(zip(outputs, ours, strict=True)):
            assert one == other, (seed, number, one, other)
        assert events == our_events, seed


@check
async def every_prediction_and_every_copy_is_the_same(_model: Path, _folder: Path) -> None:
    """At each step of long random conversations, against a tracker replayed from its events by Rasa itself."""
    seen = {"predictions": 0, "matched": 0}
    ours = RulePolicy.predict_action_probabilities

    def compared(
        self: RulePolicy, tracker: DialogueStateTracker, domain: Any, *args: Any, **kwargs: Any
    ) -> Any:
        found = ours(self, tracker, domain, *args, **kwargs)
        fresh = DialogueStateTracker.from_events("a", list(tracker.events), domain.slots)
        fresh.followup_action = tracker.followup_action
        assert [id(e) for e in tracker.applied_events()] == [id(e) for e in original_applied(fresh)]
        assert state(tracker.copy()) == state(fresh)
        states = original_states(self, fresh, domain, False, rule_only_data=None)
        end = self._prediction_states(tracker, domain, False)
        assert end == states[-len(end) :], (end, states)
        assert len(end) == min(
            len(states), 1 + max(len(self._rule_key_to_state(k)) for k in self.lookup["rules"])
        )
        for name in ("rules", "rules_for_loop_unhappy_path"):
            keys = original_keys(self, self.lookup[name], states)
            assert self._get_possible_keys(self.lookup[name], end) == keys
            seen["matched"] += bool(keys)
        seen["predictions"] += 1
        return found

    original_applied = patches._originals[DialogueStateTracker, "applied_events"]
    original_states = patches._originals[RulePolicy, "_prediction_states"]
    original_keys = patches._originals[RulePolicy, "_get_possible_keys"]
    problems: list[BaseException] = []

    def noting(*args: Any, **kwargs: Any) -> Any:
        try:
            return compared(*args, **kwargs)
        except AssertionError as error:
            problems.append(error)
            raise

    RulePolicy.predict_action_probabilities = noting
    try:
        for seed in range(10, 14):
            options = {"tracker_store": InMemoryTrackerStore(None)}
            try:
                await conversation(options, seed, random_messages(seed, 40))
            except Exception:
                if problems:
                    raise problems[0] from None
                raise
    finally:
        RulePolicy.predict_action_probabilities = ours
    assert seen["predictions"] > 200, seen
    assert seen["matched"] > 100, seen


@check
def events_in_force_are_the_same_for_any_events(_model: Path, _folder: Path) -> None:
    original = patches._originals[DialogueStateTracker, "applied_events"]
    chosen = random.Random(5)
    undoing = [
        rasa_events.ActionReverted,
        rasa_events.UserUtteranceReverted,
        rasa_events.Restarted,
        rasa_events.SessionStarted,
    ]
    makers = [
        lambda: rasa_events.ActionExecuted("action_listen"),
        lambda: rasa_events.ActionExecuted(chosen.choice(["form_a", "form_b", "utter_x"])),
        lambda: rasa_events.UserUttered("x", intent={"name": chosen.choice(["a", "b"])}),
        lambda: rasa_events.SlotSet("tired", chosen.random() > 0.5),
        lambda: rasa_events.ActiveLoop(chosen.choice(["form_a", "form_b", None])),
        lambda: rasa_events.ActionExecutionRejected(chosen.choice(["form_a", "form_b"])),
        lambda: rasa_events.LoopInterrupted(True),
        lambda: rasa_events.BotUttered("y"),
        lambda: rasa_events.DefinePrevUserUtteredFeaturization(False),
        lambda: chosen.choice(undoing)(),  # noqa: PLW0108 - chosen anew each time
    ]  # fmt: skip
    weights = [6, 8, 6, 3, 3, 2, 1, 2, 3, 1]
    for _ in range(150):
        tracker = DialogueStateTracker("a", [])
        for _ in range(chosen.randrange(60)):
            tracker.events.append(chosen.choices(makers, weights)[0]())
            if chosen.random() < 0.4:
                assert [id(e) for e in tracker.applied_events()] == [id(e) for e in original(tracker)]
        assert [id(e) for e in tracker.copy().applied_events()] == [id(e) for e in original(tracker)]


@check
def action_results_are_judged_the_same(_model: Path, _folder: Path) -> None:
    original = patches._originals[RemoteAction, "_validate_action_result"]
    action = RemoteAction("x", None)
    slot = {"event": "slot", "name": "a", "value": 1, "timestamp": None}
    results: list[Any] = [
        {}, {"events": []}, {"events": [slot], "responses": [{}]}, {"events": [{**slot, "timestamp": 1.5}]},
        {"events": [{**slot, "timestamp": "x"}]}, {"events": [{**slot, "timestamp": True}]},
        {"events": [{**slot, "name": 1}]}, {"events": [{"event": "slot", "name": "a"}]},
        {"events": [{**slot, "metadata": 3}]},
        {"events": [{**slot, "metadata": {}}]}, {"events": "x"}, {"events": None}, {"events": [None]}, {"events": [{}]},
        {"events": [{"event": "nonsense"}]}, {"events": [{"event": "followup", "name": "x"}, slot]},
        {"responses": None}, {"responses": ["x"]}, {"responses": {}}, [], None, "x", 3,
        {"events": [slot, {"event": 1}]},
        {"events": [{"event": "bot", "text": "x", "data": {}}]}, {"events": [{"event": "user", "text": 3}]},
    ]  # fmt: skip

    def verdict(validate: Any, result: Any) -> str:
        try:
            return str(validate(action, result))
        except Exception as error:
            return type(error).__name__

    for result in results:
        assert verdict(type(action)._validate_action_result, result) == verdict(original, result), result


@check
async def what_is_typed_and_what_is_tapped_is_read_the_same(_model: Path, _folder: Path) -> None:
    from rasa.core.processor import MessageProcessor

    original = patches._originals[MessageProcessor, "_parse_message_with_graph"]
    processor = Agent.load(MODEL).processor
    tracker = DialogueStateTracker("a", [])
    for text in (
        *MESSAGES,
        '/give_score{"score": 3} rest',
        "/greet@0.5",
        "/give_score{kapot",
        " /greet",
        "/",
        "//",
        "/ greet",
    ):
        message = UserMessage(text, message_id="1")
        ours = processor._parse_message_with_graph(message, tracker)
        assert comparable_parse(ours) == comparable_parse(original(processor, message, tracker)), text


def comparable_parse(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "message_id"}


run_checks(MODEL, FOLDER)
