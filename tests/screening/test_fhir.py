"""Questionnaires and answers leave as valid FHIR R4B, with everything that was asked and answered."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from bot.screening.fhir import questionnaire, questionnaire_response
from bot.screening.instruments import Given, Instrument, Item, shipped_instruments
from bot.screening.scoring import checked

ROOT = Path(__file__).resolve().parents[2]
INSTRUMENTS = list(shipped_instruments().values())


def lowest(instrument: Instrument, item: Item) -> Given:
    return item.codes[:1] if item.kind == "several" else instrument.range(item)[0]


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
    answers = checked(instrument, {item.id: lowest(instrument, item) for item in instrument.items})
    made = questionnaire_response(instrument, answers, "a-1", "2026-11-25T14:00:00+01:00")
    found = QuestionnaireResponse.model_validate(made)
    known = {item.linkId for item in Questionnaire.model_validate(questionnaire(instrument)).item}
    assert {item.id for item in instrument.items} <= {item.linkId for item in found.item} <= known
    assert found.extension[0].valueString == instrument.content_hash
    assert len([item for item in found.item if item.linkId.startswith("score:")]) == len(instrument.scores)


def test_a_skipped_question_is_left_out_and_never_a_zero() -> None:
    phq2 = shipped_instruments()["phq2"]
    made = questionnaire_response(phq2, checked(phq2, {"phq2_interest": 2}), "a-1")
    assert [item["linkId"] for item in made["item"]] == ["phq2_interest"]


def test_the_command_writes_every_questionnaire_and_turns_lines_into_responses(tmp_path: Path) -> None:
    lines = [
        '{"id": "x", "instrument": "gad2", "answers": {"gad2_nervous": 1, "gad2_worry": 2}, '
        '"finished_at": "2026-11-25T14:00:00+01:00"}',
        "",
        "geen json",
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
    first, *wrong = [json.loads(line) for line in done.stdout.splitlines()]
    assert float(first["item"][-1]["answer"][0]["valueDecimal"]) == 3
    assert [one["id"] for one in wrong] == [None, "y", "z"]
    assert all("error" in one for one in wrong)
