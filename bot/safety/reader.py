"""The guard's reader: a small transformer that learned from the labelled messages what they mean. Runs on onnxruntime.

Room: pure core. Text → one number per output (bot/safety/classifier.py names them). It learns in bot/safety/lesson.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bot.safety.pretrained import Pretrained

Floats = NDArray[np.float32]
Read = Callable[[list[str]], Floats]

#: So many letters and pieces are read; what comes after them is read by its sentences.
LETTERS, PIECES = 400, 100


@lru_cache(maxsize=1)
def load_pretrained() -> Pretrained:
    """Pieces and weights inside the package, once per process."""
    return Pretrained()


def pieces(pretrained: Pretrained, text: str) -> NDArray[np.intp]:
    """The pieces that are read of a text, with begin and end."""
    found = pretrained.tokens(text[:LETTERS])
    return np.array(found if len(found) <= PIECES else [*found[: PIECES - 1], found[-1]], dtype=np.intp)


def load_reader(model: bytes) -> Read:
    """A reader from an ONNX model: texts → outputs, shape (texts, outputs).

    Raises:
        ValueError: the bytes are no model that can be run.
    """
    import onnxruntime  # noqa: PLC0415 - only who judges needs it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors have no common class but this
        raise ValueError("its reader cannot be run") from error
    pretrained = load_pretrained()
    places = pretrained.places()

    def read(texts: list[str]) -> Floats:
        found = []
        for text in texts:
            tokens = pieces(pretrained, text)
            vectors = pretrained.vectors(tokens) + places[: len(tokens)]
            found.append(session.run(None, {"vectors": vectors[None]})[0][0])
        return np.array(found, dtype=np.float32)

    return read
