"""Hours as people type them: '16u', 'na half negen', 'tussen 9 en 12', 'kwart voor 3'.

Room: pure core. Knows what is typed, not what it means: whether 'na 4' is in the afternoon is for
bot.escalation.moments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.language.numbers import NUMBER_WORDS

_END = r"(?![a-z0-9])"
_HOURS = "|".join(word for word, value in NUMBER_WORDS.items() if value in range(2, 13))
_STEPS = {"5": 5, "vijf": 5, "10": 10, "tien": 10, "kwart": 15, "20": 20, "twintig": 20}

#: Before an hour: what it makes of it, how that is said again, whether the hour has still to come.
_BEFORE: tuple[tuple[str, Literal["at", "from", "until"], str, bool], ...] = (
    (r"niet\s+(?:voor|vroeger\s+dan|eerder\s+dan)|ten\s+vroegste|pas\s+vanaf", "from", "vanaf", True),
    (r"niet\s+(?:na|later\s+dan)|ten\s+laatste|uiterlijk|voor|tot", "until", "voor", False),
    ("vanaf", "from", "vanaf", False),
    (r"(?:pas\s+)?na|later\s+dan", "from", "na", False),
    ("rond|omstreeks|ongeveer|tegen|circa", "at", "rond", False),
    ("om|te", "at", "om", False),
)


@dataclass(frozen=True, slots=True)
class Clock:
    """An hour or two, in minutes after midnight as typed.

    `literal` says that the first is meant on 24 hours ('04:00', '16u'); `later`, that it has still to come
    ('niet voor 10u'); `says` is the word in front of it when it is repeated.
    """

    kind: Literal["at", "from", "until", "between"]
    first: int
    second: int = 0
    says: str = "om"
    literal: bool = False
    later: bool = False


def _clock(mark: str, *, then: str = r"(?![\d/]|-\d)") -> str:
    """'16u', '16.30 uur', '16:30', 'half negen', '4'; its groups end in `mark`, `then` may not follow."""
    return (
        rf"(?:(?P<s{mark}>{'|'.join(_STEPS)})\s+(?P<w{mark}>voor|over|na)\s+)?(?:(?P<f{mark}>half)\s+)?"
        rf"(?P<h{mark}>\d{{1,2}}|een(?=\s+uur)|{_HOURS})"
        rf"(?:\s?(?P<c{mark}>[:.])(?P<m{mark}>[0-5]\d)(?P<v{mark}>\s?(?:uur|u|h){_END})?"
        rf"|(?P<u{mark}>\s?(?:uur|uren|ure|u|h)(?:\s?(?P<n{mark}>[0-5]\d))?(?:u{_END})?{_END}))?{then}(?![a-z])"
    )


_HOUR = re.compile(_clock("1"))
_FIRST = _clock("1", then=r"(?![\d/])")
_BETWEEN = re.compile(
    rf"(?:(?P<lead>tussen|van|vanaf|na)\s+)?{_FIRST}"
    rf"(?P<to>\s*-\s*|\s+(?:tot|en)\s+(?:om\s+)?){_clock('2')}"
)
_BEFORE_PATTERNS = tuple(
    (re.compile(rf"(?:{pattern})\s+(?:om\s+|ongeveer\s+|een\s+uur\s+of\s+)?{_clock('1')}"), kind, says, later)
    for pattern, kind, says, later in _BEFORE
)

#: Whether the rest of a text lets a bare number before it be an hour: 'na 4 op dit nummer', not 'na 3 nachten'.
MayFollow = Callable[[str], bool]


def clock_at(text: str, at: int, may_follow: MayFollow, *, bare: bool = True) -> tuple[Clock, int] | None:
    """The hour or hours that begin at a place, and where they end.

    Args:
        text: lower case, without accents.
        at: where to read.
        may_follow: asked about what stands behind a bare number.
        bare: whether an hour without a word in front of it counts ('16u').
    """
    return (
        _between(text, at, may_follow)
        or _with_a_word(text, at, may_follow)
        or (_alone(text, at) if bare else None)
    )


def _between(text: str, at: int, may_follow: MayFollow) -> tuple[Clock, int] | None:
    match = _BETWEEN.match(text, at)
    if match is None:
        return None
    first, second = _read(match, "1"), _read(match, "2")
    joint, led = match["to"].strip(), match["lead"] is not None
    # '9-12' alone may be anything; '9 en 12' needs 'tussen'.
    said = led or joint.startswith("tot") or (joint == "-" and (match["u1"] or match["u2"] or match["m1"]))
    if not (first and second and said and _closed(text, match, "2", may_follow)):
        return None
    return Clock("between", first[0], second[0], literal=first[1]), match.end()


def _with_a_word(text: str, at: int, may_follow: MayFollow) -> tuple[Clock, int] | None:
    for pattern, kind, says, later in _BEFORE_PATTERNS:
        match = pattern.match(text, at)
        hour = _read(match, "1") if match else None
        if match and hour and _closed(text, match, "1", may_follow):
            return Clock(kind, hour[0], says=says, literal=hour[1], later=later), match.end()
    return None


def _alone(text: str, at: int) -> tuple[Clock, int] | None:
    match = _HOUR.match(text, at)
    hour = _read(match, "1") if match else None
    if not (
        match and hour and (match["u1"] or match["v1"] or match["c1"] == ":" or match["f1"] or match["s1"])
    ):
        return None
    return Clock("at", hour[0], literal=hour[1]), match.end()


def _closed(text: str, match: re.Match[str], mark: str, may_follow: MayFollow) -> bool:
    return bool(match[f"u{mark}"] or match[f"m{mark}"]) or may_follow(text[match.end() :])


def _read(match: re.Match[str], mark: str) -> tuple[int, bool] | None:
    """Minutes after midnight as typed, and whether they are on 24 hours; None for an hour that no clock has."""
    typed = match[f"h{mark}"]
    hour = int(typed) if typed.isdigit() else 1 if typed == "een" else int(NUMBER_WORDS[typed])
    minutes = int(match[f"m{mark}"] or match[f"n{mark}"] or 0)
    shift = _STEPS.get(match[f"s{mark}"] or "", 0) * (-1 if match[f"w{mark}"] == "voor" else 1)
    shift -= 30 if match[f"f{mark}"] else 0
    if hour * 60 + minutes > 24 * 60 or (shift and not 1 <= hour <= 12):
        return None
    return hour * 60 + minutes + shift, typed.startswith("0") or hour > 12
