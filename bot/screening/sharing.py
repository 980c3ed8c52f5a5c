"""What of someone's check-ins a coach may see once they said yes: the latest scores, the norm, how it was before.

Room: pure core; reads rounds as storage keeps them. The result is plain JSON, kept with the case as it was then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.screening.history import Round
from bot.screening.instruments import Given, Instrument
from bot.screening.norms import Norms
from bot.screening.result import ItemResult, check_in_result

#: So many earlier check-ins show the trend.
EARLIER = 5


@dataclass(frozen=True, slots=True)
class Shareable:
    """What can be shared. `scores` is None when there is no finished check-in; `level` is what triage found (0–4)."""

    scores: dict[str, Any] | None
    reasons: tuple[str, ...]
    level: int


def shareable(
    rounds: Sequence[Round],
    triages: Sequence[Mapping[str, Any] | None],
    instruments: Mapping[str, Instrument],
    norms: Norms,
    norm_group: tuple[str, str] | None,
) -> Shareable:
    """What there is to share.

    Args:
        rounds: finished rounds, oldest first.
        triages: what triage found for each of them (`bot.screening.triage.as_kept`), None when nothing.
        instruments: every instrument by id.
        norms: the figures to compare with.
        norm_group: kind and label of the group the person chose; None compares with all respondents.
    """
    found = next((triage for triage in reversed(triages) if triage is not None), None)
    reasons = tuple(str(rule["coach"]) for rule in found["fired"]) if found is not None else ()
    level = int(found["level"]) if found is not None else 0
    compared = [one for one in rounds if instruments[one.instrument].compared and one.finished_at is not None]
    if not compared:
        return Shareable(None, reasons, level)
    latest, earlier = compared[-1], compared[-1 - EARLIER : -1]
    instrument = instruments[latest.instrument]
    group = norms.group(*norm_group) if norm_group is not None else None
    before = _scores(earlier[-1].answers) if earlier else None
    result = check_in_result(instrument, _scores(latest.answers), norms, group, before)
    assert latest.finished_at is not None  # noqa: S101 - only finished rounds are compared
    scores = {
        "instrument": instrument.id,
        "at": latest.finished_at.isoformat(),
        "norm_label": result.group.among,
        "items": [_item(instrument, one) for one in result.items],
        "earlier": [
            {"at": one.finished_at.isoformat(), "values": _scores(one.answers)}
            for one in earlier
            if one.finished_at is not None
        ],
    }
    return Shareable(scores, reasons, level)


def _item(instrument: Instrument, found: ItemResult) -> dict[str, Any]:
    return {
        "item": found.item.id,
        "label": found.item.label,
        "value": found.value,
        "min": instrument.scale.min,
        "max": instrument.scale.max,
        "concern": found.item.concern,
        "band": found.band.id if found.band is not None else None,
        "norm": {"mean": found.norm.mean, "sd": found.norm.sd},
        "previous": found.previous,
    }


def _scores(answers: Mapping[str, Given]) -> dict[str, int | None]:
    return {item: value for item, value in answers.items() if not isinstance(value, tuple)}
