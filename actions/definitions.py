"""The definitions in resources/ and the settings, read once for all actions.

Edge room: see actions/__init__.py.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.resources import RESOURCES, Definition, read_definition
from bot.screening.instruments import Instrument, load_instruments
from bot.screening.norms import Norms, load_norms
from bot.settings import Settings, load_settings
from bot.support.help_lines import Regions, load_help_lines

#: Dates are shown as people in Flanders and the Netherlands live them.
ZONE = ZoneInfo("Europe/Brussels")


class IntentTitles(Definition):
    """How a reading is put to a person: intent → button title."""

    id: str
    titles: dict[str, str]


class ChartWords(Definition):
    """Titles and caption of the result chart."""

    title: str
    trend_title: str
    caption: str


class ResultWords(Definition):
    """Phrases that say how far a score is from the norm and from the previous time."""

    id: str
    alert: dict[str, str]
    norm: str
    norm_same: str
    comparison: dict[str, str]
    trend: str
    change: dict[str, str]
    months: list[str]
    and_: str
    chart: ChartWords


@cache
def settings() -> Settings:
    """The settings in force; warnings about unknown variables are the app's to log."""
    return load_settings()[0]


@cache
def instruments() -> dict[str, Instrument]:
    """Every instrument, by id."""
    return load_instruments(RESOURCES / "instruments")


@cache
def norms() -> Norms:
    """The norm tables."""
    return load_norms(RESOURCES / "norms")


@cache
def help_lines() -> Regions:
    """The help lines of every region; the usual one is where this assistant serves."""
    return Regions(load_help_lines(RESOURCES / "help_lines"), settings().region)


@cache
def intent_titles() -> dict[str, str]:
    """Button titles of the readings that a person may be offered."""
    return read_definition(_conversation("intent_titles"), IntentTitles).titles


@cache
def words() -> ResultWords:
    """The phrases of a result."""
    return read_definition(_conversation("result_words"), ResultWords)


def day(moment: datetime) -> str:
    """A date in Dutch, as in '3 november 2026', in the time zone of the people who read it."""
    local = moment.astimezone(ZONE)
    return f"{local.day} {words().months[local.month - 1]} {local.year}"


def listed(parts: list[str]) -> str:
    """'a', 'a en b', 'a, b en c'."""
    if len(parts) < 2:
        return "".join(parts)
    return words().and_.format(first=", ".join(parts[:-1]), last=parts[-1])


def _conversation(name: str) -> Path:
    return RESOURCES / "conversation" / f"{name}.yml"
