"""What people type, made even: tussentaal, chat spelling, stretched, spaced and glued words, slips, emoji as words.

Room: bot/language, pure but for reading its data file, resources/language/typed.yml. Runs on Python 3.10 too, so it
uses plain PyYAML; the strict schema check of the same file is in bot/safety/normal.py. This is for reading, not for
correcting anybody: who reads something special (danger, say) gives its own words beside the general ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.language.normalise import fold

PATH = Path(__file__).resolve().parents[2] / "resources" / "language" / "typed.yml"
#: Longer messages are read at their head and tail: nobody types more, and reading must stay quick.
LONGEST = 12_000
_HEAD = 8_000
#: A glued word is made of at least three known words, none longer than this.
_LONGEST_PART = 14
#: What is written without spaces is cut after so many letters; nothing of it is left out.
_LONGEST_PIECE = 60
#: Shorter words have too many innocent neighbours to be looked for behind a slip.
_SHORTEST_SLIP = 7

_HIDDEN = re.compile(
    r"[\u00ad\u034f\u061c\u0640\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SPACED = re.compile(r"(?<![a-z])(?:[a-z][ .*_-]){3,}[a-z](?![a-z])")
_PIECE = re.compile(r"(?:[^\W_]|[@$€*])+(?:'[^\W\d_]+)*|'[^\W\d_]+|\n+|[^\s\w]|_")
_STRETCHED = re.compile(r"(.)\1{2,}")
_DIGIT_OR_STAR = re.compile(r"[0-9@$€*]")
_LAUGH = re.compile(r"^(?:(?:ha|he|hi|ah)+h?a?|lol+|lmao+|xd+)$")


@dataclass(frozen=True)
class Table:
    """How people type; every word folded (lower case, no accents).

    Attributes:
        words: one word as typed: the words it stands for, with spaces between.
        keep_after: words that stand for themselves at the start and after these.
        k_before: verbs before which a stuck k means "ik".
        emoji: one emoji: the word it is read as.
        letters: marks inside a word that stand for a letter.
        glue: what a glued message may be made of.
        important: words that are looked for behind slips and inside glued words.
        no_slips: words that look like a slip of an important word and are none.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    keep_after: Mapping[str, Collection[str]] = field(default_factory=dict)
    k_before: Collection[str] = ()
    emoji: Mapping[str, str] = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)
    glue: Collection[str] = ()
    important: Collection[str] = ()
    no_slips: Collection[str] = ()

    def __or__(self, more: Table) -> Table:
        """Both tables in one; a word that stands in both is read as `more` says."""
        return Table(
            words={**self.words, **more.words},
            keep_after={**self.keep_after, **more.keep_after},
            k_before=(*self.k_before, *more.k_before),
            emoji={**self.emoji, **more.emoji},
            letters={**self.letters, **more.letters},
            glue=(*self.glue, *more.glue),
            important=(*self.important, *more.important),
            no_slips=(*self.no_slips, *more.no_slips),
        )


def _nothing_known(_word: str) -> bool:
    return False


class Typed:
    """Makes text even. Cheap enough to run on every message; deterministic; never raises on any text."""

    def __init__(self, table: Table, is_word: Callable[[str], bool] = _nothing_known) -> None:
        """Prepare a table.

        Args:
            table: how people type.
            is_word: whether a folded word is ordinary Dutch, and so no slip; asked only for what looks like one.
        """
        self._words = {fold(word): tuple(meaning.split()) for word, meaning in table.words.items()}
        self._keep_after = {word: frozenset(before) for word, before in table.keep_after.items()}
        self._k_before = frozenset(table.k_before)
        self._emoji = {ord(mark): f" {word} " for mark, word in table.emoji.items()}
        self._letters = str.maketrans(dict(table.letters))
        self._important = frozenset(table.important)
        self._no_slips = frozenset(table.no_slips)
        self._glue = frozenset((*table.glue, *table.important))
        self._known = self._glue | frozenset(self._words)
        self._is_word = is_word
        self._near: dict[str, str] = {}
        for word in table.important:
            if len(word) >= _SHORTEST_SLIP:
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
        """The words and marks of text that `even` gave, each in the spelling of the table."""
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

    def _expand(self, piece: str) -> tuple[str, ...]:
        if piece in self._words:
            return self._words[piece]
        if len(piece) < 2 or len(piece) > _LONGEST_PIECE:
            return tuple(piece[at : at + _LONGEST_PIECE] for at in range(0, len(piece), _LONGEST_PIECE))
        if piece.isdigit():
            return (piece,)
        if _LAUGH.match(piece):
            return ("lachen",)
        if _DIGIT_OR_STAR.search(piece) and re.search("[a-z]", piece):
            return self._without_marks(piece)
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
        near = self._slip_of(piece) if len(piece) >= _SHORTEST_SLIP - 1 else None
        if near:
            return (near,)
        parts = self._split(piece) if len(piece) >= _SHORTEST_SLIP and not self._is_word(piece) else None
        if parts:
            return tuple(word for part in parts for word in self._expand(part))
        return (stem,)

    def _without_marks(self, piece: str) -> tuple[str, ...]:
        """A word with digits or marks for letters ("m0rgen", "n*et"), when that gives a known one; else its parts."""
        plain = piece.translate(self._letters)
        if "*" in plain:
            pattern = re.compile(plain.replace("*", "[a-z]?"))
            plain = next((word for word in sorted(self._known) if pattern.fullmatch(word)), plain)
        if plain in self._known:
            return self._expand(plain)
        return tuple(part for part in re.split("[@$€*]", piece) if part) or (piece,)

    def _slip_of(self, piece: str) -> str | None:
        """The important word this is a slip of: one letter more, less, wrong, or two swapped."""
        if not self._near or piece in self._no_slips or self._is_word(piece):
            return None
        if piece in self._near:
            return self._near[piece]
        for shorter in _one_letter_less(piece):
            if shorter in self._important and len(shorter) >= _SHORTEST_SLIP:
                return shorter
            near = self._near.get(shorter)
            if near and len(near) == len(piece) and near[0] == piece[0]:
                return near
        return None

    def _split(self, piece: str) -> list[str] | None:
        """A glued word as at least three known words, the fewest there are; None when it is not made of them."""
        best: list[list[str] | None] = [[]] + [None] * len(piece)
        for end in range(1, len(piece) + 1):
            for start in range(max(0, end - _LONGEST_PART), end):
                before = best[start]
                if before is not None and piece[start:end] in self._glue:
                    here = best[end]
                    if here is None or len(before) + 1 < len(here):
                        best[end] = [*before, piece[start:end]]
        parts = best[-1]
        return parts if parts is not None and len(parts) >= 3 else None


def _one_letter_less(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(len(word))]


def as_table(content: Mapping[str, Any]) -> Table:
    """A table from a data file's content; keys that are not of a table are left aside.

    Raises:
        TypeError: a part is not what its name says.
    """
    return Table(**{name: content[name] for name in Table.__dataclass_fields__ if name in content})


@lru_cache(maxsize=1)
def general_table() -> Table:
    """How people type in general: resources/language/typed.yml.

    Raises:
        OSError, ValueError: the file is missing or malformed (`bot doctor` says where).
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(PATH.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (both loaders are safe)
    if not isinstance(content, dict):
        raise ValueError(f"{PATH}: expected keys and values")
    return as_table(content)
