"""Figures about cases that give nobody away: small numbers are hidden, and so is a rest that would tell them.

Room: pure core. Knows counts and times; the moment is passed in with its zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

#: A number of people below this is not shown.
SMALL = 5
WEEKS = 12
#: Below so many people not even a share over all weeks is told in steps of ten percent: each step holds 5 or more.
STEPS_FROM = 50

FEW = "< 5"
#: Of so few people neither a part nor its rest is large enough to tell.
UNTOLD = "niet getoond"


@dataclass(frozen=True, slots=True)
class Week:
    """An ISO week; `start` is its Monday at midnight in the zone asked for, `end` the next one."""

    year: int
    number: int
    start: datetime
    end: datetime


def weeks_until(at: datetime, zone: tzinfo, count: int = WEEKS) -> list[Week]:
    """The last `count` ISO weeks, oldest first; the last one holds `at` and is not over yet."""
    today = at.astimezone(zone).date()
    this_monday = today - timedelta(days=today.weekday())
    mondays = [this_monday - timedelta(weeks=back) for back in range(count - 1, -2, -1)]
    starts = [datetime.combine(monday, time(), zone) for monday in mondays]
    return [
        _week(monday, start, end) for monday, start, end in zip(mondays, starts, starts[1:], strict=False)
    ]


def _week(monday: date, start: datetime, end: datetime) -> Week:
    year, number, _ = monday.isocalendar()
    return Week(year, number, start, end)


def count_shown(number: int) -> str:
    """A number of people that is no part of another shown number. That there is nobody may be said."""
    return FEW if 0 < number < SMALL else str(number)


def parts_shown(parts: Sequence[int]) -> tuple[str, list[str]]:
    """A whole and its parts, so that no part below `SMALL` can be worked out from what is shown.

    Where there are people at all, a part without any is hidden too: a shown 0 narrows the others down. The whole is
    told when small parts cover each other; otherwise it would give them away, and only the sum of the large parts is.

    Args:
        parts: numbers of people, each 0 or more; nobody is in two of them.

    Returns:
        The whole in words, and each part in words.
    """
    whole = sum(parts)
    if whole < SMALL:
        return count_shown(whole), [FEW if whole else "0"] * len(parts)
    small = [number for number in parts if number < SMALL]
    covered = not small or SMALL <= sum(small) <= (SMALL - 1) * (len(small) - 1)
    large = whole - sum(small)
    words = [FEW if number < SMALL else str(number) for number in parts]
    return str(whole) if covered else f"minstens {large or SMALL}", words


def part_shown(part: int, whole: int) -> str:
    """A number of people out of a whole that is shown beside it.

    Near either end only the limit is told, so that fewer than `SMALL` people, of this part or of the rest, are never
    told apart.

    Args:
        part: number of people, at most `whole`.
        whole: of how many.
    """
    if whole < 2 * SMALL:
        return UNTOLD if whole else "0"
    if part < SMALL:
        return FEW
    return f"> {whole - SMALL}" if whole - part < SMALL else str(part)


def share_shown(part: int, whole: int) -> str:
    """A share in percent of a whole that is shown beside it; near either end only the limit, as in `part_shown`.

    Args:
        part: number of people, at most `whole`.
        whole: of how many.
    """
    if whole < 2 * SMALL:
        return UNTOLD
    if part < SMALL:
        return f"minder dan {_percent(SMALL, whole)}\u00a0%"
    if whole - part < SMALL:
        return f"meer dan {_percent(whole - SMALL, whole)}\u00a0%"
    return f"{_percent(part, whole)}\u00a0%"


def rough_share_shown(part: int, whole: int) -> str:
    """A share in steps of ten percent, for a sum of weeks: with an exact one a hidden week could be worked out.

    Args:
        part: number of people, at most `whole`.
        whole: of how many.
    """
    if whole < STEPS_FROM:
        return UNTOLD
    low = min(part * 10 // whole, 9) * 10
    return f"{low} tot {low + 10}\u00a0%"


def duration_shown(seconds: float | None, people: int) -> str:
    """A median in whole hours or days; hidden when it is that of fewer than `SMALL` people.

    Args:
        seconds: the median, 0 or more; None when there is none.
        people: how many it is the median of.
    """
    if seconds is None or people < SMALL:
        return UNTOLD
    hours = seconds / 3600
    if hours < 1:
        return "minder dan 1 uur"
    if hours < 48:
        return f"{hours:.0f} uur"
    return f"{hours / 24:.0f} dagen"


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole)
