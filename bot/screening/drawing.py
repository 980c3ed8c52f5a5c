"""A questionnaire as a drawing, made by walking through the running interview.

Room: pure core. Every question is answered, skipped, gone back from and left, so that no road is drawn that does not
exist; what every question has alike is drawn once, from the frame around them.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.screening.instruments import CutOff, Instrument, Score
from bot.screening.interview import CONSENT, GROUP, Heard, Progress, Step, begin, reply
from bot.screening.norms import Norms
from bot.screening.outcomes import OUTCOMES, texts

_ENDS = {"left": "Gestopt", "danger": "Gevaar: zie crisis.md", "result": "Resultaat"}
#: Scores may be kept (None: not asked), the sector is settled, and what the drawing says where that matters.
_BEGINNINGS: tuple[tuple[bool | None, bool, str], ...] = (
    (None, False, "nog niets bekend"),
    (True, False, "bewaren mag al"),
    (None, True, "sector al bekend"),
)
_METHODS = {"sum": "som", "mean": "gemiddelde"}

#: where → (what the person does → where it leads).
Roads = dict[str, dict[str, str]]


def questionnaire_drawing(instrument: Instrument, norms: Norms) -> str:
    """The questions of one instrument as a Mermaid flowchart, from the start to its outcomes."""
    roads = walk(instrument, norms)
    asked = {CONSENT: "Mag ik je scores bewaren?", GROUP: "Welke sector of welk beroep?"}
    asked |= {item.id: item.question for item in instrument.items}
    inside = [name for name in (CONSENT, *(item.id for item in instrument.items), GROUP) if name in roads]
    shared = {
        label: to
        for label, to in roads[inside[0]].items()
        if all(roads[one].get(label) == to for one in inside)
    }
    lines = ["flowchart TD", '    start(["Start"])', '    subgraph questions["Bij elke vraag"]']
    lines += [f'    {name}["{_quoted(asked[name])}"]' for name in inside]
    lines.append("    end")
    lines += [f'    {name}(["{said}"])' for name, said in _ENDS.items()]
    lines += _arrows("start", roads["start"])
    for name in inside:
        own = {label: to for label, to in roads[name].items() if label not in shared}
        lines += _arrows(name, own)
    lines += _arrows("questions", shared)
    return "\n".join([*lines, *_outcomes(instrument)]) + "\n"


def walk(instrument: Instrument, norms: Norms) -> Roads:
    """Every road through the interview, by the name of the question; `start`, `left`, `danger` and `result` beside.

    What leads elsewhere for some people stands there a second time, with its condition in brackets.
    """
    roads: Roads = {}

    def note(where: str, label: str, to: str, condition: str) -> None:
        if roads.setdefault(where, {}).setdefault(label, to) != to:
            roads[where].setdefault(f"{label} ({condition})", to)

    for consent, settled, condition in _BEGINNINGS:
        first = begin(instrument, {}, consent, settled, None)
        note("start", "begint", _name(first), condition)
        unvisited, seen = [first.progress], {_key(first.progress)}
        while unvisited:
            progress = unvisited.pop(0)
            for label, heard in _replies(progress, norms):
                step = reply(progress, heard, norms)
                if _name(step) == progress.asked:
                    continue  # asked again: no road
                nothing = not settled and not _key(step.progress)[1]
                note(progress.asked, label, _name(step), "niets ingevuld" if nothing else condition)
                if step.status == "open" and not step.worried and _key(step.progress) not in seen:
                    seen.add(_key(step.progress))
                    unvisited.append(step.progress)
    return roads


def _key(progress: Progress) -> tuple[str, bool]:
    return progress.asked, any(value is not None for value in progress.answers.values())


def _name(step: Step) -> str:
    if step.worried:
        return "danger"
    return {"open": step.asked, "left": "left", "complete": "result"}[step.status]


def _replies(progress: Progress, norms: Norms) -> Iterator[tuple[str, Heard]]:
    """What a person can do at the open question; first its answers."""
    if progress.asked == CONSENT:
        yield "ja", Heard("ja", "affirm")
        yield "nee", Heard("nee", "deny")
    elif progress.asked == GROUP:
        yield "een antwoord", Heard(norms.groups("sector")[0].name, "")
    else:
        item = progress.instrument.item(progress.asked)
        several = item.kind == "several"
        yield (
            "een antwoord",
            Heard(
                "/give_score",
                "give_score",
                score=None if several else progress.instrument.range(item)[0],
                codes=item.codes[:1] if several else None,
                item=item.id,
                tapped=True,
            ),
        )
    yield "sla over", Heard("/skip", "skip", tapped=True)
    yield "terug", Heard("terug", "go_back")
    yield "stop", Heard("stop", "stop")
    yield "er klinkt gevaar", Heard("…", "", worrying=True)


def _arrows(where: str, roads: dict[str, str]) -> list[str]:
    """One arrow for each place that is led to, with everything that leads there; broken where it goes off the way."""
    led: dict[str, list[str]] = {}
    for label, to in roads.items():
        led.setdefault(to, []).append(label)
    return [
        f"    {where} {'-.->' if labels[0] in ('terug', 'stop', 'er klinkt gevaar') else '-->'}"
        f'|"{"<br>".join(labels)}"| {to}'
        for to, labels in led.items()
    ]


def _outcomes(instrument: Instrument) -> list[str]:
    """The outcomes; on the arrow the condition where the definition holds it, else the outcome's name."""
    ends = OUTCOMES.get(instrument.id, ())
    words = texts().outcomes.get(instrument.id, "")
    lines = []
    for name in ends:
        said = words[name] if isinstance(words, dict) else words
        condition = conditions(instrument).get(name, name)
        lines.append(f'    result -->|"{condition}"| {name}_end(["{_quoted(said)}"])')
    return lines


def conditions(instrument: Instrument) -> dict[str, str]:
    """Name of a cut-off → the stretch of the score that has it, in words."""
    return {
        cut_off.id: _stretch(score, place, cut_off)
        for score in instrument.scores
        for place, cut_off in enumerate(score.cut_offs)
    }


def _stretch(score: Score, place: int, cut_off: CutOff) -> str:
    later = score.cut_offs[place + 1 :]
    start = [f"vanaf {cut_off.start:g}"] if place else []
    stretch = (
        " en ".join([*start, *(f"onder {one.start:g}" for one in later[:1])]) or f"vanaf {cut_off.start:g}"
    )
    return f"{_METHODS[score.method]} {stretch}".replace(".", ",")


def _quoted(text: str) -> str:
    return text.replace('"', "'")
