"""Instruments and filled-in answers as FHIR R4B, so that an occupational health service can take them in.

Room: pure core. Shapes follow https://hl7.org/fhir/R4B/questionnaire.html; what is made is checked with fhir.resources
before it is given out. Names are URNs: nothing here points at a host.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from bot.screening.instruments import Given, Instrument, Item, shipped_instruments
from bot.screening.scoring import checked, score

_URN = "urn:ademruimte"
HASH = f"{_URN}:content-hash"


def questionnaire(instrument: Instrument) -> dict[str, Any]:
    """The instrument as a Questionnaire; its scores are read-only items behind the questions."""
    made = {
        "resourceType": "Questionnaire",
        "url": _url(instrument),
        "identifier": [{"system": HASH, "value": instrument.content_hash}],
        "version": str(instrument.version),
        "name": instrument.id,
        "title": instrument.title,
        "status": "active",
        "language": "nl",
        "subjectType": ["Patient"],
        "date": instrument.valid_from.isoformat(),
        "description": instrument.intro or instrument.period_text,
        "copyright": instrument.licence or "Eigen werk",
        "item": [
            *(_question(instrument, item) for item in instrument.items),
            *(
                {"linkId": f"score:{one.id}", "text": one.label, "type": "decimal", "readOnly": True}
                for one in instrument.scores
            ),
        ],
    }
    Questionnaire.model_validate(made)
    return made


def questionnaire_response(
    instrument: Instrument, answers: Mapping[str, Given], name: str, authored: str | None = None
) -> dict[str, Any]:
    """Filled-in answers as a QuestionnaireResponse with the scores and the instrument's content hash.

    Args:
        instrument: what was asked.
        answers: as `scoring.checked` gives them; skipped questions are left out.
        name: what the sender calls this response; nothing in here says who the person is.
        authored: when it was filled in, ISO 8601 with a time zone.

    Raises:
        ValueError: what was made is not valid FHIR, for instance because `authored` is no moment.
    """
    items = [
        {"linkId": item.id, "text": item.question, "answer": _answer(instrument, item, answers[item.id])}
        for item in instrument.items
        if answers.get(item.id) not in (None, ())
    ]
    items += [
        {"linkId": f"score:{one.score.id}", "text": one.score.label, "answer": [{"valueDecimal": one.value}]}
        for one in score(instrument, answers)
        if one.value is not None
    ]
    made = {
        "resourceType": "QuestionnaireResponse",
        "extension": [{"url": HASH, "valueString": instrument.content_hash}],
        "identifier": {"system": f"{_URN}:response", "value": name},
        "questionnaire": f"{_url(instrument)}|{instrument.version}",
        "status": "completed",
        **({"authored": authored} if authored else {}),
        **({"item": items} if items else {}),
    }
    QuestionnaireResponse.model_validate(made)
    return made


def write_questionnaires(folder: Path) -> list[Path]:
    """Write every shipped instrument as <folder>/Questionnaire-<id>.json; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for instrument in shipped_instruments().values():
        path = folder / f"Questionnaire-{instrument.id}.json"
        path.write_text(
            json.dumps(questionnaire(instrument), ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
        written.append(path)
    return written


def responses(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One QuestionnaireResponse for each line {"id","instrument","answers","finished_at"?}; empty lines are skipped.

    A line that cannot be read yields {"id": …, "error": "…"}.
    """
    for line in lines:
        if not line.strip():
            continue
        name: object = None
        try:
            given = json.loads(line)
            if not isinstance(given, dict):
                raise ValueError("a line must be a JSON object with id, instrument and answers")
            name = given.get("id")
            instrument = shipped_instruments().get(str(given.get("instrument")))
            if instrument is None or not isinstance(given.get("answers"), dict):
                raise ValueError(
                    f"instrument must be one of {', '.join(shipped_instruments())}, with answers"
                )
            answers = checked(instrument, given["answers"])
            yield questionnaire_response(instrument, answers, str(name), given.get("finished_at"))
        except (ValueError, RecursionError) as error:
            yield {"id": name if isinstance(name, str | int) else None, "error": str(error).split("\n")[0]}


def _url(instrument: Instrument) -> str:
    return f"{_URN}:questionnaire:{instrument.id}"


def _question(instrument: Instrument, item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {"linkId": item.id, "text": item.question, "required": False}
    if item.kind == "scale":
        scale = instrument.scale
        words = f"{item.question} ({scale.min} = {scale.min_label}, {scale.max} = {scale.max_label})"
        return found | {"text": words, "type": "integer"}
    options = [{"valueCoding": one} for one in _codings(instrument, item).values()]
    return found | {"type": "choice", "repeats": item.kind == "several", "answerOption": options}


def _codings(instrument: Instrument, item: Item) -> dict[int | str | None, dict[str, str]]:
    """An item's options as codings, by the value or code that an answer holds."""
    system = f"{_URN}:{instrument.id}:{item.id}"
    keys = [option.code if item.kind == "several" else option.value for option in item.options]
    return {
        key: {"system": system, "code": str(key), "display": option.label}
        for key, option in zip(keys, item.options, strict=True)
    }


def _answer(instrument: Instrument, item: Item, given: Given) -> list[dict[str, Any]]:
    if item.kind == "scale":
        return [{"valueInteger": given}]
    codings = _codings(instrument, item)
    return [{"valueCoding": codings[key]} for key in (given if isinstance(given, tuple) else (given,))]
