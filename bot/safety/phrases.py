"""Phrase rules over spaCy tokens and lemmas: what the words themselves say, and in which scope they stand.

Room: pure core. The phrases are data in resources/safety/rules/; how one is written stands in `token_patterns`. A hit
is evidence, with the words that made it and the scopes it stands in; bot/safety/guard.py decides what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import simplemma
from pydantic import Field
from spacy.matcher import Matcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from bot.resources import (
    RESOURCES,
    Definition,
    ResourceError,
    SourcedDefinition,
    read_definition,
    read_folder,
)
from bot.safety.verdict import Kind

#: How a hit is limited by what stands around it.
Scope = Literal["idiom", "negated", "past", "work", "other", "story"]
#: Marks behind which nothing belongs to the words before them.
STOPS = frozenset(".!?;")
#: So many words before a hit may negate it or say whom it is about.
REACH = {"negated": 4, "past": 14, "work": 12, "other": 9, "story": 12}

FIRST_PERSON = frozenset({"ik", "mij", "me", "mezelf", "mijn"})

_GAP = re.compile(r"\{(\d+)(?:,(\d+))?\}")


class Rule(Definition):
    """Phrases that mean the same kind of danger.

    Attributes:
        id: its name in reasons.
        verdict: what the words say when nothing limits them.
        sure: the words alone are enough for `explicit`, whatever the classifier thinks.
        may_be_negated: False where the phrase holds its own "niet" ("ik wil niet meer leven").
        phrases: see `token_patterns`.
    """

    id: str
    verdict: Literal["explicit", "ambiguous"]
    sure: bool = False
    may_be_negated: bool = True
    phrases: list[str] = Field(min_length=1)


class RuleFile(SourcedDefinition):
    """resources/safety/rules/<kind>.yml: the rules of one kind of danger."""

    kind: Kind
    rules: list[Rule] = Field(min_length=1)


class ScopeFile(SourcedDefinition):
    """resources/safety/scopes.yml: words that limit what other words say."""

    idiom: list[str] = Field(min_length=1)
    negated: list[str] = Field(min_length=1)
    not_negated: list[str] = Field(min_length=1)
    past: list[str] = Field(min_length=1)
    work: list[str] = Field(min_length=1)
    other: list[str] = Field(min_length=1)
    story: list[str] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Hit:
    """One phrase that was found: the rule, its words as read, where they stand, and what limits them."""

    kind: Kind
    rule: Rule
    words: str
    start: int
    end: int
    scopes: frozenset[Scope]

    @property
    def free(self) -> bool:
        """Nothing takes the danger for the writer out of these words."""
        return not self.scopes


@lru_cache(maxsize=50_000)
def lemma(word: str) -> str:
    """The Dutch lemma of a folded word, from the tables inside simplemma."""
    return simplemma.lemmatize(word, lang="nl").lower() if word.isalpha() else word


def token_patterns(phrase: str) -> list[dict[str, Any]]:
    """A phrase as spaCy token patterns.

    Words stand for themselves, `a|b` for either, `<willen>` for any form of a verb or noun, `dood*` for a beginning,
    `{0,3}` for up to three words of any kind within the same sentence, `word?` for a word that may be left out.

    Raises:
        ValueError: an empty word, or a gap at an end.
    """
    found: list[dict[str, Any]] = []
    for piece in phrase.split():
        gap = _GAP.fullmatch(piece)
        if gap:
            low, high = int(gap[1]), int(gap[2] or gap[1])
            found.append({"TEXT": {"NOT_IN": sorted(STOPS)}, "OP": f"{{{low},{high}}}"})
            continue
        optional = piece.endswith("?") and len(piece) > 1
        token = _token(piece[:-1] if optional else piece)
        found.append(token | ({"OP": "?"} if optional else {}))
    if not found or "OP" in found[0] or "OP" in found[-1]:
        raise ValueError(f"{phrase!r} must begin and end with a word")
    return found


def _token(piece: str) -> dict[str, Any]:
    if piece.startswith("<") and piece.endswith(">"):
        return {"LEMMA": {"IN": [lemma(word) for word in piece[1:-1].split("|")]}}
    words = piece.split("|")
    if not all(words):
        raise ValueError(f"{piece!r} holds an empty word")
    if any(word.endswith("*") for word in words):
        either = "|".join(
            re.escape(word[:-1]) + ".*" if word.endswith("*") else re.escape(word) for word in words
        )
        return {"TEXT": {"REGEX": f"^(?:{either})$"}}
    return {"TEXT": {"IN": words}} if len(words) > 1 else {"TEXT": piece}


class _Phrases:
    """Named phrases, of which only those are matched that can stand in a text."""

    def __init__(self, phrases: Iterable[tuple[str, str]]) -> None:
        self._vocab = Vocab()
        self._matchers: list[tuple[str, Matcher, list[set[str]]]] = []
        self._anchors: dict[str, list[int]] = {}
        for name, phrase in phrases:
            matcher = Matcher(self._vocab)
            matcher.add(name, [token_patterns(phrase)])
            places = _places(phrase)
            # by its most telling place it is looked up
            for anchor in max(places, key=lambda words: min(map(len, words))):
                self._anchors.setdefault(anchor, []).append(len(self._matchers))
            self._matchers.append((name, matcher, places))
        everywhere = {word for _, _, places in self._matchers for place in places for word in place}
        self._beginnings = tuple(sorted(word[:-1] for word in everywhere if word.endswith("*")))

    def find(self, words: Sequence[str], lemmas: Sequence[str]) -> dict[str, set[tuple[int, int]]]:
        """Where phrases stand, by name: from a word up to another."""
        candidates = self._candidates({*words, *lemmas})
        found: dict[str, set[tuple[int, int]]] = {}
        if candidates:
            doc = Doc(self._vocab, words=list(words), lemmas=list(lemmas))
            for name, matcher in candidates:
                found.setdefault(name, set()).update((start, end) for _, start, end in matcher(doc))
        return found

    def _candidates(self, words: set[str]) -> list[tuple[str, Matcher]]:
        """The phrases of which every word stands somewhere in the text; matching the others would be for nothing."""
        begun = [word for word in words if word.startswith(self._beginnings)]
        there = words | {f"{one}*" for one in self._beginnings for word in begun if word.startswith(one)}
        found = {place for word in there for place in self._anchors.get(word, ())}
        phrases = (self._matchers[place] for place in sorted(found))
        return [
            (name, matcher)
            for name, matcher, places in phrases
            if not any(place.isdisjoint(there) for place in places)
        ]


class PhraseRules:
    """Finds phrases in words that `Normaliser.words` gave. Deterministic; never raises on any words."""

    def __init__(self, files: Iterable[RuleFile], scopes: ScopeFile) -> None:
        """Compile the phrases.

        Raises:
            ValueError: a phrase cannot be read, or a rule's name is given twice.
        """
        self._rules: dict[str, tuple[Kind, Rule]] = {}
        for file in files:
            for rule in file.rules:
                if rule.id in self._rules:
                    raise ValueError(f"rule {rule.id!r} is given twice")
                self._rules[rule.id] = (file.kind, rule)
        self._phrases = _Phrases((rule.id, one) for _, rule in self._rules.values() for one in rule.phrases)
        names = ("idiom", "negated", "not_negated", "past", "work", "other", "story")
        self._scopes = _Phrases((name, one) for name in names for one in getattr(scopes, name))

    @property
    def names(self) -> list[str]:
        """The rules' names, in order."""
        return list(self._rules)

    def find(self, words: Sequence[str]) -> list[Hit]:
        """Every hit, in order of place."""
        lemmas = [lemma(word) for word in words]
        places = self._phrases.find(words, lemmas)
        spots = [(name, start, end) for name, found in places.items() for start, end in _longest(found)]
        if not spots:
            return []
        spans = self._scopes.find(words, lemmas)
        hits = []
        for name, start, end in spots:
            kind, rule = self._rules[name]
            limits = _limits(words, start, end, rule, spans)
            hits.append(Hit(kind, rule, " ".join(words[start:end]), start, end, limits))
        hits.sort(key=lambda hit: (hit.start, hit.end, hit.rule.id))
        return hits


def _longest(spots: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of spots that overlap the longest, and of equally long ones the first."""
    taken: set[int] = set()
    chosen = []
    for start, end in sorted(spots, key=lambda spot: (spot[0] - spot[1], spot[0])):
        if taken.isdisjoint(range(start, end)):
            taken.update(range(start, end))
            chosen.append((start, end))
    return chosen


def _places(phrase: str) -> list[set[str]]:
    """For each place of a phrase that must be filled the words of which one stands there; `dood*` as it is written."""
    return [
        {lemma(word) for word in piece[1:-1].split("|")} if piece.startswith("<") else set(piece.split("|"))
        for piece in phrase.split()
        if not _GAP.fullmatch(piece) and not piece.endswith("?")
    ]


def _limits(
    words: Sequence[str], start: int, end: int, rule: Rule, spans: dict[str, set[tuple[int, int]]]
) -> frozenset[Scope]:
    found: set[Scope] = set()
    if any(a <= start and end <= b for a, b in spans.get("idiom", ())):
        found.add("idiom")
    begin = _clause_start(words, start)
    if rule.may_be_negated:
        kept = {place for a, b in spans.get("not_negated", ()) for place in range(a, b)}
        if any(
            max(begin, start - REACH["negated"]) <= a < end and a not in kept
            for a, _ in spans.get("negated", ())
        ):
            found.add("negated")
    open_subject = FIRST_PERSON.isdisjoint(words[start:end])
    for scope in ("past", "work", "other", "story"):
        if scope == "other" and not open_subject:
            continue  # the words say themselves whom they are about
        reach = REACH[scope]
        after = end + reach if scope in ("past", "story") else end
        if any(max(begin, start - reach) <= a and b <= after for a, b in spans.get(scope, ())):
            found.add(scope)
    return frozenset(found)


def _clause_start(words: Sequence[str], start: int) -> int:
    return next((place + 1 for place in range(start - 1, -1, -1) if words[place] in STOPS), 0)


def load_phrase_rules(folder: Path = RESOURCES / "safety") -> PhraseRules:
    """The rules and scopes in resources/ (or in `folder`).

    Raises:
        ResourceError: with every fault of every file.
    """
    files = read_folder(folder / "rules", RuleFile)
    scopes = read_definition(folder / "scopes.yml", ScopeFile)
    try:
        return PhraseRules(files.values(), scopes)
    except ValueError as error:
        raise ResourceError([f"{folder / 'rules'}: {error}"]) from None
