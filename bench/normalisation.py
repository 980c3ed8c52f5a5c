"""Room `bench`: what making typed text even gives the engine, and what more sentences give. For the engine's Python.

    <uv> pip install --python <engine python> --target FOLDER wordfreq symspellpy simplemma
    PYTHONPATH=FOLDER <engine python> -m bench.normalisation [--only NAME …]
    <engine python> -m bench.normalisation --curve

Five-fold cross-validation on data/nlu with the features and the linear classifier of engine/ngram_component.py, in
plain scikit-learn; tests/nlu/held_out.yml is reported beside it and never chosen on. The packages are only for
measuring: none of them is in the engine's lock. Prints Markdown for docs/decisions/0008-pipeline-again.md.
"""

# ruff: noqa: PLC0415, SLF001 - Rasa is imported late, and the classifier is taken apart

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import yaml
from scipy.sparse import csr_matrix, hstack
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from bench.pipelines import ROOT, Sentence, folds, held_out, scores, training
from bot.language.normalise import fold
from bot.language.typed import Typed, general_table

#: Sentences per intent at which the learning curve is read; None is all of them.
SIZES = (10, 25, 50, 100, None)
#: A correction is believed when it is this common (wordfreq: a share of all words), and the word this long.
COMMON, LONG = 3e-6, 5
_SHARPNESSES = np.geomspace(0.3, 20.0, 45)
_WORD_OR_MARK = re.compile(r"\w+|[^\w\s]")

Even = Callable[[str], str]
#: How a sentence is read: for its letters and for its words.
View = tuple[Even, Even]


def main() -> int:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", help="names of variants; all of them by default")
    parser.add_argument("--curve", action="store_true", help="the learning curve instead")
    options = parser.parse_args()
    os.environ.update(LOG_LEVEL="WARNING", RASA_TELEMETRY_ENABLED="false")
    rows = curve() if options.curve else compared(options.only)
    print("| what | accuracy | macro-F1 | top 2 | out_of_scope recall | ECE |")
    print("|---" + "|---:" * 5 + "|", flush=True)
    for name, cross, held in rows:
        print(
            f"| {name} | " + " | ".join(f"{cross[key]:.1%} / {held[key]:.1%}" for key in cross) + " |",
            flush=True,
        )
    return 0


Row = tuple[str, dict[str, float], dict[str, float]]


def compared(only: Sequence[str] | None) -> Iterator[Row]:
    """Every variant by cross-validation and on the held-out sentences."""
    found, tests = training(), held_out()
    views, shapes = _views(only), _shapes()
    wanted = only or [*views, *shapes]
    typed = _typed()
    for name in wanted:
        yield judged(name, found, tests, views.get(name, (typed, typed)), **shapes.get(name, {}))


def curve() -> Iterator[Row]:
    """The classifier as config.yml has it, with so many sentences of each intent."""
    found, tests = training(), held_out()
    typed = _typed()
    config = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    settings = next(step for step in config if step["name"].endswith("NgramClassifier"))
    for size in SIZES:
        name = "all sentences" if size is None else f"{size} sentences per intent"
        yield judged(name, found, tests, (typed, typed), settings=settings, most=size)


def judged(
    name: str, found: Sequence[Sentence], tests: Sequence[Sentence], view: View, *,
    settings: dict[str, Any] | None = None, bayes: float = 0.0, most: int | None = None,
) -> Row:  # fmt: skip
    """One variant: its figures by cross-validation and on the held-out sentences.

    Args:
        name: of its row.
        found: training sentences.
        tests: held-out sentences.
        view: how letters and words are read.
        settings: other settings of the classifier than its own.
        bayes: share of a naive-Bayes classifier in the decision, 0 to 1.
        most: learn from so many sentences of each intent only.
    """
    known = _read([text for text, _ in found], view, settings or {})
    intents = np.array([intent for _, intent in found])
    names = np.unique(intents)
    raw = np.zeros((len(found), len(names)), dtype=np.float32)
    for learnt, judging in folds(found):
        learn = _most(intents, learnt, most)
        raw[judging] = _scores(known[learn], intents[learn], known[judging], settings or {}, bayes)
    sharpness = _sharpness(raw, np.searchsorted(names, intents))
    learn = _most(intents, range(len(found)), most)
    new = _read([text for text, _ in tests], view, settings or {})
    held = _scores(known[learn], intents[learn], new, settings or {}, bayes)
    return (
        name,
        scores(list(intents), _rankings(sharpness * raw, names)),
        scores([intent for _, intent in tests], _rankings(sharpness * held, names)),
    )


@dataclass(frozen=True)
class _Texts:
    """Texts as they are read: for letters, for words, and their meaning (no columns where it does not count)."""

    letters: np.ndarray
    words: np.ndarray
    meaning: np.ndarray

    def __getitem__(self, numbers: Sequence[int]) -> _Texts:
        return _Texts(self.letters[numbers], self.words[numbers], self.meaning[numbers])


def _read(texts: Sequence[str], view: View, settings: dict[str, Any]) -> _Texts:
    letters, words = ([even(text) for text in texts] for even in view)
    return _Texts(
        np.array(letters, dtype=object),
        np.array(words, dtype=object),
        _meaning(tuple(letters), settings.get("meaning", 0)),
    )


@lru_cache(maxsize=4)
def _meaning(texts: tuple[str, ...], weight: float) -> np.ndarray:
    vectors = _classifier()({"meaning": weight}, None, None)._vectors(texts)
    return np.asarray(vectors[0]) if vectors else np.zeros((len(texts), 0), dtype=np.float32)


def _scores(
    known: _Texts, intents: np.ndarray, asked: _Texts, settings: dict[str, Any], bayes: float
) -> np.ndarray:
    own = _classifier()(settings, None, None)
    chars, words = own._chars, own._words
    features: csr_matrix = hstack(
        [chars.fit_transform(known.letters), words.fit_transform(known.words), known.meaning], format="csr"
    )
    new: csr_matrix = hstack(
        [chars.transform(asked.letters), words.transform(asked.words), asked.meaning], format="csr"
    )
    machine = LinearSVC(C=own._config["C"], random_state=1).fit(features, intents)
    found: np.ndarray = machine.decision_function(new).astype(np.float32)
    if bayes:
        guess = ComplementNB(alpha=0.3).fit(features, intents).predict_log_proba(new)
        found = (1 - bayes) * found + bayes * found.std() / guess.std() * guess.astype(np.float32)
    return found


@lru_cache(maxsize=1)
def _classifier() -> Any:
    """The class; what Rasa imports and this bench does not use is left out."""
    from engine import light

    light.leave_out(light.UNUSED_CLIENTS + light.TENSORFLOW)
    from engine.ngram_component import NgramClassifier

    return NgramClassifier


def _most(intents: np.ndarray, numbers: Sequence[int], most: int | None) -> list[int]:
    """Of each intent `most` sentences, by chance but always the same ones."""
    if most is None:
        return list(numbers)
    seen: Counter[str] = Counter()
    kept = []
    for number in np.random.default_rng(1).permutation(numbers):
        seen[intents[number]] += 1
        if seen[intents[number]] <= most:
            kept.append(number)
    return kept


def _sharpness(raw: np.ndarray, truth: np.ndarray) -> float:
    """The factor with which confidences fit best; one number for all folds, so that it cannot learn much."""
    rows = np.arange(len(truth))
    losses = [-np.log(_softmax(factor * raw)[rows, truth] + 1e-12).mean() for factor in _SHARPNESSES]
    return float(_SHARPNESSES[int(np.argmin(losses))])


def _rankings(raw: np.ndarray, names: np.ndarray) -> list[list[tuple[str, float]]]:
    confidences = _softmax(raw)
    order = np.argsort(-confidences, axis=1)[:, :2]
    return [
        [(str(names[n]), float(row[n])) for n in two] for row, two in zip(confidences, order, strict=True)
    ]


def _softmax(raw: np.ndarray) -> np.ndarray:
    raised = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _typed() -> Even:
    typed = Typed(general_table())
    return lru_cache(maxsize=None)(lambda text: " ".join(typed.words(typed.even(text))))


def _views(only: Sequence[str] | None) -> dict[str, View]:
    """Ways to read what is typed; those whose package is needed and not wanted are left out."""
    typed = _typed()
    views: dict[str, View] = {"nothing (folded letters only)": (fold, fold), "our table": (typed, typed)}
    makers: dict[str, Callable[[Even], View]] = {
        "our table + wordfreq": _with_wordfreq,
        "our table + symspellpy": _with_symspell,
        "our table + simplemma lemmas, words only": lambda even: (even, _lemmas(even)),
        "our table + simplemma lemmas, letters too": lambda even: (_lemmas(even), _lemmas(even)),
    }
    views |= {name: make(typed) for name, make in makers.items() if only is None or name in only}
    return views


def _shapes() -> dict[str, dict[str, Any]]:
    """Other shapes of the classifier, on our table."""
    return {
        "meaning 0.5": {"settings": {"meaning": 0.5}},
        "meaning 0.7": {"settings": {"meaning": 0.7}},
        "meaning 1": {"settings": {"meaning": 1.0}},
        "letters 2-4": {"settings": {"char_ngrams": [2, 4]}},
        "letters 2-6": {"settings": {"char_ngrams": [2, 6]}},
        "letters 3-5": {"settings": {"char_ngrams": [3, 5]}},
        "up to three words": {"settings": {"word_ngrams": [1, 3]}},
        "C = 0.25": {"settings": {"C": 0.25}},
        "C = 1": {"settings": {"C": 1.0}},
        "with a quarter naive Bayes": {"bayes": 0.25},
        "with half naive Bayes": {"bayes": 0.5},
    }


def _by_word(even: Even, change: Callable[[str], str]) -> Even:
    changed = lru_cache(maxsize=None)(change)
    return lambda text: " ".join(
        changed(word) if word.isalpha() else word for word in _WORD_OR_MARK.findall(even(text))
    )


def _common_words() -> Counter[str]:
    import wordfreq

    found: Counter[str] = Counter()
    for word, share in wordfreq.get_frequency_dict("nl", wordlist="large").items():
        if re.fullmatch("[a-z]+", fold(word)):
            found[fold(word)] += share
    return found


def _with_wordfreq(even: Even) -> View:
    """An unknown word becomes the most common word that is one slip away and begins with the same letter."""
    common = _common_words()
    letters = "abcdefghijklmnopqrstuvwxyz"

    def change(word: str) -> str:
        if len(word) < LONG or word in common:
            return word
        cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
        near = chain(
            (a + b[1:] for a, b in cuts if b),
            (a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1),
            (a + letter + b[1:] for a, b in cuts if b for letter in letters),
            (a + letter + b for a, b in cuts for letter in letters),
        )
        share, best = max((common[one], one) for one in {*near, word} if one[0] == word[0])
        return best if share > COMMON else word

    read = _by_word(even, change)
    return read, read


def _with_symspell(even: Even) -> View:
    """The nearest of the 100,000 most common words, up to two slips away in long words."""
    from symspellpy import SymSpell, Verbosity

    spell = SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
    for word, share in _common_words().most_common(100_000):
        spell.create_dictionary_entry(word, max(1, int(share * 1e9)))

    def change(word: str) -> str:
        slips = 1 if len(word) < 8 else 2
        found = spell.lookup(word, Verbosity.TOP, max_edit_distance=slips, include_unknown=True)
        return str(found[0].term) if len(word) >= LONG else word

    read = _by_word(even, change)
    return read, read


def _lemmas(even: Even) -> Even:
    import simplemma

    return _by_word(even, lambda word: fold(simplemma.lemmatize(word, lang="nl")))


if __name__ == "__main__":
    sys.exit(main())
