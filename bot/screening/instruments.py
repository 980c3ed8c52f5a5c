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
ItemKind = Literal["scale", "choice", "several"]
#: An answer as given: a score or an option's value, the codes of several options, or None for a skipped question.
Given = int | tuple[str, ...] | None


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


class Option(Definition):
    """One answer to choose. `value` is what it counts for, `code` its name when several may be chosen.

    `phrases` are further ways in which people type it. An option that is `alone` goes with no other.
    """

    value: int | None = None
    code: Name | None = None
    label: Text
    phrases: list[Text] = Field(default_factory=list)
    alone: bool = False


class Item(Definition):
    """One question.

    Attributes:
        kind: a whole score on the instrument's scale, one option, or several.
        options: what to choose from, for the last two.
        concern: at which end of the scale a score is a reason for concern, if any.
        stress: one of the four stress items of the check-in.
        reverse: its score counts from the other end of its range.
    """

    id: Name
    label: Text
    question: Text
    why: Text
    kind: ItemKind = "scale"
    options: list[Option] = Field(default_factory=list)
    concern: Concern | None = None
    stress: bool = False
    reverse: bool = False

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        faults = _repeated("option", [option.label for option in self.options])
        values = [option.value for option in self.options]
        codes = [option.code for option in self.options]
        if self.kind == "scale" and self.options:
            faults.append("a scale item has no options")
        if self.kind != "scale" and len(self.options) < 2:
            faults.append("at least two options are needed")
        if self.kind == "choice" and (None in values or len(set(values)) < len(values)):
            faults.append("each option needs a value of its own")
        if self.kind == "several" and (None in codes or len(set(codes)) < len(codes)):
            faults.append("each option needs a code of its own")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of its options, for `several`."""
        return tuple(option.code for option in self.options if option.code is not None)


class CutOff(Definition):
    """From this score on (included) a score has this name."""

    id: Name
    label: Text
    start: float = Field(alias="from")


class Score(Definition):
    """A sum or mean over items.

    Attributes:
        method: `sum` or `mean` over the items, reversed where an item says so.
        max_missing: with more items missing there is no score; missing items that are allowed are filled in with the
            mean of the others (pro-rated).
        cut_offs: names for stretches of the score, lowest first.
    """

    id: Name
    label: Text
    items: list[Name] = Field(min_length=1)
    method: Literal["sum", "mean"]
    max_missing: int = Field(default=0, ge=0)
    cut_offs: list[CutOff] = Field(default_factory=list)


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
    intro: str
    licence: str
    scale: Scale
    bands: tuple[Band, ...]
    items: tuple[Item, ...]
    scores: tuple[Score, ...]
    sources: tuple[Source, ...]
    content_hash: str

    @property
    def compared(self) -> bool:
        """Whether its scores stand beside norms: every item is on the scale, and the scale has bands."""
        return bool(self.bands) and all(item.kind == "scale" for item in self.items)

    def item(self, item_id: str) -> Item:
        """The item with this id.

        Raises:
            KeyError: the instrument has no such item.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(f"{self.id} has no item {item_id!r}")

    def range(self, item: Item) -> tuple[int, int]:
        """Lowest and highest value of an item; for `several` the number of options that can be chosen."""
        if item.kind == "several":
            return 0, sum(not option.alone for option in item.options)
        values = [option.value for option in item.options if option.value is not None]
        return (min(values), max(values)) if values else (self.scale.min, self.scale.max)

    def check(self, item: Item, given: object) -> Given:
        """An answer that may be kept for this item; None is a skipped question.

        Raises:
            ValueError: it is none of the item's answers; the message says what they are.
        """
        if given is None:
            return None
        if item.kind == "several":
            if not isinstance(given, list | tuple) or not all(isinstance(code, str) for code in given):
                raise ValueError(f"the answer must be a list of {', '.join(item.codes)}, or null")
            unknown = [code for code in given if code not in item.codes]
            if unknown or len(set(given)) < len(given):
                raise ValueError(f"the answer must be a list of {', '.join(item.codes)}, each at most once")
            lonely = {option.code for option in item.options if option.alone} & set(given)
            if lonely and len(given) > 1:
                raise ValueError(f"{sorted(lonely)[0]} goes with no other answer")  # type: ignore[type-var]
            return tuple(code for code in item.codes if code in given)
        low, high = self.range(item)
        if isinstance(given, bool) or not isinstance(given, int):
            raise ValueError(f"a score must be a whole number from {low} to {high}, or null")
        if not low <= given <= high:
            raise ValueError(f"a score must lie between {low} and {high}")
        if item.kind == "choice" and given not in [option.value for option in item.options]:
            raise ValueError(f"{given} is not one of the options")
        return given

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
    intro: str = ""
    licence: str = ""
    scale: Scale = Scale(min=0, max=1, min_label="nee", max_label="ja")
    bands: list[Band] = Field(default_factory=list)
    items: list[Item] = Field(min_length=1)
    scores: list[Score] = Field(default_factory=list)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        faults = _repeated("item", [item.id for item in self.items])
        faults += _repeated("label", [item.label for item in self.items])
        faults += _repeated("band", [band.id for band in self.bands])
        faults += _repeated("score", [score.id for score in self.scores])
        covered = [score for band in self.bands for score in range(band.start, band.end + 1)]
        if self.scale.min >= self.scale.max:
            faults.append("the scale must go up")
        if self.bands and covered != list(range(self.scale.min, self.scale.max + 1)):
            faults.append(
                f"the bands must cover {self.scale.min} to {self.scale.max} in order, without gap or overlap"
            )
        faults += [fault for score in self.scores for fault in _score_faults(score, self.items)]
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
        intro=base.intro,
        licence=base.licence,
        scale=base.scale,
        bands=tuple(base.bands),
        items=items,
        scores=tuple(base.scores) if only is None else (),
        sources=tuple(head.sources),
        content_hash=_content_hash(head.id, base, items),
    )


def _content_hash(name: str, base: _Own, items: tuple[Item, ...]) -> str:
    # Only what a person saw, and only what is there: a new field in the format changes no hash of before.
    seen: dict[str, object] = {
        "id": name,
        "period_text": base.period_text,
        "scale": base.scale.model_dump(),
        "bands": [band.model_dump() for band in base.bands],
        "items": [_seen(item) for item in items],
    }
    if base.intro:
        seen["intro"] = base.intro
    canonical = json.dumps(seen, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _seen(item: Item) -> dict[str, object]:
    seen = item.model_dump(include={"id", "label", "question", "why", "concern"})
    if item.options:
        seen["options"] = [option.model_dump(include={"value", "code", "label"}) for option in item.options]
    return seen


def _score_faults(score: Score, items: list[Item]) -> list[str]:
    known = {item.id: item for item in items}
    faults = [f"score {score.id}: no item {name!r}" for name in score.items if name not in known]
    faults += [
        f"score {score.id}: {name} has no score of its own"
        for name in score.items
        if name in known and known[name].kind == "several"
    ]
    if score.max_missing >= len(score.items):
        faults.append(f"score {score.id}: at least one item must be answered")
    starts = [cut_off.start for cut_off in score.cut_offs]
    if starts != sorted(set(starts)):
        faults.append(f"score {score.id}: the cut-offs must go up")
    return faults


def _repeated(what: str, names: list[str]) -> list[str]:
    return [f"{what} {name!r} is given twice" for name in dict.fromkeys(names) if names.count(name) > 1]
