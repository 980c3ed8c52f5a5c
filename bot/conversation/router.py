"""Who answers a message. Conversation room: one place that decides before anything reaches the engine."""

from __future__ import annotations

from bot.storage.message_log import Waiting


def text_for_engine(message: Waiting) -> str:
    """What the engine gets for a message: the payload of a tapped choice, else the words as typed.

    Rasa reads text that starts with a slash as a command. Only taps may command, so typed slashes in front
    are left out.
    """
    if message.payload is not None:
        return message.payload
    words = "\n".join(str(part["text"]) for part in message.parts if part["type"] == "text")
    return words.lstrip().lstrip("/").lstrip() or "…"
