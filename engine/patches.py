"""Room `engine`: what Rasa 3.6.21 does needlessly at every turn, done once or not at all. May know Rasa only.

Each patch replaces one function by one that gives the same result; `tests/engine/inside_patches.py` compares them
with the originals. Only where something fails the result is another: the turn fails with it and leaves no trace.
`apply` refuses to start on any other source text, so that a new Rasa version is read first.
"""

# ruff: noqa: SLF001 - it stands in for Rasa's own methods, which use these too

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from copy import copy
from functools import lru_cache
from typing import Any, NamedTuple

import aiohttp
import jsonschema
import rasa
from aiohttp.client_exceptions import ContentTypeError
from rasa.core.actions.action import Action, ActionExecutionRejection, RemoteAction
from rasa.core.actions.forms import FormAction
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.core.policies.memoization import MemoizationPolicy
from rasa.core.policies.rule_policy import RulePolicy
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import InMemoryTrackerStore, TrackerStore
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.nlu.classifiers.regex_message_handler import RegexMessageHandler
from rasa.shared.constants import INTENT_MESSAGE_PREFIX
from rasa.shared.core.constants import REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, Restarted, SlotSet
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.utils.common import all_subclasses
from rasa.utils.endpoints import ClientResponseError, EndpointConfig, concat_url

from engine import history, rules

ACTION_TIMEOUT = aiohttp.ClientTimeout(total=10)  # seconds; Rasa waits 300 while the conversation is locked
EVENTS_FOR_ACTIONS = 20  # the least number of latest events that a custom action is sent

_SESSION = "_ademruimte_session"  # attribute on an endpoint
_sessions: list[aiohttp.ClientSession] = []  # all that were opened


class Patch(NamedTuple):
    """One replaced function: where it lives, what its source hashed to, and what stands in for it."""

    owner: type
    name: str
    source_sha256: str  # see source_hash
    replacement: Callable[..., Any]


def _validate_action_result(self: RemoteAction, result: dict[str, Any]) -> bool:  # noqa: ARG001
    """Rasa checks its own schema against the meta-schema at each call (about 30 ms); here it is compiled once.

    Events that set a slot, nearly all there are, are known to be good by sight.
    """
    events = result.get("events") if isinstance(result, dict) else None
    if isinstance(events, list):
        result = {**result, "events": [event for event in events if not _sets_a_slot(event)]}
    error = next(_action_result_validator().iter_errors(result), None)
    if error is not None:
        raise error
    return True


def _sets_a_slot(event: Any) -> bool:
    return (
        isinstance(event, dict)
        and event.keys() <= {"event", "name", "value", "timestamp"}
        and event.get("event") == "slot"
        and isinstance(event.get("name"), str)
        and "value" in event
        and (event.get("timestamp") is None or type(event["timestamp"]) in (int, float))
    )


@lru_cache(maxsize=1)
def _action_result_validator() -> Any:
    schema = RemoteAction.action_response_format_spec()
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    return validator(schema)


def _action_call_format(self: RemoteAction, tracker: DialogueStateTracker, domain: Domain) -> dict[str, Any]:
    """Rasa sends the whole conversation with each call; actions look at the last turns only.

    Sent are the latest `EVENTS_FOR_ACTIONS` events, and further back as far as the user message before last.
    """
    state = tracker.current_state(EventVerbosity.NONE)
    state["events"] = [event.as_dict() for event in latest_events(tracker)]
    call = {
        "next_action": self.name(),
        "sender_id": tracker.sender_id,
        "tracker": state,
        "version": rasa.__version__,
    }
    if not self._is_selective_domain_enabled() or domain.does_custom_action_explicitly_need_domain(
        self.name()
    ):
        call["domain"] = domain.as_dict()
    return call


def latest_events(tracker: DialogueStateTracker) -> list[Any]:
    """The end of the conversation: at least `EVENTS_FOR_ACTIONS` events and two user messages, oldest first."""
    taken: list[Any] = []
    turns = 0
    for event in reversed(tracker.events):
        if len(taken) >= EVENTS_FOR_ACTIONS and turns >= 2:
            break
        taken.append(event)
        turns += event.type_name == "user"
    return taken[::-1]


async def _request(
    self: EndpointConfig,
    method: str = "post",
    subpath: str | None = None,
    content_type: str | None = "application/json",
    compress: bool = False,
    **kwargs: Any,
) -> Any | None:
    """Rasa opens and closes an HTTP session for each action call; here each endpoint keeps one."""
    session: aiohttp.ClientSession | None = self.__dict__.get(_SESSION)
    if session is None or session.closed:
        session = self.__dict__[_SESSION] = self.session()
        _sessions.append(session)
    headers = {"Content-Type": content_type} if content_type else {}
    headers.update(kwargs.pop("headers", {}))
    headers.update(self.headers)
    kwargs["timeout"] = ACTION_TIMEOUT
    async with session.request(
        method,
        concat_url(self.url, subpath),
        headers=headers,
        params=self.combine_parameters(kwargs),
        compress=compress or None,
        **kwargs,
    ) as response:
        if response.status >= 400:
            raise ClientResponseError(response.status, response.reason, await response.text())
        try:
            return await response.json()
        except ContentTypeError:
            return None


def _create_tracker_store(store: TrackerStore | None, domain: Domain | None) -> TrackerStore:
    """Rasa answers a failing database with a store in memory, and the person starts from nothing without a word.

    Here the error reaches the caller: the turn fails, the app says so and asks again.
    """
    if store is None:
        return InMemoryTrackerStore(domain)
    store.domain = domain
    return store


async def _run_action(self: MessageProcessor, action: Action, *others: Any, **named: Any) -> bool:
    """Rasa goes on without an action that failed, and the person gets half an answer or none, for good.

    Here the turn fails, is not kept, and the app asks again: an app that is killed in the middle of a turn takes its
    actions with it.
    """
    failed: list[Exception] = []

    async def run(*given: Any) -> list[Event]:
        try:
            return await action.run(*given)
        except ActionExecutionRejection:
            raise  # a form's way to say that the answer is not for it
        except Exception as error:
            failed.append(error)
            raise

    watched = copy(action)
    watched.run = run  # type: ignore[method-assign]
    more: bool = await _originals[MessageProcessor, "_run_action"](self, watched, *others, **named)
    if failed:
        raise failed[0]
    return more


def _temporary_tracker(
    self: FormAction, current_tracker: DialogueStateTracker, additional_events: list[Event], domain: Domain
) -> DialogueStateTracker:
    """Rasa replays the conversation to validate a form; a copy with the form's events is the same tracker."""
    if Restarted in map(type, current_tracker.events):
        return _originals[FormAction, "_temporary_tracker"](self, current_tracker, additional_events, domain)
    tracker = current_tracker.copy()
    asked = SlotSet(REQUESTED_SLOT, self.get_slot_to_fill(current_tracker))
    for event in (asked, ActionExecuted(self.name()), *additional_events):
        tracker.update(event)
    return tracker


def _copy_slot(self: Slot) -> Slot:
    """Every tracker copies all slots of the domain; Python's general way of copying takes five times as long."""
    made: Slot = object.__new__(type(self))
    made.__dict__.update(self.__dict__)
    return made


def _resolve_by_type(type_name: str, default: type[Event] | None = None) -> type[Event] | None:
    """Rasa walks through all event classes for each event that an action sends back."""
    known = _event_types().get(type_name)
    return known or _originals[Event, "resolve_by_type"](type_name, default)


@lru_cache(maxsize=1)
def _event_types() -> dict[str, type[Event]]:
    return {event.type_name: event for event in reversed(all_subclasses(Event))}


def _parse_message_with_graph(
    self: MessageProcessor,
    message: UserMessage,
    tracker: DialogueStateTracker,
    only_output_properties: bool = True,
) -> dict[str, Any]:
    """Rasa runs the whole pipeline over the payload of a tapped button, then throws the result away."""
    if message.text and message.text.startswith(INTENT_MESSAGE_PREFIX):
        parsed = RegexMessageHandler().process([Message({TEXT: message.text})], self.domain)[0]
        if parsed.get(INTENT) is not None:
            return {TEXT: "", ENTITIES: [], **parsed.as_dict(only_output_properties=only_output_properties)}
    return _originals[MessageProcessor, "_parse_message_with_graph"](
        self, message, tracker, only_output_properties
    )


def _run(
    self: DaskGraphRunner, inputs: dict[str, Any] | None = None, targets: list[str] | None = None
) -> dict[str, Any]:
    """Rasa builds a graph anew for each run and gives it to a scheduler; the order of its nodes never changes."""
    wanted = tuple(targets or self._graph_schema.target_names)
    plans = self.__dict__.setdefault("_plans", {})
    if wanted not in plans:
        plans[wanted] = _plan(self, wanted)
    results: dict[str, Any] = {name: (name, value) for name, value in (inputs or {}).items()}
    for name, node, needs in plans[wanted]:
        results[name] = node(*[results.get(need, need) for need in needs])
    return {name: results[name][1] for name in wanted}


def _plan(runner: DaskGraphRunner, targets: tuple[str, ...]) -> list[tuple[str, Any, tuple[str, ...]]]:
    """The nodes that the targets need, each after the nodes it needs itself."""
    nodes = runner._graph_schema.minimal_graph_schema(list(targets)).nodes
    plan: dict[str, tuple[str, Any, tuple[str, ...]]] = {}

    def add(name: str) -> None:
        if name in nodes and name not in plan:
            needs = tuple(nodes[name].needs.values())
            for need in needs:
                add(need)
            plan[name] = (name, runner._instantiated_nodes[name], needs)

    for target in targets:
        add(target)
    return list(plan.values())


_originals: dict[tuple[type, str], Callable[..., Any]] = {}

PATCHES = (
    Patch(RemoteAction, "_validate_action_result", "f8cdb4be68123961", _validate_action_result),
    Patch(RemoteAction, "_action_call_format", "428795b944f22edb", _action_call_format),
    Patch(EndpointConfig, "request", "ccdb778aed8208e2", _request),
    Patch(Agent, "_create_tracker_store", "97499b594b45581b", staticmethod(_create_tracker_store)),
    Patch(MessageProcessor, "_parse_message_with_graph", "0bd50a53b5c013af", _parse_message_with_graph),
    Patch(MessageProcessor, "_run_action", "6d383d0179ef1187", _run_action),
    Patch(DaskGraphRunner, "run", "45f0f52f574f3aa9", _run),
    Patch(FormAction, "_temporary_tracker", "381bc4b6e07fc205", _temporary_tracker),
    Patch(Slot, "__copy__", "none", _copy_slot),
    Patch(Event, "resolve_by_type", "b5cf570fa7f286c7", staticmethod(_resolve_by_type)),
    Patch(DialogueStateTracker, "copy", "dfa48dca9f355ad1", history.copy_tracker),
    Patch(DialogueStateTracker, "applied_events", "764d5065ea9997d6", history.applied_events),
    Patch(RulePolicy, "_get_possible_keys", "2915fd81711e194c", rules.possible_keys),
    Patch(RulePolicy, "_prediction_states", "ed9b82bed2f26ad7", rules.prediction_states),
    Patch(
        MemoizationPolicy,
        "predict_action_probabilities",
        "19903a81bee56ca9",
        rules.without_stories(MemoizationPolicy.predict_action_probabilities),
    ),
)


def source_hash(owner: type, name: str) -> str:
    """The first 16 hex digits of the SHA-256 of a function's source text; "none" when there is no such function."""
    if not hasattr(owner, name):
        return "none"
    return hashlib.sha256(inspect.getsource(getattr(owner, name)).encode()).hexdigest()[:16]


def apply() -> None:
    """Put every patch in place; a second call does nothing.

    Raises:
        RuntimeError: a function is not the one that its patch was written for.
    """
    if _originals:
        return
    changed = [
        f"{patch.owner.__name__}.{patch.name}"
        for patch in PATCHES
        if source_hash(patch.owner, patch.name) != patch.source_sha256
    ]
    if changed:
        raise RuntimeError(
            f"written for Rasa 3.6.21; in {rasa.__version__} these differ: {', '.join(changed)}"
        )
    for patch in PATCHES:
        _originals[patch.owner, patch.name] = getattr(patch.owner, patch.name, None)
        setattr(patch.owner, patch.name, patch.replacement)


async def close_sessions() -> None:
    """Close the kept HTTP sessions; call before the event loop ends."""
    while _sessions:
        await _sessions.pop().close()
