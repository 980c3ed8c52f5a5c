"""Help lines as data: one file per region, numbers checked by hand, each with its source.

Room: pure core. The web widget bakes the same files in at build time, so that the numbers show when everything
behind it is down.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from pydantic import Field

from bot.resources import Definition, read_folder

#: A number that was not checked for this many days is stale (design: support.md, "Help lines").
STALE_DAYS = 180
#: Shown first when someone needs a person now; the rest stays one tap away in the widget's panel.
FIRST = 3


class HelpLine(Definition):
    """One line. `hours` stands only where the source gives them; `tel` is what a phone dials."""

    id: str
    name: str
    number: str
    tel: str = Field(pattern=r"^tel:\+?\d+$")
    what: str
    hours: str | None = None
    url: str | None = None
    audience: str
    urgent: bool
    source: str
    checked_at: date


class Region(Definition):
    """The lines of one region, in the order in which they are shown."""

    id: str
    region: str
    lines: list[HelpLine] = Field(min_length=1)


def load_help_lines(folder: Path) -> dict[str, Region]:
    """Every region in `folder`, by id.

    Raises:
        ResourceError: a file does not hold to the schema; every problem is named with its place.
    """
    return read_folder(folder, Region)


def first_lines(region: Region, title: str) -> dict[str, Any]:
    """The region's first lines as a message part of type `help_lines`."""
    shown = {"id", "name", "number", "tel", "what", "hours", "url"}
    lines = [line.model_dump(include=shown) for line in region.lines[:FIRST]]
    return {"type": "help_lines", "title": title, "lines": lines}


def stale(region: Region, today: date) -> list[str]:
    """Ids of the lines whose number was last checked more than STALE_DAYS days before `today`."""
    return [line.id for line in region.lines if (today - line.checked_at).days > STALE_DAYS]
