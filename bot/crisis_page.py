"""Every sentence around a crisis on one page, for a clinician to read: docs/safety/crisis-texts.md.

Room: set-up; written with the drawings (bot/drawings.py), a test refuses a page that is stale. Every text is read where
it stands, and one that no longer stands there raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import NamedTuple

from actions.say import texts as said_by_actions
from actions.support import LINES_TITLE
from bot.channels.pages import NOT_BUILT
from bot.conversation.hand_off import LINES
from bot.conversation.lines import APOLOGY
from bot.escalation.canned import shipped_canned_replies
from bot.escalation.hand_off_texts import shipped_hand_off_texts
from bot.resources import RESOURCES, Definition, read_yaml
from bot.safety.crisis_texts import (
    CrisisTexts,
    Explicit,
    Lines,
    RatherNot,
    Safe,
    ThirdParty,
    ThirdPartyAfter,
    shipped_crisis_texts,
)
from bot.safety.drawing import kind_title
from bot.safety.verdict import Kind
from bot.screening.instruments import shipped_instruments
from bot.screening.triage import shipped_rules
from bot.support.help_lines import HelpLine, Region, load_help_lines
from bot.support.opening import SAID

ROOT = RESOURCES.parent
CRISIS = "resources/safety/crisis.yml"
HAND_OFF = "resources/escalation/hand_off.yml"
WEB = "web/src/texts.ts"

#: What comes with a coach while there is danger: places in hand_off.yml.
WITH_A_COACH = (
    "way", "already", "sent.meanwhile", "sent.lines_title", "live.danger", "live.danger_title", "live.coach_quiet",
    "returned.waiting",
)  # fmt: skip
#: The engine's answers with help lines below them, and those that name 112.
ANSWERS = (
    "utter_request_helpline",
    "utter_report_substance_use",
    "utter_report_aggression",
    "utter_report_colleague_struggling",
    "utter_ask_language",
)
PANEL = ("help", "helpBack", "helpTitle", "helpDanger", "helpIntro", "helpRegion", "exit", "exitWhat")
CARD = ("call", "hoursUnknown", "website", "toWebsite", "toWebsiteNamed")

#: Always with the help lines below them; in the first two and in what follows worry for another, the title is theirs.
_WITH_LINES = (Explicit, Lines, RatherNot, ThirdParty)
_HEADED = (Explicit, Lines, ThirdPartyAfter)
_WHAT = {"title": "knop", "question": "vraag", "who": "vraag"}
#: Keys whose value nobody reads.
_UNSAID = {"safe", "yes_as", "payload", "heard", "unless", "about", "calms", "beside_danger", "offers"}


class Row(NamedTuple):
    """One text: what it is, the words, and its key."""

    what: str
    text: str
    key: str


def crisis_page() -> str:
    """The page, in the order in which a person comes to the sentences.

    Raises:
        ResourceError, LookupError: a text cannot be read where it stands.
    """
    texts = shipped_crisis_texts()
    regions = sorted(
        load_help_lines(RESOURCES / "help_lines").values(), key=lambda one: one.id != "vlaanderen"
    )
    return "\n".join(
        [
            _head(texts),
            *(_kind(texts, kind, regions) for kind in texts.explicit),
            *_answers(texts),
            *_beside(),
            *_elsewhere(regions),
            *(_lines(region) for region in regions),
            _heard(texts),
        ]
    )


def _head(texts: CrisisTexts) -> str:
    read = "nagelezen" if texts.status == "reviewed" else "nog door geen arts of psycholoog nagelezen"
    return f"""# De teksten rond een crisis

Geschreven door `make docs` uit de draaiende definities. Verander een tekst in het bestand dat erbij staat, niet hier.

- {texts.title}: versie {texts.version}, geldig vanaf {texts.valid_from}. Bron: {texts.source}.
- Status `{texts.status}`: {read}.
- De weg van de ene tekst naar de andere staat in een [tekening](../drawings/crisis.md).
- ☎: de nummers staan er altijd onder. Zonder ☎ hangt dat van het moment af.
- In een bericht van de crisisflow staan hoogstens {LINES} nummers. Wie nu opneemt, staat eerst.
- Onder een directe vraag (`direct_answers.lines_title`) staat alleen het eerste nummer, zodat de antwoorden in beeld
  blijven. Wordt ze meteen herhaald, dan staan de nummers er al boven.
- Wat tussen {{accolades}} staat, wordt ingevuld.
- Bij elke vraag na de nummers: `who`, `someone` en `not_now` horen bij het aanbod van een mens. `staying` komt om de
  beurt, als iemand iets anders schrijft. `again` komt als er opnieuw gevaar klinkt, `better` als het na een lange
  stilte beter gaat.
"""


def _kind(texts: CrisisTexts, kind: Kind, regions: Iterable[Region]) -> str:
    """What is read first about one kind of danger: suspected, clear, and someone else's."""
    asked, first = texts.direct[kind], texts.explicit[kind]
    after_no = "no_with_lines" if asked.no_lines else "no"
    about = (
        f"Een ja op de directe vraag telt als: {_title(asked.yes_as)}. Na een nee komt `direct_answers.{after_no}`. "
        f"Na duidelijk gevaar komen de nummers en de vraag `safe.{first.safe}`.\n\n"
    )
    rows = [
        row
        for part in ("direct", "explicit", "third_party")
        for row in _rows(getattr(texts, part)[kind], f"{part}.{kind}")
    ]
    return _section(f"Soort gevaar: {_title(kind)}", CRISIS, rows, about + _order(kind, regions))


def _title(kind: Kind) -> str:
    """How a kind of danger is called, with its id."""
    return f"{kind_title(kind)} (`{kind}`)"


def _order(kind: str, regions: Iterable[Region]) -> str:
    """The lines that serve a kind, in their order: one list item for each region and order."""
    listed = []
    for region in regions:
        named = {line.id: f"{line.name} ({line.number or line.url})" for line in region.lines}
        listed.append(f"- {region.region}: {', '.join(named[one] for one in region.serves[kind])}")
        if kind in region.in_doubt:
            doubt = ", ".join(named[one] for one in region.in_doubt[kind])
            listed.append(f"- {region.region}, als het niet duidelijk is dat er nu gevaar is: {doubt}")
    return "\n".join(listed)


def _answers(texts: CrisisTexts) -> Iterator[str]:
    """What follows the first words, stage by stage."""
    yield _section("Het antwoord op de directe vraag", CRISIS, _rows(texts.direct_answers, "direct_answers"))
    for name, safe in texts.safe.items():
        yield _section(
            f"De vraag na de nummers: `{name}`",
            CRISIS,
            _rows(safe, f"safe.{name}"),
            _asked_after(texts, name, safe),
        )
    yield _section("Het aanbod van een mens", CRISIS, _rows(texts.offer, "offer"))
    yield _section("Erbij blijven: wat iemand kan tikken", CRISIS, _rows(texts.staying, "staying"))
    yield _section(
        "Erbij blijven: wat op iets gezegd wordt",
        CRISIS,
        [row for name, told in texts.told.items() for row in _rows(told, f"told.{name}")],
        "Wat iemand schrijft, beslist welke tekst komt. Er eindigt niets door. Wie in het bericht over het gevaar zelf "
        "zegt dat bellen niet gaat, leest die tekst tussen de nummers en de vraag.",
    )
    hours = f"Na {texts.return_after_hours} uur stilte."
    yield _section("Terug na een lange stilte", CRISIS, _rows(texts.return_, "return"), hours)
    yield _section("Na zorg om iemand anders", CRISIS, _rows(texts.third_party_after, "third_party_after"))
    yield _section("Gevaar dat voorbij is", CRISIS, _rows(texts.past, "past"))
    yield _section("Vals alarm", CRISIS, _rows(texts.false_alarm, "false_alarm"))
    yield _section("Een oude knop", CRISIS, _rows(texts.stale, "stale"))


def _asked_after(texts: CrisisTexts, name: str, safe: Safe) -> str:
    """After which kinds of danger a safe question comes."""
    kinds = ", ".join(_title(kind) for kind, first in texts.explicit.items() if first.safe == name)
    return f"Bij: {kinds}." + (" Minuten tellen: de nummers komen er telkens bij." if safe.urgent else "")


def _beside() -> Iterator[str]:
    """After the crisis, with a coach, and after a questionnaire."""
    actions, rules = said_by_actions(), shipped_rules()
    yield _section(
        "Terug in het gesprek",
        "resources/conversation/texts.yml",
        _rows(actions["after_crisis"], "texts.after_crisis"),
    )
    hand_off = shipped_hand_off_texts()
    yield _section(
        "Met een coach erbij",
        HAND_OFF,
        [row for key in WITH_A_COACH for row in _rows(attrgetter(key)(hand_off), key, _what(hand_off, key))],
        "Klinkt er gevaar terwijl een coach het gesprek heeft, dan komen eerst de eerste woorden van hierboven en de "
        "nummers, daarna `live.danger`. Onder `already.text`, `already.contacted`, `already.raised`, "
        "`already.raised_contacted`, `sent.meanwhile`, `live.coach_quiet` en `returned.waiting` staan ook nummers, met "
        "`sent.lines_title` erboven. De rest van de weg naar een coach: zie de [tekening](../drawings/hand_off.md).",
    )
    direct = next(reply for reply in shipped_canned_replies() if reply.id == "safe_question")
    yield _section(
        "De directe vraag van een coach",
        "resources/escalation/canned.yml",
        [
            Row("knop voor de coach", direct.title, "safe_question.title"),
            Row("vraag", direct.text, "safe_question.text"),
        ],
        "De coach kan deze woorden nog veranderen.",
    )
    item = shipped_instruments()["direct_question"].items[0]
    yield _section(
        "De directe vraag als vragenlijst",
        "resources/instruments/direct_question.yml",
        [
            Row("vraag", item.question, f"{item.id}.question"),
            Row("waarom", item.why, f"{item.id}.why"),
            *(Row("antwoord", one.label, f"{item.id}.options") for one in item.options),
        ],
        "Voor bestanden en triage. In een gesprek stelt de crisisflow de vraag.",
    )
    level = rules.text(4)
    yield _section(
        "Na een vragenlijst: niveau 4",
        "resources/triage/levels.yml",
        [
            Row("tekst", level.text, "levels.4.text"),
            *(Row("knop", rules.levels.offers[name].title, f"offers.{name}.title") for name in level.offers),
        ],
    )
    danger = next(rule for rule in rules.rules if rule.id == "danger")
    yield _section(
        "De reden bij niveau 4", "resources/triage/rules/danger.yml", [Row("tekst", danger.person, "person")]
    )


def _elsewhere(regions: Iterable[Region]) -> Iterator[str]:
    """Where the numbers are read outside the crisis flow."""
    actions = said_by_actions()
    responses = read_yaml(ROOT / "domain.yml")["responses"]
    yield _section(
        "Wie naar een nummer vraagt, of iets vertelt waar 112 bij hoort",
        "domain.yml",
        [
            Row("tekst", variant["text"].strip(), f"responses.{name}")
            for name in ANSWERS
            for variant in responses[name]
        ],
    )
    yield _section(
        "De kop boven de nummers, buiten de crisisflow",
        "actions/support.py",
        [Row("kop boven de nummers", LINES_TITLE, "LINES_TITLE")],
        "De nummers voor wie met iemand wil praten:\n\n" + _order("someone_to_talk_to", regions),
    )
    yield _section(
        "Wie zegt waar die is",
        "resources/help_lines",
        [
            row
            for region in regions
            for row in (
                Row("woorden", " · ".join(region.said), f"{region.id}.said"),
                Row("tekst", region.here, f"{region.id}.here"),
            )
        ],
        "Niet als ook een andere streek genoemd wordt. Vanaf dan zijn het de nummers van daar.",
    )
    yield _section(
        "Wie een mens vraagt waar geen coach is",
        "resources/conversation/texts.yml",
        [
            row
            for name in ("request_human", "request_callback")
            for row in _rows(actions[name], f"texts.{name}")
        ],
    )
    yield _section("Als er iets misloopt", "bot/conversation/lines.py", [Row("tekst", APOLOGY, "APOLOGY")])
    yield _section(
        "Bij elk nummer: of er nu iemand opneemt",
        "bot/support/opening.py",
        [Row("tekst", text, f"SAID.{name}") for name, text in SAID.items()],
    )
    yield _section("Bij elk nummer: de knop en de uren", WEB, _widget(CARD))
    yield _section(
        "De knop om hulp, en wat hij opent",
        WEB,
        _widget(PANEL),
        "Altijd in beeld, ook zonder verbinding. Eronder staan alle nummers van de streek, in de volgorde hieronder.",
    )
    yield _section(
        "De pagina zonder chat",
        "bot/channels/pages.py",
        [
            Row("tekst", re.sub(r"<[^>]+>", "", text), "NOT_BUILT")
            for text in re.findall(r"<p>(.+?)</p>", NOT_BUILT)
        ],
        "Als de chat niet gebouwd is. Eronder staan alle nummers van de streek.",
    )


def _widget(keys: Iterable[str]) -> Iterator[Row]:
    """Texts of the widget, by key.

    Raises:
        LookupError: there is no text of that name on one line.
    """
    source = (ROOT / WEB).read_text(encoding="utf-8")
    for key in keys:
        found = re.search(rf'^  {key}: (?:\([^)]*\) => )?(["`])(.+)\1,$', source, re.M)
        if found is None:
            raise LookupError(f"{WEB}: {key} cannot be read")
        yield Row("tekst", found[2].replace("${", "{"), key)


def _lines(region: Region) -> str:
    """Everything about the lines of a region, in the order of the help panel."""
    unknown = next(_widget(["hoursUnknown"])).text
    return (
        f"## De nummers: {region.region}\n\n"
        f"In `resources/help_lines/{region.id}.yml`, in de volgorde van het hulppaneel:\n\n"
        + _table(
            (
                "naam",
                "nummer",
                "wat er staat",
                "uren",
                "voor wie",
                "bron",
                "bron van de uren",
                "nagekeken op",
                "sleutel",
            ),
            (_line(line, unknown) for line in region.lines),
        )
    )


def _line(line: HelpLine, unknown: str) -> tuple[str, ...]:
    return (
        line.name,
        line.number or str(line.url),
        line.what,
        line.hours or (unknown if line.number else "geen: alleen de website is bekend"),
        line.audience,
        line.source,
        line.hours_source or "geen",
        str(line.checked_at),
        f"`{line.id}`",
    )


def _heard(texts: CrisisTexts) -> str:
    """The words the flow listens for. Nobody reads them, but they decide what is read."""
    lists: dict[str, list[str]] = {}
    for name, found in texts.heard:
        lists |= (
            {f"{name}.{key}": words for key, words in found.items()}
            if isinstance(found, dict)
            else {name: found}
        )
    about = "Niemand leest deze woorden, maar ze beslissen wat volgt. Uitleg bij elke lijst staat in het bestand zelf."
    rows = [Row("woorden", " · ".join(words), f"heard.{name}") for name, words in lists.items()]
    for name, told in texts.told.items():
        rows.append(Row("woorden", " · ".join(told.heard), f"told.{name}.heard"))
        if told.unless:
            rows.append(Row("en niet", " · ".join(told.unless), f"told.{name}.unless"))
    return _section("Hoe een antwoord in woorden begrepen wordt", CRISIS, rows, about)


def _rows(found: object, key: str, what: str = "tekst") -> Iterator[Row]:
    """Every text in a definition, in its order, with its key."""
    if isinstance(found, str):
        yield Row(what, found, key)
    elif isinstance(found, list):
        for number, one in enumerate(found, 1):
            yield from _rows(one, f"{key}.{number}", what)
    elif isinstance(found, Definition):
        for name, field in type(found).model_fields.items():
            if name not in _UNSAID:
                yield from _rows(getattr(found, name), f"{key}.{field.alias or name}", _what(found, name))


def _what(holder: Definition, name: str) -> str:
    if name.endswith("_title") or (name == "title" and isinstance(holder, _HEADED)):
        return "kop boven de nummers"
    lines = name != "title" and (isinstance(holder, _WITH_LINES) or getattr(holder, "lines", False))
    return _WHAT.get(name, "tekst") + (" ☎" if lines else "")


def _section(title: str, file: str, rows: Iterable[Row], about: str = "") -> str:
    said = f"{about}\n\n" if about else ""
    table = _table(("wat", "tekst", "sleutel"), ((row.what, row.text, f"`{row.key}`") for row in rows))
    return f"## {title}\n\n{said}In `{file}`:\n\n{table}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
