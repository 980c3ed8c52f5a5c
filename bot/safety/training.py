"""Training the guard's classifier from the example messages; deterministic.

Room: pure core, used by `bot train` and the benches. scikit-learn is needed here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from bot.safety.classifier import VERDICTS, Weights, load_weights, save_weights
from bot.safety.examples import Example, content_hash, load_everyday, load_examples
from bot.safety.features import BUCKETS, COLUMNS, Floats, counts, weighted
from bot.safety.grammar import load_grammar_examples
from bot.safety.lesson import EPOCHS, LAYERS, learn
from bot.safety.normal import Normaliser, load_normaliser
from bot.safety.phrases import Hit, PhraseRules, load_phrase_rules
from bot.safety.typing_habits import as_typed

SEED = 20261125
#: A column has to stand in so many examples.
MIN_EXAMPLES = 2
#: How much the words weigh beside the reader (chosen on tests/safety/held_out_thresholds.csv, docs/decisions/0011).
WORDS_SHARE = 0.3
PENALTY = 10.0
TOLERANCE = 1e-3
#: Of examples up to this length, such a share is learned in company too.
COMPANY_LETTERS, COMPANY_SHARE = 120, 0.5


def make(path: Path, engine_python: Path, *, if_changed: bool = False) -> str:
    """Train from the examples in resources/ and write the model; returns one line about it.

    Raises:
        ResourceError: with every example that does not hold to the label guide.
        LessonError: the engine's Python, in which the reader learns, is not there or stopped.
    """
    wanted = content_hash()
    if if_changed:
        try:
            if load_weights(path)[1] == wanted:
                return f"guard is up to date: {path}"
        except (OSError, ValueError):
            pass  # missing or of another version: made below
    examples = [*load_examples(), *load_everyday()]
    normaliser, rules = load_normaliser(), load_phrase_rules()
    read = readings(examples, normaliser)
    with ThreadPoolExecutor(max_workers=1) as pool:  # the reader learns in a process of its own
        reader = pool.submit(learn, examples, read, engine_python)
        words = learn_words(examples, normaliser, rules)
    save_weights(path, Weights(*words, WORDS_SHARE, reader.result(), LAYERS), wanted)
    return f"guard ready: {path} ({len(examples)} examples)"


def readings(examples: Sequence[Example], normaliser: Normaliser, times: int = EPOCHS) -> list[list[str]]:
    """The words of each example, made even, for each time that the reader reads them: typed anew each time."""
    return [[normaliser.even(one.text) for one in as_typed(examples, SEED + time)] for time in range(times)]


def in_company(examples: Sequence[Example]) -> list[Example]:
    """Short examples once more beside everyday messages, so that company changes nothing.

    People write in several messages, and mention danger in one sentence of many: the label stays that of the example.
    """
    dice = np.random.default_rng(SEED)
    everyday = [one.text for one in examples if one.file == "everyday"]
    if not everyday:
        return []
    found = []
    for one in examples:
        if len(one.text) > COMPANY_LETTERS or dice.random() >= COMPANY_SHARE:
            continue
        before, after = (everyday[place] for place in dice.integers(len(everyday), size=2))
        text = f"{before}\n{one.text}" if dice.random() < 0.5 else f"{before}\n{one.text}\n{after}"
        found.append(replace(one, text=text))
    return found


def learn_words(
    examples: Sequence[Example], normaliser: Normaliser, rules: PhraseRules
) -> tuple[Floats, Floats, Floats]:
    """Fit the linear model of the words; it goes beside a reader that learns from the same examples.

    Args:
        examples: at least one of each verdict, as written.
        normaliser: makes the words even, as the guard will.
        rules: find the phrases, as the guard will.

    Returns:
        idf, weights and bias as `Weights` has them.
    """
    examples = as_typed(examples, SEED)
    examples = [*examples, *in_company(examples), *load_grammar_examples()]
    read = [normaliser.words(normaliser.even(example.text)) for example in examples]
    found = [(words, rules.find(words)) for words in read]
    idf = _idf(found)
    used = np.flatnonzero(idf)
    model = LogisticRegression(C=PENALTY, max_iter=1000, tol=TOLERANCE)
    model.fit(matrix(found, idf)[:, used], [VERDICTS.index(one.verdict) for one in examples])
    weights = np.zeros((COLUMNS, len(VERDICTS)), dtype=np.float32)
    weights[used] = model.coef_.T
    return idf, weights, model.intercept_.astype(np.float32)


def matrix(read: Sequence[tuple[Sequence[str], Sequence[Hit]]], idf: Floats) -> sparse.csr_matrix:
    """The columns of many messages, each given as its words and the phrases in them, shape (n, COLUMNS)."""
    found = [weighted(words, hits, idf) for words, hits in read]
    starts = np.cumsum([0] + [len(columns) for columns, _ in found])
    columns = np.concatenate([columns for columns, _ in found])
    values = np.concatenate([values for _, values in found])
    return sparse.csr_matrix((values, columns, starts), shape=(len(read), COLUMNS))


def _idf(read: Sequence[tuple[Sequence[str], Sequence[Hit]]]) -> Floats:
    often = np.zeros(COLUMNS, dtype=np.float32)
    for words, hits in read:
        often[counts(words, hits)[0]] += 1
    idf = np.log((1 + len(read)) / (1 + often)) + 1
    least = np.full(COLUMNS, MIN_EXAMPLES, dtype=np.float32)
    least[BUCKETS : 2 * BUCKETS] = 1  # words seen once still tell something
    return np.where(often >= least, idf, 0).astype(np.float32)


Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


def folds(examples: Sequence[Example], count: int = 5) -> list[Fold]:
    """Folds for cross-validation, spread evenly over verdicts and files: (train, test) indices."""
    order = np.random.default_rng(SEED).permutation(len(examples))
    by_label = sorted(order, key=lambda i: (examples[i].verdict, examples[i].file))
    place = np.empty(len(examples), dtype=int)
    place[by_label] = np.arange(len(examples)) % count
    return [(np.flatnonzero(place != n), np.flatnonzero(place == n)) for n in range(count)]
