"""Rooms know only what is theirs to know: dependencies point inward."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WEB_AND_SQL = {"aiohttp", "sqlalchemy", "rasa_sdk", "rasa", "sanic", "alembic"}
LEAVES = {"bot.resources", "bot.language"}

#: room → what of ours it may import, and which libraries it may not.
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "bot/language": ({"bot.language"}, WEB_AND_SQL | {"pydantic", "structlog"}),
    "bot/messages.py": (set(), WEB_AND_SQL),
    "bot/resources.py": (set(), WEB_AND_SQL),
    "bot/screening": ({"bot.screening", *LEAVES}, WEB_AND_SQL),
    "bot/safety": ({"bot.safety", *LEAVES}, WEB_AND_SQL),
    "bot/support": ({"bot.support", *LEAVES}, WEB_AND_SQL),
    "bot/escalation": ({"bot.escalation", "bot.support", *LEAVES}, WEB_AND_SQL),
    "bot/storage": (
        {"bot.storage", "bot.settings", "bot.messages", "bot.escalation"},
        {"aiohttp", "rasa_sdk", "rasa"},
    ),
    "bot/conversation": (
        {
            "bot.conversation",
            "bot.storage",
            "bot.messages",
            "bot.settings",
            "bot.safety.crisis",
            "bot.safety.crisis_texts",
            "bot.safety.verdict",
            "bot.escalation",
            "bot.support",
        },
        {"sqlalchemy", "rasa_sdk", "rasa"},
    ),
    "bot/channels": (
        {
            "bot.channels",
            "bot.console.site",  # adds the desk's addresses; imports nothing of what is behind them
            "bot.conversation",
            "bot.messages",
            "bot.settings",
            "bot.storage",
            "bot.support",
            "bot.resources",
        },
        {"sqlalchemy", "rasa_sdk", "rasa"},
    ),
    "bot/console": (
        {
            "bot.console",
            "bot.channels.limits",
            "bot.channels.pages",
            "bot.escalation",
            "bot.storage",
            "bot.settings",
            "bot.support",
            "bot.resources",
        },
        {"rasa_sdk", "rasa"},
    ),
    "actions": (
        {
            "actions",
            "bot.screening",
            "bot.support",
            "bot.storage.store",
            "bot.storage.choices",
            "bot.escalation.organisation",
            "bot.settings",
            *LEAVES,
        },
        {"sqlalchemy", "aiohttp", "rasa"},
    ),
    "engine": ({"engine", "bot.language"}, {"aiosqlite", "pydantic"}),
}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files(room: str) -> list[Path]:
    place = ROOT / room
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may_know(room: str) -> None:
    allowed, forbidden = ROOMS[room]
    assert files(room)
    for path in files(room):
        for name in imports(path):
            top = name.split(".", maxsplit=1)[0]
            assert top not in forbidden, f"{path} imports {name}"
            if top in ("bot", "actions", "engine"):
                mine = any(name == room_name or name.startswith(room_name + ".") for room_name in allowed)
                assert mine or name == "bot.__version__", f"{path} imports {name}"


@pytest.mark.parametrize(
    "room", ["bot/language", "bot/safety", "bot/screening", "bot/support", "bot/escalation"]
)
def test_a_core_never_looks_at_the_clock(room: str) -> None:
    for path in files(room):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("now", "utcnow", "today", "monotonic"), f"{path}:{node.lineno}"
