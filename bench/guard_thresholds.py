"""Which figures of resources/safety/decision.yml serve best on the messages that are set apart for choosing them.

Those are tests/safety/held_out_thresholds.csv and the sentences of tests/safety/everyday_thresholds.txt;
nothing is learned of either. Of all combinations on a grid those count that take no more of the hard negatives and of
the everyday sentences for danger than is allowed. The best of these hears most: explicit danger counts twice, ambiguous
danger and that clear danger is called so once each. What asked.yml adds is not counted; in long messages with sure
words the present `ask` decides whether those are read by themselves as well.

python -m bench.guard_thresholds [--hard 0.05] [--everyday 0.0025] [--show 10]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from bench.guard import THRESHOLDS, TO_THE_END, shares
from bench.turns import ROOT
from bot.safety.classifier import Opinion, Piece
from bot.safety.examples import Example, read_examples
from bot.safety.guard import Decision, Guard, load_guard
from bot.safety.phrases import Hit
from bot.safety.verdict import NOTHING
from bot.settings import load_settings

EVERYDAY = ROOT / "tests" / "safety" / "everyday_thresholds.txt"
#: What is tried; the other figures stay as they are.
GRID: dict[str, Sequence[float]] = {
    "ask": (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8),
    "ask_explicit": (0.4, 0.5, 0.6),
    "act": (0.4, 0.45, 0.5, 0.55, 0.6),
    "ask_with_phrase": (0.4, 0.5, 0.6),
    "doubt_phrase": (0.3, 0.4),
}
WEIGHED: Sequence[float] = (3, 4, 6, 8)
#: Below so much danger nothing is said with any of them.
SILENT = 0.2


@dataclass(frozen=True, slots=True)
class Choice:
    """Some figures of the decision and what they give: (hits, of how many) each."""

    figures: dict[str, float]
    seen: tuple[int, int]
    clear: tuple[int, int]
    ambiguous: tuple[int, int]
    hard: tuple[int, int]
    everyday: tuple[int, int]

    @property
    def heard(self) -> float:
        """How much danger is heard, from 0 to 1."""
        return (2 * _share(self.seen) + _share(self.clear) + _share(self.ambiguous)) / 4

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {value:g}" for name, value in self.figures.items())
        found = {"seen": self.seen, "explicit": self.clear, "ambiguous": self.ambiguous, "hard": self.hard}
        given = ", ".join(f"{name} {_share(one):.1%}" for name, one in found.items())
        return f"{figures}: {given}, everyday {self.everyday[0]} of {self.everyday[1]}"


def _share(of: tuple[int, int]) -> float:
    return of[0] / max(of[1], 1)


Heard = list[tuple[Example, Sequence[Hit], Opinion | None]]


def _heard(guard: Guard, examples: Sequence[Example]) -> Heard:
    """The phrases in each message and what is thought of it, read to its end; None where nothing will be said."""
    found: Heard = []
    for one in examples:
        even = guard.normaliser.even(one.text)
        words = guard.normaliser.words(even)
        hits = guard.rules.find(words)
        nothing = guard.ordinary.holds(words)
        opinion = None if nothing else guard._opinion(Piece(words, hits, even))  # noqa: SLF001
        found.append((one, hits, opinion if opinion and opinion.danger >= SILENT else None))
    return found


def choices(guard: Guard) -> Iterator[Choice]:
    """What every combination of figures gives."""
    errors: list[str] = []
    hard = read_examples(THRESHOLDS, errors)
    if errors:
        raise ValueError("; ".join(errors))
    usual = [
        Example("none", None, False, False, one, "everyday")
        for one in EVERYDAY.read_text("utf-8").splitlines()
    ]
    for weight in WEIGHED:
        decision = guard.decision.model_copy(update={**TO_THE_END, "everyday": weight})
        weighed = replace(guard, decision=decision)
        heard = _heard(weighed, hard), _heard(weighed, usual)
        for values in product(*GRID.values()):
            figures = dict(zip(GRID, values, strict=True))
            if figures["ask_explicit"] > figures["act"]:
                continue  # what is acted on is not asked about
            yield _choice(weighed, decision, {"everyday": weight, **figures}, heard)


def _choice(
    guard: Guard, decision: Decision, figures: dict[str, float], heard: tuple[Heard, Heard]
) -> Choice:
    judge = replace(guard, decision=decision.model_copy(update=figures))._decide  # noqa: SLF001
    hard, usual = (
        [(one, judge(hits, opinion) if opinion else NOTHING) for one, hits, opinion in part] for part in heard
    )
    seen, clear, ambiguous, _, wrong = (found[1:] for found in shares(hard))
    return Choice(
        figures, seen, clear, ambiguous, wrong, (sum(one.verdict != "none" for _, one in usual), len(usual))
    )


def main() -> int:
    """Print the best choices, the best last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--hard", type=float, default=0.05, help="share of hard negatives that may be taken for danger"
    )
    parser.add_argument("--everyday", type=float, default=0.0025, help="the same of everyday sentences")
    parser.add_argument("--show", type=int, default=10, help="so many of the best are printed")
    options = parser.parse_args()
    found = [
        one
        for one in choices(load_guard(load_settings()[0].guard_model))
        if _share(one.hard) <= options.hard and _share(one.everyday) <= options.everyday
    ]
    for one in sorted(found, key=lambda choice: choice.heard)[-options.show :]:
        print(f"{one.heard:.4f} {one}")
    return 0 if found else 1


if __name__ == "__main__":
    raise SystemExit(main())
