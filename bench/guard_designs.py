"""Which design of the guard's classifier is best: cross-validation on the examples, never on the held-out messages.

For each design the share of danger that is caught when 5 % of the hard negatives (what is written to be mistaken for
danger) are taken for danger, and what the whole guard makes of them with the thresholds of decision.yml. A fold is
drawn from all files. --without names files instead, each by another hand, of which nothing is learned: closer to what a
stranger writes. With --curve, what more examples bring. A fold takes as long as `bot train`; --some draws as many
examples by lot; what the words learn of grammar.yml comes on top.

python -m bench.guard_designs [--folds 5 | --without FILE ...] [--some 12000] [--curve] [--layers 6] [--epochs 2]
    [--keep|--kept MODEL]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.guard import shares
from bot.resources import RESOURCES, read_definition
from bot.safety.classifier import Classifier, Piece, Weights, danger, load_weights, save_weights
from bot.safety.examples import Example, content_hash, load_everyday, load_examples
from bot.safety.guard import Decision, Guard
from bot.safety.lesson import EPOCHS, LAYERS, learn
from bot.safety.normal import load_normaliser
from bot.safety.phrases import load_phrase_rules
from bot.safety.reader import load_reader
from bot.safety.training import SEED, WORDS_SHARE, Fold, folds, learn_words, readings
from bot.safety.verdict import Judgement
from bot.safety.whole import ASKED, ORDINARY, load_whole
from bot.settings import load_settings

FALSE_ALARMS = 0.05
#: With fewer examples a fold may hold none of a sort.
FEWEST = 2000
PHRASES, WORDS, READER, BOTH = "phrases alone", "letters, words, pairs, phrases", "reader", "both"


class Designs:
    """The examples as pieces, and the parts that all designs share."""

    def __init__(self, layers: int, epochs: int, some: int | None = None) -> None:
        self.layers, self.epochs = layers, epochs
        self.normaliser, self.rules = load_normaliser(), load_phrase_rules()
        self.examples = [*load_examples(), *load_everyday()]
        if some is not None:
            drawn = np.random.default_rng(SEED).permutation(len(self.examples))[:some]
            self.examples = [self.examples[n] for n in np.sort(drawn)]
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
        python = load_settings()[0].engine_python
        words = learn_words(examples, self.normaliser, self.rules)
        texts = readings(examples, self.normaliser, self.epochs)
        reader = learn(examples, texts, python, layers=self.layers)
        return Weights(*words, WORDS_SHARE, reader, self.layers)

    def without(self, files: Sequence[str]) -> list[Fold]:
        """One fold: the messages of these files are judged by what is learned from all others."""
        unknown = set(files) - {one.file for one in self.examples}
        if unknown:
            raise SystemExit(f"there are no examples named {', '.join(sorted(unknown))}")
        apart = np.array([one.file in files for one in self.examples])
        if not any(one.file in files and not one.everyday for one in self.examples):
            raise SystemExit("at least one file must hold messages that were written to be mistaken")
        return [(np.flatnonzero(~apart), np.flatnonzero(apart))]

    def guard(self, weights: Weights) -> Guard:
        """The whole guard with a model and the thresholds of resources/safety/decision.yml."""
        decision = read_definition(RESOURCES / "safety" / "decision.yml", Decision)
        classifier = Classifier(weights, load_reader(weights.reader, weights.layers))
        return Guard(
            self.normaliser, self.rules, classifier, decision, load_whole(ORDINARY), load_whole(ASKED)
        )

    def danger(self, weights: Weights, design: str, places: NDArray[np.intp]) -> list[float]:
        """Danger in the examples at these places, by one design."""
        pieces = [self.pieces[n] for n in places]
        classifier = Classifier(
            replace(weights, words_share=0.0 if design == READER else WORDS_SHARE),
            load_reader(weights.reader, weights.layers),
        )
        if design == WORDS:
            return [danger(classifier.by_words(piece)) for piece in pieces]
        return [
            classifier.opinion(piece, classifier.by_words(piece), 1.0, 1.0, 1.0).danger for piece in pieces
        ]

    def row(self, dangers: NDArray[np.float64], parts: Sequence[NDArray[np.intp]]) -> str:
        """What a design catches of all; in brackets the least and the most in a fold, each with its own limit."""
        each = [self.caught(dangers[places], places) for places in parts]
        together = np.concatenate(parts)
        cells = []
        for all_, *folded in zip(self.caught(dangers[together], together), *each, strict=True):
            spread = f" ({min(folded):.2%} – {max(folded):.2%})" if len(folded) > 1 else ""
            cells.append(f"{all_:.2%}{spread}")
        return " | ".join(cells)

    def caught(self, dangers: NDArray[np.float64], places: NDArray[np.intp]) -> list[float]:
        """Recall of explicit and of ambiguous danger at the allowed false alarms; the same of everyday sentences.

        Not a number where there are no such messages.
        """
        chosen = [self.examples[n] for n in places]
        hard = np.array([one.verdict == "none" and not one.everyday for one in chosen])
        limit = np.quantile(dangers[hard], 1 - FALSE_ALARMS)
        found = []
        for verdict in ("explicit", "ambiguous"):
            these = np.array([one.verdict == verdict for one in chosen])
            found.append(float((dangers[these] > limit).mean()))
        usual = dangers[[one.everyday for one in chosen]]
        return [*found, float((usual > limit).mean()) if len(usual) else float("nan")]


def _weight(free: bool, sure: bool) -> float:
    return (1.0 if sure else 0.5) if free else 0.1


def main() -> int:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--folds", type=int, default=5, choices=range(1, 6), help="how many of five are judged"
    )
    which.add_argument("--without", nargs="+", metavar="FILE", help="judge these files instead of folds")
    parser.add_argument("--some", type=int, help="so many examples, drawn by lot; all of them otherwise")
    parser.add_argument("--curve", action="store_true", help="also with a quarter and a half of the examples")
    parser.add_argument("--layers", type=int, default=LAYERS, help="layers of the reader")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="how often the reader sees the examples")
    parser.add_argument("--keep", type=Path, help="where the model of the last fold is kept")
    parser.add_argument(
        "--kept", type=Path, help="judge with this model instead of learning: other thresholds"
    )
    options = parser.parse_args()
    if options.some is not None and options.some < FEWEST:
        parser.error(f"--some: at least {FEWEST}")
    designs = Designs(options.layers, options.epochs, options.some)
    dangers = {name: np.zeros(len(designs.examples)) for name in (WORDS, READER, BOTH)}
    parts = designs.without(options.without) if options.without else folds(designs.examples)[: options.folds]
    judged_in = [judged for _, judged in parts]
    found: list[tuple[Example, Judgement]] = []
    for learned, judged in parts:
        if options.kept:
            weights, _ = load_weights(options.kept)
        else:
            weights = designs.train([designs.examples[n] for n in learned])
        for name, own in dangers.items():
            own[judged] = designs.danger(weights, name, judged)
        guard = designs.guard(weights)
        found += [(designs.examples[n], guard.judge(designs.examples[n].text)) for n in judged]
        if options.keep:
            save_weights(options.keep, weights, f"part of {content_hash()}")
    print("| design | explicit | ambiguous | everyday taken for danger |\n|---|---|---|---|")
    for name, own in {PHRASES: designs.phrases_alone(), **dangers}.items():
        print(f"| {name} | {designs.row(own, judged_in)} |")
    print("\n| with the thresholds | share | count |\n|---|---|---|")
    usual = [judgement.verdict != "none" for one, judgement in found if one.everyday]
    hard = shares([(one, judgement) for one, judgement in found if not one.everyday])
    for name, hits, all_ in [*hard, ("everyday: anything but none", sum(usual), len(usual))]:
        print(f"| {name} | {hits / max(all_, 1):.1%} | {hits} of {all_} |")
    if options.curve:
        print("\n| examples | explicit | ambiguous | everyday taken for danger |\n|---|---|---|---|")
        learned, judged = parts[0]
        order = np.random.default_rng(SEED).permutation(learned)
        for part in (0.25, 0.5):
            chosen = order[: int(len(order) * part)]
            weights = designs.train([designs.examples[n] for n in chosen])
            own = np.array(designs.danger(weights, BOTH, judged))
            print(f"| {len(chosen)} | {' | '.join(f'{one:.1%}' for one in designs.caught(own, judged))} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
