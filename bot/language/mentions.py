"""Which numbers in a message are scores: not times, counts, dates, or the scale itself.

Room: bot/language, pure. Imports only its neighbours; runs on Python 3.10 too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.language.lexicon import Lexicon
from bot.language.normalise import Token
from bot.language.numbers import NumberSpan, read_number

ARTICLES = frozenset({"een", "n", "ne", "nen"})
#: Ends a clause; a comma inside a decimal is part of its number.
CLAUSE_MARKS = frozenset(',.;:!?()"')
_OF_TEN = (("/",), ("op",), ("op", "de"), ("van",), ("van", "de"), ("uit",), ("op", "een", "schaal", "van"))
_JOINS_SCALE = frozenset({"tot", "en", "-", "a", "tem"})


@dataclass(frozen=True)
class Mention:
    """A number that may be a score: tokens[start:end]; `strong` when said as one ("een 8", "8/10")."""

    value: float
    start: int
    end: int
    strong: bool = False
    negated: bool = False
    above: bool = False
    below: bool = False


def find_mentions(found: Sequence[Token], lex: Lexicon, maximum: int, minimum: int = 0) -> list[Mention]:
    """Every number in the message that may be a score, in order."""
    spans = _without_scale(found, _spans(found, lex), minimum, maximum)
    kept: list[Mention] = []
    counted: list[Mention] = []
    at = 0
    while at < len(spans):
        span = spans[at]
        after = spans[at + 1] if at + 1 < len(spans) else None
        of = _fraction_word(found, span, after)
        if after is not None and of is not None and _is_fraction(span, after, of, maximum):
            whole = Mention(span.value, span.start, after.end, strong=of == "/")
            if after.value == maximum and not _is_quantity(found, whole, lex):
                kept.append(_describe(found, whole, lex))
            at += 2
            continue
        mention = _describe(found, Mention(span.value, span.start, span.end), lex)
        (counted if _is_quantity(found, mention, lex) else kept).append(mention)
        at += 1
    kept = [mention for mention in kept if not any(_shares_unit(found, mention, other) for other in counted)]
    return [mention for mention in kept if not _names_the_scale(found, mention, kept, maximum)]


def _shares_unit(found: Sequence[Token], mention: Mention, counted: Mention) -> bool:
    """The 4 of "4 à 5 uur"."""
    between = [token.text for token in found[mention.end : counted.start]]
    return len(between) == 1 and between[0] in ("a", "of", "tot", "-")


def _names_the_scale(found: Sequence[Token], mention: Mention, kept: Sequence[Mention], maximum: int) -> bool:
    """The 10 of "een 8 geven op 10" and "een 7 op de schaal van 10"."""
    if mention.value != maximum:
        return False
    before = [token.text for token in found[max(0, mention.start - 2) : mention.start]]
    if before[-1:] != ["op"] and before not in (["op", "de"], ["schaal", "van"], ["schaal", "tot"]):
        return False
    start, _ = clause_bounds(found, mention.start)
    return any(other.strong and start <= other.start < mention.start for other in kept)


def clause_bounds(found: Sequence[Token], at: int) -> tuple[int, int]:
    """Start and end of the clause that holds token `at`."""
    start = at
    while start > 0 and found[start - 1].text not in CLAUSE_MARKS:
        start -= 1
    end = at
    while end < len(found) and found[end].text not in CLAUSE_MARKS:
        end += 1
    return start, end


def _spans(found: Sequence[Token], lex: Lexicon) -> list[NumberSpan]:
    spans: list[NumberSpan] = []
    at = 0
    while at < len(found):
        span = read_number(found, at)
        if span is None and found[at].text == "een" and _een_is_one(found, at, lex):
            span = NumberSpan(1.0, at, at + 1)
        if span is None:
            at += 1
            continue
        spans.append(span)
        at = span.end
    return spans


def _een_is_one(found: Sequence[Token], at: int, lex: Lexicon) -> bool:
    """Mostly "een" is an article; it is a one in "een" alone, "doe maar een", "een of twee", "nul of een"."""
    joins = ("of", "a", "tot")
    texts = [token.text for token in found]
    if at + 2 < len(texts) and (texts[at + 1] in joins or (texts[at + 1] == "en" and "tussen" in texts[:at])):
        return read_number(found, at + 2) is not None
    if at + 2 < len(texts) and texts[at + 1] in ("op", "/") and texts[at + 2] in ("10", "tien"):
        return True
    if any(token.kind != "mark" for token in found[at + 1 :]):
        return False
    before = [text for text in texts[:at] if text not in CLAUSE_MARKS]
    if len(before) > 1 and before[-1] in joins:
        return read_number(found, at - 2) is not None
    return all(text in lex.before_a_score or text in ("maar", "ik", "er") for text in before)


def _without_scale(
    found: Sequence[Token], spans: list[NumberSpan], minimum: int, maximum: int
) -> list[NumberSpan]:
    """Leave out "van 0 tot 10" and a leading "op 10": they name the scale, not a score."""
    kept: list[NumberSpan] = []
    for at, span in enumerate(spans):
        before = spans[at - 1] if at else None
        after = spans[at + 1] if at + 1 < len(spans) else None
        if after and (span.value, after.value) == (minimum, maximum) and _joined(found, span, after):
            continue
        if before and (before.value, span.value) == (minimum, maximum) and _joined(found, before, span):
            continue
        leads = span.value == maximum and not kept and after is not None
        if leads and [token.text for token in found[max(0, span.start - 1) : span.start]] in (
            ["op"],
            ["van"],
        ):
            continue
        if leads and [token.text for token in found[max(0, span.start - 2) : span.start]] == ["op", "de"]:
            continue
        kept.append(span)
    return kept


def _joined(found: Sequence[Token], left: NumberSpan, right: NumberSpan) -> bool:
    between = found[left.end : right.start]
    return 0 < len(between) <= 3 and all(token.text in _JOINS_SCALE for token in between)


def _fraction_word(found: Sequence[Token], span: NumberSpan, after: NumberSpan | None) -> str | None:
    if after is None:
        return None
    between = tuple(token.text for token in found[span.end : after.start])
    return between[0] if between in _OF_TEN else None


def _is_fraction(span: NumberSpan, after: NumberSpan, of: str, maximum: int) -> bool:
    """Fractions are "8/10" and "3 op 7"; "7/8" and "7/6" are two scores side by side."""
    side_by_side = of == "/" and abs(after.value - span.value) == 1 and after.value < maximum
    return not side_by_side


def _describe(found: Sequence[Token], mention: Mention, lex: Lexicon) -> Mention:
    texts = [token.text for token in found]
    start, end = clause_bounds(found, mention.start)
    alone = all(
        token.text in lex.fillers or token.text in lex.before_a_score or token.kind == "mark"
        for at, token in enumerate(found[start:end], start)
        if not mention.start <= at < mention.end
    )
    lead = mention.start
    while lead > start and texts[lead - 1] in lex.between_article_and_score:
        lead -= 1
    article = lead > start and texts[lead - 1] in ARTICLES
    cue = any(text in lex.before_a_score for text in texts[max(start, mention.start - 4) : mention.start])
    head = lead - 1 if article else mention.start
    if head > start and texts[head - 1] in ("de", "het"):
        head -= 1
    negated = head > start and texts[head - 1] in ("niet", "geen") and texts[max(start, head - 2)] != "net"
    mention = replace(mention, strong=mention.strong or article or cue or alone, negated=negated)
    return _compare(found, mention, head)


def _compare(found: Sequence[Token], mention: Mention, head: int) -> Mention:
    """A choice is left by "meer dan 7" and ">7"; "niet meer dan 7" is said for 7 itself."""
    before = [token.text for token in found[max(0, head - 3) : head]]
    above = before[-2:] in (["meer", "dan"], ["hoger", "dan"], ["groter", "dan"]) or before[-1:] in (
        ["boven"],
        [">"],
    )
    below = before[-2:] in (["minder", "dan"], ["lager", "dan"], ["kleiner", "dan"]) or before[-1:] in (
        ["onder"],
        ["<"],
    )
    if (above or below) and ("niet" in before or "nooit" in before or "geen" in before):
        above = below = False
    return replace(mention, above=above, below=below)


def _is_quantity(found: Sequence[Token], mention: Mention, lex: Lexicon) -> bool:
    """Whether the number counts or names something else: "3 nachten", "om 6", "6:30", "80%", "p2", "<3"."""
    texts = [token.text for token in found]
    first = found[mention.start]
    start, _ = clause_bounds(found, mention.start)
    before = texts[start : mention.start]
    if first.kind == "number" and first.glued and mention.start and found[mention.start - 1].kind == "word":
        return True
    if any(tuple(before[-size:]) in lex.not_a_score_after for size in (1, 2)):
        return True
    if first.kind == "number" and re.match(r"0[0-9]+[.,]|0[0-9]{2,}", first.text):
        return True
    if texts[max(0, mention.start - 1) : mention.start] in (["€"], ["$"]) or _is_heart(found, mention):
        return True
    if mention.end == len(found):
        return _after_time_colon(found, mention)
    after = found[mention.end]
    if after.text in ("%", "€", "°", "‰") or _after_time_colon(found, mention):
        return True
    if after.text == ":" and after.glued and mention.end + 1 < len(found):
        return found[mention.end + 1].kind == "number" and found[mention.end + 1].glued
    if after.text == "-" and after.glued and mention.end + 1 < len(found):
        following = found[mention.end + 1]
        return following.glued and following.kind == "word" and read_number(found, mention.end + 1) is None
    if after.kind != "word" or read_number(found, mention.end) is not None:
        return False
    if after.text in lex.units:
        return True
    article = bool(before) and (before[-1] in ARTICLES or before[-1] in lex.between_article_and_score)
    spared = article or "/" in texts[mention.start : mention.end]
    return after.text not in lex.words_after_a_score and (after.glued or not spared)


def _after_time_colon(found: Sequence[Token], mention: Mention) -> bool:
    """The 30 of "6:30"."""
    at = mention.start
    if at < 2 or found[at - 1].text != ":" or not (found[at].glued and found[at - 1].glued):
        return False
    return found[at - 2].kind == "number"


def _is_heart(found: Sequence[Token], mention: Mention) -> bool:
    at = mention.start
    return mention.value == 3 and at > 0 and found[at - 1].text == "<" and found[at].glued
