"""What questionnaires without norms say; the cases stand in tests/cases/instruments/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.screening.instruments import shipped_instruments
from bot.screening.outcomes import OUTCOMES, in_words, outcome, texts
from bot.screening.scoring import checked

FOLDER = Path(__file__).parents[1] / "cases" / "instruments"
CASES: list[tuple[str, dict[str, Any]]] = [
    (path.stem, case) for path in sorted(FOLDER.glob("*.yml")) for case in yaml.safe_load(path.read_text())
]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}: {case['name']}" for name, case in CASES])
def test_an_instrument_has_the_outcome_a_clinician_expects(name: str, case: dict[str, Any]) -> None:
    instrument = shipped_instruments()[name]
    assert outcome(instrument, checked(instrument, case["answers"])) == case["expect"]


def test_every_outcome_is_reachable_and_has_its_words() -> None:
    reached = {(name, case["expect"]) for name, case in CASES}
    assert reached == {(name, one) for name, outcomes in OUTCOMES.items() for one in outcomes}
    for name, outcomes in OUTCOMES.items():
        assert set(texts().outcomes[name]) == set(outcomes)


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}: {case['name']}" for name, case in CASES])
def test_every_result_says_that_it_is_a_signal_and_no_diagnosis(name: str, case: dict[str, Any]) -> None:
    instrument = shipped_instruments()[name]
    said = in_words(instrument, checked(instrument, case["answers"]))
    assert said.count("geen diagnose") == 1
    assert "{" not in said


def test_a_low_mood_sends_someone_with_strain_to_the_doctor_first() -> None:
    instrument = shipped_instruments()["spanningscheck"]
    answers = {"complaints": ("tired", "sleep", "hurried"), "lost_grip": 1, "role_dropped": 1}
    assert "huisarts daarom eerst" in in_words(instrument, checked(instrument, answers), phq2=3)
    assert "huisarts daarom eerst" not in in_words(instrument, checked(instrument, answers), phq2=2)


def test_what_was_skipped_is_named_when_nothing_can_be_said() -> None:
    instrument = shipped_instruments()["spanningscheck"]
    answers = {"complaints": ("tired", "sleep", "hurried"), "lost_grip": None, "role_dropped": 1}
    assert "de greep kwijt" in in_words(instrument, checked(instrument, answers))
