"""The labelled example messages in resources/safety/examples/. Room: pure core, but for reading files."""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from bot.resources import RESOURCES, ResourceError, read_yaml
from bot.safety.verdict import Kind, Verdict

FOLDER = RESOURCES / "safety" / "examples"
#: Everyday messages: what people say to the assistant, without the intents in which danger may be heard.
EVERYDAY = RESOURCES.parent / "data" / "nlu"
NOT_EVERYDAY = frozenset(
    {
        "report_suicidal_thoughts", "report_colleague_struggling", "report_substance_use", "report_aggression",
        "report_shocking_event", "report_low_mood", "report_anxiety", "request_helpline", "give_score",
    }
)  # fmt: skip
_ENTITY = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})")
_FIELDS = ["verdict", "kind", "third_party", "past", "text"]


@dataclass(frozen=True, slots=True)
class Example:
    """A message and its label; see docs/safety/labels.md. `kind` is None where nothing is or was the matter."""

    verdict: Verdict
    kind: Kind | None
    third_party: bool
    past: bool
    text: str
    file: str

    @property
    def everyday(self) -> bool:
        """Said to the assistant, or of a file with everyday messages: not written to be mistaken."""
        return "everyday" in self.file and self.verdict == "none" and not self.past


def load_examples(folder: Path = FOLDER) -> list[Example]:
    """Every example of every *.csv file in a folder.

    Raises:
        ResourceError: with every row that does not hold to the label guide.
    """
    found: list[Example] = []
    errors: list[str] = []
    for path in sorted(folder.glob("*.csv")):
        found += read_examples(path, errors)
    if not found:
        errors.append(f"{folder}: no examples")
    if errors:
        raise ResourceError(errors)
    return found


def load_everyday(folder: Path = EVERYDAY) -> list[Example]:
    """The engine's training sentences as messages without danger; entity marks are taken out.

    Raises:
        ResourceError: a file cannot be read.
    """
    found: dict[str, Example] = {}
    for path in sorted(folder.glob("*.yml")):
        for block in read_yaml(path)["nlu"]:
            if block.get("intent", "give_score") in NOT_EVERYDAY:
                continue
            for line in block["examples"].splitlines():
                text = _ENTITY.sub(r"\1", line.strip().removeprefix("- ")).strip()
                if text:
                    found.setdefault(text.lower(), Example("none", None, False, False, text, "everyday"))
    return list(found.values())


def read_examples(path: Path, errors: list[str]) -> list[Example]:
    """The examples of one file; what is wrong with a row is added to `errors` with its line."""
    found = []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames != _FIELDS:
            errors.append(f"{path}: the columns must be {','.join(_FIELDS)}")
            return []
        for row in rows:
            fault = _fault(row)
            if fault:
                errors.append(f"{path}:{rows.line_num}: {fault}")
                continue
            kind = cast("Kind | None", row["kind"] or None)
            verdict = cast(Verdict, row["verdict"])
            text = row["text"].strip()
            found.append(
                Example(verdict, kind, row["third_party"] == "1", row["past"] == "1", text, path.stem)
            )
    return found


def _fault(row: dict[str, str]) -> str | None:
    if None in row or any(value is None for value in row.values()):
        return f"a row has {len(_FIELDS)} columns"
    if row["verdict"] not in get_args(Verdict):
        return f"unknown verdict {row['verdict']!r}"
    if row["kind"] not in ("", *get_args(Kind)):
        return f"unknown kind {row['kind']!r}"
    if {row["third_party"], row["past"]} - {"0", "1"}:
        return "third_party and past are 0 or 1"
    if not row["text"].strip():
        return "no text"
    danger, past = row["verdict"] != "none", row["past"] == "1"
    if danger and (past or not row["kind"]):
        return "danger has a kind and is not past"
    if not danger and bool(row["kind"]) != past:
        return "without danger, a kind goes with past and past with a kind"
    return None


def content_hash() -> str:
    """Hash of everything that a model is trained from beside the code."""
    whole = hashlib.sha256()
    safety = RESOURCES / "safety"
    files = [*FOLDER.glob("*.csv"), *EVERYDAY.glob("*.yml"), *(safety / "rules").glob("*.yml")]
    files += [safety / name for name in ("typing.yml", "scopes.yml", "grammar.yml", "around.yml")]
    files.append(RESOURCES / "language" / "typed.yml")
    for file in sorted(files):
        whole.update(file.name.encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()
