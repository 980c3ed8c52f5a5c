"""Cases to look at in tests of the desk, and the real conversation behind them. Nobody in it exists."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.conversation.hand_off import ToCoach
from bot.conversation.live import Live
from bot.conversation.outbox import Outbox
from bot.escalation.flow import Availability
from bot.escalation.hand_off_texts import shipped_hand_off_texts
from bot.resources import RESOURCES
from bot.storage.cases import Case, Opening, open_in
from bot.storage.database import Database
from bot.storage.live_log import LiveLog
from bot.storage.message_log import MessageLog, say_in
from bot.support.help_lines import Regions, load_help_lines

CONTACT = {"way": "phone", "name": "Robin", "phone": "0470 12 34 56", "moment": "morgen na 16 uur"}
_ITEMS = [
    ("hyperalert", "waakzaamheid", 5, "high", "medium", 4.6, 4),
    ("sleep", "slaapproblemen", 8, "high", "high", 5.4, 6),
    ("pressure", "druk", 9, "high", "high", 6.3, 7),
    ("fatigue", "vermoeidheid", 8, "high", "high", 6.4, 8),
    ("alone", "alleen staan", None, "high", None, 3.9, 3),
    ("guidance", "steun kunnen vragen", 2, "low", "low", 6.1, 5),
]
SCORES: dict[str, Any] = {
    "instrument": "check_in",
    "at": "2026-03-02T18:20:00+00:00",
    "norm_label": "medewerkers in ziekenhuizen",
    "items": [
        {
            "item": item,
            "label": label,
            "value": value,
            "min": 0,
            "max": 10,
            "concern": concern,
            "band": band,
            "norm": {"mean": mean, "sd": 2.5},
            "previous": previous,
        }
        for item, label, value, concern, band, mean, previous in _ITEMS
    ],
    "earlier": [
        {
            "at": "2026-01-12T09:00:00+00:00",
            "values": {"sleep": 4, "pressure": 5, "fatigue": 6, "guidance": 6},
        },
        {"at": "2026-02-09T09:00:00+00:00", "values": {item[0]: item[6] for item in _ITEMS}},
    ],
}
REASONS = ["Slaap, druk en vermoeidheid liggen alle drie hoog.", "Kan op het werk geen hulp of raad vragen."]


async def add_case(database: Database, at: datetime, *, with_chat: bool = True, **chosen: Any) -> Case:
    """A new case of organisation 'zorgpunt'; keywords are fields of `Opening` that differ."""
    conversation = await MessageLog(database).open_session(uuid.uuid4().hex, "web", at) if with_chat else None
    fields: dict[str, Any] = {
        "organisation": "zorgpunt",
        "region": "vlaanderen",
        "origin": "triage",
        "urgency": "48h",
        "contact": CONTACT,
        "scores": SCORES,
        "words": "Ik slaap slecht sinds de nachten.\nIk weet niet hoe lang ik dit nog volhoud.",
        "reasons": REASONS,
    }
    opening = Opening(**fields | chosen)
    return await database.write(lambda db: open_in(db, conversation, opening, at))


async def person_says(database: Database, case: Case, words: str, at: datetime) -> int:
    """The person writes to the coach; the message's number."""

    def work(db: Connection) -> int:
        part = [{"type": "text", "text": words}]
        assert case.conversation_id is not None
        return say_in(db, case.conversation_id, None, [part], at, "user", case_id=case.id)[0].seq

    return await database.write(work)


def real_live(database: Database, clock: Callable[[], datetime]) -> Live:
    """The live conversation as the app makes it."""
    texts, regions = (
        shipped_hand_off_texts(),
        Regions(load_help_lines(RESOURCES / "help_lines"), "vlaanderen"),
    )
    to_coach = ToCoach(texts, regions, "zorgpunt", lambda _at: Availability(None))
    return Live(LiveLog(database), Outbox(MessageLog(database), clock), to_coach, texts, clock)


def hours(number: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=number)
