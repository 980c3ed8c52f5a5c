"""Room `engine`: the past of a conversation, worked out once. May know Rasa's trackers, domain and events.

To predict one action, Rasa replays the whole conversation several times, and again to hand a copy to the action.
Here a tracker remembers what was worked out and goes on from there, so the cost of a turn does not grow with the
length of the conversation. Events are only ever appended; what undoes earlier ones starts the work anew.
"""

# ruff: noqa: SLF001 - it stands in for Rasa's own methods, which use these too

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import (
    ActionExecuted,
    ActionReverted,
    ActiveLoop,
    DefinePrevUserUtteredFeaturization,
    Event,
    Restarted,
    SessionStarted,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

_APPLIED, _REPLAY = "_ademruimte_applied", "_ademruimte_replay"  # attributes on a tracker
_MARKS_KEPT = 40  # actions that a replay can step back over; an undo that reaches further starts anew
_OF_A_TURN = (ActionExecuted, UserUttered, DefinePrevUserUtteredFeaturization)


@dataclass
class _Applied:
    """The events in force after the first `seen` events, given the names of the forms that ever ran."""

    seen: int = 0
    loops: set[str] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)


def applied_events(self: DialogueStateTracker) -> list[Event]:
    """Stands in for DialogueStateTracker.applied_events: the same list, from the events since the last call."""
    known: _Applied | None = self.__dict__.get(_APPLIED)
    if known is None or known.seen > len(self.events):
        known = _Applied()
    new = list(islice(self.events, known.seen, None))
    loops = {event.name for event in new if isinstance(event, ActiveLoop) and event.name}
    if not loops <= known.loops:
        # Rasa judges every event by all form names there are, also by those that came later.
        new = list(self.events)
        known = _Applied(loops=known.loops | loops)
    for event in new:
        _apply(self, known, event)
    known.seen = len(self.events)
    self.__dict__[_APPLIED] = known
    return list(known.events)


def _apply(tracker: DialogueStateTracker, known: _Applied, event: Event) -> None:
    done = known.events
    if isinstance(event, ActionExecuted):
        name = event.action_name
        if name in known.loops and not tracker._first_loop_execution_or_unhappy_path(name, done):
            _undo_to_loop(name, done)
        else:
            done.append(event)
    elif isinstance(event, (Restarted, SessionStarted)):
        known.events = []
    elif isinstance(event, ActionReverted):
        tracker._undo_till_previous(ActionExecuted, done)
    elif isinstance(event, UserUtteranceReverted):
        tracker._undo_till_previous(UserUttered, done)
        tracker._undo_till_previous(ActionExecuted, done)
    else:
        done.append(event)


def _undo_to_loop(name: str, done: list[Event]) -> None:
    """Take back turns after the form last ran; what they set (slots and so on) stays."""
    start = len(done)
    while start and not (isinstance(done[start - 1], ActionExecuted) and done[start - 1].action_name == name):
        start -= 1
    done[start:] = [event for event in done[start:] if not isinstance(event, _OF_A_TURN)]


def copy_tracker(self: DialogueStateTracker) -> DialogueStateTracker:
    """Stands in for DialogueStateTracker.copy: the state is copied as it is, not replayed."""
    copied = self.init_copy()
    copied.events.extend(self.events)
    _put(copied, _take(self))
    known: _Applied | None = self.__dict__.get(_APPLIED)
    if known is not None:
        copied.__dict__[_APPLIED] = _Applied(known.seen, set(known.loops), list(known.events))
    return copied


@dataclass
class _Snapshot:
    """A tracker's state without its events."""

    slots: list[tuple[Any, bool]]
    paused: bool
    followup_action: str | None
    latest_action: Any
    latest_message: Any
    latest_bot_utterance: Any
    active_loop: Any


def _take(tracker: DialogueStateTracker) -> _Snapshot:
    return _Snapshot(
        [(slot._value, slot._has_been_set) for slot in tracker.slots.values()],
        tracker._paused,
        tracker.followup_action,
        tracker.latest_action,
        tracker.latest_message,
        tracker.latest_bot_utterance,
        replace(tracker.active_loop) if tracker.active_loop else None,
    )


def _put(tracker: DialogueStateTracker, snapshot: _Snapshot) -> None:
    for slot, (value, has_been_set) in zip(tracker.slots.values(), snapshot.slots, strict=True):
        slot._value, slot._has_been_set = value, has_been_set
    tracker._paused = snapshot.paused
    tracker.followup_action = snapshot.followup_action
    tracker.latest_action = snapshot.latest_action
    tracker.latest_message = snapshot.latest_message
    tracker.latest_bot_utterance = snapshot.latest_bot_utterance
    tracker.active_loop = replace(snapshot.active_loop) if snapshot.active_loop else None


@dataclass
class _Mark:
    """The conversation as it was just before an action: what a policy was asked about at that moment."""

    position: int  # of the action among the applied events
    snapshot: _Snapshot
    state: State


class _Replay:
    """Replays a conversation step by step, and goes back to a mark when later events undo earlier ones."""

    def __init__(self, tracker: DialogueStateTracker, domain: Domain) -> None:
        self.domain = domain
        self._tracker = tracker.init_copy()
        self._start = _take(self._tracker)
        self._applied: list[Event] = []
        self._marks: list[_Mark] = []
        self._seen = -1
        self._now: State = {}

    def follow(self, tracker: DialogueStateTracker) -> None:
        """Catch up with the tracker's events."""
        if self._seen == len(tracker.events):
            return
        wanted = tracker.applied_events()
        common = _common_length(self._applied, wanted)
        if common < len(self._applied):
            while self._marks and self._marks[-1].position > common:
                self._marks.pop()
            if self._marks:
                # This mark is made anew below, if an action still stands there.
                mark = self._marks.pop()
                common = mark.position
                _put(self._tracker, mark.snapshot)
            else:
                common = 0
                _put(self._tracker, self._start)
        for position in range(common, len(wanted)):
            event = wanted[position]
            if isinstance(event, ActionExecuted):
                self._marks.append(_Mark(position, _take(self._tracker), self._state()))
            event.apply_to(self._tracker)
        del self._marks[:-_MARKS_KEPT]
        self._applied = wanted
        self._now = self._state()
        self._seen = len(tracker.events)

    def latest(self, count: int) -> list[State]:
        """The last `count` states (at most 41), oldest first; the caller may change them."""
        states = (
            [mark.state for mark in self._marks[max(0, len(self._marks) - count + 1) :]] if count > 1 else []
        )
        return [{kind: dict(part) for kind, part in state.items()} for state in (*states, self._now)]

    def _state(self) -> State:
        state: State = self.domain.get_active_state(self._tracker)
        return {kind: dict(part) for kind, part in state.items()}


def latest_states(tracker: DialogueStateTracker, domain: Domain, count: int) -> list[State]:
    """The last `count` states that Domain.states_for_tracker_history would give, oldest first."""
    replay: _Replay | None = tracker.__dict__.get(_REPLAY)
    if replay is None or replay.domain is not domain:
        replay = tracker.__dict__[_REPLAY] = _Replay(tracker, domain)
    replay.follow(tracker)
    return replay.latest(count)


def _common_length(old: list[Event], new: list[Event]) -> int:
    """How many events both lists start with: the same objects, not equal ones."""
    length = 0
    for before, after in zip(old, new):  # noqa: B905 - the shorter one ends it
        if before is not after:
            break
        length += 1
    return length
