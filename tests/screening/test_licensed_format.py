"""The format holds a licensed questionnaire: reversed items, missing answers, two scores, cut-offs, a licence."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.resources import ResourceError
from bot.screening.fhir import questionnaire, questionnaire_response
from bot.screening.instruments import Instrument, load_instruments
from bot.screening.scoring import checked, score

QUESTIONNAIRE = """
id: voorbeeld
title: Voorbeeld met twee schalen
version: 3
valid_from: 2026-01-01
status: published
period_text: de voorbije maand
licence: Alleen met licentie van de uitgever
scale: {min: 1, max: 5, min_label: nooit, max_label: altijd}
items:
  - {id: e1, label: leeg, question: "Vraag een?", why: "Uitleg."}
  - {id: e2, label: moe, question: "Vraag twee?", why: "Uitleg."}
  - {id: e3, label: energie, question: "Vraag drie?", why: "Uitleg.", reverse: true}
  - {id: d1, label: afstand, question: "Vraag vier?", why: "Uitleg."}
  - {id: d2, label: cynisch, question: "Vraag vijf?", why: "Uitleg."}
scores:
  - id: exhaustion
    label: Uitputting
    items: [e1, e2, e3]
    method: mean
    max_missing: 1
    cut_offs: [{id: green, label: groen, from: 1}, {id: red, label: rood, from: 3.5}]
  - {id: distance, label: Afstand, items: [d1, d2], method: sum}
sources:
  - {what: vragen, title: Voorbeeld, authors: Uitgever, year: 2020, where: handleiding}
"""


@pytest.fixture
def instrument(tmp_path: Path) -> Instrument:
    (tmp_path / "voorbeeld.yml").write_text(QUESTIONNAIRE, encoding="utf-8")
    return load_instruments(tmp_path)["voorbeeld"]


def test_reversed_items_count_from_the_other_end_and_cut_offs_are_named(instrument: Instrument) -> None:
    exhaustion, distance = score(instrument, {"e1": 4, "e2": 4, "e3": 2, "d1": 1, "d2": 2})
    assert (exhaustion.value, exhaustion.cut_off and exhaustion.cut_off.id) == (4, "red")
    assert (distance.value, distance.cut_off) == (3, None)
    lower = score(instrument, {"e1": 4, "e2": 4, "e3": 3, "d1": 1, "d2": 2})[0]
    assert lower.value == pytest.approx(11 / 3)


def test_one_missing_answer_is_allowed_where_the_rule_says_so_and_two_give_no_score(
    instrument: Instrument,
) -> None:
    exhaustion, distance = score(instrument, {"e1": 5, "e2": 4, "e3": None, "d1": 3, "d2": None})
    assert exhaustion.value == 4.5
    assert exhaustion.missing == ("e3",)
    assert distance.value is None
    assert score(instrument, {"e1": 5, "e2": None, "e3": None})[0].value is None


def test_the_licence_and_the_answers_leave_as_fhir(instrument: Instrument) -> None:
    assert questionnaire(instrument)["copyright"] == "Alleen met licentie van de uitgever"
    response = questionnaire_response(instrument, checked(instrument, {"e1": 1, "e2": 1, "e3": 5}), "a")
    assert [item["linkId"] for item in response["item"]] == ["e1", "e2", "e3", "score:exhaustion"]


@pytest.mark.parametrize(
    ("well", "wrong", "said"),
    [
        ("items: [e1, e2, e3]", "items: [e1, e9]", "no item 'e9'"),
        ("from: 3.5", "from: 0.5", "cut-offs must go up"),
        ("max_missing: 1", "max_missing: 3", "at least one item"),
    ],
)
def test_a_definition_that_cannot_be_scored_is_refused_in_a_sentence(
    tmp_path: Path, well: str, wrong: str, said: str
) -> None:
    (tmp_path / "voorbeeld.yml").write_text(QUESTIONNAIRE.replace(well, wrong), encoding="utf-8")
    with pytest.raises(ResourceError, match=said):
        load_instruments(tmp_path)
