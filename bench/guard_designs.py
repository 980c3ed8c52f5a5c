"""Which design of the guard's classifier is best: cross-validation on the examples, never on the held-out messages.

For each design the share of danger that is caught when 5 % of the hard negatives (what is written to be mistaken for
danger) are taken for danger. Then, with --curve, what more examples bring. A fold takes about a quarter of an hour.

python -m bench.guard_designs [--folds 5] [--curve] [--layers 6] [--epochs 2]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bot.safety.classifier import Classifier, Piece, Weights
from bot.safety.examples import Example, load_everyday, load_examples
from bot.safety.lesson import EPOCHS, LAYERS, learn
from bot.safety.normal import load_normaliser
from bot.safety.phrases import load_phrase_rules
from bot.safety.reader import load_reader
from bot.safety.training import SEED, WORDS_SHARE, folds, train
from bot.settings import load_settings

FALSE_ALARMS = 0.05
WORDS, READER, BOTH = "letters, words, pairs, phrases", "reader", "both"


class Designs:
    """The examples as pieces, and the parts that all designs share."""

    def __init__(self, layers: int, epochs: int) -> None:
        self.layers, self.epochs = layers, epochs
        self.normaliser, self.rules = load_normaliser(), load_phrase_rules()
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
        texts = [self.normaliser.even(one.text) for one in examples]
        python = load_settings()[0].engine_python
        reader = learn(examples, texts, python, layers=self.layers, epochs=self.epochs)
        return train(examples, self.normaliser, self.rules, reader)

    def danger(self, weights: Weights, design: str, places: Sequence[int]) -> list[float]:
        """Danger in the examples at these places, by one design."""
        pieces = [self.pieces[n] for n in places]
        classifier = Classifier(
            replace(weights, words_share=0.0 if design == READER else WORDS_SHARE),
            load_reader(weights.reader),
        )
        if design == WORDS:
            return [classifier.quick_danger(piece) for piece in pieces]
        return [one.danger for one in classifier.opinions(pieces)]

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
    parser.add_argument("--curve", action="store_true", help="also with a quarter and a half of the examples")
    parser.add_argument("--layers", type=int, default=LAYERS, help="layers of the reader")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="how often the reader sees the examples")
    options = parser.parse_args()
    designs = Designs(options.layers, options.epochs)
    danger = {name: np.zeros(len(designs.examples)) for name in (WORDS, READER, BOTH)}
    parts = folds(designs.examples)
    everything = np.concatenate([judged for _, judged in parts[: options.folds]])
    for learned, judged in parts[: options.folds]:
        weights = designs.train([designs.examples[n] for n in learned])
        for name, found in danger.items():
            found[judged] = designs.danger(weights, name, judged)
    print("| design | explicit | ambiguous | everyday taken for danger |\n|---|---|---|---|")
    print(f"| phrases alone | {designs.caught(designs.phrases_alone()[everything], everything)} |")
    for name, found in danger.items():
        print(f"| {name} | {designs.caught(found[everything], everything)} |")
    if options.curve:
        print("\n| examples | explicit | ambiguous | everyday taken for danger |\n|---|---|---|---|")
        learned, judged = parts[0]
        order = np.random.default_rng(SEED).permutation(learned)
        for part in (0.25, 0.5):
            chosen = order[: int(len(order) * part)]
            weights = designs.train([designs.examples[n] for n in chosen])
            found = np.array(designs.danger(weights, BOTH, judged))
            print(f"| {len(chosen)} | {designs.caught(found, judged)} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
