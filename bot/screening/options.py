"""Reading a typed answer to a question with options.

Room: pure core. Uses `bot.language.normalise` for one spelling; the labels and phrases are the instrument's own.
"""

from __future__ import annotations

from bot.language.normalise import tokens
from bot.screening.instruments import Item, Option

#: A longer message is a story and not an answer, unless it says an option's whole label.
MOST_WORDS = 8
MOST_WORDS_SEVERAL = 25
#: Who writes all of these does not know: the "niet" in it is no answer.
NOT_KNOWING = frozenset({"weet", "niet"})

Words = tuple[str, ...]


def read_option(item: Item, text: str) -> int | None:
    """The value of the one option that a text names; None when it names none or more than one."""
    said = _words(text)
    exact = [option for option in item.options if said in _names(option)]
    found = exact or _named(item, said, MOST_WORDS)
    return found[0].value if len(found) == 1 else None


def read_options(item: Item, text: str) -> tuple[str, ...] | None:
    """The codes of every option that a text names, in the item's order; None when it names none."""
    found = _named(item, _words(text), MOST_WORDS_SEVERAL)
    together = [option for option in found if not option.alone] or found
    return tuple(option.code for option in together if option.code is not None) or None


def _named(item: Item, said: Words, most: int) -> list[Option]:
    """Options of which a name stands in the text; within overlapping names only the longest counts."""
    if len(said) > most or set(said) >= NOT_KNOWING:
        return []
    spans = [
        (at, at + len(name), option)
        for option in item.options
        for name in _names(option)
        for at in range(len(said) - len(name) + 1)
        if said[at : at + len(name)] == name
    ]
    longest = [
        option
        for start, end, option in spans
        if not any(a <= start and end <= b and b - a > end - start for a, b, _ in spans)
    ]
    return [option for option in item.options if option in longest]


def _names(option: Option) -> list[Words]:
    return [words for name in (option.label, *option.phrases) if (words := _words(name))]


def _words(text: str) -> Words:
    return tuple(token.text for token in tokens(text[:400]) if token.kind != "mark")
