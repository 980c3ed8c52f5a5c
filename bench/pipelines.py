"""Room `bench`: compares language pipelines on the same sentences. Runs in the engine's environment.

    <engine python> -m bench.pipelines [--only NAME …] [--spacy FOLDER]

Trains each pipeline on data/nlu, reads tests/nlu/held_out.yml one sentence at a time, and prints a Markdown table
for docs/decisions/0002-first-pipeline.md. Every pipeline trains and reads in processes of its own, on one core.
"""

# ruff: noqa: PLC0415 - the measuring process imports nothing that it measures

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
HELD_OUT = ROOT / "tests" / "nlu" / "held_out.yml"
SEED = 1

Step = dict[str, Any]

_THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "TF_INTRA_OP_PARALLELISM_THREADS",
    "TF_INTER_OP_PARALLELISM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)

_COUNTS: list[Step] = [
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 2, "max_ngram": 5},
]
_LOGISTIC: list[Step] = [{"name": "LogisticRegressionClassifier", "random_state": SEED, "max_iter": 100}]
_LIBLINEAR: list[Step] = [
    {"name": "LogisticRegressionClassifier", "random_state": SEED, "solver": "liblinear"}
]
# DIET as Rasa proposes it (100 epochs, two transformer layers, every count) had not finished after 40 minutes of one
# core, nor 30 epochs on the 5,000 most common counts after 15; it is measured without transformer on the most common.
_MOST_COMMON: list[Step] = [{**step, "max_features": 1500} for step in _COUNTS]
_DIET: list[Step] = [
    {"name": "DIETClassifier", "epochs": 30, "number_of_transformer_layers": 0, "random_seed": SEED,
     "constrain_similarities": True, "entity_recognition": False}
]  # fmt: skip
_WHITESPACE: list[Step] = [{"name": "WhitespaceTokenizer"}]


def pipelines(spacy: Path) -> dict[str, list[Step]]:
    """What is compared, by name; `spacy` is the folder made by engine.spacy_nl."""
    lemmas: list[Step] = [{"name": "SpacyNLP", "model": str(spacy)}, {"name": "SpacyTokenizer"}]
    return {
        "svm": [{"name": "engine.ngram_component.NgramClassifier", "random_state": SEED}],
        "logistic": [*_WHITESPACE, *_COUNTS, *_LOGISTIC],
        "logistic-liblinear": [*_WHITESPACE, *_COUNTS, *_LIBLINEAR],
        "logistic-spacy": [*lemmas, *_COUNTS, *_LOGISTIC],
        "diet": [*_WHITESPACE, *_MOST_COMMON, *_DIET],
        "diet-spacy": [*lemmas, *_MOST_COMMON, *_DIET],
    }


def main(arguments: list[str] | None = None) -> int:
    """Compare, or do one step of one comparison (`--train`, `--read`, used by the comparison itself)."""
    options = _options(arguments)
    if options.train:
        _print(_train(json.loads(options.train), Path(options.model)))
    elif options.read:
        _print(_read(Path(options.model)))
    else:
        wanted = pipelines(options.spacy.resolve())
        rows = {name: _measure(name, wanted[name]) for name in options.only or wanted}
        print(table(rows))
    return 0


def _measure(name: str, steps: list[Step]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder) / "model.tar.gz")
        row = _step("--train", json.dumps(steps), "--model", model)
        row |= _step("--read", "--model", model)
        row["model_mb"] = Path(model).stat().st_size / 1e6
    print(name, json.dumps({key: round(value, 4) for key, value in row.items()}), file=sys.stderr, flush=True)
    return row


def _step(*arguments: str) -> dict[str, float]:
    one_core = dict.fromkeys(_THREAD_SETTINGS, "1")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.pipelines", *arguments],
        cwd=ROOT,
        env={**os.environ, **one_core, "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _train(steps: list[Step], model: Path) -> dict[str, float]:
    from engine import light

    os.environ.update(
        LOG_LEVEL="WARNING", RASA_CACHE_DIRECTORY=str(model.parent / "cache"), RASA_TELEMETRY_ENABLED="false",
        TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1",
    )  # fmt: skip
    names = [step["name"] for step in steps]
    light.leave_out(light.UNUSED_CLIENTS + (() if light.needs_tensorflow(names) else light.TENSORFLOW))
    from rasa.model_training import train_nlu

    config = model.parent / "config.yml"
    config.write_text(
        yaml.safe_dump({"recipe": "default.v1", "assistant_id": "bench", "language": "nl", "pipeline": steps})
    )
    began = time.perf_counter()
    train_nlu(str(config), str(ROOT / "data" / "nlu"), str(model.parent), fixed_model_name=model.name)
    return {"train_s": time.perf_counter() - began, "train_peak_mb": _peak_mb()}


def _read(model: Path) -> dict[str, float]:
    from engine.parse import load
    from engine.start import prepare_imports

    prepare_imports(model)
    read = load(model)
    sentences = held_out()
    read([text for text, _ in sentences[:20]])  # warm
    rankings: list[list[str]] = []
    began, began_cpu = time.perf_counter(), time.process_time()
    for text, _ in sentences:
        rankings.append([entry["name"] for entry in read([text])[0]["intent_ranking"]])
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    truth = [intent for _, intent in sentences]
    return {
        **scores(truth, rankings),
        "parse_ms": seconds / len(sentences) * 1000,
        "parse_cpu_ms": cpu / len(sentences) * 1000,
        "read_peak_mb": _peak_mb(),
    }


def held_out() -> list[tuple[str, str]]:
    """The held-out sentences with their intents."""
    content = yaml.safe_load(HELD_OUT.read_text(encoding="utf-8"))
    return [
        (line.strip()[2:], block["intent"])
        for block in content["nlu"]
        for line in block["examples"].splitlines()
        if line.strip().startswith("- ")
    ]


def scores(truth: list[str], rankings: list[list[str]]) -> dict[str, float]:
    """Accuracy, macro-F1, share with the truth among the first two, and recall of out_of_scope, each 0–1."""
    first = [ranking[0] for ranking in rankings]
    hits, said, meant = Counter(), Counter(first), Counter(truth)
    for intent, guess in zip(truth, first, strict=True):
        hits[intent] += intent == guess
    f1 = [2 * hits[intent] / (said[intent] + meant[intent]) for intent in meant]
    return {
        "accuracy": sum(hits.values()) / len(truth),
        "macro_f1": sum(f1) / len(f1),
        "top2": sum(intent in ranking[:2] for intent, ranking in zip(truth, rankings, strict=True))
        / len(truth),
        "out_of_scope": hits["out_of_scope"] / meant["out_of_scope"],
    }


def table(rows: dict[str, dict[str, float]]) -> str:
    """The rows as a Markdown table."""
    columns = {
        "accuracy": ("accuracy", "{:.1%}"), "macro_f1": ("macro-F1", "{:.3f}"), "top2": ("top 2", "{:.1%}"),
        "out_of_scope": ("out_of_scope recall", "{:.1%}"), "parse_ms": ("ms per sentence", "{:.2f}"),
        "train_s": ("training (s)", "{:.0f}"), "model_mb": ("model (MB)", "{:.1f}"),
        "read_peak_mb": ("peak memory, reading (MB)", "{:.0f}"),
        "train_peak_mb": ("peak memory, training (MB)", "{:.0f}"),
    }  # fmt: skip
    lines = [
        "| pipeline | " + " | ".join(title for title, _ in columns.values()) + " |",
        "|---" + "|---:" * len(columns) + "|",
    ]
    for name, row in rows.items():
        cells = [form.format(row[key]) for key, (_, form) in columns.items()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.pipelines", description="Compare language pipelines."
    )
    parser.add_argument("--only", nargs="+", help="names of pipelines; all of them by default")
    parser.add_argument("--spacy", type=Path, default=ROOT / ".ademruimte" / "spacy-nl")
    parser.add_argument("--train", help=argparse.SUPPRESS)
    parser.add_argument("--read", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _print(row: dict[str, float]) -> None:
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    sys.exit(main())
