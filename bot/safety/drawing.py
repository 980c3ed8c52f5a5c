"""The crisis flow as drawings, made by walking through the running definition: one for each way that truly differs.

Room: pure core, but for reading definitions. Every button of every bubble is tapped and typed, and everything that the
guard can find is said at every stage, so a drawing never shows a road that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import get_args

from bot.resources import RESOURCES, read_yaml
from bot.safety.answers import SHORT
from bot.safety.crisis import SETTLED, Button, Crisis, Heard, Move, Stage, respond
from bot.safety.crisis_texts import CrisisTexts
from bot.safety.verdict import NOTHING, Judgement, Kind, Verdict

_START = datetime(2026, 1, 1, tzinfo=UTC)
_SOON = timedelta(minutes=1)
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
    ("misschien gevaar bij iemand anders", "ambiguous", True, False),
    ("gevaar dat voorbij is", "none", False, True),
)
#: Words that answer nothing: a few, and more than an answer has.
_OTHER, _LONG = "…", "woord " * (SHORT + 1)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk is: the crisis (None: not begun) and the buttons that stand below the last bubble."""

    crisis: Crisis | None
    buttons: tuple[Button, ...] = ()

    @property
    def stage(self) -> str:
        if self.crisis is None:
            return "start"
        return "closed" if self.crisis.stage in SETTLED else self.crisis.stage

    def reply(self, texts: CrisisTexts, heard: Heard, later: timedelta = _SOON) -> tuple[_Place, bool]:
        """Where this reply leads, and whether help lines are shown on the way."""
        now = _START if self.crisis is None else self.crisis.changed_at + later
        move: Move = respond(texts, self.crisis, heard, now)
        buttons = tuple(button for say in move.says for button in say.buttons)
        return _Place(move.crisis or self.crisis, buttons), any(say.lines_for for say in move.says)


def crisis_drawings(texts: CrisisTexts) -> dict[str, str]:
    """Heading → drawing. Kinds of danger that go the same way stand in one heading, in the order of `Kind`."""
    kinds: dict[str, list[Kind]] = {}
    for kind in get_args(Kind):
        kinds.setdefault(crisis_drawing(texts, kind), []).append(kind)
    return {" · ".join(map(kind_title, alike)): drawn for drawn, alike in kinds.items()}


def crisis_drawing(texts: CrisisTexts, kind: Kind) -> str:
    """The flow for one kind of danger as a Mermaid flowchart; the same for kinds that differ in words only."""
    roads = _walk(texts, kind)
    reached = {to for _, to in roads}
    lines = ["flowchart TD", '    start(["Een bericht"])']
    for stage, name in _NAMES.items():
        if stage in reached:
            lines.append(f'    {stage}(["{name}"])' if stage == "closed" else f'    {stage}["{name}"]')
    lines += [
        f'    {other}(["Verder zoals bij: {kind_title(other)}"])'
        for other in get_args(Kind)
        if other in reached
    ]
    for (where, to), labels in roads.items():
        lines.append(f'    {where} -->|"{"<br>".join(dict.fromkeys(labels))}"| {to}')
    return "\n".join(lines) + "\n"


def stages_reached(texts: CrisisTexts, kind: Kind) -> set[str]:
    """Every stage that the walk for a kind of danger comes to."""
    return {to for _, to in _walk(texts, kind)} & set(_NAMES)


def _walk(texts: CrisisTexts, kind: Kind) -> dict[tuple[str, str], list[str]]:
    """(stage, next stage) → what leads there; ☎ when help lines are shown. Another kind of danger ends the walk."""
    roads: dict[tuple[str, str], list[str]] = {}
    unvisited, seen = [_Place(None)], set()
    while unvisited:
        place = unvisited.pop(0)
        for label, (to, lines) in _replies(texts, place, kind):
            other = to.crisis is not None and to.crisis.kind != kind
            name = "closed" if to.crisis is None else to.crisis.kind if other else to.stage
            roads.setdefault((place.stage, name), []).append(f"{label} ☎" if lines else label)
            if to.crisis is None or other:
                continue
            key = (to.crisis.stage, to.crisis.verdict, to.crisis.third_party, to.buttons)
            if key not in seen:
                seen.add(key)
                unvisited.append(to)
    return roads


def _replies(texts: CrisisTexts, place: _Place, kind: Kind) -> Iterator[tuple[str, tuple[_Place, bool]]]:
    """Everything a person can do: what they do, where it leads, and whether lines are shown.

    What is said in words stands there only when it leads elsewhere than anything else, or than its button.
    """
    found = [
        (label, place.reply(texts, Heard(_OTHER, None, Judgement(verdict, kind, third, past, ()))))
        for label, verdict, third, past in _FINDINGS
    ]
    if place.crisis is None:
        yield from found
        return
    if place.stage == "closed":
        for words in (texts.heard.after_all[0], texts.heard.unsafe[0], texts.heard.numbers[0]):
            back = place.reply(texts, Heard(words, None, NOTHING))
            if back[0].stage != "closed":
                yield f"kort erna getypt: {words}", back
        suspected = place.reply(texts, Heard(_OTHER, None, Judgement("ambiguous", kind, False, False, ())))
        if suspected[0].stage != "direct":
            yield "kort erna: een vermoeden van hetzelfde", suspected
        return
    for button in place.buttons:
        tapped = place.reply(texts, Heard("", button.payload, NOTHING))
        typed = place.reply(texts, Heard(button.title, None, NOTHING))
        yield button.title, tapped
        if _end(typed) != _end(tapped):
            yield f"{button.title} (getypt)", typed
    silence = timedelta(hours=texts.return_after_hours)
    other = place.reply(texts, Heard(_OTHER, None, NOTHING))
    yield "iets anders", other
    for label, said in (
        ("iets anders, in veel woorden", place.reply(texts, Heard(_LONG, None, NOTHING))),
        (
            f"iets anders, na {texts.return_after_hours} uur",
            place.reply(texts, Heard(_OTHER, None, NOTHING), silence),
        ),
        *found,
    ):
        if _end(said) != _end(other):
            yield label, said


def _end(reply: tuple[_Place, bool]) -> tuple[str, bool]:
    return reply[0].stage, reply[1]


def kind_title(kind: Kind) -> str:
    """The Dutch name of a kind of danger, as its own definition has it."""
    return str(read_yaml(RESOURCES / "safety" / "rules" / f"{kind}.yml")["title"])
