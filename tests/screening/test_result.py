"""What a filled-in check-in says; the cases stand in tests/cases/screening.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.resources import RESOURCES
from bot.screening.instruments import shipped_instruments
from bot.screening.norms import Comparison, Norm, shipped_norms
from bot.screening.result import Result, check_in_result, compare

CASES_FOLDER = Path(__file__).parents[1] / "cases"
CASES: list[dict[str, Any]] = yaml.safe_load((CASES_FOLDER / "screening.yml").read_text(encoding="utf-8"))
RULE = shipped_norms().comparison


def result_of(case: dict[str, Any]) -> Result:
    given_in = case["input"]
    group = shipped_norms().find_group(given_in["group"]) if "group" in given_in else None
    return check_in_result(
        shipped_instruments()[case["instrument"]],
        given_in["answers"],
        shipped_norms(),
        group,
        given_in.get("previous"),
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_check_in_says_what_a_clinician_expects(case: dict[str, Any]) -> None:
    result = result_of(case)
    items = {found.item.id: found for found in result.items}
    said = {
        "bands": {name: found.band.id if found.band else None for name, found in items.items()},
        "comparisons": {name: found.comparison for name, found in items.items()},
        "changes": {name: found.change for name, found in items.items()},
        "alerts": list(result.alerts),
        "missing": list(result.missing),
        "stress_mean": result.stress_mean,
        "previous_stress_mean": result.previous_stress_mean,
        "group": result.group.label,
    }
    for name, wanted in case["expect"].items():
        part = {item: said[name][item] for item in wanted} if isinstance(wanted, dict) else said[name]  # type: ignore[index]
        assert part == wanted, name


def test_every_shipped_instrument_has_cases() -> None:
    files = {path.stem for path in (RESOURCES / "instruments").glob("*.yml")}
    assert files == set(shipped_instruments())
    others = {path.stem for path in (CASES_FOLDER / "instruments").glob("*.yml")}
    cases = {case["instrument"] for case in CASES}
    assert {name for name in files if shipped_instruments()[name].compared} <= cases
    # The direct question has no outcome of its own: its answers are cases of the rule "danger".
    assert files - cases - others == {"direct_question"}
    danger = yaml.safe_load((CASES_FOLDER / "triage" / "danger.yml").read_text(encoding="utf-8"))
    question = shipped_instruments()["direct_question"].items[0]
    answered = {case["answers"][question.id] for case in danger if question.id in case["answers"]}
    assert {option.value for option in question.options} | {None} <= answered


@pytest.mark.parametrize(
    ("value", "mean", "sd", "word"),
    [
        (7, 5.5, 3.0, "about"),
        (4, 5.5, 3.0, "about"),
        (8, 5.0, 3.0, "higher"),
        (2, 5.0, 3.0, "lower"),
        (8, 4.9, 3.0, "much_higher"),
        (2, 5.1, 3.0, "much_lower"),
        (10, 7.2, 2.8, "higher"),
        (5, 5.0, 3.0, "about"),
    ],
)
def test_half_a_deviation_is_about_the_same_and_more_than_one_is_clear(
    value: int, mean: float, sd: float, word: str
) -> None:
    rule = Comparison(status="product_rule", about_within_sd=0.5, much_beyond_sd=1.0)
    assert compare(value, Norm(mean=mean, sd=sd, n=1, source_table=1), rule)[1] == word


@pytest.mark.parametrize("value", [-1, 11, 7.5, 7.0, True, "7", float("nan"), 10**400, [7]])
def test_only_whole_scores_on_the_scale_are_read(value: Any) -> None:
    with pytest.raises(ValueError, match="a score must"):
        check_in_result(shipped_instruments()["pols"], {"sleep": value}, shipped_norms())


def test_an_item_of_another_instrument_is_refused() -> None:
    with pytest.raises(ValueError, match="pols has no item 'quit'"):
        check_in_result(shipped_instruments()["pols"], {"quit": 3}, shipped_norms())


ANSWERS = st.dictionaries(
    st.sampled_from([item.id for item in shipped_instruments()["check_in"].items]),
    st.none() | st.integers(0, 10),
)


@given(ANSWERS, st.sampled_from(shipped_norms().groups()), st.none() | ANSWERS)
def test_any_answers_beside_any_group_give_a_whole_result(
    answers: dict[str, int | None], group: Any, previous: dict[str, int | None] | None
) -> None:
    instrument = shipped_instruments()["check_in"]
    result = check_in_result(instrument, answers, shipped_norms(), group, previous)
    assert [found.item.id for found in result.items] == [item.id for item in instrument.items]
    for found in result.items:
        assert found.value == answers.get(found.item.id)
        assert (found.value is None) == (found.item.id in result.missing) == (found.comparison is None)
        assert found.alert == (found.item.id in result.alerts)
        assert not (found.value is None and found.alert)
