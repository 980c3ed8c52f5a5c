"""The texts on the way to a coach, read from resources/escalation/hand_off.yml.

Room: pure core, but for reading definitions.
"""

from __future__ import annotations

from functools import lru_cache
from string import Formatter
from typing import Annotated, Any

from pydantic import Field, model_validator

from bot.resources import RESOURCES, Definition, SourcedDefinition, read_definition

Text = Annotated[str, Field(min_length=1, max_length=400)]
Words = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
PLACEHOLDERS = {
    "number",
    "promise",
    "latest",
    "next",
    "name",
    "phone",
    "mail",
    "moment",
    "date",
    "words",
    "limit",
}


class Title(Definition):
    """A button."""

    title: Annotated[str, Field(min_length=1, max_length=40)]


class Reply(Title):
    """A button and what is said when it is tapped."""

    text: Text


class Way(Definition):
    """How to be reached."""

    question: Text
    phone: Title
    mail: Title
    chat: Title


class Reach(Definition):
    """The number or the address."""

    phone: Text
    phone_wrong: Text
    phone_none: Text
    mail: Text
    mail_none: Text


class Moment(Definition):
    """When to call."""

    question: Text
    past: Text
    choices: Words


class NameQuestion(Definition):
    """Whom to ask for."""

    question: Text
    skip: Title


class Scores(Definition):
    """Whether a coach may see the scores."""

    question: Text
    yes: Title
    no: Title


class WordsQuestion(Definition):
    """Whether to give words of one's own along."""

    question: Text
    skip: Title
    too_long: Text


class Ways(Definition):
    """How the chosen way is put in the preview, and in what is said after passing on."""

    phone: Text
    mail: Text
    chat: Text


class Preview(Definition):
    """Exactly what a coach will see."""

    question: Text
    way: Ways
    moment: Text
    name: Text
    no_name: Text
    scores: Text
    no_scores: Text
    words: Text
    no_words: Text
    urgent: Text
    send: Title
    change: Title
    cancel: Title


class Sent(Ways):
    """It was passed on: when a person answers, and who is there now."""

    there_now: Text
    nobody_now: Text
    meanwhile: Text
    lines_title: Text


class Promise(Definition):
    """When a person answers: within the time, once someone is there, or later than was said."""

    by: Text
    from_then: Text
    overdue: Text


class Already(Definition):
    """There is an open case."""

    text: Text
    contacted: Text
    raised: Text
    raised_contacted: Text
    withdraw: Title
    keep: Title
    withdrawn: Text


class Live(Definition):
    """While a coach has the conversation, and when that ends."""

    begins: Text
    ends_person: Text
    ends_coach: Text
    ends_quiet: Text
    coach_quiet: Text
    only_words: Text
    danger: Text
    danger_title: Text
    back: Title


class After(Definition):
    """How it was."""

    question: Text
    good: Reply
    some: Reply
    bad: Reply


class Returned(Definition):
    """Back with a return code."""

    waiting: Text
    taken: Text
    closed: Text


class HeardWords(Definition):
    """The words it listens for."""

    phone: Words
    mail: Words
    chat: Words
    yes: Words
    no: Words
    change: Words
    back: Words
    cancel: Words
    to_assistant: Words


class HandOffTexts(SourcedDefinition):
    """Everything that is said on the way to a coach."""

    forget_after_hours: int = Field(gt=0, le=48)
    way: Way
    reach: Reach
    moment: Moment
    name: NameQuestion
    scores: Scores
    words: WordsQuestion
    preview: Preview
    sent: Sent
    promise: Promise
    already: Already
    cancelled: Text
    again: Text
    live: Live
    after: After
    returned: Returned
    heard: HeardWords

    @model_validator(mode="after")
    def _known_placeholders(self) -> HandOffTexts:
        for text in _texts(self.model_dump()):
            unknown = {name for _, name, _, _ in Formatter().parse(text) if name} - PLACEHOLDERS
            if unknown:
                raise ValueError(f"unknown placeholder {sorted(unknown)} in {text!r}")
        return self


@lru_cache(maxsize=1)
def shipped_hand_off_texts() -> HandOffTexts:
    """The texts in resources/, read once.

    Raises:
        ResourceError: they cannot be used.
    """
    return read_definition(RESOURCES / "escalation" / "hand_off.yml", HandOffTexts)


def _texts(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [text for child in children for text in _texts(child)]
