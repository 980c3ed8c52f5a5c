"""What people type, made even for the guard: dialect, chat spelling, stretched, spaced and glued words, emoji.

Room: pure core. Builds on bot/language/normalise (one spelling of quotes, digits and accents); the word lists are
data in resources/safety/typing.yml. Nothing here decides anything.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

import simplemma
from pydantic import Field

from bot.language.normalise import fold
from bot.resources import RESOURCES, SourcedDefinition, read_definition

#: Longer messages are read at their head and tail: nobody types more, and reading must stay quick.
LONGEST = 12_000
_HEAD = 8_000

_HIDDEN = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SPACED = re.compile(r"(?<![a-z])(?:[a-z][ .*_-]){3,}[a-z](?![a-z])")
_PIECE = re.compile(r"[a-z0-9@$€*]+(?:'[a-z]+)*|'[a-z]+|\n+|[^\sa-z0-9]")
_STRETCHED = re.compile(r"(.)\1{2,}")
_DIGIT_OR_STAR = re.compile(r"[0-9@$€*]")
_LAUGH = re.compile(r"^(?:(?:ha|he|hi|ah)+h?a?|lol+|lmao+|xd+)$")


class Typing(SourcedDefinition):
    """resources/safety/typing.yml: how people type."""

    words: dict[str, str]
    keep_after: dict[str, list[str]]
    k_before: list[str]
    emoji: dict[str, str]
    letters: dict[str, str]
    important: list[str] = Field(min_length=1)
    glue: list[str] = Field(min_length=1)
    no_slips: list[str]


class Normaliser:
    """Makes text even. Cheap enough to run on every message; deterministic."""

    def __init__(self, typing: Typing) -> None:
        self._words = {fold(word): meaning.split() for word, meaning in typing.words.items()}
        self._keep_after = {word: frozenset(before) for word, before in typing.keep_after.items()}
        self._k_before = frozenset(typing.k_before)
        self._emoji = {ord(mark): f" {word} " for mark, word in typing.emoji.items()}
        self._letters = str.maketrans(typing.letters)
        self._important = frozenset(typing.important)
        self._no_slips = frozenset(typing.no_slips)
        self._glue = frozenset((*typing.glue, *typing.important))
        self._known = self._glue | frozenset(self._words)
        self._near: dict[str, str] = {}
        for word in typing.important:
            if len(word) >= 7:  # shorter words have too many innocent neighbours
                for shorter in _one_letter_less(word):
                    self._near.setdefault(shorter, word)
        self._one = lru_cache(maxsize=20_000)(self._expand)

    def even(self, text: str) -> str:
        """The folded text, letters as typed, hidden and control characters gone, emoji as words."""
        if len(text) > LONGEST:
            text = text[:_HEAD] + "\n" + text[_HEAD - LONGEST :]
        text = _CONTROL.sub(" ", _HIDDEN.sub("", unicodedata.normalize("NFKC", text)))
        text = text.translate(self._emoji)
        text = fold(text[: 2 * LONGEST])
        return _SPACED.sub(lambda found: re.sub(r"[^a-z]", "", found[0]), text)

    def words(self, even: str) -> list[str]:
        """The words and marks of text that `even` gave, each in the spelling the rules know."""
        found: list[str] = []
        for piece in _PIECE.findall(even):
            if piece[0] == "\n":
                found.append(".")
                continue
            keep = self._keep_after.get(piece)
            if keep is not None and (not found or found[-1] in keep):
                found.append(piece)
                continue
            found.extend(self._one(piece))
        return found

    def _expand(self, piece: str) -> tuple[str, ...]:  # noqa: PLR0912 - one step after another
        if piece in self._words:
            return tuple(self._words[piece])
        if len(piece) < 2 or len(piece) > 60:
            return (piece[:60],)
        if piece.isdigit():
            return (piece,)
        if _LAUGH.match(piece):
            return ("lachen",)
        if _DIGIT_OR_STAR.search(piece) and re.search("[a-z]", piece):
            plain = piece.translate(self._letters)
            if "*" in plain:
                pattern = re.compile(plain.replace("*", "[a-z]?"))
                plain = next((word for word in sorted(self._known) if pattern.fullmatch(word)), plain)
            if plain in self._known:
                return self._expand(plain)
            return tuple(part for part in re.split("[@$€*]", piece) if part) or (piece,)
        if _STRETCHED.search(piece):
            once, twice = _STRETCHED.sub(r"\1", piece), _STRETCHED.sub(r"\1\1", piece)
            shorter = once if once in self._known and twice not in self._known else twice
            return self._expand(shorter) if shorter != piece else (piece,)
        stem = piece.removeprefix("'")
        if stem[0] == "k" and stem[1:] in self._k_before:
            return ("ik", stem[1:])
        if stem in self._known:
            return (stem,)
        if piece.endswith("'k") and piece[:-2]:
            return (piece[:-2], "ik")
        if len(piece) >= 6:
            near = self._typo(piece)
            if near:
                return (near,)
        if len(piece) >= 7:
            parts = self._split(piece)
            if parts:
                return tuple(word for part in parts for word in self._expand(part))
        return (stem,)

    def _typo(self, piece: str) -> str | None:
        """The important word this is a slip of: one letter more, less, wrong, or two swapped."""
        if piece in self._no_slips or simplemma.is_known(piece, lang="nl"):
            return None
        if piece in self._near:
            return self._near[piece]
        for shorter in _one_letter_less(piece):
            if shorter in self._important and len(shorter) >= 7:
                return shorter
            near = self._near.get(shorter)
            if near and len(near) == len(piece) and near[0] == piece[0]:
                return near
        return None

    def _split(self, piece: str) -> list[str] | None:
        """A glued word as at least three known words, the fewest there are; None when it is not made of them."""
        best: list[list[str] | None] = [[]] + [None] * len(piece)
        for end in range(1, len(piece) + 1):
            for start in range(max(0, end - 14), end):
                before = best[start]
                if before is not None and piece[start:end] in self._glue:
                    here = best[end]
                    if here is None or len(before) + 1 < len(here):
                        best[end] = [*before, piece[start:end]]
        parts = best[-1]
        return parts if parts is not None and len(parts) >= 3 else None


def _one_letter_less(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(len(word))]


def load_normaliser(path: Path | None = None) -> Normaliser:
    """The normaliser with the word lists in resources/ (or in `path`).

    Raises:
        ResourceError: the file does not hold to the schema.
    """
    return Normaliser(read_definition(path or RESOURCES / "safety" / "typing.yml", Typing))
