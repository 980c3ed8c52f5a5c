"""What people meant where the assistant was not sure: kept with their consent, for an administrator to review.

Storage room. A row holds a sentence, the readings that were offered and the one that was chosen. It holds nothing
that leads back to a person: no conversation, and of the moment only the day.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from bot.storage.database import Database
from bot.storage.tables import choices, conversations

MAX_LETTERS = 300
#: A sentence with so many digits may hold a telephone number or another number that is somebody's own.
MAX_DIGITS = 5
#: So is one with so many of these, in which somebody may spell a number.
_DIGIT_WORD = re.compile(r"\b(nul|een|één|twee|drie|vier|vijf|zes|zeven|acht|negen)\b", re.IGNORECASE)
#: Addresses, also as people spell them out, and sentences in which someone says who they are.
_PERSONAL = re.compile(
    r"@|https?:|www\.|\b(at|apenstaart\w*)\b.{1,40}\b(punt|dot)\b|\bik (heet|ben genaamd)\b|\b(mijn|m'n|mn) naam\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One sentence with the intents that were offered for it and the one that was chosen."""

    id: str
    at: datetime
    text: str
    offered: tuple[str, ...]
    chosen: str
    reviewed_at: datetime | None


class Choices:
    """Keeps choices and gives them to whoever reviews them."""

    def __init__(
        self, database: Database, finds_danger: Callable[[str], bool], clock: Callable[[], datetime]
    ) -> None:
        """Args: database; finds_danger: the guard's eye, for the last time; clock: now, with time zone."""
        self._database = database
        self._finds_danger = finds_danger
        self._clock = clock

    async def keep(self, conversation_id: str, text: str, offered: tuple[str, ...], chosen: str) -> bool:
        """Keep what someone meant, if they want to be remembered and the sentence may be kept.

        Args:
            conversation_id: who chose; only their consent is looked up, nothing of it is kept.
            text: the sentence that was not understood.
            offered: the intents that were offered.
            chosen: the one of them that was chosen.

        Returns:
            Whether it was kept.
        """
        if chosen not in offered or not may_be_kept(text):
            return False
        if await asyncio.to_thread(self._finds_danger, text):
            return False
        today = self._clock().replace(hour=0, minute=0, second=0, microsecond=0)
        row = {"id": secrets.token_hex(8), "at": today, "text": text.strip(), "offered": list(offered)}

        def work(db: Connection) -> bool:
            wants = select(conversations.c.consent).where(conversations.c.id == conversation_id)
            if db.execute(wants).scalar() is not True:
                return False
            db.execute(insert(choices).values(row | {"chosen": chosen}))
            return True

        return await self._database.write(work)


async def kept_choices(database: Database, *, reviewed: bool) -> list[Choice]:
    """The choices that still have to be reviewed, oldest day first; with `reviewed` those that were as well."""
    wanted = select(*(choices.c[name] for name in Choice.__slots__)).order_by(choices.c.at, choices.c.id)
    if not reviewed:
        wanted = wanted.where(choices.c.reviewed_at.is_(None))
    rows = await database.read(lambda db: list(db.execute(wanted)))
    return [Choice(row.id, row.at, row.text, tuple(row.offered), row.chosen, row.reviewed_at) for row in rows]


async def review_choice(database: Database, choice_id: str, at: datetime) -> bool:
    """Note that a choice was reviewed; False when there is none with this id that still had to be."""
    here = (choices.c.id == choice_id) & choices.c.reviewed_at.is_(None)
    changed = update(choices).where(here).values(reviewed_at=at)
    return await database.write(lambda db: db.execute(changed).rowcount) > 0


def drop_choices_in(db: Connection, before: datetime) -> int:
    """Inside a transaction: delete what was chosen before this moment; how many there were."""
    return db.execute(delete(choices).where(choices.c.at < before)).rowcount


def may_be_kept(text: str) -> bool:
    """Whether a sentence is short and shows no number, address or name that is somebody's own."""
    digits = sum(letter.isdigit() for letter in text) + len(_DIGIT_WORD.findall(text))
    return (
        0 < len(text.strip()) <= MAX_LETTERS
        and not text.startswith("/")
        and digits <= MAX_DIGITS
        and _PERSONAL.search(text) is None
    )


_default: Choices | None = None


def set_default_choices(made: Choices | None) -> None:
    """Give the actions the app's own; None takes it back."""
    global _default  # noqa: PLW0603 - rasa-sdk makes the actions, so nothing can be handed to them
    _default = made


def default_choices() -> Choices | None:
    """What the actions use; None outside the app, where no guard can look and so nothing is kept."""
    return _default
