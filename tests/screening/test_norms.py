"""The figures people are compared with, and finding their group as they type it."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.resources import RESOURCES, ResourceError
from bot.screening.norms import load_norms, shipped_norms

FOLDER = RESOURCES / "norms"
NORMS = shipped_norms()


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_all_369_norms_are_served_as_they_stand_in_the_table() -> None:
    table = rows("p2c_2020_2021_norms.csv")
    assert len(table) == 369
    for row in table:
        norm = NORMS.norm(row["group"], row["label"], row["item"])
        served = (norm.mean, norm.sd, norm.n, norm.source_table)
        n = int(row["n"]) if row["n"] else None
        assert served == (float(row["mean"]), float(row["sd"]), n, int(row["source_table"])), row


def test_all_9_band_rows_are_served_as_they_stand_in_the_table() -> None:
    table = rows("p2c_2020_2021_bands.csv")
    assert len(table) == 9
    for row in table:
        found = NORMS.distribution(row["item"])
        shares = (found.pct_low, found.pct_medium, found.pct_high)
        assert shares == (int(row["pct_low_0_3"]), int(row["pct_medium_4_6"]), int(row["pct_high_7_10"]))
        assert (found.mean, found.sd, found.source_table) == (float(row["mean"]), float(row["sd"]), 4)


def test_the_tables_are_the_ones_that_were_taken_from_the_report() -> None:
    """Counts and sums noted when the tables were taken over: a changed figure shows here."""
    table = rows("p2c_2020_2021_norms.csv")
    per_kind = {kind: sum(row["group"] == kind for row in table) for kind in ("all", "gender", "province")}
    assert per_kind == {"all": 9, "gender": 18, "province": 45}
    assert sum(row["group"] == "sector" for row in table) == 81
    assert sum(row["group"] == "profession" for row in table) == 216
    sums = [
        round(sum(float(row["mean"]) for row in table), 1),
        round(sum(float(row["sd"]) for row in table), 2),
        sum(int(row["n"] or 0) for row in table),
    ]
    assert sums == [1808.7, 1070.32, 289321]


def test_some_figures_read_off_the_report_itself() -> None:
    for kind, label, item, figures in [
        ("sector", "WZC", "hyperalert", (6.5, 3.03, 1852, 12)),
        ("sector", "OCMW, lokale besturen, overheid", "quit", (3.3, 3.48, 94, 13)),
        ("profession", "Verpleegkundige", "fatigue", (6.4, 2.73, 2721, 15)),
        ("profession", "Huisarts in opleiding (HAIO)", "belonging", (7.3, 2.47, 55, 16)),
        ("province", "West-Vlaanderen", "guidance", (5.6, 2.95, 2494, 11)),
        ("gender", "Mannen", "insecure", (2.4, 2.52, None, 9)),
        ("all", "Alle respondenten", "pressure", (6.1, 2.74, None, 4)),
    ]:
        norm = NORMS.norm(kind, label, item)
        assert (norm.mean, norm.sd, norm.n, norm.source_table) == figures


@pytest.mark.parametrize(
    ("kind", "label", "item"),
    [
        ("sector", "WZC", "happiness"),
        ("sector", "Verpleegkundige", "sleep"),
        ("sector", "wzc", "sleep"),
        ("", "", ""),
        ("age", "30-40", "sleep"),
    ],
)
def test_a_look_up_outside_the_tables_raises_and_never_falls_back(kind: str, label: str, item: str) -> None:
    with pytest.raises(LookupError):
        NORMS.norm(kind, label, item)


TYPED = {
    "Ziekenhuizen": [
        "ziekenhuis",
        "Ziekenhuizen",
        "op spoed",
        "ik werk in het ziekenhuis",
        "zkh",
        "ziekenhuys",
    ],
    "WZC": [
        "wzc",
        "WZC!",
        "rusthuis",
        "een rust huis",
        "woonzorgcentrum",
        "woonzorg centrum",
        "bejaardentehuis",
    ],
    "Eerste lijn, thuiszorg, eigen praktijk": ["thuiszorg", "thuisverpleging", "de eerste lijn", "tuiszorg"],
    "GGZ": ["ggz", "psychiatrie", "PVT", "geestelijke gezondheidszorg"],
    "VAPH": ["vaph", "gehandicaptenzorg", "met mensen met een beperking"],
    "OCMW, lokale besturen, overheid": ["ocmw", "bij het OCMW"],
    "Jeugdhulp en gezinsondersteuning": ["jeugdhulp", "jeugdzorg"],
    "Revalidatiecentra": ["revalidatie"],
    "Andere": ["iets anders", "andere"],
    "Verpleegkundige": [
        "verpleegkundige",
        "verpleegster",
        "verpleger",
        "vpk",
        "verpleegkunidge",
        "ferpleger",
    ],
    "Zorgkundige": ["zorgkundige", "ben zorgkundige", "zorgkundig"],
    "Verzorgende": ["verzorgende", "gezinshulp"],
    "Ondersteunend & logistiek personeel": ["poetshulp", "logistiek", "keuken", "poetsvrouw in een wzc"],
    "Kinesitherapeut": ["kine", "kinesist", "kinesitherapuet"],
    "Huisarts": ["huisarts", "huisdokter"],
    "Huisarts in opleiding (HAIO)": ["haio", "huisarts in opleiding"],
    "Arts-specialist": ["arts-specialist", "psychiater", "arts specialist"],
    "Arts-specialist in opleiding (ASO)": ["aso", "arts-specialist in opleiding"],
    "Klinisch psycholoog": ["psycholoog", "psychologe"],
    "Maatschappelijk werker, welzijnswerker": ["maatschappelijk werker", "sociaal assistente"],
    "Opvoeder, begeleider": ["opvoeder", "opvoedster", "begeleider"],
    "Begeleider wonen en leven (animator)": ["animator", "begeleider wonen en leven"],
    "Directie, management": ["leidinggevende", "ik ben directeur"],
    "Administratief medewerker": ["onthaal", "secretaresse"],
}


@pytest.mark.parametrize(("label", "texts"), TYPED.items(), ids=TYPED)
def test_people_find_their_group_however_they_type_it(label: str, texts: list[str]) -> None:
    found = {text: NORMS.find_group(text) for text in texts}
    assert {text: group.label if group else None for text, group in found.items()} == dict.fromkeys(
        texts, label
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "weet ik niet",
        "bakker",
        "arts",
        "7",
        "ja",
        "😩",
        "liever niet",
        "waarom vraag je dat?",
        "Antwerpen",
    ],
)
def test_what_names_no_sector_or_profession_finds_none(text: str) -> None:
    assert NORMS.find_group(text) is None


def test_a_kind_narrows_what_is_found() -> None:
    text = "verpleegkundige in een rusthuis"
    found = [NORMS.find_group(text, kind) for kind in ("sector", "profession")]
    assert [group.label if group else None for group in found] == ["WZC", "Verpleegkundige"]
    assert NORMS.find_group("rusthuis", "profession") is None


def test_every_sector_and_profession_is_found_by_each_of_its_names() -> None:
    for kind in ("sector", "profession"):
        for group in NORMS.groups(kind):
            for name in (group.label, group.name, *group.synonyms):
                found = NORMS.find_group(name, kind)
                assert found == group, (name, found)


@given(st.text(max_size=60))
def test_no_text_makes_the_search_fail(text: str) -> None:
    found = NORMS.find_group(text)
    assert found is None or found.kind in ("sector", "profession")


def test_the_caveat_tells_that_the_sample_was_voluntary_and_from_the_corona_years() -> None:
    assert re.search(r"zelf kozen", NORMS.caveat)
    assert "corona" in NORMS.caveat


def spoilt(tmp_path: Path, name: str, old: str, new: str) -> str:
    folder = tmp_path / "norms"
    shutil.copytree(FOLDER, folder)
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ResourceError) as caught:
        load_norms(folder)
    assert all(str(folder) in line for line in caught.value.errors)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("p2c_2020_2021_norms.csv", "sector,GGZ,sleep,974,5.0", "sector,GGZ,sleep,974,five", "mean"),
        ("p2c_2020_2021_norms.csv", "sector,GGZ,sleep,974,5.0,2.96,12\n", "", "'GGZ' has no 'sleep'"),
        ("p2c_2020_2021_norms.csv", "sector,GGZ,sleep", "sector,GGZ,hyperalert", "given twice"),
        ("p2c_2020_2021_norms.csv", "sector,GGZ,sleep,974", "sector,GGZ,sleep", "columns"),
        (
            "p2c_2020_2021_norms.csv",
            "sector,GGZ,sleep,974,5.0,2.96,12",
            "sector,GGZ,sleep,974,5.0,2.96,99",
            "table 99",
        ),
        ("p2c_2020_2021_bands.csv", "hyperalert,5.5", "hyperalert,5.6", "disagree"),
        ("p2c_2020_2021.yml", "synonyms: [wzc,", "synonyms: [ggz, wzc,", "stands for both"),
        ("p2c_2020_2021.yml", "label: VAPH", "label: VAPHH", "has no figures"),
        ("p2c_2020_2021.yml", "caveat:", "caveats:", "caveats: unknown key"),
    ],
)
def test_a_spoilt_table_is_refused_with_its_path(
    tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    assert said in spoilt(tmp_path, name, old, new)


def test_the_definition_names_its_source_and_tables() -> None:
    head = yaml.safe_load((FOLDER / "p2c_2020_2021.yml").read_text(encoding="utf-8"))
    used = {int(row["source_table"]) for row in rows("p2c_2020_2021_norms.csv")}
    assert used <= set(head["source"]["tables"])
    assert NORMS.source.year == 2022
