"""The pages in docs/drawings, drawn from the running definitions: crisis, coach, triage, questionnaires.

Room: set-up; `bot docs` writes them, a test refuses one that is stale. Mermaid, so that a reviewer reads them anywhere.
"""

from __future__ import annotations

from pathlib import Path

from bot.escalation.drawing import hand_off_drawing
from bot.escalation.hand_off_texts import shipped_hand_off_texts
from bot.safety.crisis_texts import shipped_crisis_texts
from bot.safety.drawing import crisis_drawing
from bot.screening.instruments import Instrument, shipped_instruments
from bot.screening.outcomes import OUTCOMES, texts
from bot.screening.triage import Rule, Rules, shipped_rules

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "drawings"


def pages() -> dict[str, str]:
    """File name → content of every page."""
    return {
        "crisis.md": _page(
            "Gevaar",
            "Wat er gebeurt na een bericht waarin gevaar klinkt.",
            crisis_drawing(shipped_crisis_texts()),
        ),
        "hand_off.md": _page(
            "De weg naar een coach",
            "Wat iemand kiest voor er iets wordt doorgegeven, en wanneer het dossier er is.",
            hand_off_drawing(shipped_hand_off_texts()),
        ),
        "triage.md": _page(
            "Triage", "Elke regel, het niveau dat eruit volgt en wat dan wordt aangeboden.", _triage()
        )
        + _reasons(),
        **{
            f"{instrument.id}.md": _page(instrument.title, instrument.intro, _questions(instrument))
            for instrument in shipped_instruments().values()
        },
    }


def write(folder: Path = FOLDER) -> list[Path]:
    """Write every page; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in pages().items():
        path = folder / name
        path.write_text(content, encoding="utf-8")
        written.append(path)
    return written


def _page(title: str, said: str, drawing: str) -> str:
    about = f"{said}\n\n" if said else ""
    return f"# {title}\n\nWritten by `make docs` from the running definitions.\n\n{about}```mermaid\n{drawing}```\n"


def _triage() -> str:
    rules = shipped_rules()
    lines = ["flowchart LR"]
    for level in rules.levels.levels:
        offers = "<br>".join(rules.levels.offers[name].title for name in level.offers)
        lines.append(f'    level{level.level}(["Niveau {level.level}<br>{offers}"])')
    for rule in _ordered(rules):
        condition = rule.condition.replace('"', "'").replace("<", "#lt;").replace(">", "#gt;")
        lines.append(f'    {rule.id}["{condition}"] --> level{rule.level}')
        extra = "<br>".join(rules.levels.offers[name].title for name in rule.offers)
        if extra:
            lines.append(f'    {rule.id} -.-> {rule.id}_offer["{extra}"]')
    return "\n".join(lines) + "\n"


def _reasons() -> str:
    rows = ["", "| regel | niveau | wat de persoon leest | wat de coach leest |", "|---|---|---|---|"]
    rows += [
        f"| `{rule.name}` | {rule.level} | {rule.person} | {rule.coach} |"
        for rule in _ordered(shipped_rules())
    ]
    return "\n".join(rows) + "\n"


def _ordered(rules: Rules) -> list[Rule]:
    return sorted(rules.rules, key=lambda rule: (-rule.level, rule.order))


def _questions(instrument: Instrument) -> str:
    lines = ["flowchart TD", '    start(["Start"])', '    danger(["Gevaar: eerst de hulplijnen"])']
    before = "start"
    for item in instrument.items:
        lines.append(f'    {item.id}["{_quoted(item.question)}"]')
        lines.append(f"    {before} --> {item.id}")
        lines.append(f"    {item.id} -.-> danger")
        before = item.id
    ends = OUTCOMES.get(instrument.id)
    if ends is None:
        return "\n".join([*lines, '    result(["Resultaat"])', f"    {before} --> result"]) + "\n"
    words = texts().outcomes[instrument.id]
    for name in ends:
        said = words[name] if isinstance(words, dict) else words
        lines.append(f'    {before} -->|{name}| {name}_end(["{_quoted(said)}"])')
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.replace('"', "'")
