"""What is known about a person when a round of questions is finished. Room: pure core; times are passed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.screening.instruments import Given
from bot.screening.triage import STRESS, Earlier, Facts

#: Answers to another questionnaire count along for so long (product rule).
RECENT = timedelta(days=14)


class Round(Protocol):
    """A finished round of questions, as storage keeps it."""

    @property
    def instrument(self) -> str:
        """Which questionnaire."""

    @property
    def finished_at(self) -> datetime | None:
        """When it was finished, with time zone."""

    @property
    def answers(self) -> Mapping[str, Given]:
        """Item → answer, None for a skipped question."""


def facts(current: Round, earlier: Sequence[Round]) -> Facts:
    """Everything triage needs: the answers of now, recent answers to other questionnaires, check-ins of before.

    Args:
        current: the round that was finished just now.
        earlier: finished rounds of before, oldest first; `current` is the latest.
    """
    now = current.finished_at
    answers: dict[str, Given] = {}
    if now is not None:
        for one in earlier:
            if one.finished_at is not None and now - one.finished_at <= RECENT:
                answers |= one.answers
    answers |= current.answers
    at, before = _stress(current, earlier)
    return Facts(answers, at, before)


def phq2_sum(answers: Mapping[str, Given]) -> float | None:
    """Sum of the PHQ-2 among the answers; None unless both were given."""
    values = [answers.get(item) for item in ("phq2_interest", "phq2_mood")]
    known = [value for value in values if isinstance(value, int)]
    return sum(known) if len(known) == len(values) else None


def _stress(current: Round, earlier: Iterable[Round]) -> tuple[datetime | None, list[Earlier]]:
    """The latest check-in with stress items, and those before it."""
    rounds = [
        one for one in (*earlier, current) if one.finished_at is not None and set(STRESS) & set(one.answers)
    ]
    if not rounds:
        return current.finished_at, []
    return rounds[-1].finished_at, [
        Earlier(one.finished_at, one.answers) for one in rounds[:-1] if one.finished_at is not None
    ]
