"""Typed Dutch made even: one spelling of quotes, digits, dashes and accents, cut into tokens.

Room: bot/language, pure. Imports nothing of ours; runs on Python 3.10 too, because the engine uses it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "word", "mark"]

#: Characters that people's keyboards make in several ways. Keycaps (7️⃣) are a digit and two invisible marks.
_SAME = str.maketrans(
    {
        "\ufe0f": "",
        "\u20e3": " ",
        "\U0001f51f": " 10 ",
        "’": "'",
        "‘": "'",
        "`": "'",
        "´": "'",
        "\u02bc": "'",
        "−": "-",
        "–": "-",
        "—": "-",
        "‑": "-",
        "⁄": "/",
        "…": ".",
        "，": ",",
        "．": ".",
        "／": "/",
        "\u0133": "ij",
        "\u0132": "ij",
    }
)
_AND_A_HALF = re.compile(r"(?<=[0-9]) ?½")
_ACCENTED_ONE = re.compile(r"\b[eé][eé]n(?:tje)?\b")
_TOKEN = re.compile(
    r"""(?P<number>[0-9]+(?:[.,][0-9]+)?)
    |(?P<word>[a-z]+(?:'[a-z]+)*)
    |(?P<mark>[^\sa-z0-9'])""",
    re.VERBOSE,
)
_LONG_RUN = re.compile(r"(.)\1{2,}")


@dataclass(frozen=True)
class Token:
    """One word, number or mark.

    `glued` says that no space stands between this token and the one before it ("7u", "-1").
    """

    text: str
    kind: Kind
    glued: bool


def fold(text: str) -> str:
    """Lower-case text without accents, with plain digits, quotes and dashes; "één" (stressed) becomes "1"."""
    text = unicodedata.normalize("NFC", text).translate(_SAME).lower()
    text = _AND_A_HALF.sub(",5 ", text).replace("½", " 0,5 ")
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    text = _ACCENTED_ONE.sub(lambda found: "1" if "é" in found[0] else found[0], text)
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def tokens(text: str) -> list[Token]:
    """Cut text into words, numbers and marks, in order; apostrophes at a word's edge are dropped ('t → t)."""
    found: list[Token] = []
    end = -1
    for match in _TOKEN.finditer(fold(text)):
        kind: Kind = "number" if match["number"] else "word" if match["word"] else "mark"
        found.append(Token(match[0], kind, glued=match.start() == end))
        end = match.end()
    return found


def squeeze(word: str, known: Collection[str]) -> str:
    """Undo stretched letters ("zeveeeen", "altijddd") when that gives a known word; else the same word."""
    if word in known or not _LONG_RUN.search(word):
        return word
    for letters in (r"\1", r"\1\1"):
        shorter = _LONG_RUN.sub(letters, word)
        if shorter in known:
            return shorter
    return word
