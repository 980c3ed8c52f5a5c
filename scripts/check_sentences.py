"""Checks the sentences that people wrote for the guard and the engine: enough, no near-copies, no leaks into test sets.

Room: set-up, part of `make lint`; runs in the app's environment. A near-copy is a sentence that is another one with one
word changed, added or left out. Two halves of the work are one pool each: the guard's examples, the engine's sentences.

    python scripts/check_sentences.py
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.frames import load_frames, sentences
from bot.language.normalise import fold
from bot.resources import ResourceError, read_yaml
from bot.safety.examples import FOLDER, load_examples, read_examples

ROOT = Path(__file__).resolve().parents[1]
#: So many sentences an intent has at least; those that are easily taken for one another have more.
FEWEST, FEWEST_CONFUSED = 150, 300
CONFUSED = {
    "report_exhaustion", "report_low_mood", "report_work_pressure", "request_human", "request_callback",
    "request_helpline", "deny", "stop", "skip",
}  # fmt: skip
#: A score is read by rules (bot/language); its few sentences only tell the engine that there is such an intent.
OTHER = {"give_score": 25, "out_of_scope": 800}
#: Shorter sentences are each other's neighbours by nature ("ja hoor", "nee hoor").
SHORTEST = 5
_ENTITY = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})")
_WORD = re.compile(r"(?:[^\W_]|')+")


@dataclass(frozen=True)
class Sentence:
    """A sentence and where it stands; `label` is its intent or verdict."""

    text: str
    label: str
    place: str

    @property
    def words(self) -> tuple[str, ...]:
        """Its words, folded: capitals, accents and marks make no difference."""
        return tuple(_WORD.findall(fold(self.text)))

    @property
    def keys(self) -> list[tuple[str, ...]]:
        """What it shares with its near-copies: its words, and its words with each one left open or left out."""
        words = self.words
        keys = [words] if words else []
        if len(words) >= SHORTEST:
            keys += [(*words[:at], "", *words[at + 1 :]) for at in range(len(words))]
            keys += [(*words[:at], *words[at + 1 :]) for at in range(len(words))]
        return keys


def from_yaml(path: Path) -> Iterator[Sentence]:
    """The sentences of one file of training or test data for the engine."""
    for block in read_yaml(path)["nlu"]:
        for line in str(block.get("examples", "")).splitlines():
            text = _ENTITY.sub(r"\1", line.strip().removeprefix("- ")).strip()
            if "intent" in block and text:
                yield Sentence(text, block["intent"], path.name)


def near_copies(sentences: Iterable[Sentence]) -> Iterator[tuple[Sentence, Sentence]]:
    """Pairs of which one is the other, or the other with one word changed, added or left out."""
    seen: dict[tuple[str, ...], Sentence] = {}
    for one in sentences:
        keys = one.keys
        found = next((seen[key] for key in keys if key in seen), None)
        if found is not None:
            yield found, one
        for key in keys:
            seen.setdefault(key, one)


def leaks(pool: Iterable[Sentence], held: Iterable[Sentence], *, nearly: bool) -> Iterator[str]:
    """One line for every held-out sentence that stands in the training data.

    Args:
        pool: what is learned.
        held: what is not.
        nearly: near-copies too, however short; else only the same words, and at least four.
    """
    trained = {key for one in pool for key in (one.keys if nearly else [one.words])}
    for one in held:
        keys = one.keys if nearly else [one.words] if len(one.words) >= SHORTEST - 1 else []
        if any(key in trained for key in keys):
            yield f"{one.place}: also stands in the training data: {one.text!r}"


def is_confused(intent: str) -> bool:
    """Whether an intent is easily taken for another one."""
    return intent in CONFUSED or intent.startswith("ask_")


def faults() -> list[str]:
    """One line for every fault."""
    errors: list[str] = []
    pools = {
        "guard": [Sentence(one.text, one.verdict, f"{one.file}.csv") for one in load_examples(FOLDER)],
        "engine": [one for path in sorted((ROOT / "data" / "nlu").glob("*.yml")) for one in from_yaml(path)],
    }
    held = {
        "guard": [
            *(
                Sentence(one.text, one.verdict, f"tests/safety/{path.name}")
                for path in sorted((ROOT / "tests" / "safety").glob("held_out*.csv"))
                for one in read_examples(path, errors)
            ),
            *(
                Sentence(text, "none", f"tests/safety/{path.name}")
                for path in sorted((ROOT / "tests" / "safety").glob("everyday*.txt"))
                for text in path.read_text("utf-8").splitlines()
            ),
            *(Sentence(text, "none", "tests/safety/everyday_frames") for text in sentences(load_frames())),
        ],
        "engine": [
            *from_yaml(ROOT / "tests" / "nlu" / "held_out.yml"),
            *(
                Sentence(one["text"], "", "tests/nlu/multi_intent.yml")
                for one in read_yaml(ROOT / "tests" / "nlu" / "multi_intent.yml")
            ),
        ],
    }
    counts = Counter(one.label for one in pools["engine"])
    for intent, count in sorted(counts.items()):
        needed = OTHER.get(intent) or (FEWEST_CONFUSED if is_confused(intent) else FEWEST)
        if count < needed:
            errors.append(f"data/nlu: {intent} has {count} sentences, {needed} are needed")
    for name, pool in pools.items():
        for one, other in near_copies(pool):
            errors.append(f"{other.place}: near-copy of {one.place}: {other.text!r} ~ {one.text!r}")
        errors += list(leaks(pool, held[name], nearly=name == "guard"))
    return errors


def main() -> int:
    """Print every fault; 1 when there is any."""
    try:
        found = faults()
    except ResourceError as error:
        found = error.errors
    for line in found:
        print(line)
    print(f"sentences: {len(found)} faults" if found else "sentences: enough, no near-copies, no leaks")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
