"""The scores a person shared, drawn as SVG with classes only: colours stand in desk-pages.css. Console room.

Knows the shape of `case.scores` and nothing of storage or HTTP. Every drawing also says in words what it shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

BAND_WORDS = {"low": "laag", "medium": "matig", "high": "hoog"}
#: Size of the drawing of a trend, in its own units.
_WIDTH, _HEIGHT, _EDGE = 120, 36, 5


@dataclass(frozen=True, slots=True)
class ItemChart:
    """One score: what the page shows as text, the bar, and the trend (None when there was no earlier round).

    `earlier` are the scores of earlier rounds, oldest first, in words; `alert` when it lies in the band of concern.
    """

    label: str
    value: str
    band: str
    alert: bool
    norm: str
    previous: str
    earlier: list[str]
    bar: Markup
    trend: Markup | None
    reverse: bool


@dataclass(frozen=True, slots=True)
class ScoreChart:
    """All scores of one check-in. `earlier` are the moments of earlier rounds, oldest first."""

    at: datetime
    items: list[ItemChart]
    norm_label: str | None
    earlier: list[datetime]
    has_previous: bool


def score_chart(scores: Mapping[str, Any] | None) -> ScoreChart | None:
    """Draw shared scores; None when the person shared none.

    Args:
        scores: `case.scores`: instrument, at, items, norm_label, earlier.
    """
    if scores is None:
        return None
    earlier = sorted(scores["earlier"], key=lambda one: datetime.fromisoformat(one["at"]))
    items: list[Mapping[str, Any]] = scores["items"]
    return ScoreChart(
        at=datetime.fromisoformat(scores["at"]),
        items=[_item(item, [one["values"].get(item["item"]) for one in earlier]) for item in items],
        norm_label=scores["norm_label"],
        earlier=[datetime.fromisoformat(one["at"]) for one in earlier],
        has_previous=any(item["previous"] is not None for item in items),
    )


def decimal(value: float) -> str:
    """One decimal, with a comma."""
    return f"{value:.1f}".replace(".", ",")


def _item(item: Mapping[str, Any], earlier: Sequence[int | None]) -> ItemChart:
    value, norm, previous = item["value"], item["norm"], item["previous"]
    alert = value is not None and item["band"] == item["concern"]
    words = f"{item['label']}: overgeslagen"
    if value is not None:
        facts = [f"{value} op {item['max']}", BAND_WORDS.get(item["band"], "")]
        facts += ["vraagt aandacht"] if alert else []
        facts += [f"gemiddeld {decimal(norm['mean'])}"] if norm else []
        facts += [f"vorige keer {previous}"] if previous is not None else []
        words = f"{item['label']}: {', '.join(fact for fact in facts if fact)}"
    known = [one for one in earlier if one is not None]
    return ItemChart(
        label=item["label"],
        value="overgeslagen" if value is None else str(value),
        band=BAND_WORDS.get(item["band"], ""),
        alert=alert,
        norm=f"{decimal(norm['mean'])} (± {decimal(norm['sd'])})" if norm else "",
        previous="" if previous is None else str(previous),
        earlier=["" if one is None else str(one) for one in earlier],
        bar=_bar(item, words),
        trend=_trend(item, [*earlier, value]) if known and value is not None else None,
        reverse=item["concern"] == "low",
    )


def _bar(item: Mapping[str, Any], words: str) -> Markup:
    low, high = item["min"], item["max"]

    def at(value: float) -> str:
        return f"{100 * (min(max(value, low), high) - low) / ((high - low) or 1):.1f}%"

    def wide(start: float, end: float) -> str:
        return f"{100 * (min(end, high) - max(start, low)) / ((high - low) or 1):.1f}%"

    parts = [Markup('<rect class="track" x="0" y="9" width="100%" height="10" rx="5"/>')]
    if item["norm"]:
        mean, sd = item["norm"]["mean"], item["norm"]["sd"]
        spread = Markup('<rect class="spread" x="{}" y="3" width="{}" height="22"/>')
        parts.append(spread.format(at(mean - sd), wide(mean - sd, mean + sd)))
    if item["value"] is not None:
        alert = " alert" if item["band"] == item["concern"] else ""
        bar = Markup('<rect class="value{}" x="0" y="9" width="{}" height="10" rx="5"/>')
        parts.append(bar.format(alert, at(item["value"])))
    if item["norm"]:
        line = Markup('<line class="mean" x1="{0}" x2="{0}" y1="1" y2="27"/>')
        parts.append(line.format(at(item["norm"]["mean"])))
    if item["previous"] is not None:
        parts.append(Markup('<circle class="before" cx="{}" cy="14" r="5"/>').format(at(item["previous"])))
    drawing = Markup('<svg class="bar" role="img" aria-label="{}" width="100%" height="28">{}</svg>')
    return drawing.format(words, Markup("").join(parts))


def _trend(item: Mapping[str, Any], values: Sequence[int | None]) -> Markup:
    """A line through the scores of all rounds, broken where one was skipped; the last one is a dot."""
    span = (item["max"] - item["min"]) or 1
    step = (_WIDTH - 2 * _EDGE) / max(len(values) - 1, 1)

    def point(index: int, value: int) -> tuple[float, float]:
        height = (value - item["min"]) / span * (_HEIGHT - 2 * _EDGE)
        return round(_EDGE + index * step, 1), round(_HEIGHT - _EDGE - height, 1)

    pieces: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(point(index, value))
    lines = [
        Markup('<polyline points="{}"/>').format(" ".join(f"{x},{y}" for x, y in piece))
        for piece in pieces
        if len(piece) > 1
    ]
    dots = [
        Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(
            "now" if place == len(values) - 1 else "then",
            *point(place, value),
            4 if place == len(values) - 1 else 2.5,
        )
        for place, value in enumerate(values)
        if value is not None
    ]
    said = ", ".join("overgeslagen" if value is None else str(value) for value in values)
    drawing = Markup('<svg class="trend" role="img" aria-label="Verloop {}: {}" viewBox="0 0 {} {}">{}</svg>')
    return drawing.format(item["label"], said, _WIDTH, _HEIGHT, Markup("").join(lines + dots))
