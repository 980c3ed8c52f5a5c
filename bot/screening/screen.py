"""Screening many filled-in check-ins at once: `bot screen --jsonl`.

Room: pure core; the command line hands in lines and writes out what comes back. Imports nothing heavy: a
thousand lines take well under a second, start included.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from bot.screening.instruments import Instrument, shipped_instruments
from bot.screening.norms import ASKED_KINDS, NormGroup, Norms, shipped_norms
from bot.screening.result import Result, check_in_result, check_score

_KEYS = ("id", "instrument", "answers", "profile")
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
        line: {"id", "instrument", "answers": {item: score or null}, "profile": {"sector"?, "profession"?}}.
            The profile may be left out; with both given the profession is compared with.
        instruments: those in resources/ unless given.
        norms: those in resources/ unless given.

    Returns:
        {"id", "instrument", "scores", "bands", "alerts", "means", "missing", "norm", "level", "reasons"}, or
        {"id", "error"}. Never raises for any decoded JSON. `level` is null and `reasons` empty: triage is not
        decided here yet.
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
    answers = _answers(line, instrument)
    group = _group(line.get("profile"), norms)
    return _shown(check_in_result(instrument, answers, norms, group))


def _answers(line: Mapping[str, object], instrument: Instrument) -> dict[str, int | None]:
    given = line.get("answers")
    if not isinstance(given, Mapping):
        raise RefusedError(
            "The field answers must be an object of item and score, or null for a skipped item."
        )
    items = [item.id for item in instrument.items]
    answers: dict[str, int | None] = {}
    for name, value in given.items():
        if name not in items:
            raise RefusedError(f"Unknown item {_quote(name)}; {instrument.id} has {_list(items)}.")
        try:
            check_score(instrument, value)
        except ValueError as error:
            raise RefusedError(f"Item {name}: {error}.") from None
        answers[name] = value
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
        "instrument": result.instrument.id,
        "scores": {found.item.id: found.value for found in result.items},
        "bands": {found.item.id: found.band.id if found.band else None for found in result.items},
        "alerts": list(result.alerts),
        "means": {"stress": result.stress_mean},
        "missing": list(result.missing),
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
        "level": None,
        "reasons": [],
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
