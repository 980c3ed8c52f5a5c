"""Instruments: the questions a person is asked, their scale and bands, read from resources/instruments/.

Room: pure core, but for reading definitions. Knows YAML through `bot.resources` only.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.resources import RESOURCES, Definition, ResourceError, check_definition, read_yaml

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Text = Annotated[str, Field(min_length=1, max_length=600)]
Status = Literal["product_rule", "reviewed", "published"]
Concern = Literal["high", "low"]
BandId = Literal["low", "medium", "high"]


class Source(Definition):
    """Where something in a definition comes from."""

    what: Text
    title: Text
    authors: Text
    year: int = Field(ge=1900, le=2100)
    where: Text


class Scale(Definition):
    """Whole scores from `min` to `max`, both included, with the words at its ends."""

    min: int
    max: int
    min_label: Text
    max_label: Text


class Band(Definition):
    """A stretch of the scale, both ends included."""

    id: BandId
    label: Text
    start: int = Field(alias="from")
    end: int = Field(alias="to")


class Item(Definition):
    """One question. `concern` says at which end of the scale a score is a reason for concern."""

    id: Name
    label: Text
    question: Text
    why: Text
    concern: Concern
    stress: bool


class Instrument(BaseModel):
    """A questionnaire as it is asked.

    `content_hash` (SHA-256, 64 hex digits) covers what the person saw: questions, explanations, labels, scale
    and bands. It is kept with every answer, so that an answer can always be read beside its own question.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    version: int
    valid_from: date
    status: Status
    period_text: str
    scale: Scale
    bands: tuple[Band, ...]
    items: tuple[Item, ...]
    sources: tuple[Source, ...]
    content_hash: str

    def item(self, item_id: str) -> Item:
        """The item with this id.

        Raises:
            KeyError: the instrument has no such item.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(f"{self.id} has no item {item_id!r}")

    def band(self, value: int) -> Band:
        """The band a score lies in.

        Raises:
            ValueError: the score is off the scale.
        """
        for band in self.bands:
            if band.start <= value <= band.end:
                return band
        raise ValueError(f"{value} is not on the scale {self.scale.min}–{self.scale.max}")


class _Head(Definition):
    id: Name
    title: Text
    version: int = Field(ge=1)
    valid_from: date
    status: Status
    sources: list[Source] = Field(min_length=1)


class _Own(_Head):
    """An instrument file with its own questions."""

    period_text: Text
    scale: Scale
    bands: list[Band] = Field(min_length=1)
    items: list[Item] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        faults = _repeated("item", [item.id for item in self.items])
        faults += _repeated("label", [item.label for item in self.items])
        faults += _repeated("band", [band.id for band in self.bands])
        covered = [score for band in self.bands for score in range(band.start, band.end + 1)]
        if covered != list(range(self.scale.min, self.scale.max + 1)) or self.scale.min >= self.scale.max:
            faults.append(
                f"the bands must cover {self.scale.min} to {self.scale.max} in order, without gap or overlap"
            )
        if faults:
            raise ValueError("; ".join(faults))
        return self


class _Part(_Head):
    """An instrument file that asks some questions of another instrument."""

    items_from: Name
    items: list[Name] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        faults = _repeated("item", self.items)
        if faults:
            raise ValueError("; ".join(faults))
        return self


def load_instruments(path: Path = RESOURCES / "instruments") -> dict[str, Instrument]:
    """All instruments in a folder, by id.

    Raises:
        ResourceError: with every fault of every file.
    """
    own: dict[str, _Own] = {}
    parts: dict[str, tuple[Path, _Part]] = {}
    errors: list[str] = []
    for file in sorted(path.glob("*.yml")):
        try:
            content = read_yaml(file)
            if isinstance(content, dict) and "items_from" in content:
                parts[file.stem] = (file, check_definition(file, content, _Part))
            else:
                own[file.stem] = check_definition(file, content, _Own)
        except ResourceError as error:  # noqa: PERF203 (all faults are collected)
            errors += error.errors
    found = {name: _instrument(head, head) for name, head in own.items()}
    for name, (file, part) in parts.items():
        base = own.get(part.items_from)
        if base is None:
            errors.append(f"{file}: items_from: no instrument {part.items_from!r} with its own questions")
            continue
        known = {item.id for item in base.items}
        unknown = [item for item in part.items if item not in known]
        errors += [f"{file}: items: {part.items_from} has no item {item!r}" for item in unknown]
        if not unknown:
            found[name] = _instrument(part, base, part.items)
    if not errors and not found:
        errors.append(f"{path}: no instrument files")
    if errors:
        raise ResourceError(errors)
    return found


@lru_cache(maxsize=1)
def shipped_instruments() -> dict[str, Instrument]:
    """The instruments in resources/, read once; as `load_instruments`."""
    return load_instruments()


def _instrument(head: _Head, base: _Own, only: list[str] | None = None) -> Instrument:
    by_id = {item.id: item for item in base.items}
    items = tuple(by_id[name] for name in (only or by_id))
    return Instrument(
        id=head.id,
        title=head.title,
        version=head.version,
        valid_from=head.valid_from,
        status=head.status,
        period_text=base.period_text,
        scale=base.scale,
        bands=tuple(base.bands),
        items=items,
        sources=tuple(head.sources),
        content_hash=_content_hash(head.id, base, items),
    )


def _content_hash(name: str, base: _Own, items: tuple[Item, ...]) -> str:
    seen = {
        "id": name,
        "period_text": base.period_text,
        "scale": base.scale.model_dump(),
        "bands": [band.model_dump() for band in base.bands],
        "items": [item.model_dump(include={"id", "label", "question", "why", "concern"}) for item in items],
    }
    canonical = json.dumps(seen, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _repeated(what: str, names: list[str]) -> list[str]:
    return [f"{what} {name!r} is given twice" for name in dict.fromkeys(names) if names.count(name) > 1]
