"""Room `bench`: compares language pipelines on the same sentences. Runs in the engine's environment.

    <engine python> -m bench.pipelines [--only NAME …] [--spacy FOLDER]

Trains each pipeline on four fifths of data/nlu and reads, one sentence at a time, the other fifth (on which pipelines
are chosen) and tests/nlu/held_out.yml (which is only reported). Prints a Markdown table for docs/decisions/
0008-pipeline-again.md. Every pipeline trains and reads in processes of its own, on one core. What can be compared
without Rasa, with all five folds, is in bench/normalisation.py.
"""

# ruff: noqa: PLC0415 - the measuring process imports nothing that it measures

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
TRAINING = ROOT / "data" / "nlu"
HELD_OUT = ROOT / "tests" / "nlu" / "held_out.yml"
SEED = 1
FOLDS = 5

Step = dict[str, Any]
Sentence = tuple[str, str]  # text, intent
Ranking = list[tuple[str, float]]  # intents with their confidences, likeliest first

_ENTITY = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})")
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
_LOGISTIC: list[Step] = [
    {"name": "LogisticRegressionClassifier", "random_state": SEED, "solver": "liblinear"}
]
_WHITESPACE: list[Step] = [{"name": "WhitespaceTokenizer"}]
# DIET as Rasa proposes it (100 epochs, two transformer layers, every count) does not finish within an hour of one
# core; it is measured on the most common counts, with few epochs, without and with a small transformer.
_MOST_COMMON: list[Step] = [{**step, "max_features": 1500} for step in _COUNTS]
_FEWER: list[Step] = [{**step, "max_features": 750} for step in _COUNTS]


def _svm(**settings: Any) -> list[Step]:
    own = {"random_state": SEED, "skip_intents": ["give_score"]}
    return [{"name": "engine.ngram_component.NgramClassifier", **own, **settings}]


def _diet(epochs: int, layers: int) -> list[Step]:
    return [
        {"name": "DIETClassifier", "epochs": epochs, "number_of_transformer_layers": layers, "transformer_size": 128,
         "random_seed": SEED, "constrain_similarities": True, "model_confidence": "softmax",
         "entity_recognition": False}
    ]  # fmt: skip


def pipelines(spacy: Path) -> dict[str, list[Step]]:
    """What is compared, by name; `spacy` is the folder made by engine.spacy_nl."""
    lemmas: list[Step] = [{"name": "SpacyNLP", "model": str(spacy)}, {"name": "SpacyTokenizer"}]
    return {
        "svm (until now)": _svm(typed=False),
        "svm-typed": _svm(),
        "svm-typed-3-5": _svm(char_ngrams=[3, 5]),
        "svm-typed-meaning": _svm(meaning=0.7),
        "logistic": [*_WHITESPACE, *_COUNTS, *_LOGISTIC],
        "logistic-spacy": [*lemmas, *_COUNTS, *_LOGISTIC],
        "diet (10 epochs, no transformer)": [*_WHITESPACE, *_MOST_COMMON, *_diet(10, 0)],
        "diet (5 epochs, 1 layer)": [*_WHITESPACE, *_FEWER, *_diet(5, 1)],
    }


def main(arguments: list[str] | None = None) -> int:
    """Compare, or do one step of one comparison (`--train`, `--read`, used by the comparison itself)."""
    options = _options(arguments)
    if options.train:
        _print(_train(json.loads(options.train), Path(options.model), Path(options.data)))
    elif options.read:
        _print(_read(Path(options.model), json.loads(Path(options.read).read_text(encoding="utf-8"))))
    else:
        wanted = pipelines(options.spacy.resolve())
        rows = {name: _measure(name, wanted[name]) for name in options.only or wanted}
        print(table(rows))
    return 0


def sentences(*paths: Path) -> list[Sentence]:
    """The sentences of data files with their intents, without entity marks; scores are read by rules and left out."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [
        (_ENTITY.sub(r"\1", line.strip()[2:]).strip(), block["intent"])
        for path in paths
        for block in yaml.load(path.read_text(encoding="utf-8"), Loader=loader)["nlu"]  # noqa: S506 (both are safe)
        if block.get("intent", "give_score") != "give_score"
        for line in block["examples"].splitlines()
        if line.strip().startswith("- ")
    ]


def training() -> list[Sentence]:
    """The training sentences with their intents."""
    return sentences(*sorted(TRAINING.glob("*.yml")))


def held_out() -> list[Sentence]:
    """The held-out sentences with their intents."""
    return sentences(HELD_OUT)


def folds(found: Sequence[Sentence]) -> list[tuple[list[int], list[int]]]:
    """Five times which sentences train and which are read, intents spread evenly."""
    from sklearn.model_selection import StratifiedKFold

    split = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    return [(a.tolist(), b.tolist()) for a, b in split.split(found, [intent for _, intent in found])]


def _measure(name: str, steps: list[Step]) -> dict[str, float]:
    found = training()
    learnt, judged = folds(found)[0]
    with tempfile.TemporaryDirectory() as folder:
        model, data, tests = (str(Path(folder) / part) for part in ("m.tar.gz", "nlu.yml", "tests.json"))
        write_training([found[number] for number in learnt], Path(data))
        judging = {"fold": [found[number] for number in judged], "held_out": held_out()}
        Path(tests).write_text(json.dumps(judging), encoding="utf-8")
        row = _step("--train", json.dumps(steps), "--data", data, "--model", model)
        row |= _step("--read", tests, "--model", model)
    print(name, json.dumps({key: round(value, 4) for key, value in row.items()}), file=sys.stderr, flush=True)
    return row


def write_training(found: Sequence[Sentence], path: Path) -> None:
    """Write sentences as Rasa reads them."""
    texts: dict[str, list[str]] = defaultdict(list)
    for text, intent in found:
        texts[intent].append(f"- {text}")
    blocks = [{"intent": intent, "examples": "\n".join(lines) + "\n"} for intent, lines in texts.items()]
    path.write_text(yaml.safe_dump({"version": "3.1", "nlu": blocks}, allow_unicode=True), encoding="utf-8")


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


def _train(steps: list[Step], model: Path, data: Path) -> dict[str, float]:
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
    began, began_cpu = time.perf_counter(), time.process_time()
    train_nlu(str(config), str(data), str(model.parent), fixed_model_name=model.name)
    return {
        "train_s": time.perf_counter() - began,
        "train_cpu_s": time.process_time() - began_cpu,
        "train_peak_mb": _peak_mb(),
    }


def _read(model: Path, tests: dict[str, list[Sentence]]) -> dict[str, float]:
    from engine.parse import load
    from engine.start import prepare_imports

    prepare_imports(model)
    read = load(model)
    read([text for text, _ in tests["held_out"][:20]])  # warm
    row: dict[str, float] = {"model_mb": model.stat().st_size / 1e6}
    for name, some in tests.items():
        rankings: list[Ranking] = []
        times: list[float] = []
        for text, _ in some:
            began = time.process_time()
            found = read([text])[0]["intent_ranking"]
            times.append(time.process_time() - began)
            rankings.append([(entry["name"], entry["confidence"]) for entry in found])
        truth = [intent for _, intent in some]
        row |= {f"{name}_{key}": value for key, value in scores(truth, rankings).items()}
        row[f"{name}_ms"] = median(times) * 1000
    return {**row, "read_peak_mb": _peak_mb()}


def scores(truth: list[str], rankings: list[Ranking]) -> dict[str, float]:
    """Accuracy, macro-F1, share with the truth among the first two, recall of out_of_scope and calibration error.

    Each is 0–1; the calibration error (ECE) is over ten bins of confidence, as in bench/nlu_report.py.
    """
    first = [ranking[0][0] for ranking in rankings]
    hits, said, meant = Counter[str](), Counter(first), Counter(truth)
    gaps: dict[int, float] = defaultdict(float)
    for intent, ranking in zip(truth, rankings, strict=True):
        guess, confidence = ranking[0]
        hits[intent] += intent == guess
        gaps[min(int(confidence * 10), 9)] += (intent == guess) - confidence
    f1 = [2 * hits[intent] / (said[intent] + meant[intent]) for intent in meant]
    within_two = [intent in [name for name, _ in r[:2]] for intent, r in zip(truth, rankings, strict=True)]
    return {
        "accuracy": sum(hits.values()) / len(truth),
        "macro_f1": sum(f1) / len(f1),
        "top2": sum(within_two) / len(truth),
        "out_of_scope": hits["out_of_scope"] / meant["out_of_scope"],
        "ece": sum(map(abs, gaps.values())) / len(truth),
    }


def table(rows: dict[str, dict[str, float]]) -> str:
    """The rows as a Markdown table; every share once for the fold and once for the held-out sentences."""
    columns = {
        title: (keys, form)
        for title, keys, form in (
            ("accuracy", ("fold_accuracy", "held_out_accuracy"), "{:.1%}"),
            ("macro-F1", ("fold_macro_f1", "held_out_macro_f1"), "{:.1%}"),
            ("top 2", ("fold_top2", "held_out_top2"), "{:.1%}"),
            ("out_of_scope recall", ("fold_out_of_scope", "held_out_out_of_scope"), "{:.1%}"),
            ("ECE", ("fold_ece", "held_out_ece"), "{:.1%}"),
            ("ms per sentence", ("held_out_ms",), "{:.2f}"),
            ("training (s of one core)", ("train_cpu_s",), "{:.0f}"),
            ("peak memory, reading (MB)", ("read_peak_mb",), "{:.0f}"),
            ("peak memory, training (MB)", ("train_peak_mb",), "{:.0f}"),
        )
    }
    lines = ["| pipeline | " + " | ".join(columns) + " |", "|---" + "|---:" * len(columns) + "|"]
    for name, row in rows.items():
        cells = [" / ".join(form.format(row[key]) for key in keys) for keys, form in columns.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.pipelines", description="Compare language pipelines."
    )
    parser.add_argument("--only", nargs="+", help="names of pipelines; all of them by default")
    parser.add_argument("--spacy", type=Path, default=ROOT / ".ademruimte" / "spacy-nl")
    for hidden in ("--train", "--read", "--model", "--data"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _print(row: dict[str, float]) -> None:
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    sys.exit(main())
