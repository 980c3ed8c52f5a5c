"""The parts that read sentences, the training, and the batch reader."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.engine.conftest import ROOT, engine_python, run_inside

CHECKS = [
    "a_classifier_that_was_stored_says_the_same",
    "its_scores_are_those_of_scikit_learn",
    "what_is_typed_is_made_even_first",
    "the_meaning_counts_where_asked",
    "training_twice_gives_the_same_classifier",
    "it_ranks_all_intents_and_survives_typing_errors",
    "a_message_that_is_only_a_score_is_heard_as_one",
    "every_sentence_written_as_a_score_is_heard_as_one",
    "a_skipped_intent_is_not_learnt",
    "a_sentence_keeps_its_intent",
    "a_stand_in_can_be_built_on_and_not_called",
    "only_components_known_to_do_without_go_without_tensorflow",
    "training_happens_when_something_changed_and_replaces_only_when_it_is_done",
    "every_source_of_a_model_counts",
    "the_spacy_folder_is_made_once",
]


@pytest.fixture(scope="module")
def components(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return run_inside("inside_components.py", str(small_model), str(tmp_path_factory.mktemp("components")))


def test_every_check_is_named_here(components: dict[str, str]) -> None:
    assert list(components) == CHECKS


@pytest.mark.parametrize("name", CHECKS)
def test_components(components: dict[str, str], name: str) -> None:
    assert components[name] == ""


def read(model: Path, lines: bytes) -> tuple[int, list[dict], str]:
    done = subprocess.run(
        [engine_python(), "-m", "engine.parse", "--model", str(model)],
        cwd=ROOT,
        input=lines,
        capture_output=True,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def test_each_line_gets_its_answer_in_order(small_model: Path) -> None:
    good = [json.dumps({"id": f"n{number}", "text": "hallo"}).encode() for number in range(450)]
    bad = [
        b"not json", b"[]", b'{"text": "no id"}', b'{"id": 5}', b'{"id": 6, "text": "  "}', b"\xff\xfe",
        json.dumps({"id": 7, "text": "x" * 9000}).encode(), b"", b'{"id": [1], "text": "x"}',
    ]  # fmt: skip
    code, found, errors = read(small_model, b"\n".join([*good[:250], *bad, *good[250:]]))
    assert (code, errors) == (0, "")
    assert [line["id"] for line in found if "intent" in line] == [f"n{number}" for number in range(450)]
    assert [line["id"] for line in found if "error" in line] == [None, None, None, 5, 6, None, 7, None]
    first = found[0]
    assert first["intent"] == "greet"
    assert set(first) == {"id", "intent", "confidence", "ranking"}
    assert first["ranking"][0] == {"intent": "greet", "confidence": first["confidence"]}


def test_what_is_typed_is_read_as_in_a_conversation(small_model: Path) -> None:
    lines = [
        {"id": 1, "text": "een 7"},
        {"id": 2, "text": '/give_score{"score": 3}'},
        {"id": 3, "text": "👍"},
    ]
    _, found, _ = read(small_model, "\n".join(map(json.dumps, lines)).encode())
    assert [line["intent"] for line in found[:2]] == ["give_score", "give_score"]
    assert found[2]["ranking"]


def test_a_sentence_that_a_conversation_would_ask_about_gets_its_best_reading(small_model: Path) -> None:
    _, [found], _ = read(small_model, b'{"id": 1, "text": "xyzzy plugh 12 kwaak"}')
    assert found["intent"] == found["ranking"][0]["intent"] != "nlu_fallback"
    assert found["confidence"] == max(entry["confidence"] for entry in found["ranking"])


def test_no_lines_give_no_answers(small_model: Path) -> None:
    assert read(small_model, b"") == (0, [], "")


def test_a_missing_model_is_said_in_one_sentence(tmp_path: Path) -> None:
    code, found, errors = read(tmp_path / "none.tar.gz", b'{"id": 1, "text": "x"}')
    assert (code, found) == (2, [])
    assert errors.count("\n") == 1
