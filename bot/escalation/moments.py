"""When a person wants to be reached, from their own words: 'morgen na 16u', 'vrijdagvoormiddag', 'na mijn late'.

Room: pure core; time is passed in. Days are those of the calendar in Brussels. What is not understood for certain is
not guessed: then the person's own words are the moment, and a coach reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.escalation.clock_words import Clock
from bot.escalation.moment_words import ABBREVIATIONS, MONTHS, WEEKDAYS, Part, Piece, grammar

ZONE = ZoneInfo("Europe/Brussels")
#: More of a message is not read, and more words around a moment make it a story.
MOST_CHARACTERS, MOST_OTHER_WORDS = 600, 12
#: More days than these, each named apart, are a rota and no moment.
MOST_DAYS = 7
#: A date without a year lies within half a year ahead; further off it is rather one that has passed.
_HALF_A_YEAR = timedelta(days=183)
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Moment:
    """When a person can be reached.

    Attributes:
        in_words: the moment as a coach reads it, with its date; the person's own words when not understood.
        start: from when, in the zone of Brussels; None when not understood.
        end: until when, not included; None when no end was said, or not understood.
        past: it lies before now.
    """

    in_words: str
    start: datetime | None = None
    end: datetime | None = None
    past: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says of a moment: text[start:end] speaks of it.

    `moment` is None when that was not understood for certain; `own_hours` says that it names an hour that only the
    person knows ('na mijn late') and nothing that is doubtful; `others` counts the words around it that say more.
    """

    moment: Moment | None
    start: int
    end: int
    own_hours: bool
    others: int


@dataclass(frozen=True, slots=True)
class _Days:
    """Calendar days, both included, and how they are said."""

    first: date
    last: date
    says: str


def read(text: str, now: datetime) -> Reading | None:
    """What a text without phone numbers and addresses says of a moment; None when it speaks of none.

    Args:
        text: what the person typed; only the first `MOST_CHARACTERS` are read.
        now: with its zone.
    """
    found = grammar().pieces(text[:MOST_CHARACTERS])
    telling = [piece for piece in found if piece.kind not in ("word", "filler", "polite", "join")]
    if not telling:
        return None
    others = sum(piece.kind == "word" for piece in found)
    told = [piece for piece in found if piece.kind not in ("word", "filler", "polite")]
    moment = _understood(told, now.astimezone(ZONE)) if others <= MOST_OTHER_WORDS else None
    kinds = {piece.kind for piece in told}
    return Reading(moment, telling[0].start, telling[-1].end, "own" in kinds and "open" not in kinds, others)


def _understood(found: Sequence[Piece], now: datetime) -> Moment | None:
    """The moment that these pieces make together; None when that is not certain."""
    by_kind: dict[str, list[Piece]] = {}
    for piece in found:
        by_kind.setdefault(piece.kind, []).append(piece)
    clocks, parts, days_said = (by_kind.get(kind, []) for kind in ("clock", "part", "day"))
    if "open" in by_kind or "own" in by_kind or len(clocks) > 1 or len(parts) > 1:
        return None
    if "span" in by_kind:
        return _after_a_while(by_kind["span"][0], now) if len(found) == 1 else None
    part = grammar().part(parts[0].text) if parts else None
    clock = clocks[0].clock if clocks else None
    if days_said:
        days = _days(found, days_said, now)
        return _on(days, part, clock, now, since="since" in by_kind) if days else None
    if part is None and clock is None:
        return _without_an_hour(by_kind, now)
    if "later" in by_kind:
        return _on([_one(now.date())], part, clock, now)
    return _any_day(part, clock, now)


def _without_an_hour(by_kind: dict[str, list[Piece]], now: datetime) -> Moment | None:
    """'Zo snel mogelijk', 'maakt niet uit', 'straks'."""
    words = grammar().words
    if "later" in by_kind:
        midnight = _at(now.date(), _DAY)
        return Moment(f"{_said(now.date())}, {by_kind['later'][0].text}", now, midnight)
    if "at_once" in by_kind:
        return Moment(words.at_once_says, now)
    if "any" in by_kind:
        return Moment(words.any_time_says, now)
    return None


def _after_a_while(piece: Piece, now: datetime) -> Moment | None:
    """'Over een uur', 'binnen twee dagen'."""
    minutes, days = piece.minutes, piece.days
    if days is not None:
        day = _spoken(f"over {days} dagen", now)
        return Moment(_said(day), _at(day, 0), _at(day, _DAY)) if day else None
    if minutes is None:
        return None
    at = (now.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(ZONE).replace(second=0, microsecond=0)
    clock = _clock_said(at.hour * 60 + at.minute)
    if piece.text.startswith("binnen"):
        return Moment(f"{_said(at.date())} voor {clock}", now, at)
    return Moment(f"{_said(at.date())} rond {clock}", at)


# --- days ---


def _days(found: Sequence[Piece], pieces: Sequence[Piece], now: datetime) -> list[_Days] | None:
    """The days that are named, in order of the text; None when one is not certain or they do not belong together."""
    at = [found.index(piece) for piece in pieces]
    if len(pieces) > MOST_DAYS or any(piece.kind not in ("day", "join") for piece in found[at[0] : at[-1]]):
        return None  # 'maandag na 16u of dinsdag': each day its own hour
    days: list[_Days] = []
    for place, piece in enumerate(pieces):
        found_days = _named(piece, now)
        if found_days is None:
            return None
        adjoining = place > 0 and at[place] == at[place - 1] + 1
        if not adjoining:
            days.append(found_days)
        elif days[-1].first.weekday() != found_days.first.weekday():
            return None  # 'maandag 1 december', and that is a Tuesday
        elif piece.form != "weekdays":
            days[-1] = found_days  # 'vrijdag 4 december': the date says which Friday
    return days


def _named(piece: Piece, now: datetime) -> _Days | None:
    today = now.date()
    match piece.form:
        case "spoken":
            day = _spoken(piece.text, now)
            return _one(day) if day else None
        case "today":
            return _one(today)
        case "date":
            return _date(piece, now)
        case "day_of_month":
            return _one(_next_day_of_month(today, piece.numbers[0]))
        case "weekdays":
            return _weekdays(piece, now)
        case "weekend":
            saturday = today + timedelta(days=5 - today.weekday())
            return _Days(saturday, saturday + timedelta(days=1), f"in het weekend van {_said(saturday)}")
        case "next_week" | "last_week":
            ahead = 7 if piece.form == "next_week" else -7
            monday = today + timedelta(days=ahead - today.weekday())
            return _Days(monday, monday + timedelta(days=6), f"in de week van {_said(monday)}")
        case "this_week":
            sunday = today + timedelta(days=6 - today.weekday())
            return _Days(today, sunday, f"deze week, tot {_said(sunday)}")
        case "working_days":
            return _working_days(today)
        case _:
            return _Days(today, today + timedelta(days=6), "elke dag")


def _working_days(today: date) -> _Days:
    first = today if today.weekday() < 5 else today + timedelta(days=7 - today.weekday())
    return _Days(first, first + timedelta(days=4 - first.weekday()), "op weekdagen")


def _one(day: date) -> _Days:
    return _Days(day, day, _said(day))


def _date(piece: Piece, now: datetime) -> _Days | None:
    """A day of a month, with or without a year; None when the calendar has no such day."""
    day, month, *years = piece.numbers
    today = now.date()
    year = years[0] + 2000 * (years[0] < 100) if years else today.year
    try:
        found = date(year, month, day)
        later = found if years or found >= today else date(year + 1, month, day)
    except ValueError:
        return None
    found = later if later - today <= _HALF_A_YEAR else found
    says = _said(found) if abs(found - today) <= _HALF_A_YEAR else f"{_said(found)} {found.year}"
    return _Days(found, found, says)


def _next_day_of_month(today: date, day: int) -> date:
    """The first day from today on that is the so-manyeth of its month."""
    found = today
    while found.day != day:
        found += timedelta(days=1)
    return found


def _weekdays(piece: Piece, now: datetime) -> _Days | None:
    """One or more weekdays, 'volgende week' or not."""
    today = now.date()
    monday = today - timedelta(days=today.weekday())
    names = [ABBREVIATIONS.get(name, name) for name in piece.names]
    if len(names) > MOST_DAYS:
        return None
    if piece.ranged and not piece.week and names == ["maandag", "vrijdag"]:
        return _working_days(today)
    found: list[date] = []
    for name in names:
        day = _spoken(name, now)
        if day is None:
            return None
        if piece.week == "next_week":
            day = monday + timedelta(days=7 + day.weekday())
        elif piece.week == "this_week":
            day = monday + timedelta(days=day.weekday())
        elif piece.week == "next" and day < monday + timedelta(days=7):
            return None  # 'volgende vrijdag' on a Thursday: tomorrow, or in eight days?
        found.append(day)
    if piece.ranged:
        if found[-1] < found[0]:
            found[-1] += timedelta(days=7)
        return _Days(found[0], found[-1], f"van {_said(found[0])} tot {_said(found[-1])}")
    says = [_said(day) for day in found]
    listed = " of ".join([*([", ".join(says[:-1])] if says[:-1] else []), says[-1]])
    return _Days(min(found), max(found), listed)


def _spoken(words: str, now: datetime) -> date | None:
    """What a calendar makes of a day in words; None when it does not know it."""
    import dateparser  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import; ships no types

    settings = {
        "DATE_ORDER": "DMY",
        "PREFER_DATES_FROM": "future",
        "RELATIVE_BASE": now.replace(tzinfo=None),
        "TIMEZONE": str(ZONE),
        "RETURN_AS_TIMEZONE_AWARE": False,
    }
    found: datetime | None = dateparser.parse(words, languages=["nl"], settings=settings)
    return found.date() if found else None


# --- hours ---


def _on(
    days: Sequence[_Days], part: Part | None, clock: Clock | None, now: datetime, *, since: bool = False
) -> Moment | None:
    """On days that were named, or from those days on (`since`)."""
    today = now.date()
    if part is not None and part.id == "nacht" and days[0].first == today and now.hour < part.to - 24:
        yesterday = today - timedelta(days=1)  # 'vannacht', said at two in the morning
        days = [replace(days[0], first=yesterday, last=yesterday), *days[1:]]
    hours = _hours(part, clock, now if days[0].first == today else None)
    if hours is None:
        return None
    point = clock is not None and clock.kind == "at"
    closes = hours[0] if point else _DAY if hours[1] is None else hours[1]
    # 'Op weekdagen tussen 9 en 12', said at two, begins tomorrow.
    each = (
        one.first + timedelta(days=more) for one in days for more in range((one.last - one.first).days + 1)
    )
    ahead = [day for day in each if _at(day, closes) > now]
    first, last = min(ahead or [days[0].first]), max(one.last for one in days)
    start = _at(first, hours[0])
    if since or (ahead and not point):
        start = max(start, now)
    said = " of ".join(one.says for one in days)
    in_words = " ".join(
        words for words in ("vanaf" if since else "", said, _hours_said(part, clock, hours)) if words
    )
    end = None if since or hours[1] is None else _at(last, hours[1])
    return Moment(in_words, start, end, past=not ahead and not since)


def _any_day(part: Part | None, clock: Clock | None, now: datetime) -> Moment | None:
    """No day was named: the first one on which it can still be."""
    hours = _hours(part, clock, now)
    if hours is None:
        return None
    point = clock is not None and clock.kind == "at"
    for ahead in range(-1, 3):
        day = now.date() + timedelta(days=ahead)
        start, end = _at(day, hours[0]), _at(day, hours[1]) if hours[1] is not None else None
        must_begin = point or (clock is not None and clock.later)
        over = start if must_begin else end if end is not None else _at(day, _DAY)
        if over > now and (ahead >= 0 or end is not None):
            said = _hours_said(part, clock, hours)
            return Moment(f"{_said(day)} {said}" if point else said, start if point else max(start, now), end)
    return None


def _hours(part: Part | None, clock: Clock | None, today: datetime | None) -> tuple[int, int | None] | None:
    """From and until in minutes after midnight; None when they contradict each other.

    Args:
        part: the part of the day that was named.
        clock: the hour or hours that were named.
        today: now, when it is about today: then seven or eight o'clock can be in the evening.
    """
    if clock is None:
        return (part.from_ * 60, part.to * 60) if part else (0, _DAY)
    start = _minutes(clock.first, part, literal=clock.literal)
    if clock.kind == "between":
        shifts = (0, _DAY) if clock.literal else (0, _DAY // 2, _DAY)
        end = next((clock.second + shift for shift in shifts if clock.second + shift > start), None)
        return (start, end) if end else None
    evening = start + 12 * 60
    if (
        clock.kind == "at" and not (part or clock.literal)
        and today and 7 * 60 <= start < 9 * 60 and _at(today.date(), start) <= today < _at(today.date(), evening)
    ):  # fmt: skip
        start = evening
    if part is not None and not part.from_ * 60 - 120 <= start <= part.to * 60 + 60:
        return None  # "'s avonds om 10 uur 's morgens"
    return {"at": (start, None), "from": (start, None), "until": (0, start)}[clock.kind]


def _minutes(minutes: int, part: Part | None, *, literal: bool) -> int:
    """Minutes after midnight: 'na 4' is in the afternoon, "4 uur 's nachts" and '04:00' are not."""
    half_day = 12 * 60
    if literal or minutes >= 13 * 60:
        return minutes
    if part is None:
        return minutes + half_day if 60 <= minutes < 7 * 60 else minutes
    if part.id in ("middag", "namiddag", "overdag"):
        return minutes + half_day if minutes < 7 * 60 else minutes
    if part.id == "avond":
        return minutes + half_day if 4 * 60 < minutes < half_day else minutes
    if part.id == "nacht":
        return minutes + half_day if 9 * 60 < minutes < half_day else minutes + _DAY
    return minutes


def _hours_said(part: Part | None, clock: Clock | None, hours: tuple[int, int | None]) -> str:
    if clock is None:
        return part.says if part else ""
    start, end = hours
    if clock.kind == "between":
        return f"tussen {_clock_said(start, bare=True)} en {_clock_said(end or 0)}"
    return f"{clock.says} {_clock_said(end if clock.kind == 'until' and end is not None else start)}"


def _clock_said(minutes: int, *, bare: bool = False) -> str:
    """'16 uur', '10.30 uur'; midnight at the end of a day is 24."""
    hour, minute = divmod(minutes if minutes == _DAY else minutes % _DAY, 60)
    return (f"{hour}.{minute:02}" if minute else f"{hour}") + ("" if bare else " uur")


def _at(day: date, minutes: int) -> datetime:
    """That minute of that day on the clock; an hour that the clocks skip becomes the moment they go on."""
    days, minute = divmod(minutes, _DAY)
    wall = datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60), ZONE)
    return wall.astimezone(UTC).astimezone(ZONE)


def _said(day: date) -> str:
    """'vrijdag 27 november'."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"
