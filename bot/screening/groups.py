"""Finding a sector or profession in what a person typed.

Room: pure core. Uses `bot.language.normalise` for one spelling; knows no figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.language.normalise import tokens

Words = tuple[str, ...]

#: Words this short are matched exactly: one typing error would make another word of them.
_TOO_SHORT_TO_BEND = 5
_LONG = 9


@dataclass(frozen=True)
class _Name:
    words: Words
    kind: str
    label: str
    joined: str
    letters: frozenset[str]


class GroupFinder:
    """Looks up groups by their names. `clashes` lists names that stand for two groups of one kind."""

    def __init__(self, groups: Iterable[tuple[str, str, Sequence[str]]]) -> None:
        self.clashes: list[str] = []
        self._names: list[_Name] = []
        owner: dict[tuple[str, Words], str] = {}
        for kind, label, names in groups:
            for name in names:
                words = _words(name)
                held = owner.setdefault((kind, words), label)
                if held != label:
                    self.clashes.append(f"{name!r} stands for both {held!r} and {label!r}")
                elif kind != "all":
                    joined = "".join(words)
                    self._names.append(_Name(words, kind, label, joined, frozenset(joined)))

    def find(self, text: str, kinds: Sequence[str]) -> tuple[str, str] | None:
        """Kind and label of the group named in the text; kinds are tried in the order given."""
        words = _words(text[:400])
        names = [name for name in self._names if name.kind in kinds]
        for matches in (_exactly, _whole_names, _nearly):
            found = matches(words, names)
            for kind in kinds:
                labels = {label for found_kind, label in found if found_kind == kind}
                if len(labels) == 1:
                    return kind, labels.pop()
        return None


def _words(text: str) -> Words:
    return tuple(token.text for token in tokens(text) if token.kind != "mark")


def _exactly(words: Words, names: Iterable[_Name]) -> set[tuple[str, str]]:
    return {(name.kind, name.label) for name in names if name.words == words}


def _whole_names(words: Words, names: Iterable[_Name]) -> set[tuple[str, str]]:
    """Names that stand in the text word for word; of overlapping ones only the longest, per kind."""
    spans = [
        (at, at + len(name.words), name)
        for name in names
        for at in range(len(words) - len(name.words) + 1)
        if words[at : at + len(name.words)] == name.words
    ]
    return {
        (name.kind, name.label)
        for start, end, name in spans
        if not any(
            other.kind == name.kind and left <= start and end <= right and right - left > end - start
            for left, right, other in spans
        )
    }


def _nearly(words: Words, names: Iterable[_Name]) -> set[tuple[str, str]]:
    """One-word names, and whole messages, within a typing error or two."""
    joined = "".join(words)
    letters = {word: frozenset(word) for word in (joined, *words)}
    best: dict[tuple[str, str], int] = {}
    for name in names:
        size = len(name.joined)
        allowed = 0 if size < _TOO_SHORT_TO_BEND else 1 if size < _LONG else 2
        if not allowed:
            continue
        tries = {joined} if len(name.words) > 1 else {joined, *words}
        for candidate in tries:
            # Each typing error changes at most two of the letters in use; most names fall away here.
            if (
                abs(len(candidate) - size) <= allowed
                and len(letters[candidate] ^ name.letters) <= 2 * allowed
            ):
                distance = _distance(candidate, name.joined, allowed)
                if distance <= allowed:
                    key = (name.kind, name.label)
                    best[key] = min(distance, best.get(key, distance))
    nearest = {kind: min(d for (k, _), d in best.items() if k == kind) for kind in {k for k, _ in best}}
    return {key for key, distance in best.items() if distance == nearest[key[0]]}


def _distance(left: str, right: str, most: int) -> int:
    """Typing errors between two words (a letter more, less, other, or two swapped); above `most` any number."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most and min(before) > most:
            return most + 1
    return row[-1]
