"""What filled-in answers add up to: sums and means with their cut-offs, and the outcome of the spanningscheck.

Room: pure core. Signals, never diagnoses; the words for a person stand in resources/conversation/outcomes.yml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.screening.instruments import CutOff, Given, Instrument, Score

Tension = Literal["no_signal", "possible_overstrain", "possible_burnout", "inconclusive"]

#: From so many of the eight complaints on, criterion A is met (LVE/NHG/NVAB 2011, in HGR 9339 section 2.1.1).
COMPLAINTS = 3
#: PHQ-2 and GAD-2: from this sum on (Kroenke 2003, 2007).
CUT_OFF = 3


@dataclass(frozen=True)
class Scored:
    """One score. `value` is None when more items are missing than the instrument allows; `missing` names them."""

    score: Score
    value: float | None
    missing: tuple[str, ...]

    @property
    def cut_off(self) -> CutOff | None:
        """The highest cut-off that is reached; None without a value or below all."""
        reached = [one for one in self.score.cut_offs if self.value is not None and one.start <= self.value]
        return reached[-1] if reached else None


def checked(instrument: Instrument, answers: Mapping[str, object]) -> dict[str, Given]:
    """Answers that may be kept, for every item of the instrument; None where one is missing.

    Raises:
        ValueError: an unknown item, or an answer that its item does not know; the message starts with the item.
    """
    known = {item.id: item for item in instrument.items}
    for name in answers:
        if name not in known:
            raise ValueError(f"{instrument.id} has no item {name!r}")
    found: dict[str, Given] = {}
    for name, item in known.items():
        try:
            found[name] = instrument.check(item, answers.get(name))
        except ValueError as error:  # noqa: PERF203 - the item is named in the message
            raise ValueError(f"{name}: {error}") from None
    return found


def score(instrument: Instrument, answers: Mapping[str, Given]) -> list[Scored]:
    """Every score of the instrument, in its order. Missing items are never counted as 0."""
    return [_scored(instrument, one, answers) for one in instrument.scores]


def _scored(instrument: Instrument, rule: Score, answers: Mapping[str, Given]) -> Scored:
    values: list[int] = []
    missing: list[str] = []
    for name in rule.items:
        given = answers.get(name)
        if not isinstance(given, int):
            missing.append(name)
            continue
        item = instrument.item(name)
        low, high = instrument.range(item)
        values.append(low + high - given if item.reverse else given)
    if len(missing) > rule.max_missing:
        return Scored(rule, None, tuple(missing))
    mean = sum(values) / len(values)
    return Scored(rule, mean * len(rule.items) if rule.method == "sum" else mean, tuple(missing))


@dataclass(frozen=True)
class TensionOutcome:
    """What the spanningscheck says.

    Attributes:
        outcome: see `tension`.
        missing: the unanswered items that decide, when it is inconclusive.
        see_gp_first: PHQ-2 at or above its cut-off: a doctor looks first (criterion D cannot be judged by oneself).
    """

    outcome: Tension
    missing: tuple[str, ...]
    see_gp_first: bool


def tension(answers: Mapping[str, Given], phq2: float | None = None) -> TensionOutcome:
    """The outcome of the spanningscheck.

    Criteria A (at least three complaints), B (grip lost) and C (a role dropped) together give
    `possible_overstrain`; with more than six months and exhaustion foremost `possible_burnout`. One criterion that
    is not met decides; otherwise a missing answer makes it inconclusive.

    Args:
        answers: of the instrument `spanningscheck`.
        phq2: sum of the PHQ-2, None when unknown.
    """
    complaints = answers.get("complaints")
    met: dict[str, bool | None] = {
        "complaints": None if not isinstance(complaints, tuple) else _complaints(complaints) >= COMPLAINTS
    }
    for name in ("lost_grip", "role_dropped", "half_year", "exhaustion_first"):
        given = answers.get(name)
        met[name] = bool(given) if isinstance(given, int) else None
    strain = ("complaints", "lost_grip", "role_dropped")
    gp = phq2 is not None and phq2 >= CUT_OFF
    if any(met[name] is False for name in strain):
        return TensionOutcome("no_signal", (), gp)
    missing = tuple(name for name in strain if met[name] is None)
    if missing:
        return TensionOutcome("inconclusive", missing, gp)
    longer = ("half_year", "exhaustion_first")
    if all(met[name] for name in longer):
        return TensionOutcome("possible_burnout", (), gp)
    unclear = () if any(met[name] is False for name in longer) else tuple(n for n in longer if met[n] is None)
    return TensionOutcome("possible_overstrain", unclear, gp)


def _complaints(chosen: tuple[str, ...]) -> int:
    return sum(code != "none" for code in chosen)
