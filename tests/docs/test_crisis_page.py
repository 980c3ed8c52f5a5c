"""A clinician reads every sentence around a crisis on one page, and none is missing from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import crisis_page
from bot.support.help_lines import load_help_lines

ROOT = Path(__file__).resolve().parents[2]
PAGE = crisis_page.crisis_page()
#: What a table says, a cell each.
CELLS = {
    cell.strip().replace("<br>", "\n")
    for line in PAGE.splitlines()
    if line.startswith("|")
    for cell in line.split("|")
}
#: A sentence that sends someone to help, or asks whether they need it.
URGENT = re.compile(
    r"\b112\b|\bnummers\b|[Dd]eze mensen kan|zelfmoord|\bveiligheid\b|\b[Bb]el (nu|iemand)\b|dringend\b.*\?"
)


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def strings(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found.strip()
    elif isinstance(found, dict | list):
        for one in found.values() if isinstance(found, dict) else found:
            yield from strings(one)


def test_every_string_of_the_crisis_flow_stands_on_the_page() -> None:
    flow = read("resources/safety/crisis.yml")
    heard = [flow.pop("heard"), *([one.pop("heard"), one.pop("unless", [])] for one in flow["told"].values())]
    for one in flow["told"].values():
        one.pop("about", None)
        one.pop("offers", None)
    for text in strings(flow):
        assert len(text) <= 3 or text in CELLS or text in PAGE.partition("\n## ")[0] or f"`{text}`" in PAGE, (
            text
        )
    words = {word for cell in CELLS for word in cell.split(" · ")}
    assert {word for word in strings(heard) if len(word) > 3} <= words


@pytest.mark.parametrize(
    "path",
    [
        "domain.yml",
        *sorted(
            str(path.relative_to(ROOT))
            for folder in ("conversation", "escalation", "triage")
            for path in (ROOT / "resources" / folder).rglob("*.yml")
        ),
    ],
)
def test_every_sentence_elsewhere_that_sends_people_to_help_stands_on_the_page(path: str) -> None:
    missing = [text for text in strings(read(path)) if URGENT.search(text) and text not in CELLS]
    assert missing == []


def test_every_answer_with_help_lines_below_it_stands_on_the_page() -> None:
    responses = read("domain.yml")["responses"]
    steps = [
        rule["steps"] for path in (ROOT / "data/rules").glob("*.yml") for rule in read(str(path))["rules"]
    ]
    above = {
        before["action"]
        for rule in steps
        for before, after in pairwise(rule)
        if after.get("action") == "action_help_lines"
    }
    assert above
    for name in above:
        assert all(variant["text"] in CELLS for variant in responses[name]), name


def test_every_help_line_stands_on_the_page_with_where_it_comes_from_and_in_its_order() -> None:
    for region in load_help_lines(ROOT / "resources/help_lines").values():
        lines = {line.id: line for line in region.lines}
        for line in region.lines:
            said = (
                line.name,
                line.number or line.url,
                line.what,
                line.audience,
                line.source,
                str(line.checked_at),
            )
            unknown = "De uren zijn hier niet bekend." if line.number else "geen: alleen de website is bekend"
            assert {*said, line.hours or unknown} <= CELLS
        for served in (*region.serves.values(), *region.in_doubt.values()):
            order = ", ".join(
                f"{lines[name].name} ({lines[name].number or lines[name].url})" for name in served
            )
            assert re.search(rf"^- {region.region}.*: {re.escape(order)}$", PAGE, re.M), order


def test_every_text_of_the_help_panel_and_of_a_number_stands_on_the_page() -> None:
    panel = (ROOT / "web/src/help-panel.ts").read_text(encoding="utf-8")
    card = (
        (ROOT / "web/src/parts.ts")
        .read_text(encoding="utf-8")
        .partition("export function renderHelpLines")[0]
    )
    keys = set(re.findall(r"(?<!/)\btexts\.(\w+)", panel + card))
    assert keys
    assert {f"`{key}`" for key in keys} <= CELLS


def test_a_text_that_cannot_be_read_where_it_stands_stops_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crisis_page, "PANEL", ("helpDanger", "helpGone"))
    with pytest.raises(LookupError, match="helpGone"):
        crisis_page.crisis_page()


def test_nobody_reads_on_the_page_that_the_texts_were_reviewed_before_they_were() -> None:
    status = read("resources/safety/crisis.yml")["status"]
    assert ("nog door geen arts of psycholoog nagelezen" in PAGE) is (status == "product_rule")
