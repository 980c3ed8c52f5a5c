"""The action that answers "bij wie kan ik terecht op het werk?"."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import actions.contacts
from actions.contacts import ContactPerson
from bot.escalation.organisation import OrganisationFile
from bot.messages import HelpLines, Text, parts_from_rasa
from bot.resources import RESOURCES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "organisation.yml"
    there = OrganisationFile(path)
    monkeypatch.setattr(actions.contacts, "_file", lambda: there)
    return path


async def said(text: str) -> list[Text | HelpLines]:
    dispatcher = CollectingDispatcher()
    message: dict[str, Any] = {"text": text, "intent": {"name": "ask_contact_person"}}
    tracker = Tracker("c1", {}, message, [], False, None, {}, "action_listen")
    assert await ContactPerson().run(dispatcher, tracker, {}) == []
    problems: list[str] = []
    parts = [part for output in dispatcher.messages for part in parts_from_rasa(output, problems.append)]
    assert problems == []
    assert all(isinstance(part, Text | HelpLines) for part in parts)
    return parts  # type: ignore[return-value]


async def test_the_own_people_come_first_with_a_number_that_dials_and_their_secrecy(file: Path) -> None:
    shutil.copy(RESOURCES / "organisation.example.yml", file)
    intro, lines, others = await said("ik word gepest, bij wie kan ik terecht?")
    assert isinstance(intro, Text)
    assert intro.text == "Bij wie je terechtkan in Voorbeeldzorg:"
    assert isinstance(lines, HelpLines)
    first = lines.lines[0]
    assert (first.name, first.number, first.tel) == ("Vertrouwenspersoon campus noord", "4321", "tel:4321")
    assert "Heeft beroepsgeheim" in first.what
    assert "vertrouwenspersoon@example.org" in first.what
    assert first.hours == "Maandag en donderdag van 12 tot 14 uur"
    assert isinstance(others, Text)
    assert (
        others.text == "Er zijn ook: Arbeidsarts, Collega-coaches en Personeelsdienst. Vraag er gerust naar."
    )


async def test_one_without_a_number_is_told_in_words(file: Path) -> None:
    shutil.copy(RESOURCES / "organisation.example.yml", file)
    told, _ = await said("hoe bereik ik de arbeidsarts")
    assert isinstance(told, Text)
    assert "• Arbeidsarts. Praat met je" in told.text
    assert "Mail: arbeidsarts@example.org. Waar: Medische dienst, gelijkvloers." in told.text
    assert told.text.endswith("Heeft medisch beroepsgeheim, ook tegenover je werkgever.")


async def test_of_the_personnel_service_it_is_said_that_it_has_no_secrecy(file: Path) -> None:
    shutil.copy(RESOURCES / "organisation.example.yml", file)
    _, lines, _ = await said("met wie praat ik over mijn loon")
    assert isinstance(lines, HelpLines)
    assert [line.name for line in lines.lines] == ["Personeelsdienst"]
    assert "geen beroepsgeheim" in lines.lines[0].what


async def test_without_a_file_the_roles_are_explained_and_where_they_are_found(file: Path) -> None:
    roles, where = await said("bij wie kan ik terecht op het werk?")
    assert isinstance(roles, Text)
    for title in ("Vertrouwenspersoon", "Preventieadviseur psychosociale aspecten", "Arbeidsarts"):
        assert f"• {title}. " in roles.text
    assert roles.text.count("eroepsgeheim") == 3
    assert isinstance(where, Text)
    assert "intranet" in where.text
    assert "leidinggevende hebben geen beroepsgeheim" in where.text


async def test_a_faulty_file_is_as_none_and_a_new_one_counts_at_once(file: Path) -> None:
    shutil.copy(ROOT / "domain.yml", file)
    assert len(await said("wie is de arbeidsarts")) == 2
    shutil.copy(RESOURCES / "organisation.example.yml", file)
    (intro, _) = await said("wie is de arbeidsarts")
    assert isinstance(intro, Text)
    assert "Voorbeeldzorg" in intro.text


def test_the_intent_is_answered_by_the_action() -> None:
    rules = yaml.safe_load((ROOT / "data/rules/support.yml").read_text(encoding="utf-8"))["rules"]
    (steps,) = [rule["steps"] for rule in rules if rule["steps"][0].get("intent") == "ask_contact_person"]
    assert steps[1] == {"action": ContactPerson().name()}
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    assert ContactPerson().name() in domain["actions"]
