"""`bot screen --jsonl`: a line in, a line out, never a stack trace."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.screening.screen import run, screen_line

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; from bot.screening.screen import run; run(sys.stdin, sys.stdout)"
FULL = {
    "hyperalert": 8, "sleep": 7, "pressure": 6, "fatigue": 9, "alone": 3, "insecure": 0, "quit": 7,
    "guidance": 2, "belonging": 5,
}  # fmt: skip


def screen(*lines: str | bytes) -> list[dict[str, Any]]:
    out = io.StringIO()
    run(lines, out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def line(**changes: Any) -> str:
    return json.dumps({"id": "a", "instrument": "check_in", "answers": FULL, **changes})


def test_a_full_check_in_gives_scores_bands_alerts_and_the_norm() -> None:
    [found] = screen(line(profile={"sector": "WZC"}))
    assert found["id"] == "a"
    assert found["instrument"] == "check_in"
    assert found["scores"] == FULL
    assert found["bands"]["hyperalert"] == "high"
    assert found["bands"]["pressure"] == "medium"
    assert found["alerts"] == ["hyperalert", "sleep", "fatigue", "quit", "guidance"]
    assert found["means"] == {"stress": 7.5}
    assert found["missing"] == []
    assert (found["norm"]["kind"], found["norm"]["label"]) == ("sector", "WZC")
    assert found["norm"]["items"]["sleep"] == {
        "mean": 5.8, "sd": 3.04, "n": 1857, "difference_sd": 0.39, "comparison": "about",
    }  # fmt: skip
    assert found["level"] == 3
    assert [reason["rule"] for reason in found["reasons"]] == [
        "stress-all-high", "quit-high", "guidance-low", "sleep-and-fatigue",
    ]  # fmt: skip
    assert found["unknown"] == []


def test_without_a_profile_all_respondents_are_compared_with() -> None:
    for found in screen(line(), line(profile={}), line(profile=None), line(profile={"sector": None})):
        assert found["norm"]["label"] == "Alle respondenten"
        assert found["norm"]["items"]["quit"]["n"] is None


def test_sector_and_profession_may_be_written_as_people_write_them() -> None:
    [found] = screen(line(profile={"profession": "vpk", "sector": "rusthuis"}))
    assert (found["norm"]["kind"], found["norm"]["label"]) == ("profession", "Verpleegkundige")


def test_a_missing_answer_is_missing_and_never_a_zero() -> None:
    [found] = screen(line(instrument="pols", answers={"sleep": None, "fatigue": 9}))
    assert found["missing"] == ["hyperalert", "sleep", "pressure"]
    assert found["scores"] == {"hyperalert": None, "sleep": None, "pressure": None, "fatigue": 9}
    assert found["bands"]["sleep"] is None
    assert found["means"] == {"stress": None}
    assert found["norm"]["items"]["sleep"]["difference_sd"] is None


def pols(value: str) -> str:
    return f'{{"id": "a", "instrument": "pols", "answers": {{"sleep": {value}}}}}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (line(instrument="phq9"), 'Unknown instrument "phq9"; the instruments are check_in, '),
        (line(instrument=None), "Unknown instrument null"),
        (line(instrument=["check_in"]), "Unknown instrument"),
        (line(answers={"mood": 3}), 'Unknown item "mood"; check_in has hyperalert, sleep'),
        (line(instrument="pols"), 'Unknown item "alone"; pols has'),
        (line(answers=None), "The field answers must be an object"),
        (line(answers=[1, 2]), "The field answers must be an object"),
        (line(profile="wzc"), "The field profile must be an object"),
        (line(profile={"sector": "bakkerij"}), "known are: Ziekenhuizen; Eerste lijn"),
        (line(profile={"sector": 3}), "Unknown sector 3"),
        (line(profile={"profession": "bakker"}), "known are: Verpleegkundige;"),
        (line(profile={"age": 40}), 'Unknown profile field "age"; the fields are sector, profession.'),
        (line(answer={}), 'Unknown field "answer"'),
        ('{"id": "a"}', "The field instrument is missing"),
        ('{"id": "a", "instrument": "pols"}', "The field answers must be an object"),
        (pols("7.5"), "Item sleep: a score must be a whole number from 0 to 10, or null."),
        (pols("NaN"), "a whole number"),
        (pols("Infinity"), "a whole number"),
        (pols("true"), "a whole number"),
        (pols('"7"'), "a whole number"),
        (pols("[7]"), "a whole number"),
        (pols("1e999"), "a whole number"),
        (pols("9" * 5000), "a whole number"),
        (pols("9" * 100), "between 0 and 10"),
        (pols("11"), "between 0 and 10"),
        (pols("-1"), "between 0 and 10"),
        (line(guard="maybe"), "The field guard must be"),
        (line(previous=[{}], finished_at="2026-11-25T12:00:00+01:00"), "A previous check-in has"),
        (line(previous=[{"finished_at": "2026-11-25", "answers": {}}]), "must be a moment"),
        (line(also={"phq9": {}}), "Unknown instrument"),
        (line(also={"phq2": {"phq2_mood": 4}}), "Item phq2_mood: a score must lie between 0 and 3."),
        (
            line(instrument="spanningscheck", answers={"complaints": ["moe"]}),
            "Item complaints: the answer must",
        ),
        (
            line(instrument="spanningscheck", answers={"complaints": ["none", "tired"]}),
            "none goes with no other",
        ),
        (pols('3, "sleep": 4'), 'The key "sleep" is given twice.'),
    ],
)
def test_a_bad_line_is_answered_with_its_id_and_one_plain_sentence(text: str, said: str) -> None:
    [found] = screen(text)
    assert set(found) == {"id", "error"}
    assert found["id"] == "a"
    assert said in found["error"]
    assert found["error"].endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "{",
        "[1]",
        "null",
        "7",
        '{"instrument": "pols", "answers": {}}',
        '{"id": null}',
        '{"id": true}',
        '{"id": ""}',
        '{"id": 1.5}',
        '{"id": "a", "id": "b"}',
        '{"id": "%s"}' % ("x" * 5000),
        '{"id": %s}' % ("9" * 6000),
        "[" * 100_000,
        b"\xff\xfe",
        "\x00",
    ],
)
def test_a_line_without_a_readable_id_is_answered_with_null(text: str | bytes) -> None:
    [found] = screen(text)
    assert found["id"] is None
    assert found["error"].endswith(".")
    assert len(found["error"]) < 200


def test_empty_lines_are_skipped_and_a_bad_line_does_not_stop_the_rest() -> None:
    found = screen("", "  \n", line(id=1), "x", "\ufeff" + line(id=2), line(id="é😀").encode())
    assert [one["id"] for one in found] == [1, None, 2, "é😀"]
    assert ["error" in one for one in found] == [False, True, False, False]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["id", "instrument", "answers", "profile", "x"])
VALUES = JSON | st.sampled_from(["pols", "check_in", {"sleep": 3}, {"sector": "wzc"}, {"sector": {}}])


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES))
def test_no_decoded_json_raises(content: dict[str, Any]) -> None:
    found = screen_line(content)
    assert "error" in found or found["scores"]
    json.dumps(found)


@settings(deadline=None)
@given(st.text(max_size=60) | st.binary(max_size=60))
def test_no_text_or_bytes_raise(text: str | bytes) -> None:
    run([text], io.StringIO())


def start(text: bytes) -> tuple[subprocess.CompletedProcess[bytes], float]:
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=text, capture_output=True, cwd=ROOT, check=False
    )
    return done, time.perf_counter() - begun


def test_a_thousand_lines_take_under_five_seconds_start_included() -> None:
    text = "\n".join(line(id=n, profile={"sector": "woonzorgcentrum"}) for n in range(1000)).encode()
    done, seconds = start(text)
    assert done.stderr == b""
    assert len(done.stdout.splitlines()) == 1000
    assert seconds < 5


def test_a_badly_encoded_line_in_a_file_costs_that_line_only() -> None:
    done, _ = start(line(id=1).encode() + b"\n\xff\xfe\n" + line(id=2).encode() + b"\n")
    assert done.stderr == b""
    assert [json.loads(out)["id"] for out in done.stdout.splitlines()] == [1, None, 2]


def test_screening_loads_no_heavy_library() -> None:
    heavy = "('spacy', 'aiohttp', 'rasa_sdk', 'sqlalchemy', 'simplemma', 'numpy')"
    program = f"import sys, bot.screening.screen; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, cwd=ROOT, check=True, text=True
    )
    assert done.stdout.strip() == "[]"
