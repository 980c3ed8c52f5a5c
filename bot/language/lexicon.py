"""The words around a scale answer, read once from resources/language/.

Room: bot/language, pure but for reading its two data files. Imports only its neighbours; runs on Python 3.10
too, so it uses plain PyYAML. The strict schema check of the same files is `bot.check_resources`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.language.normalise import tokens

RESOURCES = Path(__file__).resolve().parents[2] / "resources" / "language"

Words = tuple[str, ...]

_PHRASES = ("skip", "back", "no_answer", "correction", "instead_of", "not_a_score_after")
_SINGLE = (
    "correction_start", "second_thoughts", "replaced_by", "fillers", "between_article_and_score",
    "before_a_score", "units", "words_after_a_score", "question_starts", "always_questions",
)  # fmt: skip


@dataclass(frozen=True)
class Lexicon:
    """Phrases are tuples of folded words; `scores` keeps each phrase as written in the data as well."""

    scores: Mapping[Words, tuple[int, str]]
    scale: tuple[int, int]
    skip: frozenset[Words]
    back: frozenset[Words]
    no_answer: frozenset[Words]
    correction: frozenset[Words]
    instead_of: frozenset[Words]
    not_a_score_after: frozenset[Words]
    correction_start: frozenset[str]
    second_thoughts: frozenset[str]
    replaced_by: frozenset[str]
    fillers: frozenset[str]
    between_article_and_score: frozenset[str]
    before_a_score: frozenset[str]
    units: frozenset[str]
    words_after_a_score: frozenset[str]
    question_starts: frozenset[str]
    always_questions: frozenset[str]
    known: frozenset[str]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon in resources/language/.

    Raises:
        OSError, ValueError, KeyError: a data file is missing or malformed (`bot doctor` says where).
    """
    words = _read("scale_words.yml")
    around = _read("answer_phrases.yml")
    scores = {
        _phrase(phrase): (int(row["score"]), str(phrase))
        for row in words["scores"]
        for phrase in row["phrases"]
    }
    phrases = {name: frozenset(map(_phrase, around[name])) for name in _PHRASES}
    single = {name: frozenset(str(word) for word in around[name]) for name in _SINGLE}
    known = {word for phrase in (*scores, *phrases["skip"], *phrases["back"]) for word in phrase}
    content: dict[str, Any] = {**phrases, **single, "known": frozenset(known.union(*single.values()))}
    return Lexicon(scores=scores, scale=(int(words["scale"]["min"]), int(words["scale"]["max"])), **content)


def find_phrase(
    words: Sequence[str], at: int, phrases: Iterable[Words] | Mapping[Words, object], longest: int = 8
) -> Words | None:
    """The longest phrase that starts at `words[at]`, or None; `phrases` is a set or a mapping."""
    for length in range(min(longest, len(words) - at), 0, -1):
        candidate = tuple(words[at : at + length])
        if candidate in phrases:
            return candidate
    return None


def contains(words: Sequence[str], phrases: Iterable[Words]) -> bool:
    """Whether any of the phrases stands somewhere in the words."""
    return any(find_phrase(words, at, phrases) for at in range(len(words)))


def _phrase(text: object) -> Words:
    return tuple(token.text for token in tokens(str(text)) if token.kind != "mark")


def _read(name: str) -> Any:
    path = RESOURCES / name
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (both loaders are safe)
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected keys and values")
    return content
