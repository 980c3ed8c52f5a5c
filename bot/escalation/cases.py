"""A case: its states, what may happen in which, and when a person must have been reached.

Room: pure core. Knows words and times, nothing of storage, HTTP or the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

State = Literal["new", "claimed", "contacted", "live", "closed"]
Action = Literal["claim", "hand_over", "release", "contact", "start_live", "end_live", "close"]
Urgency = Literal["now", "48h", "week"]
Origin = Literal["triage", "crisis", "request", "callback"]
Outcome = Literal["talked", "referred", "no_reply", "withdrawn", "other"]
Role = Literal["coach", "lead_coach", "administrator"]
Presence = Literal["available", "busy", "away"]

STATES: tuple[State, ...] = get_args(State)
URGENCIES: tuple[Urgency, ...] = get_args(Urgency)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
ROLES: tuple[Role, ...] = get_args(Role)
PRESENCES: tuple[Presence, ...] = get_args(Presence)

#: From when a case is opened until a person must have been reached. It never pauses (design: escalation.md).
DUE: dict[Urgency, timedelta] = {
    "now": timedelta(hours=1),
    "48h": timedelta(hours=48),
    "week": timedelta(days=7),
}
#: At these shares of that time people are reminded: first the coach, then the deputy and the administrator.
REMINDERS: dict[str, float] = {"reminder_75": 0.75, "reminder_100": 1.0}

_NEXT: dict[Action, dict[State, State]] = {
    "claim": {"new": "claimed"},
    "release": {"claimed": "new", "contacted": "new"},
    "hand_over": {"claimed": "claimed", "contacted": "contacted"},
    "contact": {"claimed": "contacted", "contacted": "contacted", "live": "live"},
    "start_live": {"claimed": "live", "contacted": "live"},
    "end_live": {"live": "contacted"},
    "close": {"new": "closed", "claimed": "closed", "contacted": "closed", "live": "closed"},
}


class NotAllowedError(ValueError):
    """That cannot be done with a case in this state."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cases someone at the desk sees: those of `organisation` and `region`; None does not limit.

    Raises:
        ValueError: neither is named: nobody sees everything by an oversight.
    """

    organisation: str | None
    region: str | None

    def __post_init__(self) -> None:
        if self.organisation is None and self.region is None:
            raise ValueError("name an organisation or a region")

    def covers(self, organisation: str, region: str) -> bool:
        """Whether a case of this organisation and region is theirs to see."""
        return self.organisation in (None, organisation) and self.region in (None, region)


def after(state: State, action: Action) -> State:
    """The state that follows.

    Raises:
        NotAllowedError: the action is not possible in this state.
    """
    try:
        return _NEXT[action][state]
    except KeyError:
        raise NotAllowedError(f"{action} is not possible in state {state}") from None


def states_for(action: Action) -> tuple[State, ...]:
    """The states in which the action is possible."""
    return tuple(_NEXT[action])


def due_at(urgency: Urgency, opened_at: datetime) -> datetime:
    """When a person must have been reached at the latest."""
    return opened_at + DUE[urgency]


def soonest(due: datetime, now: datetime) -> datetime:
    """When someone must be reached who waits until `due` and is in danger now: as one who asks now, but never later."""
    urgent = due_at("now", now)
    return due if now < due < urgent else urgent


def reminder_at(kind: str, opened_at: datetime, due: datetime) -> datetime:
    """When a reminder (a key of `REMINDERS`) is due."""
    return opened_at + REMINDERS[kind] * (due - opened_at)


def is_more_urgent(one: Urgency, other: Urgency) -> bool:
    """Whether `one` is more urgent than `other`."""
    return URGENCIES.index(one) < URGENCIES.index(other)
