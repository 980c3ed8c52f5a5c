"""The way to a coach as a drawing, made by walking through the running definition.

Room: pure core. Every button of every question is tapped and every kind of typed answer given, so that no road is
drawn that does not exist.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from bot.escalation.flow import COMMAND, Facts, HandOff, OpenCase, Stage, Step, ask_again, begin, respond
from bot.escalation.hand_off_texts import HandOffTexts

_START = datetime(2026, 1, 5, 9, tzinfo=UTC)
_NAMES: dict[Stage, str] = {
    "already": "Er is al een dossier",
    "way": "Hoe wil je contact?",
    "phone": "Welk nummer?",
    "mail": "Welk mailadres?",
    "moment": "Wanneer?",
    "name": "Naar wie vragen?",
    "scores": "Mag de coach de scores zien?",
    "words": "Eigen woorden?",
    "preview": "Dit ziet de coach, en niets anders",
    "closed": "Terug naar het gesprek",
}
#: What can be typed at a question: how the drawing calls it, and the words.
_TYPED: dict[Stage, tuple[tuple[str, str], ...]] = {
    "phone": (("een nummer", "0470 12 34 56"), ("een nummer dat niet kan", "0470 12")),
    "mail": (("een adres", "naam@example.org"),),
    "moment": (("eigen woorden", "na mijn late dienst"),),
    "name": (("een naam", "Noor"),),
    "words": (("eigen woorden", "het is te veel"),),
}


def hand_off_drawing(texts: HandOffTexts) -> str:
    """The way as a Mermaid flowchart, for someone with a check-in that could be shared."""
    facts = Facts(coaches=True, scores_at=_START)
    edges: dict[tuple[str, str], list[str]] = {}
    reached: dict[str, HandOff] = {}
    unvisited: list[HandOff] = []

    def note(where: str, label: str, step: Step) -> None:
        here = step.hand_off
        if here is None or step.engine == "words":
            return
        passed = f"{label} ✓ dossier" if step.opens else f"{label} ✗ dossier" if step.withdraws else label
        edges.setdefault((where, here.stage), []).append(passed)
        # The same question with another way of contact leads elsewhere: it is walked once for each.
        key = f"{here.stage}:{here.draft.way}"
        if here.stage != "closed" and key not in reached:
            reached[key] = here
            unvisited.append(here)

    note("start", "vraagt een mens", begin(texts, "request", "", facts, _START))
    note("start", "vraagt om teruggebeld te worden", begin(texts, "callback", "", facts, _START))
    open_case = OpenCase(1001, "new", _START)
    note(
        "start", "er is al een dossier", begin(texts, "request", "", Facts(True, open_case=open_case), _START)
    )
    while unvisited:
        where = unvisited.pop(0)
        for label, text, tap in _replies(texts, where, facts):
            step = respond(texts, where, text, tap, facts, _START)
            if step is not None:
                note(where.stage, label, step)
    stages = {key.partition(":")[0] for key in reached} | {"closed"}
    lines = ["flowchart TD", '    start(["Een bericht of een knop"])']
    for stage, name in _NAMES.items():
        if stage in stages:
            lines.append(f'    {stage}(["{name}"])' if stage == "closed" else f'    {stage}["{name}"]')
    for (one, other), labels in edges.items():
        lines.append(f'    {one} -->|"{"<br>".join(dict.fromkeys(labels))}"| {other}')
    return "\n".join(lines) + "\n"


def _replies(texts: HandOffTexts, where: HandOff, facts: Facts) -> Iterator[tuple[str, str, str | None]]:
    """Everything a person can do at a question: label, words, and the payload of a tap."""
    for title, payload in _question(texts, where, facts):
        yield title, "", payload
    for label, text in _TYPED.get(where.stage, ()):
        yield label, text, None
    if where.stage != "already":
        yield "terug", "terug", None


def _question(texts: HandOffTexts, where: HandOff, facts: Facts) -> list[tuple[str, str]]:
    """The buttons of a question, as the flow gives them."""
    if where.stage == "already":
        already = texts.already
        return [
            (title, f"{COMMAND}{json.dumps({'answer': answer})}")
            for title, answer in ((already.keep.title, "keep"), (already.withdraw.title, "withdraw"))
        ]
    says = ask_again(texts, where, facts, _START)
    return [(button.title, button.payload) for say in says for button in say.buttons]
