"""Drawings of what the engine's rules say: first contact, one answer to one intent, own data. Room: set-up.

Reads data/rules, domain.yml and the texts, as the engine and the actions do. Mermaid.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from actions.meta import FIRST_WORDS, WELCOME_BACK
from bot.resources import RESOURCES, read_yaml
from bot.screening.instruments import shipped_instruments

ROOT = Path(__file__).resolve().parents[1]
#: Files of data/rules → what stands above their drawing.
ANSWERS = {
    "reports": "Iets van het hart",
    "support": "Steun, en willen weten",
    "meta": "Over het gesprek zelf",
}
#: What actions do that say more than one fixed text.
_DONE_BY = {
    "action_ask_directly": "De directe vraag: zie Gevaar",
    "action_ask_for_person": "De weg naar een coach, of zonder coach de nummers",
    "action_contact_person": "Bij wie het kan op dit werk",
    "action_fallback": "Bedoel je …? De twee waarschijnlijkste lezingen als knop, daarna een mens",
    "action_greet": "De keuzes, of eerst wat nog openstaat",
    "action_help_lines": "De hulplijnen van de streek",
    "action_privacy": "Wie wat kan lezen, en hoe lang het blijft",
    "action_repeat": "Wat net gezegd werd, nog eens",
    "action_restart": "Opnieuw beginnen, met de keuzes",
    "action_affirm": "Ruimte voor het verhaal, anders de keuzes",
    "action_deny": "Goed, en de keuzes",
}
#: Intents that are never put to a person as a reading, so that they have no title.
_UNTITLED = {
    "affirm": "Ja",
    "deny": "Nee",
    "go_back": "Terug",
    "nlu_fallback": "niet begrepen",
    "restart": "Opnieuw beginnen",
    "skip": "Overslaan",
}
#: Of an answer so many letters are shown.
SHOWN = 110
#: What is said by the actions about own data: the texts of resources/conversation/texts.yml.
_SAID_BY = {
    "action_show_my_data": "my_data",
    "action_ask_delete_data": "delete_question",
    "action_delete_data": "deleted",
    "action_keep_data": "kept",
}


def first_contact_drawing() -> str:
    """The first words, of who is new and of who comes back, and where each choice leads."""
    said, choices = _texts(), _responses()["utter_choices"][0]
    lines = ["flowchart TD", '    start(["Een eerste bericht"])']
    for label, names in (("nieuw hier", FIRST_WORDS), ("terug, en scores bewaard", WELCOME_BACK)):
        before = f'start -->|"{label}"|'
        for name in names:
            lines += [f'    {name}["{_shown(said[name]["text"])}"]', f"    {before} {name}"]
            before = f"{name} -->"
        lines.append(f"    {before} choices")
    lines.append(f'    choices["{_shown(choices["text"])}"]')
    roads = {rule["steps"][0]["intent"]: rule["steps"][1]["action"] for rule in _rules("support", "meta")}
    for place, button in enumerate(choices["buttons"]):
        intent, _, given = button["payload"].removeprefix("/").partition("{{")
        asked = next((one for one in shipped_instruments().values() if f'"{one.id}"' in given), None)
        to = f"Vragenlijst: {asked.title}" if asked is not None else _said(roads[intent])
        lines.append(f'    choices -->|"{quoted(button["title"])}"| to{place}["{to}"]')
    lines.append('    choices -->|"iets anders typen"| free["Zie Antwoorden"]')
    return "\n".join(lines) + "\n"


def answers_drawing(name: str) -> str:
    """From what is understood to what is said, by one file of rules."""
    titles = read_yaml(RESOURCES / "conversation" / "intent_titles.yml")["titles"] | _UNTITLED
    lines, drawn = ["flowchart LR", '    start(["Een bericht of een knop"])'], set()
    for rule in _rules(name):
        understood, *steps = rule["steps"]
        before = f'start -->|"{quoted(titles[understood["intent"]])}"|'
        for action in (step["action"] for step in steps if "action" in step):
            if action not in drawn:
                drawn.add(action)
                lines.append(f'    {action}["{_said(action)}"]')
            if (road := f"    {before} {action}") not in lines:
                lines.append(road)
            before = f"{action} -->"
    return "\n".join(lines) + "\n"


def my_data_drawing() -> str:
    """Seeing what is kept and having it erased, by following the rules of the engine from question to answer."""
    said = _texts()
    titles = read_yaml(RESOURCES / "conversation" / "intent_titles.yml")["titles"]
    titles |= {one["payload"].removeprefix("/"): one["title"] for one in said["delete_question"]["buttons"]}
    asks: dict[str | None, str] = {None: "start"}
    lines = ["flowchart TD", '    start(["Een bericht of een knop"])']
    for action, text in _SAID_BY.items():
        lines.append(f'    {action}["{quoted(said[text]["text"].strip())}"]'.replace("\n", "<br>"))
    for rule in read_yaml(ROOT / "data" / "rules" / "meta.yml")["rules"]:
        first, second, *after = rule["steps"]
        action, label = second["action"], titles.get(first["intent"])
        if action not in _SAID_BY:
            continue
        asked, left_open = _offer(rule["condition"]), _offer(after)
        if asked is not None and asked == left_open:
            action, label = asks[asked], f"{label} (te laat: opnieuw gevraagd)"
        elif left_open is not None:
            asks[left_open] = action
        lines.append(f'    {asks[asked]} -->|"{label}"| {action}')
    return "\n".join(lines) + "\n"


def _offer(parts: list[dict[str, list[dict[str, str | None]]]]) -> str | None:
    """What is offered and not yet answered, as the steps or conditions of a rule have it."""
    return next(
        (
            slot["open_offer"]
            for part in parts
            for slot in part.get("slot_was_set", ())
            if "open_offer" in slot
        ),
        None,
    )


def quoted(text: str) -> str:
    """A text as it may stand in a label."""
    return text.replace('"', "'")


def _rules(*names: str) -> list[dict[str, Any]]:
    """Rules by which one intent has one answer; those about an open offer and own data are drawn by themselves."""
    rules = [rule for name in names for rule in read_yaml(ROOT / "data" / "rules" / f"{name}.yml")["rules"]]
    return [
        rule
        for rule in rules
        if "intent" in rule["steps"][0]
        and _offer(rule.get("condition", [])) is None
        and rule["steps"][1]["action"] not in _SAID_BY
    ]


def _said(action: str) -> str:
    if action in _DONE_BY:
        return _DONE_BY[action]
    response, *others = _responses()[action]
    buttons = "".join(f" [{button['title']}]" for button in response.get("buttons", ()))
    return _shown(response["text"]) + (" (of anders gezegd)" if others else "") + quoted(buttons)


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return quoted(text if len(text) <= SHOWN else f"{text[:SHOWN].rsplit(' ', 1)[0]} …")


@lru_cache(maxsize=1)
def _responses() -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(ROOT / "domain.yml")["responses"]
    return found


def _texts() -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(RESOURCES / "conversation" / "texts.yml")["texts"]
    return found
