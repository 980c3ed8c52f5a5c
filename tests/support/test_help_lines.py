"""Help lines: who is offered first, when, and that every number lives in one place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.messages import HelpLines, part_from_json
from bot.resources import RESOURCES
from bot.support.help_lines import (
    KINDS,
    HelpLine,
    Region,
    Regions,
    as_part,
    for_kind,
    is_open,
    load_help_lines,
    next_opening,
    stale,
)
from bot.support.opening import Hours, Week

ROOT = Path(__file__).resolve().parents[2]
REGIONS = load_help_lines(RESOURCES / "help_lines")
VLAANDEREN, NEDERLAND = REGIONS["vlaanderen"], REGIONS["nederland"]
LINES = [line for region in REGIONS.values() for line in region.lines]
BRUSSELS = ZoneInfo("Europe/Brussels")
NIGHT = datetime(2026, 11, 24, 3, tzinfo=BRUSSELS)
NOON = datetime(2026, 11, 24, 12, tzinfo=BRUSSELS)
#: Every minute of four years.
MOMENTS = st.integers(0, 4 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)

#: The numbers of the design. They change when a line changes its number, and then by hand, here and in the data.
NUMBERS = {
    "be_112": "112",
    "be_1813": "1813",
    "be_106": "106",
    "be_antigif": "070 245 245",
    "be_1712": "1712",
    "be_1733": "1733",
    "be_caw": "0800 13 500",
    "be_druglijn": "078 15 10 20",
    "be_arts_in_nood": "0800 23 460",
    "nl_112": "112",
    "nl_113": "113",
    "nl_luisterlijn": "088 0767 000",
    "nl_mind": "0900-1450",
    "nl_abs": None,  # the design names it without one, and no source gives it
}


def ids(lines: list[HelpLine]) -> list[str]:
    return [line.id for line in lines]


def test_the_numbers_are_those_of_the_design() -> None:
    assert {line.id: line.number for line in LINES} == NUMBERS


def test_tapping_a_number_dials_the_number_that_is_shown() -> None:
    for line in LINES:
        if line.number is None:
            continue
        prefix = {"BE": "+32", "NL": "+31"}[line.country]
        shown = re.sub(r"\D", "", line.number)
        assert line.tel in (f"tel:{shown}", f"tel:{prefix}{shown.removeprefix('0')}"), line.id


def test_the_french_speaking_line_is_never_given_for_the_dutch_one() -> None:
    text = "".join(path.read_text() for path in (RESOURCES / "help_lines").glob("*.yml"))
    assert "32123" not in re.sub(r"\D", "", text)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("region", REGIONS.values(), ids=lambda region: region.id)
def test_at_three_in_the_morning_someone_answers_whatever_is_the_matter(region: Region, kind: str) -> None:
    first = for_kind(region, kind, NIGHT)[0]
    assert is_open(first, NIGHT) is True


@given(
    MOMENTS,
    st.sampled_from(sorted(REGIONS)),
    st.sampled_from(KINDS),
)
def test_open_comes_before_unknown_and_unknown_before_closed(now: datetime, region: str, kind: str) -> None:
    states = [is_open(line, now) for line in for_kind(REGIONS[region], kind, now)]
    assert states[0] is True
    assert states == sorted(states, key=[True, None, False].index)


@given(MOMENTS)
def test_a_closed_line_says_when_it_opens(now: datetime) -> None:
    for line in LINES:
        opens = next_opening(line, now)
        assert (opens is not None) == (is_open(line, now) is False)
        if opens is not None:
            assert now < opens < now + timedelta(days=7)


@pytest.mark.parametrize(
    ("kind", "now", "expected"),
    [
        ("suicidal_thoughts", NIGHT, ["be_1813", "be_112", "be_106"]),
        ("overdose", NIGHT, ["be_112", "be_antigif", "be_1813"]),
        ("medical_emergency", NOON, ["be_112", "be_antigif", "be_1733"]),
        ("violence_threat", NOON, ["be_112", "be_1712", "be_106"]),
        ("violence_threat", NIGHT, ["be_112", "be_106", "be_1712"]),
        ("self_harm", NIGHT, ["be_112", "be_1813", "be_106"]),
        ("substance", NOON, ["be_druglijn", "be_106", "be_112"]),
        ("substance", NIGHT, ["be_106", "be_112", "be_druglijn"]),
    ],
)
def test_flanders_gets_the_lines_that_fit(kind: str, now: datetime, expected: list[str]) -> None:
    assert ids(for_kind(VLAANDEREN, kind, now)) == expected


@pytest.mark.parametrize(
    ("kind", "now", "expected"),
    [
        ("violence_threat", NOON, ["be_1712", "be_106", "be_112"]),
        ("violence_threat", NIGHT, ["be_106", "be_112", "be_1712"]),
        ("danger_to_others", NOON, ["be_1712", "be_106", "be_112"]),
        ("self_harm", NIGHT, ["be_1813", "be_112", "be_106"]),
        ("overdose", NIGHT, ["be_112", "be_antigif", "be_1813"]),
    ],
)
def test_in_doubt_who_listens_comes_before_who_comes(kind: str, now: datetime, expected: list[str]) -> None:
    assert ids(for_kind(VLAANDEREN, kind, now, in_doubt=True)) == expected


def test_in_doubt_no_other_lines_may_be_shown() -> None:
    with pytest.raises(ValidationError, match=r"in_doubt\.violence_threat: not the lines"):
        Region.model_validate({**VLAANDEREN.model_dump(), "in_doubt": {"violence_threat": ["be_1712"]}})


def test_the_netherlands_gets_its_own_lines() -> None:
    assert ids(for_kind(NEDERLAND, "suicidal_thoughts", NIGHT)) == ["nl_113", "nl_112", "nl_luisterlijn"]
    assert ids(for_kind(NEDERLAND, "overdose", NIGHT))[0] == "nl_112"


def test_a_line_for_doctors_is_not_offered_to_everyone() -> None:
    for region in REGIONS.values():
        audience = {line.id: line.audience for line in region.lines}
        assert {audience[name] for served in region.serves.values() for name in served} == {"iedereen"}


def test_the_part_says_of_each_line_whether_it_is_open() -> None:
    part = part_from_json(as_part(for_kind(VLAANDEREN, "violence_threat", NIGHT), "Bel nu", NIGHT))
    assert isinstance(part, HelpLines)
    said = {line.id: (line.open_now, line.opens) for line in part.lines}
    assert said["be_112"] == (True, "Nu open")
    assert said["be_1712"] == (False, "Nu gesloten, open vanaf 9 uur")
    unknown = part_from_json(as_part(for_kind(VLAANDEREN, "medical_emergency", NIGHT), "Bel nu", NIGHT))
    assert isinstance(unknown, HelpLines)
    assert unknown.lines[-1].open_now is None


def _said(verb: str, hours: Hours | None) -> str | None:
    """What the words must hold for these hours."""
    if hours == "always":
        return f"{verb} kan dag en nacht"
    if not isinstance(hours, Week):
        return None
    stretches = {stretch for weekday in range(7) for stretch in hours.on(weekday)}
    (only,) = stretches  # a line with several hours needs a longer sentence, and this test a longer rule
    return f"van {only.start // 60} tot {only.end // 60} uur"


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.id)
def test_the_words_about_hours_say_what_the_hours_are(line: HelpLine) -> None:
    for verb, hours in (("Bellen", line.phone), ("Chatten", line.chat)):
        expected = _said(verb, hours)
        assert (f"{verb} kan" in (line.hours or "")) == (expected is not None)
        assert (expected or "") in (line.hours or "")
        if isinstance(hours, Week) and hours.closed_on_holidays:
            assert re.search("werkdagen|niet op feestdagen", line.hours or "")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"phone": "always", "hours": None}, "need words"),
        ({"hours_source": None}, "need words and a source"),
        (
            {"secrecy": {"anonymous": True, "professional_secrecy": "unknown", "source": None}},
            "needs its source",
        ),
        ({"tel": "tel:0800 1"}, "tel"),
        ({"tel": None}, "give a number and what a phone dials"),
        ({"number": None, "tel": None, "url": None}, "or the address of the site"),
        ({"number": None, "tel": None, "url": "https://example.org"}, "is answered needs its number"),
        ({"url": "http://example.org"}, "url"),
        ({"phone": "soms"}, "phone"),
    ],
)
def test_a_line_that_claims_without_a_source_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        HelpLine.model_validate({**VLAANDEREN.lines[1].model_dump(), **change})


@pytest.mark.parametrize(
    ("serves", "complaint"),
    [
        ({"overdose": ["be_112"]}, "the kinds are"),
        ({**VLAANDEREN.serves, "overdose": ["be_999"]}, "no such line: be_999"),
        ({**VLAANDEREN.serves, "overdose": ["be_1712"]}, "day and night"),
    ],
)
def test_a_region_that_leaves_someone_alone_at_night_is_refused(
    serves: dict[str, list[str]], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Region.model_validate({**VLAANDEREN.model_dump(), "serves": serves})


def test_a_number_not_checked_for_half_a_year_is_stale() -> None:
    checked = VLAANDEREN.lines[0].checked_at
    assert stale(VLAANDEREN, checked + timedelta(days=180)) == []
    assert stale(VLAANDEREN, checked + timedelta(days=181)) == ids(VLAANDEREN.lines)
    assert max(line.checked_at for line in LINES) <= date(2100, 1, 1)


# Eight digits or more that begin with a nought or a plus; and the short numbers, all but 112.
LONG = re.compile(r"(?<![\d.])(?:\+\d{2}|0)[\d ./()-]{6,}\d")
#: What a number to be called on looks like: an example that belongs to nobody's line.
EXAMPLE = "0470 12 34 56"
SHORT = re.compile(r"(?<![\d.,#-])(?:1813|1712|1733|1722|106|113|101|100|116 ?\d{3}|0800|0900)(?![\d.,%-])")


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value


def _texts() -> Iterator[tuple[Path, str]]:
    for path in [ROOT / "domain.yml", *sorted(RESOURCES.rglob("*.yml"))]:
        if path.parent.name != "help_lines":
            for text in _strings(yaml.safe_load(path.read_text())):
                yield path, text
    for path in sorted((ROOT / "web" / "src").glob("*.ts")):
        for text in re.findall(r'"[^"\n]*"' + r"|`[^`]*`" * (path.name == "texts.ts"), path.read_text()):
            if re.search("[a-z]{3} ", text):
                yield path, text


def test_every_number_to_call_stands_in_the_data_and_nowhere_else() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()!r} in {text[max(0, match.start() - 40) : match.end() + 10]!r}"
        for path, text in _texts()
        for pattern in (LONG, SHORT)
        for match in pattern.finditer(text.replace(EXAMPLE, ""))
    ]
    assert found == []


def test_the_search_for_numbers_finds_them() -> None:
    for number in set(NUMBERS.values()) - {"112", None}:
        assert LONG.search(f"bel {number}.") or SHORT.search(f"bel {number} nu"), number
    assert not SHORT.search("Bel 112.")


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("Ik woon in Nederland, in Arnhem", ("nederland", 2)),
        ("1813 is toch Belgisch? Ik zit in Nederland", ("nederland", 3)),
        ("geef me een Nederlands nummer", ("nederland", 0)),
        ("ik werk in België", ("vlaanderen", 0)),
        ("hebben jullie een Vlaams nummer?", ("vlaanderen", 0)),
        ("ik woon niet in Nederland", None),
        ("ik wil geen nederlands nummer", None),
        ("ik heb een nederlands nummer: 0612345678", None),
        ("mijn zus woont in Nederland", None),
        ("mijn ouders zitten in Nederland", None),
        ("het werk in Nederland is beter betaald", None),
        ("ik ben Nederlander", None),
        ("ik woon in België en ik werk in Nederland", None),
        ("ik werk in Nederland en woon in Vlaanderen", None),
        ("ik versta geen Nederlands", None),
        ("hallo", None),
    ],
)
def test_who_tells_where_they_are_is_heard(text: str, region: tuple[str, int] | None) -> None:
    assert Regions(REGIONS, "vlaanderen").told(text) == region
