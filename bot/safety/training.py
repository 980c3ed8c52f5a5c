"""Training the guard's classifier from the example messages; deterministic.

Room: pure core, used by `bot train` and the benches. scikit-learn is needed here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from bot.safety.classifier import KINDS, OUTPUTS, VERDICTS, Weights, load_weights, save_weights
from bot.safety.examples import Example, content_hash, load_everyday, load_examples
from bot.safety.features import BUCKETS, COLUMNS, Encode, Floats, counts, load_encoder, weighted
from bot.safety.grammar import load_grammar_examples
from bot.safety.normal import Normaliser, load_normaliser
from bot.safety.phrases import Hit, PhraseRules, load_phrase_rules

SEED = 20261125
#: A column has to stand in so many examples.
MIN_EXAMPLES = 2
#: Examples that the meaning is compared with, and how much the meaning weighs (chosen by bench/guard_designs.py).
LANDMARKS = 1500
SHARE = 0.5
PENALTY_WORDS = 10.0
PENALTY_MEANING = 10.0
TOLERANCE = 1e-3
#: Examples up to this length are learned in company too; of everyday messages one in so many.
COMPANY_LETTERS = 120
EVERYDAY_EACH = 2


def make(path: Path, *, if_changed: bool = False) -> str:
    """Train from the examples in resources/ and write the model; returns one line about it.

    Raises:
        ResourceError: with every example that does not hold to the label guide.
    """
    wanted = content_hash()
    if if_changed:
        try:
            if load_weights(path)[1] == wanted:
                return f"guard is up to date: {path}"
        except (OSError, ValueError):
            pass  # missing or of another version: made below
    examples = [*load_examples(), *load_everyday()]
    save_weights(path, train(examples, load_normaliser(), load_phrase_rules(), load_encoder()), wanted)
    return f"guard ready: {path} ({len(examples)} examples)"


def in_company(examples: Sequence[Example]) -> list[Example]:
    """Short examples once more beside everyday messages, so that company changes nothing.

    People write in several messages, and mention danger in one sentence of many: the label stays that of the example.
    """
    shuffled = np.random.default_rng(SEED).permutation(len(examples))
    everyday = [examples[i].text for i in shuffled if examples[i].file == "everyday"]
    if not everyday:
        return []
    found = []
    for place, one in enumerate(examples):
        if len(one.text) > COMPANY_LETTERS or (one.file == "everyday" and place % EVERYDAY_EACH):
            continue
        before, after = everyday[place % len(everyday)], everyday[(place * 7 + 3) % len(everyday)]
        text = f"{before}\n{one.text}" if place % 3 else f"{before}\n{one.text}\n{after}"
        found.append(replace(one, text=text))
    return found


def train(
    examples: Sequence[Example],
    normaliser: Normaliser,
    rules: PhraseRules,
    encode: Encode,
    *,
    share: float = SHARE,
    landmarks: int = LANDMARKS,
) -> Weights:
    """Fit the classifier.

    Args:
        examples: at least one of each verdict and kind.
        normaliser: makes the words even, as the guard will.
        rules: find the phrases, as the guard will.
        encode: the sentence encoder.
        share: how much the meaning weighs, 0 to 1.
        landmarks: how many examples the meaning is compared with; fewer when there are fewer examples.
    """
    examples = [*examples, *in_company(examples), *load_grammar_examples()]
    read = [normaliser.words(normaliser.even(example.text)) for example in examples]
    found = [(words, rules.find(words)) for words in read]
    idf = _idf(found)
    used = np.flatnonzero(idf)
    weights = np.zeros((COLUMNS, len(OUTPUTS)), dtype=np.float32)
    weights[used], bias = _fit_all(examples, matrix(found, idf)[:, used], PENALTY_WORDS)
    vectors = encode([example.text for example in examples])
    chosen = _landmarks(vectors, landmarks)
    near = np.exp(2.0 * (vectors @ chosen.T) - 2.0)
    basis = _basis(chosen)
    return Weights(
        idf,
        weights,
        bias,
        chosen,
        *_through(basis, *_fit_all(examples, near @ basis, PENALTY_MEANING)),
        np.full(len(OUTPUTS), share, dtype=np.float32),
    )


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


def _landmarks(vectors: Floats, count: int) -> Floats:
    order = np.random.default_rng(SEED).permutation(len(vectors))
    return vectors[np.sort(order[:count])]


def _basis(chosen: Floats) -> Floats:
    """Makes nearness to the landmarks an ordinary vector space (Nyström, as scikit-learn does it)."""
    alike = np.exp(2.0 * (chosen @ chosen.T) - 2.0)
    left, values, right = np.linalg.svd(alike.astype(np.float64))
    basis: Floats = ((left / np.sqrt(np.maximum(values, 1e-12))) @ right).astype(np.float32)
    return basis


def _through(basis: Floats, weights: Floats, bias: Floats) -> tuple[Floats, Floats]:
    return (basis @ weights).astype(np.float32), bias


def _fit_all(examples: Sequence[Example], rows: object, penalty: float) -> tuple[Floats, Floats]:
    """All outputs on the same rows: weights of shape (columns, outputs) and biases of shape (outputs,)."""
    verdict = np.array([VERDICTS.index(one.verdict) for one in examples])
    known = np.array([one.kind is not None for one in examples])
    third = np.array([one.third_party for one in examples])
    past = np.array([one.past for one in examples])
    kind = np.array([KINDS.index(one.kind) if one.kind else 0 for one in examples])
    parts = [
        _fit(rows, verdict, penalty),
        _fit(rows, third, penalty, known),
        _fit(rows, past, penalty),
        _fit(rows, kind, penalty, known),
    ]
    weights = np.vstack([part[0] for part in parts]).T
    return weights.astype(np.float32), np.concatenate([part[1] for part in parts]).astype(np.float32)


def _fit(
    rows: object, wanted: NDArray[np.generic], penalty: float, where: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    given = rows if where is None else rows[np.flatnonzero(where)]  # type: ignore[index] # array or sparse
    model = LogisticRegression(C=penalty, max_iter=1000, tol=TOLERANCE)
    model.fit(given, wanted if where is None else wanted[where])
    return model.coef_, model.intercept_


Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
Trainer = Callable[[Sequence[Example]], object]


def folds(examples: Sequence[Example], count: int = 5) -> list[Fold]:
    """Folds for cross-validation, spread evenly over verdicts and files: (train, test) indices."""
    order = np.random.default_rng(SEED).permutation(len(examples))
    by_label = sorted(order, key=lambda i: (examples[i].verdict, examples[i].file))
    place = np.empty(len(examples), dtype=int)
    place[by_label] = np.arange(len(examples)) % count
    return [(np.flatnonzero(place != n), np.flatnonzero(place == n)) for n in range(count)]
