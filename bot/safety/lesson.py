"""How the guard's reader learns: the lesson for engine/reader_training.py, and what is kept of it.

Room: pure core, used by `bot train` and the benches. TensorFlow comes with Rasa and lives in the engine's Python only,
so the lesson goes there as a file of numbers: pieces, labels and the weights to start from.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bot.resources import RESOURCES
from bot.safety.classifier import KINDS, OUTPUTS, VERDICTS
from bot.safety.examples import Example
from bot.safety.pretrained import KERNELS, Pretrained
from bot.safety.reader import Learned, half_way, in_8_bits, load_pretrained, pieces

ROOT = RESOURCES.parent
SEED = 20261126
#: So many layers of the encoder, of which the lowest stand still; how often each message is read; how fast is learned.
LAYERS, STILL, EPOCHS, PACE = 8, 2, 4, 2.5e-4
#: So many pieces of a message are read in a lesson.
LESSON_PIECES = 120
#: Of what is said to the assistant so much is drawn each time; so many messages are read beside such a one.
DRAWN_SHARE, COMPANY = 0.6, 0.1


class LessonError(Exception):
    """The reader could not learn; `str()` is one plain sentence."""


def learn(
    examples: Sequence[Example],
    readings: Sequence[Sequence[str]],
    python: Path,
    *,
    layers: int = LAYERS,
) -> Learned:
    """Teach a reader; returns what it learned, kernels in 8 bits.

    Args:
        examples: the labels; at least one of each verdict and kind.
        readings: the words of each example, made even as the guard will, for each time that they are read.
        python: the engine's Python, which has TensorFlow.
        layers: how many layers of the encoder the reader has, 1 to 12.

    Raises:
        LessonError: the engine's Python is not there or stopped.
    """
    pretrained = load_pretrained()
    with tempfile.TemporaryDirectory(prefix="lesson-") as folder:
        source, target = Path(folder) / "lesson.npz", Path(folder) / "learned.npz"
        np.savez(source, **_lesson(pretrained, examples, readings, layers))  # type: ignore[arg-type]
        try:
            subprocess.run(  # noqa: S603 - our own module in our own Python
                [python, "-m", "engine.reader_training", source, target], cwd=ROOT, check=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise LessonError(f"the reader could not learn with {python}: {error}") from error
        with np.load(target, allow_pickle=False) as found:
            weights = {name: found[name] for name in found.files}
    learned = {name: value for name, value in weights.items() if name.startswith(("out.", "half."))}
    for name in (f"l{layer}.{one}" for layer in range(layers) for one in KERNELS):
        reach = weights[f"{name}.reach"]
        # what hardly moved in the lesson may move more later: it is not blown up
        learned[f"{name}.reach"] = np.maximum(reach, np.median(reach) / 10).astype(np.float16)
        if f"{name}.w" in weights:
            learned[f"{name}.w"], learned[f"{name}.scale"] = in_8_bits(
                weights[f"{name}.w"], learned[f"{name}.reach"]
            )
    return learned


def _lesson(
    pretrained: Pretrained, examples: Sequence[Example], readings: Sequence[Sequence[str]], layers: int
) -> dict[str, object]:
    read = [pieces(pretrained, text, LESSON_PIECES) for texts in readings for text in texts]
    used, tokens = np.unique(np.concatenate(read), return_inverse=True)
    dice = np.random.default_rng(SEED)
    weights = pretrained.weights(layers)
    for head in ("half", "out") if half_way(layers) else ("out",):
        weights[f"{head}.w"] = dice.normal(0, 0.02, (pretrained.size, len(OUTPUTS))).astype(np.float32)
        weights[f"{head}.b"] = np.zeros(len(OUTPUTS), dtype=np.float32)
    return {
        "tokens": tokens.astype(np.int32),
        "starts": np.cumsum([0, *map(len, read)]),
        "table": pretrained.vectors(used),
        "positions": pretrained.places(),
        "verdict": np.array([VERDICTS.index(one.verdict) for one in examples], dtype=np.int32),
        "kind": np.array([KINDS.index(one.kind) if one.kind else 0 for one in examples], dtype=np.int32),
        "known": np.array([one.kind is not None for one in examples], dtype=np.float32),
        "third_party": np.array([one.third_party for one in examples], dtype=np.float32),
        "past": np.array([one.past for one in examples], dtype=np.float32),
        "everyday": np.array([one.everyday for one in examples], dtype=np.float32),
        "harmless": np.array([one.verdict == "none" for one in examples], dtype=np.float32),
        "drawn": np.array([one.file == "everyday" for one in examples]),
        "drawn_share": DRAWN_SHARE,
        "company": COMPANY,
        "layers": layers,
        "half": half_way(layers),
        "still": min(STILL, layers - 1),
        "heads": pretrained.heads,
        "epsilon": pretrained.epsilon,
        "epochs": len(readings),
        "pace": PACE,
        "seed": SEED,
        **{f"w/{name}": value for name, value in weights.items()},
    }
