"""Storage room: what people meant where the assistant was not sure, and what of it is never kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.storage.choices import Choices, kept_choices, may_be_kept, review_choice
from bot.storage.database import Database
from bot.storage.keeping import Keeping
from bot.storage.store import Store

NOW = datetime(2026, 3, 1, 14, 37, tzinfo=UTC)
WHO = "conversation-of-a-person"
SAID = "die planning en dan mijn hoofd"
OFFERED = ("report_work_pressure", "report_work_life")
ROOT = Path(__file__).resolve().parents[2]


def choices_of(database: Database, *, danger: bool = False) -> Choices:
    return Choices(database, lambda _text: danger, lambda: NOW)


async def person(database: Database, consent: bool | None) -> str:
    store = Store(database, lambda: NOW)
    await store.ensure_conversation(WHO, "web")
    if consent is not None:
        await store.set_consent(WHO, consent, NOW)
    return WHO


async def test_with_consent_the_sentence_the_readings_and_the_choice_are_kept(database: Database) -> None:
    who = await person(database, True)
    assert await choices_of(database).keep(who, f" {SAID} ", OFFERED, OFFERED[1])
    [choice] = await kept_choices(database, reviewed=False)
    assert (choice.text, choice.offered, choice.chosen) == (SAID, OFFERED, OFFERED[1])


@pytest.mark.parametrize("consent", [None, False])
async def test_without_consent_nothing_is_kept(database: Database, consent: bool | None) -> None:
    who = await person(database, consent)
    assert not await choices_of(database).keep(who, SAID, OFFERED, OFFERED[0])
    assert not await choices_of(database).keep("nobody", SAID, OFFERED, OFFERED[0])
    assert await kept_choices(database, reviewed=True) == []


async def test_a_sentence_with_danger_in_it_is_not_kept(database: Database) -> None:
    who = await person(database, True)
    assert not await choices_of(database, danger=True).keep(who, SAID, OFFERED, OFFERED[0])
    assert await kept_choices(database, reviewed=True) == []


async def test_something_else_than_what_was_offered_is_not_kept(database: Database) -> None:
    who = await person(database, True)
    assert not await choices_of(database).keep(who, SAID, OFFERED, "none")
    assert await kept_choices(database, reviewed=True) == []


@pytest.mark.parametrize(
    "words",
    [
        "bel mij op 0470 12 34 56 want ik zit ermee",
        "mijn mail is jan.voorbeeld@example.org",
        "jan punt voorbeeld at example punt be",
        "nul vier zeven nul een twee drie vier",
        "ik heet Voorbeeld en het gaat niet",
        "mijn naam doet er niet toe",
        "zie www.example.org",
        "ik werk al lang " * 20,
        "/nlu_fallback",
        "   ",
    ],
)
def test_what_may_lead_to_a_person_may_not_be_kept(words: str) -> None:
    assert not may_be_kept(words)


@pytest.mark.parametrize(
    "words", [SAID, "3 van de 5 nachten, om 12u", "één ding: die vier vroegen", "a" * 300]
)
def test_an_ordinary_sentence_may_be_kept(words: str) -> None:
    assert may_be_kept(words)


async def test_nothing_in_a_row_leads_back_to_the_person_or_the_hour(database: Database) -> None:
    who = await person(database, True)
    await choices_of(database).keep(who, SAID, OFFERED, OFFERED[0])
    columns = "SELECT * FROM choices"
    [row] = await database.read(lambda db: [dict(one) for one in db.execute(text(columns)).mappings()])
    assert set(row) == {"id", "at", "text", "offered", "chosen", "reviewed_at"}
    assert who not in str(row)
    [choice] = await kept_choices(database, reviewed=False)
    assert choice.at == datetime(2026, 3, 1, tzinfo=UTC)


async def test_it_stays_when_the_conversation_is_forgotten_and_goes_after_its_time(
    database: Database,
) -> None:
    who = await person(database, True)
    await choices_of(database).keep(who, SAID, OFFERED, OFFERED[0])
    await Store(database, lambda: NOW).forget(who)
    assert len(await kept_choices(database, reviewed=False)) == 1
    assert await Keeping(database).drop_choices(before=datetime(2026, 3, 1, tzinfo=UTC)) == 0
    assert await Keeping(database).drop_choices(before=datetime(2026, 3, 2, tzinfo=UTC)) == 1
    assert await kept_choices(database, reviewed=True) == []


async def test_a_reviewed_choice_is_not_shown_again(database: Database) -> None:
    who = await person(database, True)
    await choices_of(database).keep(who, SAID, OFFERED, OFFERED[0])
    [choice] = await kept_choices(database, reviewed=False)
    assert await review_choice(database, choice.id, NOW)
    assert not await review_choice(database, choice.id, NOW)
    assert not await review_choice(database, "unknown", NOW)
    assert await kept_choices(database, reviewed=False) == []
    assert [one.reviewed_at for one in await kept_choices(database, reviewed=True)] == [NOW]


def bot(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "choices", *arguments],
        cwd=ROOT,
        env={**os.environ, "ADEMRUIMTE_DATABASE_URL": f"sqlite:///{folder / 'test.db'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


async def test_an_administrator_lists_exports_and_settles_them(database: Database, tmp_path: Path) -> None:
    who = await person(database, True)
    await choices_of(database).keep(who, "die planning\nen dan mijn hoofd", OFFERED, OFFERED[0])
    [choice] = await kept_choices(database, reviewed=False)
    code, listed, _ = bot(tmp_path, "list")
    assert (code, listed) == (
        0,
        f"{choice.id}  2026-03-01  {SAID}  →  {OFFERED[0]} (not: {OFFERED[1]})\n",
    )
    _, exported, _ = bot(tmp_path, "export")
    assert json.loads(exported) == {
        "id": choice.id,
        "day": "2026-03-01",
        "text": "die planning\nen dan mijn hoofd",
        "offered": list(OFFERED),
        "chosen": OFFERED[0],
        "reviewed": False,
    }
    assert bot(tmp_path, "done", choice.id) == (0, "", "")
    assert bot(tmp_path, "list") == (0, "", "")
    assert "(reviewed)" in bot(tmp_path, "list", "--all")[1]
    code, _, errors = bot(tmp_path, "done", choice.id)
    assert (code, errors) == (1, f"ademruimte: nothing to review with id {choice.id}.\n")
