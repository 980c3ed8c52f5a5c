"""What the guard's linear model looks at: letters, words, pairs of words and found phrases as columns.

Room: pure core. Columns are found by hashing, so that no vocabulary has to be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bot.safety.phrases import Hit, lemma

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

#: Columns of one kind of feature; letters, words and pairs lie one after another, then the phrases that were found.
BUCKETS = 1 << 18
FOUND = 1 << 12
COLUMNS = 3 * BUCKETS + FOUND
#: Lengths of letter sequences within a word, and how far apart the words of a pair may stand.
LETTERS = range(2, 6)
PAIR_REACH = 4


@lru_cache(maxsize=50_000)
def _letters(word: str) -> Ints:
    padded = f" {word} "
    parts = [
        padded[at : at + size]
        for size in LETTERS
        if size <= len(padded)
        for at in range(len(padded) - size + 1)
    ]
    if len(padded) <= LETTERS.start:
        parts = [padded]
    found = np.array([crc32(part.encode()) % BUCKETS for part in parts], dtype=np.int32)
    found.flags.writeable = False  # it is kept for the next message
    return found


def _phrases(words: Sequence[str]) -> list[int]:
    """One, two and three words in a row. A sum goes on from that of the words before: no text is put together."""
    then = [f" {word}".encode() for word in words]
    ones = [crc32(word[1:]) for word in then]
    twos = list(map(crc32, then[1:], ones))
    threes = list(map(crc32, then[2:], twos))
    return [BUCKETS + one % BUCKETS for one in (*ones, *twos, *threes)]


def _pairs(words: Sequence[str]) -> list[int]:
    lemmas = [lemma(word).encode() for word in words]
    begun = [crc32(one + b"~") for one in lemmas]
    return [
        2 * BUCKETS + crc32(other, one) % BUCKETS
        for at, one in enumerate(begun)
        for other in lemmas[at + 1 : at + 1 + PAIR_REACH]
    ]


def _found(hits: Sequence[Hit]) -> list[int]:
    """Phrases with the scopes they stand in: what negation or a patient changes is learned for all phrases at once."""
    names: set[str] = set()
    for hit in hits:
        limits = "+".join(sorted(hit.scopes)) or "free"
        names |= {
            hit.rule.id, f"{hit.rule.id} {hit.free}", hit.kind, f"{hit.kind} {limits}", f"{hit.rule.sure} {limits}",
        }  # fmt: skip
    return [3 * BUCKETS + crc32(name.encode()) % FOUND for name in sorted(names)]


def counts(words: Sequence[str], hits: Sequence[Hit]) -> tuple[Ints, Floats, Ints]:
    """Which columns a message fills: column numbers, 1 + ln(how often), and which of the four kinds each is."""
    rest = [*_phrases(words), *_pairs(words), *_found(hits)]
    filled = np.concatenate([*map(_letters, words), np.array(rest, dtype=np.int32)])
    columns, often = np.unique(filled, return_counts=True)
    return columns, (1 + np.log(often)).astype(np.float32), columns // BUCKETS


def weighted(words: Sequence[str], hits: Sequence[Hit], idf: Floats) -> tuple[Ints, Floats]:
    """The columns of a message with their weights; each kind has length 1.

    Args:
        words: as `Normaliser.words` gives them.
        hits: the phrases found in these words.
        idf: how telling each column is, shape (COLUMNS,).
    """
    columns, values, kinds = counts(words, hits)
    values = values * idf[columns]
    lengths = np.sqrt(np.bincount(kinds, values * values, minlength=4))
    lengths[lengths == 0] = 1.0
    return columns, (values / lengths[kinds]).astype(np.float32)
