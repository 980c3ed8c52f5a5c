"""Runs with the engine's Python: the parts that read sentences, and the training."""

# ruff: noqa: PERF203, PLC0415, PT017 - no pytest in the engine's environment; Rasa comes after its set-up

import json
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

from tests.engine.inside import check, prepare, run_checks

MODEL, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])
prepare(MODEL)

import numpy as np  # noqa: E402
from rasa.shared.nlu.training_data.message import Message  # noqa: E402
from rasa.shared.nlu.training_data.training_data import TrainingData  # noqa: E402

from engine import light, spacy_nl, train  # noqa: E402
from engine.ngram_component import NgramClassifier  # noqa: E402
from engine.score_component import ScoreComponent, only_a_score  # noqa: E402

PROJECT = Path(__file__).resolve().parent / "project"


class Storage:
    """Rasa's model storage, as far as a component uses it: one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write_to(self, _resource: Any) -> "Storage":
        return self

    read_from = write_to

    def __enter__(self) -> Path:
        return self.folder

    def __exit__(self, *_error: object) -> None:
        pass


SENTENCES = [
    (text + extra, intent)
    for intent, texts in {
        "sleep": ["ik slaap slecht", "wakker liggen", "de nachten zijn kort", "geen oog dicht"],
        "row": ["ruzie met mijn chef", "we maken ruzie", "een conflict op de afdeling", "mijn collega roept"],
        "hello": ["hallo", "goeiedag", "hey iedereen", "dag allemaal"],
    }.items()
    for text in texts
    for extra in ("", " zeg", " nu")
]


def trained(folder: Path, **config: Any) -> NgramClassifier:
    classifier = NgramClassifier.create({"folds": 2, **config}, Storage(folder), None, None)
    classifier.train(TrainingData([Message({"text": text, "intent": intent}) for text, intent in SENTENCES]))
    return classifier


@check
def a_classifier_that_was_stored_says_the_same(_model: Path, folder: Path) -> None:
    made = trained(folder)
    loaded = NgramClassifier.load({"folds": 2}, Storage(folder), None, None)
    for text in ("ik lig wakker", "👍", "", "RUZIE!!", "een heel ander onderwerp"):
        assert np.allclose(made.confidences(text), loaded.confidences(text)), text
        assert abs(made.confidences(text).sum() - 1) < 1e-6


@check
def its_scores_are_those_of_scikit_learn(_model: Path, folder: Path) -> None:
    from scipy.sparse import hstack

    for settings in ({}, {"typed": False}, {"meaning": 0.5}):
        made = trained(folder, **settings)
        arrays = np.load(folder / "arrays.npz")
        for text in ("ik lig wakker", "Wij maken ruzie op de afdeling", "daaaag", ""):
            even = [made._even(text)]
            features = hstack(
                [made._chars.transform(even), made._words.transform(even), *made._vectors(even)]
            )
            raw = made._sharpness * (features @ arrays["weights"].T + arrays["bias"])
            expected = np.exp(raw) / np.exp(raw).sum()
            assert np.allclose(expected, made.confidences(text), atol=1e-5), (settings, text)


@check
def what_is_typed_is_made_even_first(_model: Path, folder: Path) -> None:
    made = trained(folder)
    for typed, even in {
        "kzie het nie": "ik zie het niet",
        "RUUUUUZIE": "ruuzie",
        "kvind da": "ik vind dat",
    }.items():
        assert np.array_equal(made.confidences(typed), made.confidences(even)), typed
    assert not np.array_equal(*(trained(folder, typed=False).confidences(text) for text in ("nie", "niet")))


@check
def the_meaning_counts_where_asked(_model: Path, folder: Path) -> None:
    texts = ["ik kan niet in slaap vallen", "we schreeuwen tegen elkaar", "goedemorgen", ""]
    made = trained(folder, meaning=1.0)
    loaded = NgramClassifier.load({"folds": 2, "meaning": 1.0}, Storage(folder), None, None)
    alone = np.stack([made.confidences(text) for text in texts])
    assert np.allclose(made._confidences(texts), alone, atol=1e-4)  # company in a batch changes nothing
    assert np.allclose(loaded._confidences(texts), alone, atol=1e-4)
    assert [made._intents[row.argmax()] for row in alone[:3]] == ["sleep", "row", "hello"]
    assert not np.allclose(trained(folder)._confidences(texts), alone, atol=1e-2)


@check
def training_twice_gives_the_same_classifier(_model: Path, folder: Path) -> None:
    for name in ("one", "two"):
        (folder / name).mkdir()
        trained(folder / name)
    one, two = (np.load(folder / name / "arrays.npz") for name in ("one", "two"))
    assert all(np.array_equal(one[name], two[name]) for name in one.files)


@check
def it_ranks_all_intents_and_survives_typing_errors(_model: Path, folder: Path) -> None:
    message = Message({"text": "ruuzie met mn chef"})
    trained(folder).process([message])
    assert message.get("intent")["name"] == "row"
    ranking = message.get("intent_ranking")
    assert [entry["confidence"] for entry in ranking] == sorted(
        (e["confidence"] for e in ranking), reverse=True
    )
    assert {entry["name"] for entry in ranking} == {"sleep", "row", "hello"}


def heard(text: str) -> tuple[str, list[Any], list[str]]:
    message = Message({"text": text, "intent": {"name": "other", "confidence": 0.6}})
    message.set("intent_ranking", [{"name": "other", "confidence": 0.6}, {"name": "more", "confidence": 0.4}])
    ScoreComponent().process([message])
    entities = message.get("entities") or []
    return (
        message.get("intent")["name"],
        [e["value"] for e in entities],
        [e["name"] for e in message.get("intent_ranking")],
    )


@check
def a_message_that_is_only_a_score_is_heard_as_one(_model: Path, _folder: Path) -> None:
    for text, value in {
        "7": 7,
        "zeven": 7,
        "7,5": 8,
        "heel vaak": 8,
        "nee ik bedoelde 6": 6,
        "ik denk een 8": 8,
        "10/10": 10,
    }.items():
        assert heard(text) == ("give_score", [value], ["give_score", "other", "more"]), (text, heard(text))
    assert heard("een 7 of 8") == ("give_score", [], ["give_score", "other", "more"])
    assert heard("15")[:2] == ("give_score", [])


@check
def every_sentence_written_as_a_score_is_heard_as_one(_model: Path, _folder: Path) -> None:
    import yaml

    block = yaml.safe_load(Path("data/nlu/give_score.yml").read_text(encoding="utf-8"))["nlu"][0]
    texts = [line[2:] for line in block["examples"].splitlines()]
    assert len(texts) >= 25
    assert [text for text in texts if heard(text)[0] != "give_score"] == []


@check
def a_skipped_intent_is_not_learnt(_model: Path, folder: Path) -> None:
    assert trained(folder, skip_intents=["hello"])._intents == ["row", "sleep"]


@check
def a_sentence_keeps_its_intent(_model: Path, _folder: Path) -> None:
    assert heard("ik slaap slecht, een 7")[:2] == ("other", [7])
    for text in (
        "ik slaap 3 uur",
        "mijn chef maakt vaak ruzie",
        "ik ben 45 jaar",
        "5 keer per week",
        "👍",
        "",
        '/give_score{"score": 3}',
    ):
        assert heard(text)[:2] == ("other", []), (text, heard(text))
        assert not only_a_score(text) or text == ""


@check
def a_stand_in_can_be_built_on_and_not_called(_model: Path, _folder: Path) -> None:
    import tensorflow

    class Built(tensorflow.keras.layers.Layer):
        pass

    for use in (Built, tensorflow.constant, tensorflow.keras.Model):
        try:
            use(1)
        except RuntimeError as error:
            assert "left out" in str(error)
        else:
            raise AssertionError(use)


@check
def only_components_known_to_do_without_go_without_tensorflow(model: Path, _folder: Path) -> None:
    assert not light.needs_tensorflow(light.components_of_model(model))
    assert light.needs_tensorflow(
        ["WhitespaceTokenizer", "rasa.nlu.classifiers.diet_classifier.DIETClassifier"]
    )
    assert light.needs_tensorflow(["somebody.elses.Component"])


@check
def training_happens_when_something_changed_and_replaces_only_when_it_is_done(
    _model: Path, folder: Path
) -> None:
    project, out = folder / "project", folder / "models" / "m.tar.gz"
    shutil.copytree(PROJECT, project)
    train.ROOT = project
    assert train.main(["--out", str(out)]) == 0
    first = out.read_bytes()
    assert train.main(["--out", str(out), "--if-changed"]) == 0
    assert out.read_bytes() == first
    rules = project / "data" / "rules.yml"
    good = rules.read_text()
    rules.write_text(good + "  - {rule: clash, steps: [{intent: greet}, {action: utter_goodbye}]}\n")
    assert train.main(["--out", str(out), "--if-changed"]) == 1
    assert out.read_bytes() == first
    rules.write_text(good + "# another\n")
    assert train.main(["--out", str(out), "--if-changed"]) == 0
    assert out.read_bytes() != first
    with tarfile.open(out) as archive:
        assert any(member.name.endswith("metadata.json") for member in archive)
    assert sorted(path.name for path in out.parent.iterdir()) == ["m.tar.gz", "m.tar.gz.content-hash"]
    assert not (project / ".rasa").exists()
    out.unlink()
    assert not train.is_current(out, train.content_hash(project))


@check
def every_source_of_a_model_counts(_model: Path, folder: Path) -> None:
    for name in (
        "config.yml",
        "domain.yml",
        "data/nlu/a.yml",
        "engine/a_component.py",
        "bot/language/a.py",
        "resources/language/a.yml",
    ):
        before = train.content_hash(folder)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
        assert train.content_hash(folder) != before, name
    before = train.content_hash(folder)
    (folder / "README.md").write_text("x")
    assert train.content_hash(folder) == before


@check
def the_spacy_folder_is_made_once(_model: Path, folder: Path) -> None:
    """Last: spaCy wants the real TensorFlow or none, so it runs in a process of its own."""
    import subprocess

    target = folder / "spacy-nl"
    said = [
        subprocess.run(
            [sys.executable, "-m", "engine.spacy_nl", str(target)], check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    ]
    assert said == [f"built {target}\n", f"{target} is up to date\n"]
    assert json.loads((target / "meta.json").read_text())["lang"] == "nl"
    assert (target / spacy_nl.STAMP).exists()


run_checks(MODEL, FOLDER)
