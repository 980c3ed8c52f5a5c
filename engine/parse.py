"""Room `engine`: reads many sentences with the trained model, without a server. May know Rasa and this room.

    python -m engine.parse --model .ademruimte/models/current.tar.gz < lines.jsonl

Each line {"id", "text"} gives a line {"id", "intent", "confidence", "ranking"}, in the same order, and "both" with
two intents where two things are said. A line that cannot be read gives {"id", "error"} (id null when it has none);
the others go on.
"""

# ruff: noqa: PLC0415 - what a model needs is known before Rasa is imported

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

BATCH = 200  # sentences that are featurised and classified together
MAX_TEXT = 8000  # characters, as in the engine's channel

FALLBACK = "nlu_fallback"  # Rasa's name for "not sure enough"; no reading of its own

Reader = Callable[[list[str]], list[dict[str, Any]]]


def main(arguments: list[str] | None = None) -> int:
    """Read standard input to its end; the exit code is 0 also when lines were wrong, 2 when there is no model."""
    from engine.start import prepare_imports

    options = _options(arguments)
    try:
        prepare_imports(options.model)
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        print(f"{options.model} is not a trained model: {error}", file=sys.stderr)
        return 2
    read = load(options.model)
    for line in answers(sys.stdin.buffer, read):
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    return 0


def load(model: Path) -> Reader:
    """A function from texts to Rasa's parse data, with the language parts of the model only.

    Raises:
        OSError, tarfile.TarError: the model cannot be read.
    """
    from engine import logs

    logs.configure()
    from rasa.core.channels.channel import UserMessage
    from rasa.engine.constants import PLACEHOLDER_MESSAGE
    from rasa.engine.graph import ExecutionContext
    from rasa.engine.runner.dask import DaskGraphRunner
    from rasa.engine.storage.local_model_storage import LocalModelStorage

    logs.configure()
    with tempfile.TemporaryDirectory() as unpacked:
        storage, metadata = LocalModelStorage.from_model_archive(Path(unpacked), model)
        target = metadata.nlu_target
        schema = metadata.predict_schema.minimal_graph_schema([target])
        runner = DaskGraphRunner.create(schema, storage, ExecutionContext(schema, metadata.model_id))

    def read(texts: list[str]) -> list[dict[str, Any]]:
        messages = [UserMessage(text) for text in texts]
        results = runner.run(inputs={PLACEHOLDER_MESSAGE: messages}, targets=[target])
        return [message.as_dict(only_output_properties=True) for message in results[target]]

    return read


def answers(lines: Iterable[bytes], read: Reader) -> Iterator[dict[str, Any]]:
    """One answer per line that is not empty, in order."""
    parsed = (parse_line(line) for line in lines if line.strip())
    while batch := list(itertools.islice(parsed, BATCH)):
        good = [line for line in batch if "text" in line]
        found = iter(read([line["text"] for line in good]) if good else ())
        for line in batch:
            yield _answer(line["id"], next(found)) if "text" in line else line


def parse_line(line: bytes) -> dict[str, Any]:
    """{"id", "text"} of a good line, {"id", "error"} of any other."""
    try:
        content = json.loads(line)
    except ValueError:  # not JSON, or not UTF-8
        return {"id": None, "error": "not a line of JSON"}
    if not isinstance(content, dict):
        return {"id": None, "error": "not a JSON object"}
    known, text = content.get("id"), content.get("text")
    if not isinstance(text, str) or not text.strip():
        return {"id": known, "error": "text must be a string with something in it"}
    if len(text) > MAX_TEXT:
        return {"id": known, "error": f"text is longer than {MAX_TEXT} characters"}
    if not isinstance(known, (str, int)):
        return {"id": None, "error": "id must be a string or a whole number"}
    return {"id": known, "text": text}


def _answer(known: str | int, data: dict[str, Any]) -> dict[str, Any]:
    """The readings themselves: when a conversation would ask rather than guess, the best guess is still given."""
    ranking = [
        {"intent": entry["name"], "confidence": float(entry["confidence"])}
        for entry in data.get("intent_ranking") or []
        if entry["name"] != FALLBACK
    ]
    best = ranking[0] if ranking else {"intent": None, "confidence": 0.0}
    both = {"both": data["two_things"]} if data.get("two_things") else {}
    return {"id": known, **best, "ranking": ranking, **both}


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m engine.parse", description="Read sentences as JSON lines."
    )
    parser.add_argument("--model", type=Path, required=True, help="a trained model, .tar.gz")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
