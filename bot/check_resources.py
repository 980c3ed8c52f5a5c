"""Checking every definition in resources/ before anybody meets it: for `bot doctor` and the tests.

Room: edge. Knows which folder holds what; the checks themselves belong to the rooms.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import Field

from bot.escalation.canned import CannedReplies
from bot.escalation.hand_off_texts import HandOffTexts
from bot.escalation.notices import NoticeTexts
from bot.language.normalise import tokens
from bot.resources import RESOURCES, Definition, ResourceError, SourcedDefinition, read_definition, read_yaml
from bot.safety.crisis_texts import load_crisis_texts
from bot.safety.examples import load_examples
from bot.safety.guard import Decision
from bot.safety.normal import load_normaliser
from bot.safety.phrases import load_phrase_rules
from bot.safety.typing_habits import Around
from bot.safety.whole import load_whole
from bot.screening.instruments import load_instruments
from bot.screening.norms import load_norms
from bot.screening.triage import load_rules

Words = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]


class _ScaleEnds(Definition):
    min: int
    max: int


class _Scored(Definition):
    score: int
    phrases: Words


class ScaleWords(SourcedDefinition):
    """resources/language/scale_words.yml: frequency words and their scores."""

    scale: _ScaleEnds
    scores: list[_Scored]


class AnswerPhrases(SourcedDefinition):
    """resources/language/answer_phrases.yml: the words around a scale answer."""

    skip: Words
    back: Words
    no_answer: Words
    correction: Words
    correction_start: Words
    second_thoughts: Words
    replaced_by: Words
    instead_of: Words
    fillers: Words
    between_article_and_score: Words
    before_a_score: Words
    not_a_score_after: Words
    units: Words
    words_after_a_score: Words
    question_starts: Words
    always_questions: Words


def check_resources(root: Path = RESOURCES) -> list[str]:
    """Every fault in the definitions under `root`, one plain line each with its path; empty when well."""
    errors: list[str] = []
    for path in sorted(root.rglob("*.yml")):
        _collect(errors, lambda path=path: read_yaml(path))  # type: ignore[misc]
    if errors:
        return errors
    checks: tuple[Callable[[], object], ...] = (
        lambda: load_instruments(root / "instruments"),
        lambda: load_norms(root / "norms"),
        lambda: check_language(root / "language"),
        lambda: load_crisis_texts(root / "safety" / "crisis.yml"),
        lambda: load_normaliser(root / "safety" / "typing.yml"),
        lambda: load_phrase_rules(root / "safety"),
        lambda: load_whole(root / "safety" / "ordinary.yml"),
        lambda: load_whole(root / "safety" / "asked.yml"),
        lambda: read_definition(root / "safety" / "decision.yml", Decision),
        lambda: read_definition(root / "safety" / "around.yml", Around),
        lambda: load_examples(root / "safety" / "examples"),
        lambda: load_rules(root / "triage"),
        lambda: read_definition(root / "escalation" / "hand_off.yml", HandOffTexts),
        lambda: read_definition(root / "escalation" / "notices.yml", NoticeTexts),
        lambda: read_definition(root / "escalation" / "canned.yml", CannedReplies),
        lambda: _norms_cover_items(root),
    )
    for check in checks:
        _collect(errors, check)
    return list(dict.fromkeys(errors))


def check_language(folder: Path) -> None:
    """The two files of resources/language/.

    Raises:
        ResourceError: with every fault of both files.
    """
    errors: list[str] = []
    _collect(errors, lambda: read_definition(folder / "answer_phrases.yml", AnswerPhrases))
    path = folder / "scale_words.yml"
    try:
        words = read_definition(path, ScaleWords)
    except ResourceError as error:
        raise ResourceError([*errors, *error.errors]) from None
    seen: dict[tuple[str, ...], int] = {}
    for row in words.scores:
        if not words.scale.min <= row.score <= words.scale.max:
            errors.append(f"{path}: score {row.score} is not on the scale")
        for phrase in row.phrases:
            folded = tuple(token.text for token in tokens(phrase) if token.kind != "mark")
            if not folded:
                errors.append(f"{path}: {phrase!r} holds no word")
            elif folded in seen:
                errors.append(f"{path}: {phrase!r} is given twice (scores {seen[folded]} and {row.score})")
            seen.setdefault(folded, row.score)
    if errors:
        raise ResourceError(errors)


def _norms_cover_items(root: Path) -> None:
    """Every item of every instrument that is compared can be shown beside every group."""
    norms = load_norms(root / "norms")
    missing = [
        f"{root / 'norms'}: no figures for item {item.id!r} of {instrument.id} among {group.label!r}"
        for instrument in load_instruments(root / "instruments").values()
        if instrument.compared
        for item in instrument.items
        for group in norms.groups()
        if not _has(norms.norm, group.kind, group.label, item.id)
    ]
    if missing:
        raise ResourceError(missing)


def _has(look_up: Callable[[str, str, str], object], kind: str, label: str, item: str) -> bool:
    try:
        look_up(kind, label, item)
    except LookupError:
        return False
    return True


def _collect(errors: list[str], check: Callable[[], object]) -> None:
    try:
        check()
    except ResourceError as error:
        errors += error.errors
