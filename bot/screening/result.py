"""What a filled-in check-in says: bands, alerts, the distance to a norm and the change since the last time.

Room: pure core. Signals, never diagnoses: no cut-off here is a diagnosis, and no percentile is given because
the distributions per group are not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.screening.instruments import Band, Instrument, Item
from bot.screening.norms import Comparison, Norm, NormGroup, Norms
from bot.screening.scoring import checked

Distance = Literal["about", "higher", "much_higher", "lower", "much_lower"]


@dataclass(frozen=True)
class ItemResult:
    """One answer in its context.

    Attributes:
        item: the question.
        value: the score, None when it was skipped or not asked.
        band: the band the score lies in; None without a score.
        alert: the score lies in the band of concern (high or low, as the item says). False without a score.
        norm: mean, SD and n of the group compared with.
        difference_sd: (score - mean) / SD; None without a score.
        comparison: `difference_sd` in words' terms; None without a score.
        previous: the score of the check-in before, None when there is none.
        change: score minus previous; None when either is missing.
    """

    item: Item
    value: int | None
    band: Band | None
    alert: bool
    norm: Norm
    difference_sd: float | None
    comparison: Distance | None
    previous: int | None
    change: int | None


@dataclass(frozen=True)
class Result:
    """A filled-in instrument.

    Attributes:
        instrument: what was asked (with the content hash of what was seen).
        group: whom the scores are compared with.
        items: one result per item, in the instrument's order.
        stress_mean: mean of the stress items; None unless every one of them was answered.
        previous_stress_mean: the same for the check-in before.
        missing: ids of the items without a score. Missing is never scored as 0.
        alerts: ids of the items in their band of concern.
    """

    instrument: Instrument
    group: NormGroup
    items: tuple[ItemResult, ...]
    stress_mean: float | None
    previous_stress_mean: float | None
    missing: tuple[str, ...]
    alerts: tuple[str, ...]


def check_in_result(
    instrument: Instrument,
    answers: Mapping[str, int | None],
    norms: Norms,
    group: NormGroup | None = None,
    previous: Mapping[str, int | None] | None = None,
) -> Result:
    """Read a person's answers.

    Args:
        instrument: what was asked.
        answers: item id → score on the instrument's scale, None or absent for a skipped item.
        norms: the figures to compare with.
        group: the person's sector or profession; None compares with all respondents.
        previous: the answers of the check-in before, if any; items the instrument lacks are ignored, because
            the check-in before may have been another instrument.

    Raises:
        ValueError: an answer to an unknown item, or a value that is no whole score on the scale.
        LookupError: the norms hold no figures for the group or an item.
    """
    known = set(checked(instrument, answers))
    before = {name: value for name, value in (previous or {}).items() if name in known}
    compared = group or norms.all_respondents
    items = tuple(
        _item_result(instrument, item, answers.get(item.id), before.get(item.id), norms=norms, group=compared)
        for item in instrument.items
    )
    return Result(
        instrument=instrument,
        group=compared,
        items=items,
        stress_mean=stress_mean(instrument, answers),
        previous_stress_mean=stress_mean(instrument, before),
        missing=tuple(found.item.id for found in items if found.value is None),
        alerts=tuple(found.item.id for found in items if found.alert),
    )


def stress_mean(instrument: Instrument, answers: Mapping[str, int | None]) -> float | None:
    """Mean of the stress items, on the instrument's scale; None unless every one was answered."""
    values = [answers.get(item.id) for item in instrument.items if item.stress]
    given = [value for value in values if value is not None]
    if not given or len(given) < len(values):
        return None
    return sum(given) / len(given)


def compare(value: int, norm: Norm, rule: Comparison) -> tuple[float, Distance]:
    """Distance from the mean in SD, and what it is called (limits included on the near side)."""
    difference = (value - norm.mean) / norm.sd
    # The tables hold one or two decimals; rounding keeps 7 - 5.5 = half of 3.0 on the near side of the limit.
    size = round(abs(difference), 9)
    if size <= rule.about_within_sd:
        return difference, "about"
    if size <= rule.much_beyond_sd:
        return difference, "higher" if difference > 0 else "lower"
    return difference, "much_higher" if difference > 0 else "much_lower"


def _item_result(
    instrument: Instrument,
    item: Item,
    value: int | None,
    previous: int | None,
    *,
    norms: Norms,
    group: NormGroup,
) -> ItemResult:
    norm = norms.norm(group.kind, group.label, item.id)
    if value is None:
        return ItemResult(item, None, None, False, norm, None, None, previous, None)
    band = instrument.band(value)
    difference, comparison = compare(value, norm, norms.comparison)
    return ItemResult(
        item=item,
        value=value,
        band=band,
        alert=band.id == item.concern,
        norm=norm,
        difference_sd=difference,
        comparison=comparison,
        previous=previous,
        change=None if previous is None else value - previous,
    )
