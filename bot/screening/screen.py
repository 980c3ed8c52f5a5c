"""Screening many filled-in check-ins at once: `bot screen --jsonl`.

Room: pure core; the command line hands in lines and writes out what comes back. Imports nothing heavy: a
thousand lines take well under a second, start included.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from bot.screening.instruments import Given, Instrument, shipped_instruments
from bot.screening.norms import ASKED_KINDS, NormGroup, Norms, shipped_norms
from bot.screening.result import Result, check_in_result
from bot.screening.scoring import score, tension
from bot.screening.triage import Earlier, Facts, as_json, shipped_rules

_KEYS = ("id", "instrument", "answers", "profile", "also", "previous", "finished_at", "guard")
_VERDICTS = ("", "none", "ambiguous", "explicit")
_LONGEST_ID = 200


class Output(Protocol):
    """Anything that takes text: standard output, a file, a StringIO."""

    def write(self, text: str, /) -> object:
        """Take a piece of text."""


class RefusedError(ValueError):
    """A line cannot be screened; the message is one plain English sentence."""


def run(lines: Iterable[str | bytes], out: Output) -> int:
    """Screen one JSON object per line; write one JSON object per line. Empty lines are skipped.

    Args:
        lines: text or UTF-8 bytes. A text file such as `sys.stdin` is read as bytes, so that a badly encoded
            line costs that line only.
        out: where the results go. Output is ASCII (other characters escaped), so any terminal can take it.

    Returns:
        How many lines were refused. A refused line yields {"id": … or null, "error": "…"}.
    """
    refused = 0
    for line in getattr(lines, "buffer", lines):
        result = _screen_text(line)
        if result is None:
            continue
        refused += "error" in result
        out.write(json.dumps(result) + "\n")
    return refused


def screen_line(
    line: Mapping[str, object],
    instruments: Mapping[str, Instrument] | None = None,
    norms: Norms | None = None,
) -> dict[str, Any]:
    """Screen one filled-in instrument.

    Args:
        line: {"id", "instrument", "answers": {item: score, list of codes, or null}}, and what may be left out:
            "profile": {"sector"?, "profession"?} (with both, the profession is compared with), "also": answers of other
            instruments, {instrument: {item: …}}, "previous": check-ins of before, [{"finished_at", "answers"}],
            "finished_at": when this one was (both ISO 8601 with a time zone), "guard": the guard's verdict.
        instruments: those in resources/ unless given.
        norms: those in resources/ unless given.

    Returns:
        {"id", "instrument", "scores", "missing", "sums", "outcome", "level", "reasons", "unknown", "offers",
        "rules_hash"}, for an instrument with norms also "bands", "alerts", "means", "norm"; or {"id", "error"}.
        Never raises for any decoded JSON.
    """
    name = line.get("id")
    shown = name if _is_id(name) else None
    try:
        if "id" not in line:
            raise RefusedError("The field id is missing.")
        if shown is None:
            raise RefusedError(f"The id must be a text of 1 to {_LONGEST_ID} characters or a whole number.")
        return {"id": shown, **_screen(line, instruments or shipped_instruments(), norms or shipped_norms())}
    except RefusedError as refusal:
        return {"id": shown, "error": str(refusal)}


def _screen_text(line: str | bytes) -> dict[str, Any] | None:
    try:
        text = line.decode("utf-8") if isinstance(line, bytes) else line
    except UnicodeDecodeError:
        return {"id": None, "error": "This line is not UTF-8 text."}
    text = text.strip().removeprefix("\ufeff")
    if not text:
        return None
    twice: list[str] = []
    try:
        content = json.loads(text, object_pairs_hook=partial(_object, twice), parse_int=_int)
    except RecursionError:
        return {"id": None, "error": "This line is nested too deeply."}
    except ValueError:
        return {"id": None, "error": "This line is not valid JSON."}
    if not isinstance(content, dict):
        return {"id": None, "error": "This line must be a JSON object with id, instrument and answers."}
    if twice:
        shown = content.get("id") if "id" not in twice and _is_id(content.get("id")) else None
        return {"id": shown, "error": f"The key {_quote(twice[0])} is given twice."}
    return screen_line(content)


def _screen(
    line: Mapping[str, object], instruments: Mapping[str, Instrument], norms: Norms
) -> dict[str, Any]:
    unknown = [key for key in line if key not in _KEYS]
    if unknown:
        raise RefusedError(f"Unknown field {_quote(unknown[0])}; the fields are {_list(_KEYS)}.")
    name = line.get("instrument")
    instrument = instruments.get(name) if isinstance(name, str) else None
    if instrument is None:
        said = (
            "The field instrument is missing"
            if "instrument" not in line
            else f"Unknown instrument {_quote(name)}"
        )
        raise RefusedError(f"{said}; the instruments are {_list(instruments)}.")
    answers = _answers(line.get("answers"), instrument)
    others = _also(line.get("also"), instruments)
    found: dict[str, Any] = {
        "instrument": instrument.id,
        "scores": answers,
        "missing": [item for item, value in answers.items() if value is None],
    }
    if instrument.compared:
        scores = {item: value for item, value in answers.items() if not isinstance(value, tuple)}
        group = _group(line.get("profile"), norms)
        found |= _shown(check_in_result(instrument, scores, norms, group))
    elif line.get("profile") is not None:
        _group(line["profile"], norms)  # a profile that cannot be read is refused also where it is not used
    every = {**others, **answers}
    found["sums"] = {one.score.id: one.value for one in score(instrument, answers)}
    found["outcome"] = _outcome(instrument, answers, every)
    return found | _triage(line, every)


def _outcome(
    instrument: Instrument, answers: Mapping[str, Given], every: Mapping[str, Given]
) -> dict[str, Any] | None:
    if instrument.id != "spanningscheck":
        return None
    low = [every.get(item) for item in ("phq2_interest", "phq2_mood")]
    sums = [value for value in low if isinstance(value, int)]
    outcome = tension(answers, sum(sums) if len(sums) == len(low) else None)
    return {
        "outcome": outcome.outcome,
        "missing": list(outcome.missing),
        "see_gp_first": outcome.see_gp_first,
    }


def _triage(line: Mapping[str, object], answers: Mapping[str, Given]) -> dict[str, Any]:
    guard = line.get("guard", "")
    if guard not in _VERDICTS:
        raise RefusedError("The field guard must be none, ambiguous or explicit.")
    earlier = _earlier(line.get("previous"))
    at = _moment(line["finished_at"], "finished_at") if "finished_at" in line else None
    if earlier and at is None:
        raise RefusedError("With previous check-ins the field finished_at is needed.")
    decided = shipped_rules().triage(Facts(answers, at, earlier, str(guard)))
    kept = as_json(decided)
    kept["reasons"] = kept.pop("fired")
    return kept | {"offers": [offer.title for offer in decided.offers]}


def _earlier(given: object) -> list[Earlier]:
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        raise RefusedError("The field previous must be a list of objects with finished_at and answers.")
    found = []
    for one in given:
        if set(one) != {"finished_at", "answers"}:
            raise RefusedError("A previous check-in has finished_at and answers, and nothing else.")
        answers = _answers(one["answers"], shipped_instruments()["check_in"])
        found.append(Earlier(_moment(one["finished_at"], "finished_at"), answers))
    return found


def _moment(given: object, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise RefusedError(f"The field {name} must be a moment like 2026-11-25T14:00:00+01:00.")
    return found


def _also(given: object, instruments: Mapping[str, Instrument]) -> dict[str, Given]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise RefusedError("The field also must be an object of instrument and answers.")
    found: dict[str, Given] = {}
    for name, answers in given.items():
        if name not in instruments:
            raise RefusedError(
                f"Unknown instrument {_quote(name)}; the instruments are {_list(instruments)}."
            )
        found |= _answers(answers, instruments[name])
    return found


def _answers(given: object, instrument: Instrument) -> dict[str, Given]:
    if not isinstance(given, Mapping):
        raise RefusedError(
            "The field answers must be an object of item and score, or null for a skipped item."
        )
    items = [item.id for item in instrument.items]
    answers: dict[str, Given] = dict.fromkeys(items)
    for name, value in given.items():
        if name not in items:
            raise RefusedError(f"Unknown item {_quote(name)}; {instrument.id} has {_list(items)}.")
        try:
            answers[name] = instrument.check(instrument.item(name), value)
        except ValueError as error:
            raise RefusedError(f"Item {name}: {error}.") from None
    return answers


def _group(profile: object, norms: Norms) -> NormGroup | None:
    if profile is None:
        return None
    if not isinstance(profile, Mapping):
        raise RefusedError("The field profile must be an object with sector or profession.")
    unknown = [key for key in profile if key not in ASKED_KINDS]
    if unknown:
        raise RefusedError(
            f"Unknown profile field {_quote(unknown[0])}; the fields are {_list(ASKED_KINDS)}."
        )
    found: dict[str, NormGroup] = {}
    for kind in ASKED_KINDS:
        said = profile.get(kind)
        if said is None:
            continue
        group = norms.find_group(said, kind) if isinstance(said, str) else None
        if group is None:
            known = _list((known.label for known in norms.groups(kind)), "; ")
            raise RefusedError(f"Unknown {kind} {_quote(said)}; known are: {known}.")
        found[kind] = group
    return found.get("profession") or found.get("sector")


def _shown(result: Result) -> dict[str, Any]:
    return {
        "bands": {found.item.id: found.band.id if found.band else None for found in result.items},
        "alerts": list(result.alerts),
        "means": {"stress": result.stress_mean},
        "norm": {
            "kind": result.group.kind,
            "label": result.group.label,
            "items": {
                found.item.id: {
                    "mean": found.norm.mean,
                    "sd": found.norm.sd,
                    "n": found.norm.n,
                    "difference_sd": None if found.difference_sd is None else round(found.difference_sd, 2),
                    "comparison": found.comparison,
                }
                for found in result.items
            },
        },
    }


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return 1 <= len(value) <= _LONGEST_ID
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _object(twice: list[str], pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object; keys given twice are noted, because Python would keep the last one silently."""
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice += [key for key in content if keys.count(key) > 1]
    return content


def _int(digits: str) -> int | float:
    """Python refuses to convert thousands of digits; no score or id is that long."""
    return int(digits) if len(digits) < 400 else float("inf")


def _quote(value: object) -> str:
    """A value as JSON, cut short: an error line stays readable whatever was sent."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _list(names: Iterable[str], separator: str = ", ") -> str:
    return separator.join(names)
