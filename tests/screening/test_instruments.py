"""Instrument files: what they must hold, and how faults are told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.check_resources import check_resources
from bot.resources import RESOURCES, ResourceError, read_yaml
from bot.screening.instruments import load_instruments, shipped_instruments

CHECK_IN = shipped_instruments()["check_in"]
POLS = shipped_instruments()["pols"]


def test_the_check_in_asks_nine_things_in_the_agreed_order() -> None:
    assert [item.id for item in CHECK_IN.items] == [
        "hyperalert", "sleep", "pressure", "fatigue", "alone", "insecure", "quit", "guidance", "belonging",
    ]  # fmt: skip
    assert [item.id for item in CHECK_IN.items if item.concern == "low"] == ["guidance", "belonging"]
    assert [item.id for item in CHECK_IN.items if item.stress] == [
        "hyperalert",
        "sleep",
        "pressure",
        "fatigue",
    ]


def test_the_pols_asks_the_four_stress_questions_in_the_same_words() -> None:
    assert list(POLS.items) == [item for item in CHECK_IN.items if item.stress]
    assert (POLS.scale, POLS.bands, POLS.period_text) == (
        CHECK_IN.scale,
        CHECK_IN.bands,
        CHECK_IN.period_text,
    )


def test_every_question_is_one_short_sentence_to_you_about_the_past_week() -> None:
    for item in CHECK_IN.items:
        assert item.question.count("?") == 1
        assert item.question.endswith("?")
        assert len(item.question.split()) <= 20
        assert CHECK_IN.period_text in item.question
        assert " u " not in f" {item.question.lower()} "
        assert "KU Leuven" in item.why


@pytest.mark.parametrize(
    ("score", "band"), [(0, "low"), (3, "low"), (4, "medium"), (6, "medium"), (7, "high"), (10, "high")]
)
def test_the_bands_are_those_of_the_report(score: int, band: str) -> None:
    assert CHECK_IN.band(score).id == band


@pytest.mark.parametrize("score", [-1, 11])
def test_a_score_off_the_scale_has_no_band(score: int) -> None:
    with pytest.raises(ValueError, match="not on the scale"):
        CHECK_IN.band(score)


def test_an_unknown_item_raises() -> None:
    with pytest.raises(KeyError):
        CHECK_IN.item("happiness")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "instruments"
    shutil.copytree(RESOURCES / "instruments", copy)
    return copy


def change(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_word_changed_for_the_person_changes_the_hash_of_both_instruments(folder: Path) -> None:
    change(folder, "check_in.yml", "te kort of te onrustig", "te weinig")
    changed = load_instruments(folder)
    assert changed["check_in"].content_hash != CHECK_IN.content_hash
    assert changed["pols"].content_hash != POLS.content_hash


def test_what_the_person_does_not_see_leaves_the_hash_alone(folder: Path) -> None:
    change(folder, "check_in.yml", "year: 2022", "year: 2023")
    change(folder, "check_in.yml", "# The default", "# A default")
    change(folder, "pols.yml", "title: Pols", "title: Korte pols")
    changed = load_instruments(folder)
    assert changed["check_in"].content_hash == CHECK_IN.content_hash
    assert changed["pols"].content_hash == POLS.content_hash


def test_check_in_and_pols_have_different_hashes_of_64_hex_digits() -> None:
    assert CHECK_IN.content_hash != POLS.content_hash
    assert {len(one.content_hash) for one in (CHECK_IN, POLS)} == {64}
    assert int(CHECK_IN.content_hash, 16)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "check_in.yml",
            "title: Korte check-in",
            "title: Korte check-in\ntitle: Nog een",
            "'title' is given twice",
        ),
        ("check_in.yml", "  - id: sleep\n", "  - id: sleep\n    id: slaap\n", "'id' is given twice"),
        ("check_in.yml", "period_text:", "period:", "period: unknown key"),
        ("check_in.yml", "concern: high", "concern: up", "items.0.concern"),
        ("check_in.yml", "    label: waakzaamheid\n", "", "items.0.label: missing"),
        (
            "check_in.yml",
            "id: medium, label: matig, from: 4",
            "id: medium, label: matig, from: 5",
            "without gap",
        ),
        ("check_in.yml", "  - id: sleep\n", "  - id: hyperalert\n", "item 'hyperalert' is given twice"),
        ("check_in.yml", "id: check_in\n", "id: other\n", "the file is named check_in.yml"),
        ("check_in.yml", "version: 1", "version: '1'", "version"),
        ("check_in.yml", "status: product_rule", "status: validated", "status"),
        ("check_in.yml", "scale: {", "scale: [", "not valid YAML"),
        ("pols.yml", "[hyperalert, sleep,", "[hyperalert, slaap,", "check_in has no item 'slaap'"),
        ("pols.yml", "items_from: check_in", "items_from: checkin", "no instrument 'checkin'"),
        ("pols.yml", "title: Pols", "title: Pols\nquestions: []", "questions: unknown key"),
    ],
)
def test_a_fault_is_told_with_the_path_of_its_file(
    folder: Path, name: str, old: str, new: str, said: str
) -> None:
    change(folder, name, old, new)
    with pytest.raises(ResourceError) as caught:
        load_instruments(folder)
    lines = [line for line in caught.value.errors if said in line]
    assert lines, caught.value.errors
    assert str(folder / name) in lines[0]


def test_all_faults_of_all_files_are_told_at_once(folder: Path) -> None:
    change(folder, "check_in.yml", "concern: high", "concern: up")
    change(folder, "check_in.yml", "period_text:", "period:")
    change(folder, "pols.yml", "version: 1", "version: 0")
    with pytest.raises(ResourceError) as caught:
        load_instruments(folder)
    text = str(caught.value)
    assert all(part in text for part in ("items.0.concern", "period: unknown key", "pols.yml: version"))


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="no instrument files"):
        load_instruments(tmp_path)


def test_every_shipped_definition_is_sound() -> None:
    assert check_resources() == []


def test_the_check_finds_faults_in_every_folder_at_once(tmp_path: Path) -> None:
    root = tmp_path / "resources"
    for name in ("instruments", "norms", "language"):
        shutil.copytree(RESOURCES / name, root / name)
    change(root / "instruments", "check_in.yml", "concern: high", "concern: up")
    change(root / "norms", "p2c_2020_2021.yml", "version: 1", "version: one")
    change(root / "language", "scale_words.yml", "[nooit,", "[nooit, soms,")
    change(root / "language", "answer_phrases.yml", "skip: [", "skipped: [")
    text = "\n".join(check_resources(root))
    for part in (
        "check_in.yml",
        "p2c_2020_2021.yml: version",
        "'soms' is given twice",
        "answer_phrases.yml: skipped",
    ):
        assert part in text


def test_a_key_given_twice_anywhere_in_the_definitions_is_found(tmp_path: Path) -> None:
    (tmp_path / "help_lines").mkdir()
    (tmp_path / "help_lines" / "x.yml").write_text("a:\n  b: 1\n  b: 2\n", encoding="utf-8")
    assert any("line 3: the key 'b' is given twice" in line for line in check_resources(tmp_path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"a: !!python/object:os.system x", "not valid YAML"),
        (b"? [a]\n: 1", "single word"),
    ],
)
def test_unreadable_yaml_is_told_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.yml"
    path.write_bytes(content)
    with pytest.raises(ResourceError, match=said) as caught:
        read_yaml(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="cannot be read"):
        read_yaml(tmp_path / "none.yml")
