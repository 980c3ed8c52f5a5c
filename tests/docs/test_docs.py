"""The documentation is held against the code: commands, settings, routes, sources and addresses."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from actions.check_in import NOT_ASKED_HERE
from actions.meta import FIRST_WORDS, WELCOME_BACK
from bot.cli import _parser
from bot.drawings import ASKED_IN_CRISIS, pages
from bot.resources import read_yaml
from bot.rules_drawing import ANSWERS
from bot.screening.drawing import conditions, walk
from bot.screening.instruments import shipped_instruments
from bot.screening.norms import shipped_norms
from bot.screening.outcomes import OUTCOMES, outcome
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


def test_the_drawings_and_the_crisis_texts_are_those_of_the_running_definitions() -> None:
    made = pages()
    kept = {name: (ROOT / "docs/drawings" / name).read_text(encoding="utf-8") for name in made}
    assert kept == made, "run: make docs"
    assert {path.name for path in (ROOT / "docs/drawings").glob("*.md")} <= set(made)


def test_every_rule_level_question_and_outcome_is_drawn() -> None:
    drawn = pages()
    for rule in shipped_rules().rules:
        assert f"    {rule.id}[" in drawn["triage.md"]
    for instrument in shipped_instruments().values():
        for item in instrument.items:
            assert f"    {item.id}[" in drawn[f"{instrument.id}.md"]
        for end in OUTCOMES.get(instrument.id, ()):
            assert f"{end}_end" in drawn[f"{instrument.id}.md"]


@pytest.mark.parametrize("name", sorted(set(shipped_instruments()) - {ASKED_IN_CRISIS}))
def test_every_question_is_drawn_with_a_way_on_a_way_past_a_way_back_and_a_way_out(name: str) -> None:
    instrument = shipped_instruments()[name]
    roads, items = walk(instrument, shipped_norms()), [item.id for item in instrument.items]
    for before, item in zip([None, *items], items, strict=False):
        assert roads[item]["een antwoord"] == roads[item]["sla over"]
        assert roads[item].get("terug") == before
        assert roads[item]["stop"] == "left"
        assert roads[item]["er klinkt gevaar"] == "danger"
    assert roads["start"] == {"begint": "consent", "begint (bewaren mag al)": items[0]}


def test_everything_that_is_understood_is_drawn_with_what_is_said() -> None:
    drawn = pages()["answers.md"] + pages()["my_data.md"]
    for name in ANSWERS:
        for rule in read_yaml(ROOT / "data" / "rules" / f"{name}.yml")["rules"]:
            actions = [step["action"] for step in rule["steps"] if "action" in step]
            assert all(f"\n    {action}[" in drawn for action in actions), rule["rule"]
            assert f"| {actions[0]}\n" in drawn


def test_first_contact_is_drawn_with_its_words_and_every_choice() -> None:
    drawn = pages()["first_contact.md"]
    for text in (*FIRST_WORDS, *WELCOME_BACK):
        assert f"\n    {text}[" in drawn
    for button in read_yaml(ROOT / "domain.yml")["responses"]["utter_choices"][0]["buttons"]:
        assert f'choices -->|"{button["title"]}"|' in drawn


def test_every_drawing_is_small_enough_to_read() -> None:
    drawings = [one for page in pages().values() for one in re.findall(r"```mermaid\n(.*?)```", page, re.S)]
    assert drawings
    assert max(len(set(re.findall(r'(\w+)\(?\["', one))) for one in drawings) <= 40


def test_the_drawing_knows_which_question_the_crisis_flow_asks() -> None:
    assert ASKED_IN_CRISIS == NOT_ASKED_HERE
    assert "sla over" not in pages()[f"{ASKED_IN_CRISIS}.md"]


@pytest.mark.parametrize("name", ["phq2", "gad2"])
def test_the_condition_on_an_arrow_is_the_one_that_decides(name: str) -> None:
    instrument = shipped_instruments()[name]
    assert conditions(instrument) == {"below": "som onder 3", "reached": "som vanaf 3"}
    first, second = (item.id for item in instrument.items)
    for one in range(4):
        for other in range(4):
            found = outcome(instrument, {first: one, second: other})
            assert found == ("below" if one + other < 3 else "reached")


def test_erasing_is_drawn_with_its_question_first_and_both_answers() -> None:
    drawn = pages()["my_data.md"]
    assert '    start -->|"Wis mijn gegevens"| action_ask_delete_data\n' in drawn
    assert '    action_ask_delete_data -->|"Ja, wis alles"| action_delete_data\n' in drawn
    assert '    action_ask_delete_data -->|"Nee, laat staan"| action_keep_data\n' in drawn
    assert drawn.count("| action_delete_data\n") == 1
