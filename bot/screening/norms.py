"""Norms: how groups of care workers scored, read from resources/norms/, and finding a person's group.

Room: pure core, but for reading definitions. A look-up outside the tables raises: nothing
falls back silently.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from bot.resources import RESOURCES, Definition, ResourceError, read_definition
from bot.screening.groups import GroupFinder

Kind = Literal["all", "gender", "province", "sector", "profession"]
Text = Annotated[str, Field(min_length=1, max_length=400)]
Row = TypeVar("Row", bound=Definition)

#: The kinds a person may give to compare with.
ASKED_KINDS: tuple[Kind, ...] = ("sector", "profession")


class Norm(Definition):
    """Mean and standard deviation on the item's scale; `n` respondents (None where the table gives none)."""

    mean: float = Field(ge=0, le=10)
    sd: float = Field(gt=0, le=10)
    n: int | None = Field(ge=1)
    source_table: int


class Distribution(Definition):
    """All respondents on one item: mean, SD and shares per band, in whole per cent."""

    mean: float
    sd: float
    pct_low: int = Field(ge=0, le=100)
    pct_medium: int = Field(ge=0, le=100)
    pct_high: int = Field(ge=0, le=100)
    source_table: int


class NormGroup(Definition):
    """A group of respondents. `name` stands on a button; `among` completes a sentence after "bij"."""

    kind: Kind
    label: Text
    name: Text
    among: Text
    synonyms: list[Text] = Field(default_factory=list)


class NormSource(Definition):
    """The publication the figures come from."""

    title: Text
    authors: Text
    year: int
    publisher: Text
    tables: list[int]


class Comparison(Definition):
    """How far from the mean, in SD, a score is called about the same, or much higher or lower."""

    status: Literal["product_rule", "reviewed"]
    about_within_sd: float = Field(gt=0)
    much_beyond_sd: float = Field(gt=0)


class _Collected(Definition):
    start: date = Field(alias="from")
    end: date = Field(alias="to")


class _Files(Definition):
    norms: Text
    bands: Text


class _NormsFile(Definition):
    id: Text
    title: Text
    version: int
    valid_from: date
    status: Literal["published", "reviewed"]
    source: NormSource
    collected: _Collected
    unit: Text
    caveat: Text
    limits: list[Text]
    files: _Files
    comparison: Comparison
    groups: list[NormGroup] = Field(min_length=1)


@dataclass(frozen=True)
class Norms:
    """Every norm of one publication, with its caveat in plain Dutch for the person."""

    source: NormSource
    valid_from: date
    caveat: str
    comparison: Comparison
    _groups: tuple[NormGroup, ...]
    _norms: Mapping[tuple[str, str, str], Norm]
    _distributions: Mapping[str, Distribution]
    _finder: GroupFinder

    def groups(self, kind: Kind | None = None) -> tuple[NormGroup, ...]:
        """All groups, or those of one kind, in the order of the definition."""
        return tuple(group for group in self._groups if kind in (None, group.kind))

    @property
    def all_respondents(self) -> NormGroup:
        """The group of everyone who took part."""
        return self.groups("all")[0]

    def norm(self, kind: str, label: str, item: str) -> Norm:
        """The norm of one group for one item.

        Raises:
            LookupError: the tables hold no such group or item.
        """
        try:
            return self._norms[kind, label, item]
        except KeyError:
            raise LookupError(f"no norm for item {item!r} of {kind} {label!r}") from None

    def group(self, kind: str, label: str) -> NormGroup:
        """The group with exactly this kind and label.

        Raises:
            LookupError: there is no such group.
        """
        for group in self._groups:
            if (group.kind, group.label) == (kind, label):
                return group
        raise LookupError(f"no group {label!r} of kind {kind!r}")

    def distribution(self, item: str) -> Distribution:
        """How all respondents divide over the bands for one item.

        Raises:
            LookupError: the table holds no such item.
        """
        try:
            return self._distributions[item]
        except KeyError:
            raise LookupError(f"no distribution for item {item!r}") from None

    def find_group(self, text: str, kind: Kind | None = None) -> NormGroup | None:
        """The sector or profession a person typed, allowing for synonyms, inflection and small typing errors.

        Args:
            text: anything, of any length ("ik ben vpk in een rusthuis").
            kind: look among sectors only, or professions only. With both in the text the profession wins.

        Returns:
            The group, or None when nothing, or more than one group of a kind equally well, fits.
        """
        found = self._finder.find(text, (kind,) if kind else ("profession", "sector"))
        return self.group(*found) if found else None


def load_norms(path: Path = RESOURCES / "norms") -> Norms:
    """The norms of the one definition in a folder.

    Raises:
        ResourceError: with every fault of the definition and its tables.
    """
    files = sorted(path.glob("*.yml"))
    if len(files) != 1:
        raise ResourceError([f"{path}: expected one norms definition, found {len(files)}"])
    head = read_definition(files[0], _NormsFile)
    errors: list[str] = []
    norm_rows = _rows(path / head.files.norms, ("group", "label", "item"), Norm, errors)
    band_rows = _rows(path / head.files.bands, ("item",), Distribution, errors, _band_names)
    norms = {(key[0], key[1], key[2]): row for key, row in norm_rows.items()}
    distributions = {key[0]: row for key, row in band_rows.items()}
    finder = GroupFinder([(g.kind, g.label, (g.label, g.name, *g.synonyms)) for g in head.groups])
    errors += [f"{files[0]}: groups: {fault}" for fault in finder.clashes]
    errors += _faults(files[0], head, norms, distributions)
    if errors:
        raise ResourceError(errors)
    return Norms(
        head.source,
        head.valid_from,
        head.caveat,
        head.comparison,
        tuple(head.groups),
        norms,
        distributions,
        finder,
    )


@lru_cache(maxsize=1)
def shipped_norms() -> Norms:
    """The norms in resources/, read once; as `load_norms`."""
    return load_norms()


def _faults(
    path: Path,
    head: _NormsFile,
    norms: Mapping[tuple[str, str, str], Norm],
    distributions: Mapping[str, Distribution],
) -> list[str]:
    """Groups without figures, figures without a group, holes in the table, tables that disagree."""
    named = [(group.kind, group.label) for group in head.groups]
    found = {(kind, label) for kind, label, _ in norms}
    faults = [
        f"groups: {kind} {label!r} is given twice"
        for kind, label in set(named)
        if named.count((kind, label)) > 1
    ]
    faults += [
        f"groups: {kind} {label!r} has no figures" for kind, label in named if (kind, label) not in found
    ]
    faults += [
        f"groups: {kind} {label!r} is missing" for kind, label in sorted(found) if (kind, label) not in named
    ]
    if sum(kind == "all" for kind, _ in named) != 1:
        faults.append("groups: exactly one group of kind 'all' is needed")
    for kind, label in sorted(found):
        faults += [
            f"{kind} {label!r} has no {item!r}" for item in distributions if (kind, label, item) not in norms
        ]
    for (kind, label, item), norm in norms.items():
        if norm.source_table not in head.source.tables:
            faults.append(f"table {norm.source_table} ({label}, {item}) is not among the source's tables")
        if item not in distributions:
            faults.append(f"{kind} {label!r} has an unknown item {item!r}")
        elif kind == "all" and (norm.mean, norm.sd) != (distributions[item].mean, distributions[item].sd):
            faults.append(f"the two tables disagree on {item!r}")
    if head.comparison.about_within_sd >= head.comparison.much_beyond_sd:
        faults.append("comparison: about_within_sd must be smaller than much_beyond_sd")
    return [f"{path}: {fault}" for fault in faults]


def _band_names(row: dict[str, str]) -> dict[str, str]:
    return {
        {"pct_low_0_3": "pct_low", "pct_medium_4_6": "pct_medium", "pct_high_7_10": "pct_high"}.get(
            key, key
        ): value
        for key, value in row.items()
    }


def _rows(
    path: Path,
    keys: tuple[str, ...],
    model: type[Row],
    errors: list[str],
    rename: Callable[[dict[str, str]], dict[str, str]] = dict,
) -> dict[tuple[str, ...], Row]:
    """The rows of a CSV file by their key columns; faults are added to `errors`."""
    found: dict[tuple[str, ...], Row] = {}
    check = TypeAdapter(model)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
    except OSError as error:
        errors.append(f"{path}: cannot be read: {error.strerror}")
        return found
    for number, line in enumerate(lines, 2):
        if None in line or None in line.values() or any(key not in line for key in keys):
            errors.append(f"{path}: line {number}: wrong number of columns")
            continue
        key = tuple(line.pop(name) for name in keys)
        if key in found:
            errors.append(f"{path}: line {number}: {', '.join(key)} is given twice")
            continue
        try:
            values = {name: value or None for name, value in rename(line).items()}
            found[key] = check.validate_python(values, strict=False)
        except ValidationError as error:
            errors += [
                f"{path}: line {number}: {fault['loc'][0]}: {fault['msg']}" for fault in error.errors()
            ]
    return found
