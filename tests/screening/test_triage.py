"""Triage: every row of the design's table, at its boundaries; the cases stand in tests/cases/triage/."""

from __future__ import annotations

import itertools
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.resources import RESOURCES, ResourceError
from bot.screening.instruments import shipped_instruments
from bot.screening.scoring import checked
from bot.screening.screen import screen_line
from bot.screening.triage import STRESS, Earlier, Facts, load_rules, shipped_rules

FOLDER = Path(__file__).parents[1] / "cases" / "triage"
CASES = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yml"))}
RULES = {rule.id: rule for rule in shipped_rules().rules}
ALL = [(rule, case) for rule, cases in CASES.items() for case in cases]
#: Rule, level and the further offer of the table in the design, row by row.
TABLE = {
    "stress-all-high": 3, "stress-two-high": 1, "stress-one-high": 1, "sleep-and-fatigue": 1, "quit-high": 3,
    "alone-high": 2, "belonging-low": 2, "insecure-high": 2, "guidance-low": 2, "support-wanted": 2,
    "network-none": 3, "sustained": 3, "worse": 2, "overstrain": 3, "burnout": 3, "low-mood": 3, "anxiety": 1,
    "anxiety-and-pressure": 3, "danger": 4,
}  # fmt: skip
OFFERS_SPANNINGSCHECK = {"stress-two-high", "sleep-and-fatigue", "worse"}


def answers(given_in: dict[str, Any]) -> dict[str, Any]:
    """A case's answers, checked by the instruments they belong to."""
    found: dict[str, Any] = {}
    for instrument in shipped_instruments().values():
        mine = {item.id for item in instrument.items} & set(given_in)
        if mine:
            known = checked(instrument, {name: given_in[name] for name in mine})
            found |= {name: known[name] for name in mine}
    assert set(found) == set(given_in)
    return found


def facts(case: dict[str, Any]) -> Facts:
    at = case.get("finished_at")
    return Facts(
        answers(case["answers"]),
        datetime.fromisoformat(at) if at else None,
        [
            Earlier(datetime.fromisoformat(one["finished_at"]), answers(one["answers"]))
            for one in case.get("previous", ())
        ],
        case.get("guard", ""),
    )


@pytest.mark.parametrize(("rule", "case"), ALL, ids=[f"{rule}: {case['name']}" for rule, case in ALL])
def test_a_rule_fires_when_a_clinician_expects_it(rule: str, case: dict[str, Any]) -> None:
    decided = shipped_rules().decide(RULES[rule], facts(case))
    assert {True: "fires", False: "does not fire", None: "unknown"}[decided] == case["expect"]
    found = shipped_rules().triage(facts(case))
    assert (RULES[rule] in found.fired) is (decided is True)
    assert found.level == max([one.level for one in found.fired], default=0)


def test_every_rule_has_cases_that_fire_and_that_do_not_and_one_with_a_skipped_question() -> None:
    assert set(CASES) == set(RULES)
    for rule, cases in CASES.items():
        expected = {case["expect"] for case in cases}
        assert expected == {"fires", "does not fire", "unknown"}, rule


def test_the_rules_are_those_of_the_design_with_their_levels() -> None:
    assert {rule.name: rule.level for rule in RULES.values()} == TABLE
    assert {rule.name for rule in RULES.values() if "spanningscheck" in rule.offers} >= OFFERS_SPANNINGSCHECK
    for rule in RULES.values():
        assert rule.status == "product_rule"
        assert "screening.md" in rule.source
        assert rule.name.replace("-", "_") == rule.id


def test_every_level_is_reachable_and_offers_two_or_three_things() -> None:
    levels = set()
    for _, case in ALL:
        found = shipped_rules().triage(facts(case))
        levels.add(found.level)
        assert 2 <= len(found.offers) <= 3
    assert levels | {shipped_rules().triage(Facts({})).level} == {0, 1, 2, 3, 4}


def expected_level(scores: tuple[int, ...]) -> int:
    """The stress rows of the design's table, computed anew: by the pols, so nothing else can fire."""
    high = sum(score in range(7, 11) for score in scores)
    medium = sum(score in range(4, 7) for score in scores)
    if high >= 3:
        return 3
    if high in (1, 2) or medium >= 3:
        return 1
    return 1 if scores[1] >= 7 and scores[3] >= 7 else 0


def test_all_answers_to_the_four_stress_items_get_the_level_of_the_design() -> None:
    rules = shipped_rules()
    for scores in itertools.product(range(11), repeat=4):
        level = rules.triage(Facts(dict(zip(STRESS, scores, strict=True)))).level
        assert level == expected_level(scores), scores


def test_bot_screen_gives_the_same_level_and_its_reasons() -> None:
    for scores in itertools.product(range(11), repeat=4):
        line = {"id": "x", "instrument": "pols", "answers": dict(zip(STRESS, scores, strict=True))}
        found = screen_line(line)
        assert found["level"] == expected_level(scores)
        assert bool(found["reasons"]) is (found["level"] > 0)
        assert all(reason["person"] and reason["coach"] for reason in found["reasons"])


ITEMS = [item for instrument in shipped_instruments().values() for item in instrument.items]
VALUES: dict[str, Any] = {
    item.id: st.sampled_from([option.value for option in item.options] or list(range(11)))
    for item in ITEMS
    if item.kind != "several"
} | {"complaints": st.sampled_from([(), ("tired",), ("tired", "sleep", "hurried")])}


@settings(deadline=None, max_examples=150)
@given(st.fixed_dictionaries({}, optional=VALUES), st.sets(st.sampled_from(sorted(VALUES)), max_size=4))
def test_a_missing_item_makes_a_rule_unknown_and_never_false_by_accident(
    filled: dict[str, Any], skipped: set[str]
) -> None:
    rules = shipped_rules()
    known = {name: None if name in skipped else value for name, value in filled.items()}
    for rule in rules.rules:
        before, after = rules.decide(rule, Facts(known)), rules.decide(rule, Facts(filled))
        assert before is None or before is after, rule.name


def test_an_undecided_rule_at_level_3_or_4_is_reported_when_its_question_was_skipped() -> None:
    found = shipped_rules().triage(Facts({"quit": None, "sleep": 2}))
    assert [rule.name for rule in found.unknown] == ["quit-high"]
    assert shipped_rules().triage(Facts({"sleep": 2})).unknown == ()
    assert shipped_rules().triage(Facts({"alone": None})).unknown == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("quit >= 7", "quits >= 7", "unknown variable 'quits'"),
        ("quit >= 7", "quit >=", "condition"),
        ("quit >= 7", "quit + 7", "neither true nor false"),
        ("quit >= 7", "quit == 'x' + 1", "condition"),
        ("quit >= 7", "1 == 1", "no variable"),
        ("level: 3", "level: 7", "level"),
        ("offers: []", "offers: [taart]", "'taart' is unknown"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_refused_at_start(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    shutil.copytree(RESOURCES / "triage", tmp_path / "triage")
    path = tmp_path / "triage" / "rules" / "quit_high.yml"
    changed = path.read_text(encoding="utf-8").replace(old, new)
    assert new in changed
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(ResourceError, match=r"quit_high\.yml") as error:
        load_rules(tmp_path / "triage")
    assert said in str(error.value)


def test_a_changed_rule_changes_the_hash_that_is_kept_with_a_result(tmp_path: Path) -> None:
    shutil.copytree(RESOURCES / "triage", tmp_path / "triage")
    path = tmp_path / "triage" / "rules" / "quit_high.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("quit >= 7", "quit >= 8"), encoding="utf-8")
    assert load_rules(tmp_path / "triage").content_hash != shipped_rules().content_hash
