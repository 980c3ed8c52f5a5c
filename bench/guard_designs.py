"""Which design of the guard's classifier is best: cross-validation on the examples, never on the held-out messages.

For each design the share of danger that is caught when 5 % of the hard negatives (what is written to be mistaken for
danger) are taken for danger. Then what more examples bring. All five folds take about a quarter of an hour.

python -m bench.guard_designs [--folds 5]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bot.safety.classifier import Classifier, Piece, Weights
from bot.safety.examples import Example, load_everyday, load_examples
from bot.safety.features import load_encoder
from bot.safety.normal import load_normaliser
from bot.safety.phrases import load_phrase_rules
from bot.safety.training import SEED, folds, train

FALSE_ALARMS = 0.05
SHARES = {"letters, words, pairs, phrases": 0.0, "meaning": 1.0, "both": 0.5}


class Designs:
    """The examples as pieces, and the parts that all designs share."""

    def __init__(self) -> None:
        self.normaliser, self.rules, self.encode = load_normaliser(), load_phrase_rules(), load_encoder()
        self.examples = [*load_examples(), *load_everyday()]
        self.pieces = [self._piece(one.text) for one in self.examples]

    def _piece(self, text: str) -> Piece:
        even = self.normaliser.even(text)
        words = self.normaliser.words(even)
        return Piece(words, self.rules.find(words), even)

    def phrases_alone(self) -> NDArray[np.float64]:
        """Danger by the phrases without any training: 1 for sure words, 0.5 for others, a little for limited ones."""
        return np.array(
            [
                max((_weight(hit.free, hit.rule.sure) for hit in piece.hits), default=0.0)
                for piece in self.pieces
            ]
        )

    def train(self, examples: Sequence[Example]) -> Weights:
        """A model of these examples."""
        return train(examples, self.normaliser, self.rules, self.encode)

    def danger(self, weights: Weights, share: float, places: Sequence[int]) -> list[float]:
        """Danger in the examples at these places; `share` is how much the meaning weighs."""
        shared = replace(weights, share=np.full_like(weights.share, share))
        opinions = Classifier(shared, self.encode).opinions([self.pieces[n] for n in places])
        return [one.danger for one in opinions]

    def caught(self, danger: NDArray[np.float64], places: Sequence[int]) -> str:
        """Recall of explicit and of ambiguous danger at the allowed false alarms; the same of everyday sentences."""
        chosen = [self.examples[n] for n in places]
        hard = np.array([one.verdict == "none" and one.file != "everyday" for one in chosen])
        limit = np.quantile(danger[hard], 1 - FALSE_ALARMS)
        found = []
        for verdict in ("explicit", "ambiguous"):
            these = np.array([one.verdict == verdict for one in chosen])
            found.append(f"{(danger[these] > limit).mean():.1%}")
        usual = np.array([one.file == "everyday" for one in chosen])
        return " | ".join([*found, f"{(danger[usual] > limit).mean():.2%}"])


def _weight(free: bool, sure: bool) -> float:
    return (1.0 if sure else 0.5) if free else 0.1


def main() -> int:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folds", type=int, default=5, choices=range(1, 6), help="how many of five are judged"
    )
    options = parser.parse_args()
    designs = Designs()
    danger = {name: np.zeros(len(designs.examples)) for name in SHARES}
    parts = folds(designs.examples)
    everything = np.concatenate([judged for _, judged in parts[: options.folds]])
    for learned, judged in parts[: options.folds]:
        weights = designs.train([designs.examples[n] for n in learned])
        for name, share in SHARES.items():
            danger[name][judged] = designs.danger(weights, share, judged)
    print("| design | explicit | ambiguous | everyday taken for danger |\n|---|---|---|---|")
    print(f"| phrases alone | {designs.caught(designs.phrases_alone()[everything], everything)} |")
    for name, found in danger.items():
        print(f"| {name} | {designs.caught(found[everything], everything)} |")
    print("\n| examples | explicit | ambiguous | everyday taken for danger |\n|---|---|---|---|")
    learned, judged = parts[0]
    order = np.random.default_rng(SEED).permutation(learned)
    for part in (0.125, 0.25, 0.5):
        chosen = order[: int(len(order) * part)]
        weights = designs.train([designs.examples[n] for n in chosen])
        found = np.array(designs.danger(weights, SHARES["both"], judged))
        print(f"| {len(chosen)} | {designs.caught(found, judged)} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
