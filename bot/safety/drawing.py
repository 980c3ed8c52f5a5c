"""The crisis flow as a drawing, made by walking through the running definition.

Room: pure core. Every button of every bubble is tapped, so a drawing never shows a road that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bot.safety.crisis import Crisis, Heard, Move, Stage, respond
from bot.safety.crisis_texts import CrisisTexts
from bot.safety.verdict import NOTHING, Judgement, Kind, Verdict

_START = datetime(2026, 1, 1, tzinfo=UTC)
_NAMES: dict[Stage, str] = {
    "direct": "De directe vraag",
    "safe": "Hulplijnen, dan één vraag",
    "offer": "Aanbod van een mens",
    "staying": "Erbij blijven",
    "return": "Na lange stilte: hoe is het nu?",
    "third": "Zorg om iemand anders",
    "closed": "Terug naar het gesprek",
}
#: What the guard finds → how the drawing calls it.
_FINDINGS: tuple[tuple[str, Verdict, bool, bool], ...] = (
    ("duidelijk gevaar", "explicit", False, False),
    ("misschien gevaar", "ambiguous", False, False),
    ("gevaar bij iemand anders", "explicit", True, False),
    ("gevaar dat voorbij is", "none", False, True),
)


def crisis_drawing(texts: CrisisTexts, kind: Kind = "suicidal_thoughts") -> str:
    """The flow for one kind of danger as a Mermaid flowchart; the other kinds differ in words only."""
    lines = ["flowchart TD", '    start(["Een bericht"])']
    edges: dict[tuple[str, str], list[str]] = {}
    reached: dict[Stage, Crisis] = {}
    unvisited: list[Crisis] = []

    def note(where: str, label: str, move: Move) -> None:
        stage: Stage = move.crisis.stage if move.crisis is not None else "closed"
        shown = f"{label} ☎" if any(say.lines_for for say in move.says) else label
        edges.setdefault((where, stage), []).append(shown)
        if move.crisis is not None and stage not in reached:
            reached[stage] = move.crisis
            unvisited.append(move.crisis)

    for label, verdict, third_party, past in _FINDINGS:
        judgement = Judgement(verdict, kind, third_party, past, ())
        note("start", label, respond(texts, None, Heard("…", None, judgement), _START))
    while unvisited:
        crisis = unvisited.pop(0)
        for label, heard, later in _replies(texts, crisis, kind):
            note(crisis.stage, label, respond(texts, crisis, heard, crisis.changed_at + later))
    for stage, name in _NAMES.items():
        if stage in reached or stage == "closed":
            shape = '(["{}"])' if stage == "closed" else '["{}"]'
            lines.append(f"    {stage}" + shape.format(name))
    for (where, to), labels in edges.items():
        lines.append(f'    {where} -->|"{"<br>".join(dict.fromkeys(labels))}"| {to}')
    return "\n".join(lines) + "\n"


def stages_reached(texts: CrisisTexts) -> set[str]:
    """Every stage that the drawing's walk comes to."""
    drawn = crisis_drawing(texts)
    return {stage for stage in _NAMES if f"| {stage}\n" in drawn}


def _replies(texts: CrisisTexts, crisis: Crisis, kind: Kind) -> Iterator[tuple[str, Heard, timedelta]]:
    """Everything a person can do at a stage: its buttons, other words, danger said again, a long silence."""
    if crisis.stage == "closed":
        return
    soon, late = timedelta(minutes=1), timedelta(hours=texts.return_after_hours)
    for title, payload in _buttons(texts, crisis):
        yield title, Heard("", payload, NOTHING), soon
    yield "iets anders", Heard("…", None, NOTHING), soon
    yield "opnieuw gevaar", Heard("…", None, Judgement("explicit", kind, False, False, ())), soon
    if crisis.stage not in ("direct", "third"):
        yield f"na {texts.return_after_hours} uur stilte", Heard("…", None, NOTHING), late


def _buttons(texts: CrisisTexts, crisis: Crisis) -> list[tuple[str, str]]:
    """The buttons below the last bubble of a stage, found by asking the flow itself."""
    asked = {
        "direct": lambda: respond(texts, None, _found("ambiguous", crisis, third=False), _START),
        "safe": lambda: respond(texts, None, _found("explicit", crisis, third=False), _START),
        "third": lambda: respond(texts, None, _found("explicit", crisis, third=True), _START),
        "offer": lambda: respond(texts, _at(crisis, "safe"), _tap("yes"), _START),
        "staying": lambda: respond(texts, _at(crisis, "offer"), _tap("not_now"), _START),
        "return": lambda: respond(
            texts, _at(crisis, "staying"), Heard("…", None, NOTHING), _START + timedelta(days=1)
        ),
    }[crisis.stage]()
    return [(button.title, button.payload) for say in asked.says for button in say.buttons]


def _found(verdict: Verdict, crisis: Crisis, *, third: bool) -> Heard:
    return Heard("…", None, Judgement(verdict, crisis.kind, third, False, ()))


def _tap(answer: str) -> Heard:
    return Heard("", f'/crisis{{"answer": "{answer}"}}', NOTHING)


def _at(crisis: Crisis, stage: Stage) -> Crisis:
    return Crisis(crisis.verdict, crisis.kind, crisis.third_party, stage, _START)
