"""Runs with the engine's Python: config.transformer.yml with a tiny transformer of random weights, made here."""

# ruff: noqa: PLC0415 - Rasa and TensorFlow come after their set-up

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.engine.inside import CHECKS, check, run_checks

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(sys.argv[1])
os.environ.update(
    CUDA_VISIBLE_DEVICES="-1", HF_HUB_OFFLINE="1", LOG_LEVEL="ERROR", RASA_TELEMETRY_ENABLED="false",
    SQLALCHEMY_SILENCE_UBER_WARNING="1", TF_CPP_MIN_LOG_LEVEL="3", TRANSFORMERS_OFFLINE="1",
)  # fmt: skip

from engine import light  # noqa: E402

light.leave_out(light.UNUSED_CLIENTS)

SENTENCES = {
    "report_sleep_problem": [
        "ik slaap slecht",
        "ik lig wakker",
        "de nachten zijn kort",
        "geen oog dicht vannacht",
    ],
    "report_conflict": [
        "ruzie met mijn chef",
        "wij maken ruzie",
        "een conflict op de dienst",
        "mijn collega roept",
    ],
}


def tiny_model() -> Path:
    """A RoBERTa of two layers of 16 numbers that knows single bytes, saved as a real one is."""
    from transformers import RobertaConfig, RobertaTokenizer, TFRobertaModel
    from transformers.models.roberta.tokenization_roberta import bytes_to_unicode

    folder = FOLDER / "taalmodel"
    folder.mkdir()
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *bytes_to_unicode().values(), "<mask>"]
    (folder / "vocab.json").write_text(json.dumps({token: place for place, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = RobertaTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), add_prefix_space=True
    )
    tokenizer.save_pretrained(folder)
    config = RobertaConfig(
        vocab_size=len(tokens), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=514, type_vocab_size=1, pad_token_id=1,
    )  # fmt: skip
    model = TFRobertaModel(config)
    model.build()
    model.save_pretrained(folder)
    return folder


MODEL = tiny_model()


def pipeline() -> list[dict[str, Any]]:
    """That of config.transformer.yml with the tiny model, and fewer rounds."""
    steps: list[dict[str, Any]] = yaml.safe_load((ROOT / "config.transformer.yml").read_text())["pipeline"]
    for step in steps:
        if step["name"] == "LanguageModelFeaturizer":
            step["model_weights"] = str(MODEL)
        if step["name"] == "DIETClassifier":
            step["epochs"] = 12
    return steps


@check
def a_folder_with_a_model_loads_and_featurises_a_sentence(_model: Path, _folder: Path) -> None:
    from rasa.engine.graph import ExecutionContext, GraphSchema
    from rasa.nlu.featurizers.dense_featurizer.lm_featurizer import LanguageModelFeaturizer
    from rasa.nlu.tokenizers.whitespace_tokenizer import WhitespaceTokenizer
    from rasa.shared.nlu.training_data.message import Message

    settings = next(step for step in pipeline() if step["name"] == "LanguageModelFeaturizer")
    config = {**LanguageModelFeaturizer.get_default_config(), **settings}
    featurizer = LanguageModelFeaturizer.create(
        config, None, None, ExecutionContext(GraphSchema({}), node_name="lm")
    )
    message = Message({"text": "ik slaap slecht vannacht"})
    WhitespaceTokenizer(WhitespaceTokenizer.get_default_config()).process([message])
    featurizer.process([message])
    words, sentence = message.get_dense_features("text")
    assert words.features.shape == (4, 16), words.features.shape
    assert sentence.features.shape == (1, 16), sentence.features.shape


@check
def a_miniature_training_gives_a_model_that_reads(_model: Path, folder: Path) -> None:
    from engine.parse import load

    read = load(trained(folder))
    texts = [text for some in SENTENCES.values() for text in some]
    wanted = [intent for intent, some in SENTENCES.items() for _ in some]
    found = read(texts)
    right = sum(one["intent_ranking"][0]["name"] == intent for one, intent in zip(found, wanted, strict=True))
    assert right >= 6, found
    assert read(["7"])[0]["intent"]["name"] == "give_score"
    assert {row["name"] for row in found[0]["intent_ranking"]} >= set(SENTENCES)


def trained(folder: Path) -> Path:
    """A model of two intents, trained as `rasa train nlu` does."""
    import contextlib
    import io

    from rasa.model_training import train_nlu

    config, data = folder / "config.yml", folder / "nlu.yml"
    parts = {"recipe": "default.v1", "assistant_id": "tiny", "language": "nl", "pipeline": pipeline()}
    config.write_text(yaml.safe_dump(parts))
    examples = {intent: "".join(f"- {text}\n" for text in some) for intent, some in SENTENCES.items()}
    blocks = [{"intent": intent, "examples": some} for intent, some in examples.items()]
    data.write_text(yaml.safe_dump({"version": "3.1", "nlu": blocks}, allow_unicode=True))
    with tempfile.TemporaryDirectory() as cache, contextlib.redirect_stdout(io.StringIO()):
        os.environ["RASA_CACHE_DIRECTORY"] = cache
        model = train_nlu(str(config), str(data), str(folder), fixed_model_name="tiny")
    assert model is not None
    return Path(model)


assert len(CHECKS) == 2
run_checks(MODEL, FOLDER)
