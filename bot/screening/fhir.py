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
from bot.screening.outcomes import OUTCOMES, outcome, texts
from bot.screening.result import stress_mean
from bot.screening.scoring import checked, score
from bot.screening.triage import Facts, shipped_rules

_URN = "urn:ademruimte"
HASH = f"{_URN}:content-hash"

#: A calculated item in the Questionnaire, and its answer in the QuestionnaireResponse (None when it cannot be told).
Calculated = tuple[dict[str, Any], dict[str, Any] | None]


def questionnaire(instrument: Instrument) -> dict[str, Any]:
    """The instrument as a Questionnaire; what is calculated from it are read-only items behind the questions."""
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
            *(asked for asked, _ in _calculated(instrument, checked(instrument, {}))),
        ],
    }
    Questionnaire.model_validate(made)
    return made


def questionnaire_response(
    instrument: Instrument, answers: Mapping[str, object], name: str, authored: str | None = None
) -> dict[str, Any]:
    """Filled-in answers as a QuestionnaireResponse with what is calculated and the instrument's content hash.

    Args:
        instrument: what was asked.
        answers: item → answer. None is a question the person skipped: it has no answer here, yet counts as dealt
            with. A question that is not there is still open, and makes the response `in-progress`.
        name: what the sender calls this response; nothing in here says who the person is.
        authored: when it was filled in, ISO 8601 with a time zone.

    Raises:
        ValueError: an answer that its item does not know, or what was made is not valid FHIR, for instance because
            `authored` is no moment.
    """
    given = checked(instrument, answers)
    items = [
        {"linkId": item.id, "text": item.question, "answer": _answer(instrument, item, given[item.id])}
        for item in instrument.items
        if given[item.id] not in (None, ())
    ]
    items += [
        {"linkId": asked["linkId"], "text": asked["text"], "answer": [answer]}
        for asked, answer in _calculated(instrument, given)
        if answer is not None
    ]
    made = {
        "resourceType": "QuestionnaireResponse",
        "extension": [{"url": HASH, "valueString": instrument.content_hash}],
        "identifier": {"system": f"{_URN}:response", "value": name},
        "questionnaire": f"{_url(instrument)}|{instrument.version}",
        "status": "completed" if given.keys() <= answers.keys() else "in-progress",
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

    An answer that is null was skipped; one that is left out is still open. A line that cannot be read yields
    {"id": …, "error": "…"}.
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
            yield questionnaire_response(instrument, given["answers"], str(name), given.get("finished_at"))
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


def _calculated(instrument: Instrument, answers: Mapping[str, Given]) -> Iterator[Calculated]:
    """What `bot screen` and the conversation work out from these answers alone, in a fixed order.

    `answers` are as `scoring.checked` gives them: every item, None where an answer is missing.
    """
    for one in score(instrument, answers):
        yield _number(f"score:{one.score.id}", one.score.label, "decimal", one.value)
    scores = {name: value for name, value in answers.items() if not isinstance(value, tuple)}
    if any(item.stress for item in instrument.items):
        mean = stress_mean(instrument, scores)
        yield _number("mean:stress", "Gemiddelde van de vragen over stress", "decimal", mean)
    labels: dict[str, str] = {band.id: band.label for band in instrument.bands}
    for item in instrument.items:
        if labels and item.kind == "scale":
            value = scores.get(item.id)
            band = None if value is None else instrument.band(value).id
            yield _coded(f"band:{item.id}", f"Niveau van {item.label}", f"{_URN}:band", labels, band)
    if instrument.id in OUTCOMES:
        said = f"Uitkomst. {texts().signal}"
        system = f"{_URN}:{instrument.id}:outcome"
        yield _coded(
            f"outcome:{instrument.id}", said, system, _outcomes(instrument), outcome(instrument, answers)
        )
    rules = shipped_rules()
    if {item.id for item in instrument.items} & {name for rule in rules.rules for name in rules.needs(rule)}:
        text = "Hoogste niveau van zorg (0 tot 4) volgens deze antwoorden alleen"
        yield _number("triage:level", text, "integer", _level(answers))


def _level(answers: Mapping[str, Given]) -> int | None:
    """The level of care; None while a missing answer could still raise it to 3 or 4."""
    found = shipped_rules().triage(Facts(answers))
    return None if any(rule.level > found.level for rule in found.unknown) else found.level


def _outcomes(instrument: Instrument) -> dict[str, str]:
    """What each outcome says to the person, by its name."""
    said = texts().outcomes[instrument.id]
    assert isinstance(said, dict)  # noqa: S101 - the file's own test proves it
    return {name: said[name].format(missing="een antwoord") for name in OUTCOMES[instrument.id]}


def _number(link: str, text: str, kind: str, value: float | None) -> Calculated:
    asked = {"linkId": link, "text": text, "type": kind, "readOnly": True}
    return asked, None if value is None else {f"value{kind.capitalize()}": value}


def _coded(link: str, text: str, system: str, labels: Mapping[str, str], code: str | None) -> Calculated:
    codings = {name: {"system": system, "code": name, "display": label} for name, label in labels.items()}
    options = [{"valueCoding": coding} for coding in codings.values()]
    asked = {"linkId": link, "text": text, "type": "choice", "readOnly": True, "answerOption": options}
    return asked, None if code is None else {"valueCoding": codings[code]}
