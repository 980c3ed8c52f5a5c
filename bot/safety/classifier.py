"""The guard's classifier: how likely danger is, for whom, when, and of which kind. A small model of our own.

Room: pure core. Two parts: a linear model of the words (numpy) and the reader (bot/safety/reader.py), which knows what
words mean together. bot/safety/training.py makes both.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from zipfile import BadZipFile

import numpy as np

from bot.safety.features import COLUMNS, Floats, weighted
from bot.safety.phrases import Hit
from bot.safety.reader import Learned, Read
from bot.safety.verdict import Kind

VERDICTS = ("none", "ambiguous", "explicit")
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Order of the outputs: three verdicts, then third party, past, what is said as everyday things are, and the kinds.
OUTPUTS = (*VERDICTS, "third_party", "past", "everyday", *KINDS)
FORMAT = 5
#: What the reader said half-way counts for so much beside its last answer: two opinions for the time of one
#: (chosen on the messages of bench/guard_thresholds.py, docs/decisions/0012).
FIRST_ANSWER = 0.6


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the classifier thinks; every figure a probability from 0 to 1.

    Attributes:
        ambiguous: danger that has to be asked about.
        explicit: danger that is clear.
        third_party: if there is danger, it is someone else's.
        past: danger was there and is over.
        kinds: how the danger divides over the kinds; adds up to 1.
    """

    ambiguous: float
    explicit: float
    third_party: float
    past: float
    kinds: dict[Kind, float]

    @property
    def danger(self) -> float:
        """Danger of either sort, now."""
        return self.ambiguous + self.explicit

    @property
    def kind(self) -> Kind:
        """The likeliest kind."""
        return max(self.kinds, key=lambda kind: self.kinds[kind])

    def is_surely_nothing(self, limit: float) -> bool:
        """Whether it is likelier than this that no danger is there, nor was."""
        return min(1 - self.danger, 1 - self.past) > limit

    def is_surely_danger(self, limit: float) -> bool:
        """Whether danger, either clear or to be asked about, of one kind and of one person, is likelier than this."""
        whose = max(self.third_party, 1 - self.third_party)
        return min(max(self.explicit, self.ambiguous), self.kinds[self.kind], whose) > limit


@dataclass(frozen=True, slots=True)
class Piece:
    """A message or a sentence of it: its words, the phrases found in them, and the text for its meaning."""

    words: Sequence[str]
    hits: Sequence[Hit]
    text: str


@dataclass(frozen=True, slots=True)
class Weights:
    """Everything that training found.

    Attributes:
        idf: how telling each column is, shape (COLUMNS,).
        words: shape (COLUMNS, 3), one output a verdict.
        words_bias: shape (3,).
        words_share: how much the words weigh beside the reader, 0 to 1.
        reader: what the reader learned, by name.
        layers: how many layers it has.
    """

    idf: Floats
    words: Floats
    words_bias: Floats
    words_share: float
    reader: Learned
    layers: int


class Classifier:
    """Gives an opinion on words and the text they came from."""

    def __init__(self, weights: Weights, read: Read) -> None:
        self._weights = weights
        self._read = read

    def by_words(self, piece: Piece) -> Floats:
        """What the words alone say, shape (3,): one figure a verdict, cheap."""
        found = self._weights
        columns, values = weighted(piece.words, piece.hits, found.idf)
        scores: Floats = values @ found.words[columns] + found.words_bias
        return scores

    def opinion(
        self, piece: Piece, said: Floats, enough: float, enough_danger: float, everyday: float
    ) -> Opinion:
        """What is thought of a message whose words alone say this.

        Args:
            piece: the message, or the sentences of it that are read.
            said: what `by_words` gave.
            enough: the reader reads no further than half-way when it is surer than this that nothing is wrong, 0 to 1;
                with 1 it reads on. It is never sure of that where sure words stand.
            enough_danger: the same for danger of one sort.
            everyday: so many times heavier counts that nothing is wrong when it is said as everyday things are, from 1.
                Sure words are not said as everyday things are.
        """
        alarming = any(hit.free and hit.rule.sure for hit in piece.hits)
        everyday = 1.0 if alarming else everyday
        answers = self._read(piece.text)
        first = next(answers)
        found = self._weighed(first, said, everyday)
        if found.is_surely_danger(enough_danger) or (found.is_surely_nothing(enough) and not alarming):
            return found
        last = next(answers, None)
        if last is None:
            return found
        verdicts = len(VERDICTS)
        both = np.concatenate([last[:verdicts] + FIRST_ANSWER * first[:verdicts], last[verdicts:]])
        return self._weighed(both, said, everyday)

    def _weighed(self, scores: Floats, said: Floats, everyday: float) -> Opinion:
        kinds = _shares(scores[6:])
        third, past, usual = 1.0 / (1.0 + np.exp(-np.clip(scores[3:6], -30, 30)))
        heavier = np.log(1 + (everyday - 1) * usual), 0.0, 0.0  # in this order stand the verdicts
        verdict = _shares(scores[:3] + self._weights.words_share * said + np.array(heavier, dtype=np.float32))
        return Opinion(
            ambiguous=float(verdict[1]),
            explicit=float(verdict[2]),
            third_party=float(third),
            past=float(past),
            kinds=dict(zip(KINDS, map(float, kinds), strict=True)),
        )


def danger(said: Floats) -> float:
    """Danger of either sort by the words alone, from 0 to 1."""
    return 1.0 - float(_shares(said)[0])


def _shares(scores: Floats) -> Floats:
    """Figures as probabilities that add up to 1."""
    grown = np.exp(scores - scores.max())
    found: Floats = grown / grown.sum()
    return found


def save_weights(path: Path, weights: Weights, content_hash: str) -> None:
    """Write a model; the file changes in one rename. Only columns that carry weight are kept, in 8 bits each."""
    used = np.flatnonzero(np.any(weights.words != 0, axis=1)).astype(np.int32)
    scale = np.abs(weights.words).max(axis=0) / 127 + 1e-12
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new.npz")
    np.savez_compressed(
        fresh,
        format=np.array(FORMAT),
        content_hash=np.array(content_hash),
        outputs=np.array(OUTPUTS),
        used=used,
        idf=weights.idf[used].astype(np.float16),
        words=np.rint(weights.words[used] / scale).astype(np.int8),
        words_scale=scale.astype(np.float32),
        words_bias=weights.words_bias,
        words_share=np.array(weights.words_share),
        layers=np.array(weights.layers),
        **{f"reader/{name}": value for name, value in weights.reader.items()},  # type: ignore[arg-type]
    )
    fresh.replace(path)


def load_weights(path: Path) -> tuple[Weights, str]:
    """A model and the hash of what it was trained from.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a model, or one of another version.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            if int(found["format"]) != FORMAT or tuple(found["outputs"]) != OUTPUTS:
                raise ValueError("made by another version")
            used = found["used"]
            idf = np.zeros(COLUMNS, dtype=np.float32)
            words = np.zeros((COLUMNS, len(VERDICTS)), dtype=np.float32)
            idf[used], words[used] = found["idf"], found["words"] * found["words_scale"]
            return Weights(
                idf,
                words,
                found["words_bias"],
                float(found["words_share"]),
                {
                    name.removeprefix("reader/"): found[name]
                    for name in found.files
                    if name.startswith("reader/")
                },
                int(found["layers"]),
            ), str(found["content_hash"])
    except (KeyError, EOFError, TypeError, IndexError, BadZipFile, zlib.error) as error:
        raise ValueError("not a model of the guard") from error
