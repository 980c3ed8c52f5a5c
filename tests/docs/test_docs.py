"""The documentation is held against the code: commands, settings, routes, sources and addresses."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bot.cli import _parser
from bot.drawings import pages
from bot.screening.instruments import shipped_instruments
from bot.screening.outcomes import OUTCOMES
from bot.screening.triage import shipped_rules
from bot.settings import as_markdown, rows

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def tracked(*patterns: str) -> list[Path]:
    said = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in said.stdout.splitlines() if (ROOT / line).exists()]


def test_every_make_command_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"\bmake ([a-z-]+)", README))
    assert {"run", "test"} <= named <= targets


def test_every_bot_command_in_the_readme_exists_and_every_command_stands_in_it() -> None:
    choices = next(action.choices for action in _parser()._actions if action.choices)
    assert set(choices) == set(re.findall(r"`bot ([a-z]+)", README))


def test_the_settings_page_is_the_settings_table() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    assert page.endswith(as_markdown()), "run: make docs"


def test_every_setting_named_in_the_documents_is_one() -> None:
    known = {row.name for row in rows()}
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        named = set(re.findall(r"\bADEMRUIMTE_[A-Z_]+\b", page.read_text()))
        assert named <= known, page


def test_every_page_that_a_document_links_to_exists() -> None:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("lock", ["app.txt", "dev.txt", "engine.txt", "transformer.txt", "tools.txt"])
def test_locks_pin_every_package_with_hashes_and_hold_no_address(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    assert "://" not in text
    pins = re.split(r"\n(?=[A-Za-z0-9])", text)
    assert all("--hash=sha256:" in pin for pin in pins if "==" in pin.split("\n")[0])
    assert not re.findall(r"^[A-Za-z0-9][^=\n]*$", text, re.M)


def test_the_npm_lock_holds_no_download_address() -> None:
    assert '"resolved"' not in (ROOT / "web/package-lock.json").read_text()


def test_nothing_that_a_build_makes_is_kept_in_git() -> None:
    names = [str(path.relative_to(ROOT)) for path in tracked()]
    made = re.compile(r"node_modules/|\.tar\.gz$|\.db$|\.ademruimte/|\.pyc$|/dist/")
    assert [name for name in names if made.search(name)] == []


def test_the_drawings_are_those_of_the_running_definitions() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs/drawings").glob("*.md")}
    assert kept == pages(), "run: make docs"


def test_every_rule_level_question_and_outcome_is_drawn() -> None:
    drawn = pages()
    for rule in shipped_rules().rules:
        assert f"    {rule.id}[" in drawn["triage.md"]
    for instrument in shipped_instruments().values():
        for item in instrument.items:
            assert f"    {item.id}[" in drawn[f"{instrument.id}.md"]
        for outcome in OUTCOMES.get(instrument.id, ()):
            assert f"{outcome}_end" in drawn[f"{instrument.id}.md"]
