"""Questionnaires and answers leave as valid FHIR R4B, with everything that was asked and answered."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from bot.screening.fhir import questionnaire, questionnaire_response
from bot.screening.instruments import Instrument, Item, shipped_instruments
from bot.screening.outcomes import OUTCOMES, outcome
from bot.screening.scoring import checked
from bot.screening.screen import screen_line
from bot.screening.triage import shipped_rules

ROOT = Path(__file__).resolve().parents[2]
INSTRUMENTS = list(shipped_instruments().values())
RULES = {rule.name: rule for rule in shipped_rules().rules}


def filled(instrument: Instrument, end: str) -> dict[str, Any]:
    """Every question answered, with the lowest or the highest answer there is."""
    return {item.id: _at(instrument, item, end) for item in instrument.items}


def _at(instrument: Instrument, item: Item, end: str) -> int | list[str]:
    if item.kind == "several":
        chosen = [option.code for option in item.options if option.code and option.alone == (end == "lowest")]
        return chosen[:1] if end == "lowest" else chosen
    low, high = instrument.range(item)
    return low if end == "lowest" else high


def calculated(instrument: Instrument, answers: dict[str, Any]) -> dict[str, Any]:
    """What a response holds beside the answers: linkId → number or code."""
    made = questionnaire_response(instrument, answers, "a-1")
    found = QuestionnaireResponse.model_validate(made)
    asked = {item.id for item in instrument.items}
    values = {item.linkId: item.answer[0] for item in found.item or [] if item.linkId not in asked}
    return {link: _value(answer) for link, answer in values.items()}


def _value(answer: Any) -> Any:
    if answer.valueCoding is not None:
        return answer.valueCoding.code
    return float(answer.valueDecimal) if answer.valueInteger is None else answer.valueInteger


def screened(instrument: Instrument, answers: dict[str, Any]) -> dict[str, Any]:
    """The same from `bot screen`, and the outcome from the conversation; what is not known is left out."""
    found = screen_line({"id": "a", "instrument": instrument.id, "answers": answers})
    values: dict[str, Any] = {f"score:{name}": value for name, value in found["sums"].items()}
    values |= {f"mean:{name}": value for name, value in found.get("means", {}).items()}
    values |= {f"band:{name}": value for name, value in found.get("bands", {}).items()}
    if instrument.id in OUTCOMES:
        values[f"outcome:{instrument.id}"] = outcome(instrument, checked(instrument, answers))
    if found["outcome"] is not None:
        assert values[f"outcome:{instrument.id}"] == found["outcome"]["outcome"]
    undecided = any(RULES[name].level > found["level"] for name in found["unknown"])
    values["triage:level"] = None if undecided else found["level"]
    return {name: value for name, value in values.items() if value is not None}


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda one: one.id)
def test_every_instrument_is_a_valid_questionnaire_with_all_its_questions_and_options(
    instrument: Instrument,
) -> None:
    found = Questionnaire.model_validate(questionnaire(instrument))
    asked = {item.linkId: item for item in found.item}
    assert found.identifier[0].value == instrument.content_hash
    for item in instrument.items:
        assert item.question in asked[item.id].text
        shown = [option.valueCoding.display for option in asked[item.id].answerOption or []]
        assert shown == [option.label for option in item.options]


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda one: one.id)
def test_filled_in_answers_are_a_valid_response_that_fits_its_questionnaire(instrument: Instrument) -> None:
    made = questionnaire_response(
        instrument, filled(instrument, "lowest"), "a-1", "2026-11-25T14:00:00+01:00"
    )
    found = QuestionnaireResponse.model_validate(made)
    asked = [item.linkId for item in Questionnaire.model_validate(questionnaire(instrument)).item]
    assert [item.linkId for item in found.item] == asked
    assert len(set(asked)) == len(asked)
    assert found.extension[0].valueString == instrument.content_hash
    assert found.status == "completed"


@pytest.mark.parametrize("end", ["lowest", "highest"])
@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda one: one.id)
def test_every_response_carries_what_screening_finds_in_the_same_answers(
    instrument: Instrument, end: str
) -> None:
    answers = filled(instrument, end)
    found = calculated(instrument, answers)
    assert found == screened(instrument, answers)
    declined = instrument.id == "direct_question" and end == "highest"  # "Zeg ik liever niet" says nothing
    assert bool(found) is not declined


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda one: one.id)
def test_what_is_calculated_cannot_be_filled_in_and_its_codes_are_in_the_questionnaire(
    instrument: Instrument,
) -> None:
    asked = {item["linkId"]: item for item in questionnaire(instrument)["item"]}
    own = {item.id for item in instrument.items}
    assert {link for link, item in asked.items() if item.get("readOnly")} == asked.keys() - own
    for end in ("lowest", "highest"):
        made = questionnaire_response(instrument, filled(instrument, end), "a-1")
        for item in made["item"]:
            for answer in item["answer"]:
                if "valueCoding" in answer:
                    assert answer in asked[item["linkId"]]["answerOption"]


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda one: one.id)
def test_a_response_is_in_progress_until_every_question_was_answered_or_skipped(
    instrument: Instrument,
) -> None:
    answers = filled(instrument, "highest")
    for name in answers:
        rest = {item: answer for item, answer in answers.items() if item != name}
        for given, status in ((rest, "in-progress"), (rest | {name: None}, "completed")):
            made = QuestionnaireResponse.model_validate(questionnaire_response(instrument, given, "a-1"))
            assert made.status == status
            assert name not in [item.linkId for item in made.item or []]
            assert calculated(instrument, given) == screened(instrument, given)
    nothing = QuestionnaireResponse.model_validate(questionnaire_response(instrument, {}, "a-1"))
    assert nothing.status == "in-progress"


def test_a_skipped_question_is_left_out_and_never_a_zero() -> None:
    phq2 = shipped_instruments()["phq2"]
    made = questionnaire_response(phq2, {"phq2_interest": 2, "phq2_mood": None}, "a-1")
    assert [item["linkId"] for item in made["item"]] == ["phq2_interest", "outcome:phq2"]
    assert calculated(phq2, {"phq2_interest": 2, "phq2_mood": None}) == {"outcome:phq2": "unknown"}


def test_no_level_of_care_is_given_while_an_open_question_could_make_it_grave() -> None:
    direct = shipped_instruments()["direct_question"]
    assert calculated(direct, {"suicidal_thoughts": 2}) == {"triage:level": 4}
    assert calculated(direct, {"suicidal_thoughts": None}) == {}
    assert calculated(direct, {}) == {}


def test_the_stress_mean_and_its_bands_leave_with_the_shortest_check() -> None:
    pols = shipped_instruments()["pols"]
    assert calculated(pols, {"hyperalert": 8, "sleep": 7, "pressure": 6, "fatigue": 9}) == {
        "mean:stress": 7.5, "band:hyperalert": "high", "band:sleep": "high", "band:pressure": "medium",
        "band:fatigue": "high", "triage:level": 3,
    }  # fmt: skip


def test_the_command_writes_every_questionnaire_and_turns_lines_into_responses(tmp_path: Path) -> None:
    lines = [
        '{"id": "x", "instrument": "gad2", "answers": {"gad2_nervous": 1, "gad2_worry": 2}, '
        '"finished_at": "2026-11-25T14:00:00+01:00"}',
        "",
        "geen json",
        '{"id": "half", "instrument": "gad2", "answers": {"gad2_nervous": 1}}',
        '{"id": "y", "instrument": "gad2", "answers": {"gad2_nervous": 9}}',
        '{"id": "z", "instrument": "gad2", "answers": {}, "finished_at": "gisteren"}',
    ]
    done = subprocess.run(
        [sys.executable, "-m", "bot", "fhir", "export", "--out", str(tmp_path), "--answers", "-"],
        input="\n".join(lines), capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == {
        f"Questionnaire-{one.id}.json" for one in INSTRUMENTS
    }
    for path in tmp_path.iterdir():
        Questionnaire.model_validate(json.loads(path.read_text(encoding="utf-8")))
    first, *others = [json.loads(line) for line in done.stdout.splitlines()]
    values = {item["linkId"]: item["answer"][0] for item in first["item"]}
    assert values["score:gad2"] == {"valueDecimal": 3}
    assert first["status"] == "completed"
    wrong = [one for one in others if "error" in one]
    [half] = [one for one in others if "error" not in one]
    assert (half["identifier"]["value"], half["status"]) == ("half", "in-progress")
    assert [one["id"] for one in wrong] == [None, "y", "z"]
