"""A typed reply to a 0–10 question, read as a score, a choice, a skip, a step back, or none of these.

Room: bot/language, pure. Imports only its neighbours; runs on Python 3.10 too. It reads words and never
guesses: what is not clearly an answer is "none" and goes to the engine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from bot.language.lexicon import Lexicon, Words, contains, find_phrase, lexicon
from bot.language.mentions import ARTICLES, CLAUSE_MARKS, Mention, find_mentions
from bot.language.normalise import Token, squeeze, tokens
from bot.language.numbers import NUMBER_WORDS

AnswerKind = Literal["score", "choose", "out_of_range", "skip", "back", "none"]

#: In a message longer than this (words), a bare number counts only when it is said as a score ("een 8").
LONG_MESSAGE = 12
#: A message longer than this (words) is a story, not an answer; reading it closely would also take too long.
LONGEST_MESSAGE = 400
MOST_CHARACTERS = 20_000
#: More different numbers than this is a list, not a hesitation.
MOST_OPTIONS = 4
_FROM_TO = frozenset({"a", "tot", "-", "tem"})


@dataclass(frozen=True)
class Answer:
    """What a reply says.

    Attributes:
        kind: "score" (value is set), "choose" (several scores fit: options), "out_of_range" (a score off the
            scale), "skip", "back" (to the question before), or "none" (not an answer to a scale question).
        value: the score, a whole number within the scale; None unless kind is "score".
        options: the scores to choose from, rising; empty unless kind is "choose".
        typed: the number as typed when it was rounded (7.5 became 8), else None.
        word: the frequency word the score was read from, as written in resources/language/, else None.
        correction: the score replaces an answer given before ("nee, ik bedoelde 6").
    """

    kind: AnswerKind
    value: int | None = None
    options: tuple[int, ...] = ()
    typed: float | None = None
    word: str | None = None
    correction: bool = False


NONE = Answer("none")


def read_scale_answer(text: str, minimum: int = 0, maximum: int = 10) -> Answer:
    """Read a typed reply to a question with a scale of whole numbers.

    Args:
        text: what the person typed; anything at all, of any length.
        minimum: lowest score of the scale.
        maximum: highest score of the scale. Frequency words are read only on the scale they were written for
            (0–10, resources/language/scale_words.yml).

    Returns:
        The answer. Never raises for any text. Halves round up; the scale's ends are included.
    """
    lex = lexicon()
    found = [_known(token, lex) for token in tokens(text[:MOST_CHARACTERS])]
    words = [token.text for token in found if token.kind != "mark"]
    if not words or len(found) > LONGEST_MESSAGE or _is_question(found, words, lex):
        return NONE
    correction = _is_correction(found, words, lex)
    by_number = _from_numbers(found, words, lex, (minimum, maximum), correction)
    if by_number is not None:
        return by_number
    if contains(words, lex.no_answer):
        return NONE
    for kind, phrases in (("skip", lex.skip), ("back", lex.back)):
        if _dominated(words, phrases, lex.fillers):
            return Answer("skip" if kind == "skip" else "back")
    if lex.scale == (minimum, maximum):
        return _from_words(found, words, lex)
    return NONE


def _known(token: Token, lex: Lexicon) -> Token:
    if token.kind != "word":
        return token
    word = squeeze(token.text, NUMBER_WORDS)
    return Token(squeeze(word, lex.known), "word", token.glued)


def _is_question(found: Sequence[Token], words: Sequence[str], lex: Lexicon) -> bool:
    if words[0] in lex.always_questions:
        return True
    return found[-1].text == "?" and words[0] in lex.question_starts


def _is_correction(found: Sequence[Token], words: Sequence[str], lex: Lexicon) -> bool:
    """Whether a score in this message is meant for an earlier answer; "*6" is how chatters mend a typo."""
    if contains(words, lex.no_answer):
        return False
    starts = words[0] in lex.correction_start and len(words) > 1
    return starts or found[0].text == "*" or contains(words, lex.correction)


# --- numbers ---


def _from_numbers(
    found: Sequence[Token], words: Sequence[str], lex: Lexicon, scale: tuple[int, int], correction: bool
) -> Answer | None:
    minimum, maximum = scale
    mentions = find_mentions(found, lex, maximum, minimum)
    said = [mention for mention in mentions if not mention.negated]
    if len(said) < len(mentions) and said:
        # "niet 7 maar 6" takes back a 7; "6, zeker geen 7" does not.
        correction = correction or mentions[0].negated
    said, replaces = _settle(found, said, lex)
    correction = correction if replaces is None else replaces
    if any(mention.strong for mention in said):
        said = [mention for mention in said if mention.strong or _neighbours(found, said, mention)]
    elif len(words) > LONG_MESSAGE:
        return None
    if not said:
        return None
    return _decide(found, said, scale, correction, says_little_else=_says_little_else(words, lex))


def _decide(
    found: Sequence[Token],
    said: Sequence[Mention],
    scale: tuple[int, int],
    correction: bool,
    *,
    says_little_else: bool,
) -> Answer | None:
    """What the scores in a message come to; a number off the scale in a longer story is no answer at all."""
    minimum, maximum = scale
    inside = [mention for mention in said if minimum <= mention.value <= maximum]
    outside = [mention for mention in said if mention not in inside]
    if outside and (says_little_else or any(mention.strong for mention in outside)):
        return Answer("out_of_range")
    if not inside or (outside and not any(mention.strong for mention in inside)):
        return None
    if _is_shift(found, inside):
        return None
    options = _options(found, inside, minimum, maximum)
    if not options:
        return Answer("out_of_range")
    if len(options) > 1:
        listed = len({mention.value for mention in inside})
        return Answer("choose", options=options, correction=correction) if listed <= MOST_OPTIONS else None
    typed = inside[0].value if len(inside) == 1 and inside[0].value != options[0] else None
    if inside[0].above or inside[0].below:
        typed = None
    return Answer("score", value=options[0], typed=typed, correction=correction)


def _is_shift(found: Sequence[Token], said: Sequence[Mention]) -> bool:
    """Hours, as in "van 6 tot 2": nobody counts a scale down."""
    return any(
        left.value > right.value and "tot" in [token.text for token in found[left.end : right.start]]
        for left, right in pairwise(said)
    )


def _says_little_else(words: Sequence[str], lex: Lexicon) -> bool:
    usual = lex.fillers | lex.before_a_score | lex.words_after_a_score | lex.between_article_and_score
    return all(word in usual or word[0].isdigit() or word in NUMBER_WORDS for word in words)


def _options(found: Sequence[Token], said: Sequence[Mention], minimum: int, maximum: int) -> tuple[int, ...]:
    """Every whole score that fits what was said, rising."""
    if len(said) == 1 and (said[0].above or said[0].below):
        value = said[0].value
        if said[0].above:
            return tuple(range(math.floor(value) + 1, maximum + 1))
        return tuple(range(minimum, math.ceil(value)))
    options = {_round_half_up(mention.value) for mention in said}
    for left, right in pairwise(said):
        between = {token.text for token in found[left.end : right.start]}
        ranged = between & _FROM_TO or ("en" in between and _after_tussen(found, left))
        if ranged and left.value < right.value:
            options.update(range(_round_half_up(left.value), _round_half_up(right.value) + 1))
    return tuple(sorted(options))


def _settle(found: Sequence[Token], said: list[Mention], lex: Lexicon) -> tuple[list[Mention], bool | None]:
    """Of two scores in one message, the one that stands; and whether it replaces an earlier answer.

    "7, sorry, 8" is an 8 for this question (False); "de 7 moest 8 zijn" and "8 in plaats van 7" change an
    earlier answer (True); "eerder 7 dan 6" is a 7, and nothing is said about earlier (None).
    """
    if len(said) < 2:
        return said, None
    left, right = said[-2], said[-1]
    between = [token.text for token in found[left.end : right.start] if token.kind != "mark"]
    before = [token.text for token in found[max(0, left.start - 4) : left.start]]
    if contains(between, lex.instead_of):
        return [left], True
    if set(between) & lex.replaced_by:
        return [right], True
    if "dan" in between and {"eerder", "liever", "meer"} & {*before, *between}:
        return [left], None
    if set(between) & lex.second_thoughts and "of" not in between[:1] + between[-1:]:
        return [right], False
    if between[:2] == ["of", "nee"] or between[:2] == ["of", "toch"]:
        return [right], False
    return said, None


def _neighbours(found: Sequence[Token], said: Sequence[Mention], mention: Mention) -> bool:
    """Whether a strong mention stands beside this one with only a joining word between: "een 7 of 8"."""
    for left, right in pairwise(said):
        if mention not in (left, right) or not (left.strong or right.strong):
            continue
        between = {token.text for token in found[left.end : right.start]}
        if between <= {
            "of",
            "a",
            "tot",
            "-",
            "/",
            "en",
            ",",
            "de",
            "misschien",
            "eventueel",
            "eerder",
            "zelfs",
            *ARTICLES,
        }:
            return True
    return False


def _after_tussen(found: Sequence[Token], left: Mention) -> bool:
    return "tussen" in [token.text for token in found[max(0, left.start - 3) : left.start]]


def _round_half_up(value: float) -> int:
    return math.floor(value + 0.5)


# --- words ---


def _from_words(found: Sequence[Token], words: Sequence[str], lex: Lexicon) -> Answer:
    """A frequency word, when the message, or one of its clauses in a short message, says little else."""
    cues = frozenset(word for phrase in lex.correction for word in phrase) - {"toch"}
    correction = contains(words, lex.correction)
    allowed = lex.fillers | cues if correction else lex.fillers
    matched = _dominated(words, lex.scores, allowed)
    if not matched and len(words) <= LONG_MESSAGE:
        clauses = [_dominated(clause, lex.scores, lex.fillers) for clause in _clauses(found)]
        everywhere = [phrase for at in range(len(words)) if (phrase := find_phrase(words, at, lex.scores))]
        matched = [phrase for clause in clauses for phrase in clause]
        if {lex.scores[p][0] for p in everywhere if not _part_of(p, matched)} - {
            lex.scores[p][0] for p in matched
        }:
            return NONE
    scores = sorted({lex.scores[phrase][0] for phrase in matched})
    if len(scores) == 1:
        return Answer("score", value=scores[0], word=lex.scores[matched[0]][1], correction=correction)
    if 1 < len(scores) <= MOST_OPTIONS:
        return Answer("choose", options=tuple(scores), correction=correction)
    return NONE


def _part_of(phrase: Words, matched: Sequence[Words]) -> bool:
    return any(set(phrase) <= set(other) for other in matched)


def _clauses(found: Sequence[Token]) -> list[list[str]]:
    clauses: list[list[str]] = [[]]
    for token in found:
        if token.text in CLAUSE_MARKS:
            clauses.append([])
        elif token.kind != "mark":
            clauses[-1].append(token.text)
    return [clause for clause in clauses if clause]


def _dominated(
    words: Sequence[str], phrases: frozenset[Words] | Mapping[Words, object], fillers: frozenset[str]
) -> list[Words]:
    """The phrases in `words`, longest first from the left, when all other words are fillers; else []."""
    matched: list[Words] = []
    at = 0
    while at < len(words):
        phrase = find_phrase(words, at, phrases)
        if phrase is not None:
            matched.append(phrase)
            at += len(phrase)
        elif words[at] in fillers:
            at += 1
        else:
            return []
    return matched
