"""The pages in docs/drawings, drawn from the running definitions: every flow, the triage and the questionnaires.

Room: set-up; `bot docs` writes them and the crisis texts (bot/crisis_page.py), a test refuses one that is stale.
Mermaid, so that a reviewer reads them anywhere.
"""

from __future__ import annotations

from pathlib import Path

from bot.crisis_page import crisis_page
from bot.escalation.drawing import hand_off_drawing
from bot.escalation.hand_off_texts import shipped_hand_off_texts
from bot.rules_drawing import ANSWERS, answers_drawing, first_contact_drawing, my_data_drawing, quoted
from bot.safety.crisis_texts import shipped_crisis_texts
from bot.safety.drawing import crisis_drawings
from bot.screening.drawing import questionnaire_drawing
from bot.screening.instruments import Instrument, shipped_instruments
from bot.screening.norms import shipped_norms
from bot.screening.triage import Rule, Rules, shipped_rules

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "drawings"
#: In a conversation the crisis flow asks this one, not the interview.
ASKED_IN_CRISIS = "direct_question"


def pages() -> dict[str, str]:
    """File name, seen from docs/drawings → content of every page."""
    return {
        "crisis.md": _head(
            "Gevaar",
            "Wat er gebeurt na een bericht waarin gevaar klinkt. De zinnen staan in resources/safety/crisis.yml.\n\n"
            "Elke tekening volgt één soort gevaar, of soorten met dezelfde weg. ☎: de hulplijnen staan erbij. "
            "(getypt): wie de woorden van de knop typt, komt ergens anders uit dan wie tikt.",
        )
        + "\n".join(
            f"## {heading}\n\n{_mermaid(drawing)}"
            for heading, drawing in crisis_drawings(shipped_crisis_texts()).items()
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
        "first_contact.md": _page(
            "Eerste contact",
            "Wat er eerst gezegd wordt, en waar elke keuze heen leidt.",
            first_contact_drawing(),
        ),
        "answers.md": _head(
            "Antwoorden",
            "Wat iemand leest na een zin die begrepen is, buiten een vragenlijst. Lange antwoorden zijn ingekort.\n"
            "Tussen [haken]: de knoppen eronder.",
        )
        + "\n".join(
            f"## {heading}\n\n{_mermaid(answers_drawing(name))}" for name, heading in ANSWERS.items()
        ),
        "my_data.md": _page(
            "Mijn gegevens", "Wat er bewaard is bekijken, of het laten wissen.", my_data_drawing()
        ),
        **{
            f"{instrument.id}.md": _questionnaire(instrument) for instrument in shipped_instruments().values()
        },
        "../safety/crisis-texts.md": crisis_page(),
    }


def write(folder: Path = FOLDER) -> list[Path]:
    """Write every page; returns the files."""
    written = []
    for name, content in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        written.append(path)
    return written


def _page(title: str, said: str, drawing: str) -> str:
    return _head(title, said) + _mermaid(drawing)


def _head(title: str, said: str) -> str:
    about = f"{said}\n\n" if said else ""
    return f"# {title}\n\nWritten by `make docs` from the running definitions.\n\n{about}"


def _mermaid(drawing: str) -> str:
    return f"```mermaid\n{drawing}```\n"


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


def _questionnaire(instrument: Instrument) -> str:
    if instrument.id != ASKED_IN_CRISIS:
        return _page(instrument.title, instrument.intro, questionnaire_drawing(instrument, shipped_norms()))
    lines = ["flowchart TD", '    start(["Start"])', '    result(["Resultaat"])']
    before = "start"
    for item in instrument.items:
        lines.append(f'    {item.id}["{quoted(item.question)}"]')
        lines.append(f"    {before} --> {item.id}")
        before = f'{item.id} -->|"{"<br>".join(option.label for option in item.options)}"|'
    lines.append(f"    {before} result")
    said = "In een gesprek stelt de crisisflow deze vraag: zie [Gevaar](crisis.md)."
    return _page(instrument.title, said, "\n".join(lines) + "\n")
