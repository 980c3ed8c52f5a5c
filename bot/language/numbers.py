"""Dutch numbers as people type them: digits, words, halves, Flemish spoken forms.

Room: bot/language, pure. Imports only its neighbour `normalise`; runs on Python 3.10 too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.language.normalise import Token, squeeze

#: 0–10 with spoken, Flemish and mistyped forms; not "een", which is an article far more often than a one.
_DIGIT_WORDS: dict[str, int] = {
    **dict.fromkeys(("nul", "nulletje"), 0),
    **dict.fromkeys(("eentje",), 1),
    **dict.fromkeys(("twee", "tweetje", "twe", "twie"), 2),
    **dict.fromkeys(("drie", "drietje", "dree", "drei"), 3),
    **dict.fromkeys(("vier", "viertje"), 4),
    **dict.fromkeys(("vijf", "vijfje", "vijfke", "vyf", "vijv", "vief"), 5),
    **dict.fromkeys(("zes", "zesje", "zeske", "zesse", "ses"), 6),
    **dict.fromkeys(("zeven", "zeventje", "zeuven", "zeuve", "zeve", "zevn", "zven", "seven"), 7),
    **dict.fromkeys(("acht", "achtje", "aacht", "agt", "achte"), 8),
    **dict.fromkeys(("negen", "negentje", "nege", "neugen", "neuge", "negn"), 9),
    **dict.fromkeys(("tien", "tientje", "tiene"), 10),
}
_TEENS = {
    "elf": 11, "twaalf": 12, "dertien": 13, "veertien": 14, "vijftien": 15, "zestien": 16,
    "zeventien": 17, "achttien": 18, "negentien": 19,
}  # fmt: skip
_TENS = {
    "twintig": 20, "dertig": 30, "veertig": 40, "vijftig": 50, "zestig": 60, "zeventig": 70,
    "tachtig": 80, "negentig": 90,
}  # fmt: skip
_UNITS = ("een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen")
_COMPOUNDS = {
    f"{unit}en{tens}": n + value for n, unit in enumerate(_UNITS, 1) for tens, value in _TENS.items()
}
_BIG = {"honderd": 100, "duizend": 1000, "miljoen": 1_000_000}
_HALVES = {
    f"{word}{tail}": value + 0.5
    for word, value in {**_DIGIT_WORDS, "een": 1}.items()
    for tail in ("enhalf", "eneenhalf", "enneenhalf", "enhalve", "komma5")
} | {"anderhalf": 1.5, "anderhalve": 1.5}

#: Every number word → its value.
NUMBER_WORDS: dict[str, float] = {**_DIGIT_WORDS, **_TEENS, **_TENS, **_COMPOUNDS, **_BIG, **_HALVES}

_HALF = ("half", "halve", "halfje")


@dataclass(frozen=True)
class NumberSpan:
    """A number and the tokens it was read from: tokens[start:end]."""

    value: float
    start: int
    end: int


def read_number(found: Sequence[Token], at: int) -> NumberSpan | None:
    """The number that begins at token `at`, or None.

    Reads "7", "7,5", "zeven", "zeuven", "zes en (een) half", "7 1/2", "zeven komma vijf", "-1", "min een".
    Values can be any size (infinite beyond what a float holds); judging the range is the caller's.
    """
    sign, here = 1, at
    if found[at].text in ("-", "min") and at + 1 < len(found) and _is_minus(found, at):
        sign, here = -1, at + 1
    value = _single(found[here])
    if value is None and sign == -1 and found[here].text == "een":
        value = 1.0
    if value is None:
        return None
    added, end = _fraction(found, here + 1)
    return NumberSpan(sign * (value + added), at, end)


def _is_minus(found: Sequence[Token], at: int) -> bool:
    """Minus one is "-1"; "7-8" is a range, "- 7" a list dash, "8 min" minutes."""
    follows_number = at > 0 and _single(found[at - 1]) is not None
    if found[at].text == "min":
        return not follows_number
    follows_word = at > 0 and found[at].glued and found[at - 1].kind == "word"
    return found[at + 1].glued and not (follows_number or follows_word)


def _single(token: Token) -> float | None:
    if token.kind == "number":
        return float(token.text.replace(",", "."))
    if token.kind == "word":
        return NUMBER_WORDS.get(squeeze(token.text, NUMBER_WORDS))
    return None


def _fraction(found: Sequence[Token], at: int) -> tuple[float, int]:
    """What follows a whole number and belongs to it ("en (een) half", "komma vijf"), and where it ends."""
    texts = [token.text for token in found[at : at + 3]]
    if texts[:1] == ["en"] and len(texts) > 1:
        if texts[1] in _HALF:
            return 0.5, at + 2
        if texts[1] in ("een", "n", "1") and len(texts) > 2 and texts[2] in _HALF:
            return 0.5, at + 3
    if texts == ["1", "/", "2"]:
        return 0.5, at + 3
    if texts[:1] in (["komma"], ["punt"]) and len(texts) > 1:
        after = _single(found[at + 1])
        if after is not None and after in range(10):
            return after / 10, at + 2
    return 0.0, at
