"""Room `bench`: from where the assistant should rather ask than guess. Runs in the engine's environment.

    <engine python> -m bench.fallback

Each training sentence is judged by a classifier that has not seen it (cross-validation; the held-out sentences are
not read). Printed is how often the first and the second reading are right, by confidence and by lead: where the
first is wrong more often than right, or hardly better than the second, FallbackClassifier should ask.
"""

# ruff: noqa: PLC0415, SLF001 - Rasa is imported late, and the classifier is taken apart

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CONFIDENCES = (0.0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)
LEADS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 1.01)
FOLDS = 5


def main() -> int:
    """Print how often the first and the second reading are right, by confidence and by lead."""
    os.environ.update(LOG_LEVEL="WARNING", RASA_TELEMETRY_ENABLED="false")
    from engine import light

    light.leave_out(light.UNUSED_CLIENTS + light.TENSORFLOW)
    import yaml
    from sklearn.model_selection import StratifiedKFold

    sentences = [
        (line.strip()[2:], block["intent"])
        for file in sorted((ROOT / "data" / "nlu").glob("*.yml"))
        for block in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]
        if "intent" in block
        for line in block["examples"].splitlines()
        if line.strip().startswith("- ")
    ]
    config = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    config = next(step for step in config if step["name"].endswith("Classifier"))
    found: list[Guess] = []
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=1)
    for train, test in folds.split(sentences, [intent for _, intent in sentences]):
        classifier = _train(config, [sentences[number] for number in train])
        for number in test:
            text, truth = sentences[number]
            confidences = classifier.confidences(text)
            first, second = confidences.argsort()[::-1][:2]
            right = [classifier._intents[number] == truth for number in (first, second)]
            found.append(Guess(confidences[first], confidences[first] - confidences[second], *right))
    _table("confidence", CONFIDENCES, found, lambda guess: guess.confidence)
    _table("lead", LEADS, found, lambda guess: guess.lead)
    return 0


class Guess(NamedTuple):
    """One sentence: how sure the first reading was, its lead over the second, and which of them was right."""

    confidence: float
    lead: float
    first_right: bool
    second_right: bool


def _table(name: str, edges: tuple[float, ...], found: list[Guess], key: Callable[[Guess], float]) -> None:
    print(f"\n| {name} | sentences | first right | second right |\n|---|---:|---:|---:|")
    for low, high in pairwise(edges):
        inside = [guess for guess in found if low <= key(guess) < high]
        if inside:
            first, second = (
                sum(part) / len(inside) for part in zip(*(guess[2:] for guess in inside), strict=True)
            )
            print(f"| {low:.2f}–{min(high, 1):.2f} | {len(inside)} | {first:.0%} | {second:.0%} |")


def _train(config: dict[str, Any], sentences: list[tuple[str, str]]) -> Any:
    from rasa.engine.storage.local_model_storage import LocalModelStorage
    from rasa.engine.storage.resource import Resource
    from rasa.shared.nlu.training_data.message import Message
    from rasa.shared.nlu.training_data.training_data import TrainingData

    from engine.ngram_component import NgramClassifier

    settings = {name: value for name, value in config.items() if name != "name"}
    with tempfile.TemporaryDirectory() as folder:
        classifier = NgramClassifier(settings, LocalModelStorage(Path(folder)), Resource("bench"))
        classifier.train(
            TrainingData([Message({"text": text, "intent": intent}) for text, intent in sentences])
        )
    return classifier


if __name__ == "__main__":
    sys.exit(main())
