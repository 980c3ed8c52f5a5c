"""Triage: stepped care as rules in data. All rules are looked at, every one that fires is kept with its reason.

Room: pure core; no clock, the moment of each check-in is passed in. Conditions are CEL over the variables in
`VARIABLES`. A missing answer makes a condition unknown unless every answer it could have been gives the same.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import celpy
import celpy.adapter
import celpy.celparser
import celpy.evaluation
from pydantic import Field

from bot.resources import (
    RESOURCES,
    Definition,
    ResourceError,
    SourcedDefinition,
    read_definition,
    read_folder,
)
from bot.screening.instruments import Given
from bot.screening.scoring import tension

Level = Literal[0, 1, 2, 3, 4]
Value = int | float | str | bool

STRESS = ("hyperalert", "sleep", "pressure", "fatigue")
SHARED = ("colleagues", "leader", "professional", "gp", "friends", "partner")
#: Answers of the support check that say that support was missed: wanted but not shared, shared but not good.
MISSED = (1, 3)
#: Bands of the check-in (report table 4): 4–6 is medium, 7–10 is high.
MEDIUM, HIGH = 4, 7
#: From this level on, a rule that cannot be decided is reported.
REPORT_UNKNOWN = 3
#: A check-in this long ago counts for "sustained" (days), and this recent for "worse".
SUSTAINED_DAYS = (14, 60)
WORSE_DAYS = 60

#: Every variable a condition may use → the type it has there, and the answers it is worked out from.
VARIABLES: dict[str, tuple[type, tuple[str, ...]]] = {
    **{
        item: (int, (item,))
        for item in (
            *STRESS,
            "alone",
            "insecure",
            "quit",
            "guidance",
            "belonging",
            "network",
            "suicidal_thoughts",
        )
    },
    "stress_high": (int, STRESS),
    "stress_medium": (int, STRESS),
    "stress_change": (float, STRESS),
    "earlier_stress_high": (int, ()),
    "support_missed": (bool, tuple(f"shared_{name}" for name in SHARED)),
    "tension": (str, ("complaints", "lost_grip", "role_dropped", "half_year", "exhaustion_first")),
    "phq2": (int, ("phq2_interest", "phq2_mood")),
    "gad2": (int, ("gad2_nervous", "gad2_worry")),
    "guard": (str, ()),
}
#: Answers that say nothing, by item: "Zeg ik liever niet" to the direct question. Nobody is taken to be safe for it.
DECLINED = {"suicidal_thoughts": 3}
#: What a missing answer could have been. One value for each band is enough where only bands count.
_BANDS = (0, MEDIUM, HIGH)
_POSSIBLE: dict[str, tuple[Given, ...]] = {
    **{item: tuple(range(11)) for item in (*STRESS, "alone", "insecure", "quit", "guidance", "belonging")},
    "network": (0, 1, 2, 3),
    "suicidal_thoughts": (0, 1, 2),
    **{f"shared_{name}": (0, 1) for name in SHARED},
    "complaints": ((), ("tired", "sleep", "irritable")),
    **dict.fromkeys(("lost_grip", "role_dropped", "half_year", "exhaustion_first"), (0, 1)),
    **dict.fromkeys(("phq2_interest", "phq2_mood", "gad2_nervous", "gad2_worry"), (0, 1, 2, 3)),
}


class Rule(Definition):
    """resources/triage/rules/<id>.yml. `person` and `coach` are the reason in Dutch for each of them."""

    id: str
    name: str
    order: int
    version: int
    valid_from: date
    status: Literal["product_rule", "reviewed"]
    source: str = Field(min_length=1)
    condition: str
    level: Level
    offers: list[str]
    person: str = Field(min_length=1)
    coach: str = Field(min_length=1)


class Offer(Definition):
    """Something a person may choose: what stands on the button and what it sends."""

    title: str = Field(min_length=1)
    payload: str = Field(pattern="^/")


class LevelText(Definition):
    """A level of care: what is said and what is offered."""

    level: Level
    id: str
    text: str
    offers: list[str] = Field(min_length=1, max_length=3)


class Levels(SourcedDefinition):
    """resources/triage/levels.yml."""

    levels: list[LevelText]
    offers: dict[str, Offer]


@dataclass(frozen=True)
class Earlier:
    """A check-in of before: when it was finished (with time zone) and its answers."""

    finished_at: datetime
    answers: Mapping[str, Given]


@dataclass(frozen=True)
class Facts:
    """What is known about a person now.

    Attributes:
        answers: item → answer, over all instruments that were filled in recently; None for a skipped question. An
            item that is not there was not asked.
        finished_at: when, with time zone; needed when there are earlier check-ins.
        earlier: check-ins of before, in any order.
        guard: the guard's verdict, '' when it did not look.
    """

    answers: Mapping[str, Given]
    finished_at: datetime | None = None
    earlier: Sequence[Earlier] = ()
    guard: str = ""


@dataclass(frozen=True)
class Triage:
    """What the rules say.

    Attributes:
        level: the highest level that fired; 0 when none did.
        fired: every rule that fired, gravest first.
        unknown: rules at level 3 or 4 that a skipped question leaves undecided.
        offers: at most three, those of the rules first.
        rules_hash: SHA-256 of the rules as they were, to be kept with the result.
    """

    level: Level
    fired: tuple[Rule, ...]
    unknown: tuple[Rule, ...]
    offers: tuple[Offer, ...]
    rules_hash: str


@dataclass(frozen=True)
class Rules:
    """The rules, ready to be evaluated."""

    rules: tuple[Rule, ...]
    levels: Levels
    content_hash: str
    _conditions: Mapping[str, _Condition] = field(repr=False)

    def triage(self, facts: Facts) -> Triage:
        """Look at every rule. Never raises for answers that `Instrument.check` accepted."""
        verdicts = {rule.id: self.decide(rule, facts) for rule in self.rules}
        order = sorted(self.rules, key=lambda rule: (-rule.level, rule.order))
        fired = tuple(rule for rule in order if verdicts[rule.id] is True)
        unknown = tuple(
            rule
            for rule in order
            if rule.level >= REPORT_UNKNOWN and verdicts[rule.id] is None and self._asked(rule, facts)
        )
        level: Level = fired[0].level if fired else 0
        return Triage(level, fired, unknown, self._offers(level, fired), self.content_hash)

    def decide(self, rule: Rule, facts: Facts) -> bool | None:
        """Whether a rule fires; None when that depends on what is missing."""
        condition = self._conditions[rule.id]
        found = {condition.holds(world) for world in _worlds(condition.names, facts)}
        return found.pop() if len(found) == 1 else None

    def text(self, level: Level) -> LevelText:
        """What is said and offered at a level."""
        return next(one for one in self.levels.levels if one.level == level)

    def needs(self, rule: Rule) -> tuple[str, ...]:
        """The items whose answers of now decide about a rule."""
        names = self._conditions[rule.id].names
        return tuple(dict.fromkeys(item for name in names for item in VARIABLES[name][1]))

    def _asked(self, rule: Rule, facts: Facts) -> bool:
        """Whether something that the rule needs was asked and not answered."""
        return any(
            item in facts.answers and _answer(facts.answers, item) is None for item in self.needs(rule)
        )

    def _offers(self, level: Level, fired: Sequence[Rule]) -> tuple[Offer, ...]:
        own = [name for rule in fired for name in rule.offers]
        general = self.text(level).offers
        names = dict.fromkeys(
            [general[0], *own, *general[1:]] if level >= REPORT_UNKNOWN else [*own, *general]
        )
        return tuple(self.levels.offers[name] for name in list(names)[:3])


class _Condition:
    """A compiled condition; equal values are evaluated once."""

    def __init__(self, text: str) -> None:
        environment = celpy.Environment()
        tree = environment.compile(text)
        tokens: list[Any] = list(tree.scan_values(lambda token: getattr(token, "type", "") == "IDENT"))
        self.names = tuple(sorted({str(token) for token in tokens}))
        unknown = [name for name in self.names if name not in VARIABLES]
        if unknown or not self.names:
            raise ValueError(f"unknown variable {unknown[0]!r}" if unknown else "no variable")
        self._program = environment.program(tree)
        self.holds = lru_cache(maxsize=4096)(self._holds)
        self.holds(tuple(VARIABLES[name][0]() for name in self.names))  # wrong types show at once

    def _holds(self, values: tuple[Value, ...]) -> bool:
        given = {
            name: celpy.adapter.json_to_cel(value) for name, value in zip(self.names, values, strict=True)
        }
        found = self._program.evaluate(given)
        if not isinstance(found, celpy.celtypes.BoolType | bool):
            raise ValueError("the condition is neither true nor false")
        return bool(found)


def _worlds(names: Sequence[str], facts: Facts) -> Iterator[tuple[Value, ...]]:
    """Every combination of values the variables can have, given what is missing. None at all never happens."""
    needed = dict.fromkeys(item for name in names for item in VARIABLES[name][1])
    bands_only = not any(item in names for item in STRESS) and "stress_change" not in names
    missing = [item for item in needed if _answer(facts.answers, item) is None]
    choices = [_BANDS if bands_only and item in STRESS else _POSSIBLE[item] for item in missing]
    seen: set[tuple[Value, ...]] = set()
    for filled in itertools.product(*choices):
        answers = {**facts.answers, **dict(zip(missing, filled, strict=True))}
        for values in itertools.product(*(_values(name, answers, facts, missing) for name in names)):
            if values not in seen:
                seen.add(values)
                yield values


def _answer(answers: Mapping[str, Given], item: str) -> Given:
    """What was answered; None when that was nothing."""
    found = answers.get(item)
    return None if found == DECLINED.get(item) else found


def _values(name: str, answers: Mapping[str, Given], facts: Facts, missing: Sequence[str]) -> Sequence[Value]:
    """The values a variable can have once the answers of now are filled in."""
    match name:
        case "stress_high":
            return [_count(answers, HIGH, 10)]
        case "stress_medium":
            return [_count(answers, MEDIUM, HIGH - 1)]
        case "stress_change":
            return _change(answers, facts, missing)
        case "earlier_stress_high":
            return _earlier_high(facts)
        case "support_missed":
            return [any(answers.get(f"shared_{one}") in MISSED for one in SHARED)]
        case "tension":
            return [tension(answers).outcome]
        case "phq2" | "gad2":
            return [sum(value for item in VARIABLES[name][1] if isinstance(value := answers[item], int))]
        case "guard":
            return [facts.guard]
        case _:
            value = answers[name]
            return [value] if isinstance(value, int) else []


def _count(answers: Mapping[str, Given], low: int, high: int) -> int:
    return sum(isinstance(value := answers.get(item), int) and low <= value <= high for item in STRESS)


def _mean(answers: Mapping[str, Given]) -> float | None:
    values = [value for item in STRESS if isinstance(value := answers.get(item), int)]
    return sum(values) / len(values) if len(values) == len(STRESS) else None


def _change(answers: Mapping[str, Given], facts: Facts, missing: Sequence[str]) -> Sequence[float]:
    """Change of the stress mean; without a check-in to compare with there is no change."""
    recent = [one for one in facts.earlier if timedelta(0) < _since(facts, one) <= timedelta(days=WORSE_DAYS)]
    if not recent:
        return [0.0]
    before = _mean(max(recent, key=lambda one: one.finished_at).answers)
    now = _mean(answers)
    if missing or before is None or now is None:
        return [-10.0, 10.0]  # could be anything: a mean needs every item, then and now
    return [now - before]


def _earlier_high(facts: Facts) -> Sequence[int]:
    """The most stress items that were high in one check-in of 14 to 60 days before; a range when some are missing."""
    low, high = (timedelta(days=days) for days in SUSTAINED_DAYS)
    rows = [one.answers for one in facts.earlier if low <= _since(facts, one) <= high]
    certain = max((_count(row, HIGH, 10) for row in rows), default=0)
    possible = max(
        (_count(row, HIGH, 10) + sum(row.get(item) is None for item in STRESS) for row in rows), default=0
    )
    return range(certain, possible + 1)


def _since(facts: Facts, one: Earlier) -> timedelta:
    return facts.finished_at - one.finished_at if facts.finished_at is not None else timedelta(-1)


def load_rules(folder: Path = RESOURCES / "triage") -> Rules:
    """The rules and levels in resources/ (or in `folder`), conditions compiled and checked against the variables.

    Raises:
        ResourceError: with every fault of every file.
    """
    rules = sorted(read_folder(folder / "rules", Rule).values(), key=lambda rule: rule.order)
    levels = read_definition(folder / "levels.yml", Levels)
    errors: list[str] = []
    conditions: dict[str, _Condition] = {}
    for rule in rules:
        path = folder / "rules" / f"{rule.id}.yml"
        try:
            conditions[rule.id] = _Condition(rule.condition)
        except (celpy.celparser.CELParseError, celpy.evaluation.CELEvalError, ValueError) as error:
            errors.append(f"{path}: condition: {str(error).splitlines()[0]}")
        errors += [
            f"{path}: offers: {name!r} is unknown" for name in rule.offers if name not in levels.offers
        ]
    if [one.level for one in levels.levels] != [0, 1, 2, 3, 4]:
        errors.append(f"{folder / 'levels.yml'}: the levels must be 0 to 4, in order")
    errors += [
        f"{folder / 'levels.yml'}: level {one.level}: offer {name!r} is unknown"
        for one in levels.levels
        for name in one.offers
        if name not in levels.offers
    ]
    if not rules:
        errors.append(f"{folder / 'rules'}: no rules")
    if errors:
        raise ResourceError(errors)
    seen = json.dumps(
        [rule.model_dump(mode="json") for rule in rules] + [levels.model_dump(mode="json")], sort_keys=True
    )
    return Rules(tuple(rules), levels, hashlib.sha256(seen.encode()).hexdigest(), conditions)


@lru_cache(maxsize=1)
def shipped_rules() -> Rules:
    """The rules in resources/, read once."""
    return load_rules()


def as_json(found: Triage) -> dict[str, Any]:
    """What is kept with a finished check-in, and what `bot screen` shows: rules by name with their reasons."""
    return {
        "level": found.level,
        "fired": [
            {"rule": rule.name, "level": rule.level, "person": rule.person, "coach": rule.coach}
            for rule in found.fired
        ],
        "unknown": [rule.name for rule in found.unknown],
        "rules_hash": found.rules_hash,
    }
