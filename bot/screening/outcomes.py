"""Which words go with a filled-in questionnaire without norms. Room: pure core; texts are data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from bot.resources import RESOURCES, Definition, read_definition
from bot.screening.instruments import Given, Instrument
from bot.screening.scoring import score, tension
from bot.screening.triage import MISSED, SHARED

#: Every outcome an instrument can have.
OUTCOMES: dict[str, tuple[str, ...]] = {
    "spanningscheck": ("no_signal", "possible_overstrain", "possible_burnout", "inconclusive"),
    "phq2": ("below", "reached", "unknown"),
    "gad2": ("below", "reached", "unknown"),
    "support_check": ("none", "missed", "enough", "unknown"),
}


class OutcomeTexts(Definition):
    """resources/conversation/outcomes.yml."""

    id: str
    signal: str
    outcomes: dict[str, dict[str, str] | str]


@lru_cache(maxsize=1)
def texts() -> OutcomeTexts:
    """The texts, read once."""
    return read_definition(RESOURCES / "conversation" / "outcomes.yml", OutcomeTexts)


def outcome(instrument: Instrument, answers: Mapping[str, Given]) -> str:
    """The outcome's name, one of OUTCOMES.

    Raises:
        KeyError: the instrument has no outcomes.
    """
    if instrument.id == "spanningscheck":
        return tension(answers).outcome
    if instrument.id == "support_check":
        return _support(answers)
    if instrument.id not in OUTCOMES:
        raise KeyError(instrument.id)
    scored = score(instrument, answers)[0]
    if scored.cut_off is not None:
        return scored.cut_off.id
    # A missing answer can only add to the sum: what reaches the highest cut-off without it has reached it.
    given = [answers.get(item) for item in scored.score.items]
    highest = scored.score.cut_offs[-1]
    enough = sum(value for value in given if isinstance(value, int)) >= highest.start
    return highest.id if enough else "unknown"


def _support(answers: Mapping[str, Given]) -> str:
    shared = [answers.get(f"shared_{name}") for name in SHARED]
    if answers.get("network") == 0:
        return "none"
    if any(value in MISSED for value in shared):
        return "missed"
    return (
        "enough" if answers.get("network") is not None or any(value == 4 for value in shared) else "unknown"
    )


def in_words(instrument: Instrument, answers: Mapping[str, Given], phq2: float | None = None) -> str:
    """What a person reads: the outcome, and that it is a signal and no diagnosis.

    Args:
        instrument: one of OUTCOMES.
        answers: as given.
        phq2: sum of a recent PHQ-2, for the spanningscheck.
    """
    name = outcome(instrument, answers)
    found = texts().outcomes[instrument.id]
    assert isinstance(found, dict)  # noqa: S101 - the file's own test proves it
    lines = [found[name]]
    if instrument.id == "spanningscheck":
        said = tension(answers, phq2)
        labels = ", ".join(instrument.item(item).label for item in said.missing)
        lines = [found[name].format(missing=labels)]
        if said.see_gp_first:
            lines.append(str(texts().outcomes["see_gp_first"]))
    return " ".join([*lines, texts().signal])
