"""The texts of the crisis flow, read from resources/safety/crisis.yml.

Room: pure core, but for reading definitions. One file holds every sentence of the flow. docs/safety/crisis-texts.md
lists them with those that stand elsewhere, so that a clinician can review them.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from bot.resources import RESOURCES, Definition, SourcedDefinition, read_definition
from bot.safety.verdict import Kind

Text = Annotated[str, Field(min_length=1, max_length=400)]
Title = Annotated[str, Field(min_length=1, max_length=40)]
SafeQuestion = Literal["safety", "help_coming", "safe_place", "at_rest", "everyone_safe"]
Words = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]


class Reply(Definition):
    """A button and what is said when it is tapped; `lines` shows the help lines with it."""

    title: Title
    text: Text
    lines: bool = False


class Button(Definition):
    """A button that leads to another place in the flow."""

    title: Title


class Lines(Definition):
    """A text with the help lines below it; `title` stands above them."""

    text: Text
    title: Title


class Explicit(Definition):
    """What is said first for one kind of danger, and which question follows."""

    text: Text
    title: Title
    safe: SafeQuestion


class Told(Definition):
    """What is said, with or without the help lines below it."""

    text: Text
    lines: bool = False


class HeardAndSaid(Definition):
    """What a held person may tell beside an answer or in place of one, and what is said then; nothing ends by it.

    Attributes:
        heard: one of these stands anywhere in the message.
        unless: and none of these.
        about: only in danger with one of these questions; empty: in any.
        calms: not when the guard finds danger in the message, or words of doubt stand beside what is heard.
        beside_danger: said too, after the lines, when clear danger is told in the same message or shortly after it,
            where minutes count also someone else's, and with a no to the question.
        lines: the help lines stand below it when it is said by itself.
        offers: a button beside the usual ones: to wipe everything.
    """

    heard: Words
    unless: list[str] = Field(default_factory=list)
    about: list[SafeQuestion] = Field(default_factory=list)
    calms: bool = False
    beside_danger: bool = False
    text: Text
    lines: bool = False
    offers: Literal["wipe"] | None = None


class Safe(Definition):
    """The one question after the lines (yes is the good answer), and what is said from there on."""

    question: Text
    yes: Reply
    no: Reply
    unsure: Reply
    who: Text | None = None
    someone: Told | None = None
    not_now: Told
    staying: list[Text] = Field(min_length=2)
    urgent: bool = False
    again: Lines
    better: Told | None = None


class OfferAnswers(Definition):
    """What can be chosen when a person is offered."""

    call: Reply
    someone: Reply
    not_now: Button


class Offer(Definition):
    """The offer of a person."""

    question: Text
    answers: OfferAnswers


class Staying(Definition):
    """What can be tapped while someone is stayed with, until they want to go on."""

    numbers: Reply
    worse: Button
    coach: Button
    back: Reply
    wipe: Button


class Return(Definition):
    """Coming back after a long silence."""

    question: Text
    better: Reply
    worse: Button
    rather_not: Reply


class Direct(Definition):
    """The direct question for one kind; `yes_as` is the danger that a yes means."""

    question: Text
    yes_as: Kind
    no_lines: bool = False


class RatherNot(Definition):
    """Not answering: the lines are there."""

    title: Title
    text: Text
    lines_title: Title


class DirectAnswers(Definition):
    """The answers to a direct question."""

    yes: Button
    sometimes: Button
    no: Reply
    no_with_lines: Lines
    rather_not: RatherNot
    no_answer: Lines
    lines_title: Title
    asked_before: Text


class ThirdParty(Definition):
    """Worry about someone else, clear or suspected."""

    explicit: Text
    ambiguous: Text


class ThirdPartyAfter(Definition):
    """What follows below the lines."""

    title: Title
    for_you: Text
    for_you_urgent: Text
    what_to_say: Reply
    unreachable: Text
    about_me: Button
    go_on: Button


class FalseAlarm(Definition):
    """Putting a false alarm right."""

    title: Title
    text: Text


class HeardWords(Definition):
    """How people answer in words."""

    fillers: Words
    tail: Words
    yes: Words
    yes_or_not: Words
    perhaps: Words
    sometimes: Words
    sometimes_alone: Words
    here: dict[SafeQuestion, Words]
    company: Words
    away: Words
    at_home: Words
    no: Words
    bare_no: Words
    plain_no: Words
    plain_no_behind: Words
    said_by_another: Words
    unsafe: Words
    not_now_safe: Words
    doubt: Words
    unsure: Words
    cannot: Words
    rather_not: Words
    why: Words
    after_all: Words
    false_alarm: Words
    after_false_alarm: Words
    before_false_alarm: Words
    about_me: Words
    not_me: Words
    what_to_say: Words
    unreachable: Words
    what_to_do: Words
    numbers: Words
    person: Words
    call: Words
    someone: Words
    someone_near: Words
    not_now: Words
    back: Words
    better: Words
    worse: Words
    worsening: Words
    not_better: Words


class CrisisTexts(SourcedDefinition):
    """Everything the crisis flow says and listens for."""

    return_after_hours: int = Field(ge=1)
    explicit: dict[Kind, Explicit]
    safe: dict[SafeQuestion, Safe]
    offer: Offer
    staying: Staying
    told: dict[str, HeardAndSaid]
    return_: Return = Field(alias="return")
    direct: dict[Kind, Direct]
    direct_answers: DirectAnswers
    third_party: dict[Kind, ThirdParty]
    third_party_after: ThirdPartyAfter
    past: Text
    false_alarm: FalseAlarm
    stale: Lines
    heard: HeardWords

    @model_validator(mode="after")
    def _nothing_is_missing(self) -> Self:
        """Every kind of danger has its texts: a missing one would be found by a person in need."""
        for name in ("explicit", "direct", "third_party"):
            missing = sorted(set(get_args(Kind)) - set(getattr(self, name)))
            if missing:
                raise ValueError(f"{name} lacks {', '.join(missing)}")
        lacking = sorted(set(get_args(SafeQuestion)) - (set(self.safe) & set(self.heard.here)))
        if lacking:
            raise ValueError(f"safe lacks {', '.join(lacking)}")
        return self


def load_crisis_texts(path: Path) -> CrisisTexts:
    """The texts in one file.

    Raises:
        ResourceError: the file does not hold to the schema; every fault is named with its place.
    """
    return read_definition(path, CrisisTexts)


@lru_cache(maxsize=1)
def shipped_crisis_texts() -> CrisisTexts:
    """The texts in resources/, read once."""
    return load_crisis_texts(RESOURCES / "safety" / "crisis.yml")
