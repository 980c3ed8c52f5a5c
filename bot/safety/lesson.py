"""How the guard's reader learns: the lesson for engine/reader_training.py, and the model made of what it learned.

Room: pure core, used by `bot train` and the benches. TensorFlow comes with Rasa and lives in the engine's Python only,
so the lesson goes there as a file of numbers: pieces, labels and the weights to start from.
"""

from __future__ import annotations

import logging
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bot.resources import RESOURCES
from bot.safety.classifier import KINDS, OUTPUTS, VERDICTS
from bot.safety.examples import Example
from bot.safety.pretrained import Floats, Pretrained
from bot.safety.reader import load_pretrained, pieces

ROOT = RESOURCES.parent
SEED = 20261126
#: So many layers of the encoder, of which the lowest stand still; how often each message is read; how fast is learned.
LAYERS, STILL, EPOCHS, PACE = 8, 4, 3, 2.5e-4
#: Of the everyday messages so many are drawn each time; so many messages are read beside an everyday one.
EVERYDAY_SHARE, COMPANY = 0.6, 0.1


class LessonError(Exception):
    """The reader could not learn; `str()` is one plain sentence."""


def learn(
    examples: Sequence[Example],
    texts: Sequence[str],
    python: Path,
    *,
    layers: int = LAYERS,
    epochs: int = EPOCHS,
) -> bytes:
    """Teach a reader; returns an ONNX model.

    Args:
        examples: the labels; at least one of each verdict and kind.
        texts: the words of each example, made even as the guard will.
        python: the engine's Python, which has TensorFlow.
        layers: how many layers of the encoder the reader has, 1 to 12.
        epochs: how often the messages are read.

    Raises:
        LessonError: the engine's Python is not there or stopped.
    """
    pretrained = load_pretrained()
    with tempfile.TemporaryDirectory(prefix="lesson-") as folder:
        source, target = Path(folder) / "lesson.npz", Path(folder) / "learned.npz"
        np.savez(source, **_lesson(pretrained, examples, texts, layers, epochs))  # type: ignore[arg-type]
        try:
            subprocess.run(  # noqa: S603 - our own module in our own Python
                [python, "-m", "engine.reader_training", source, target], cwd=ROOT, check=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise LessonError(f"the reader could not learn with {python}: {error}") from error
        with np.load(target, allow_pickle=False) as found:
            weights = {name: found[name] for name in found.files}
    return reader_model(weights, layers, pretrained.heads, pretrained.epsilon)


def _lesson(
    pretrained: Pretrained, examples: Sequence[Example], texts: Sequence[str], layers: int, epochs: int
) -> dict[str, object]:
    read = [pieces(pretrained, text) for text in texts]
    used, tokens = np.unique(np.concatenate(read), return_inverse=True)
    dice = np.random.default_rng(SEED)
    weights = pretrained.weights(layers)
    weights["out.w"] = dice.normal(0, 0.02, (pretrained.size, len(OUTPUTS))).astype(np.float32)
    weights["out.b"] = np.zeros(len(OUTPUTS), dtype=np.float32)
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
        "everyday": np.array([one.file == "everyday" for one in examples]),
        "everyday_share": EVERYDAY_SHARE,
        "company": COMPANY,
        "layers": layers,
        "still": min(STILL, layers - 1),
        "heads": pretrained.heads,
        "epsilon": pretrained.epsilon,
        "epochs": epochs,
        "pace": PACE,
        "seed": SEED,
        **{f"w/{name}": value for name, value in weights.items()},
    }


def reader_model(weights: dict[str, Floats], layers: int, heads: int, epsilon: float) -> bytes:
    """The layers as an ONNX graph, its kernels in 8 bits: vectors (1, pieces, size) → outputs (1, n)."""
    import onnx  # noqa: PLC0415 - only who trains needs it
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    size = weights["start.w"].shape[0]
    nodes: list[onnx.NodeProto] = []
    known: dict[str, onnx.TensorProto] = {}

    def constant(name: str, value: object) -> str:
        known[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def node(op: str, inputs: list[str], name: str, **options: Any) -> str:
        nodes.append(helper.make_node(op, inputs, [name], name=name, **options))
        return name

    def dense(value: str, name: str) -> str:
        kernel = constant(f"{name}.w", weights[f"{name}.w"])
        product = node("MatMul", [value, kernel], f"{name}.product")
        return node("Add", [product, constant(f"{name}.b", weights[f"{name}.b"])], f"{name}.sum")

    def even(value: str, name: str) -> str:
        parts = [constant(f"{name}.{one}", weights[f"{name}.{one}"]) for one in "wb"]
        return node("LayerNormalization", [value, *parts], f"{name}.even", axis=-1, epsilon=epsilon)

    apart = constant("apart", np.array([0, -1, heads, size // heads], dtype=np.int64))
    whole = constant("whole", np.array([0, -1, size], dtype=np.int64))
    scale = constant("scale", np.float32((size // heads) ** -0.5))
    half, one, root = (
        constant("half", np.float32(0.5)),
        constant("one", np.float32(1)),
        constant("root", np.float32(0.5**0.5)),
    )
    found = even("vectors", "start")
    for layer in range(layers):
        at = f"l{layer}."
        dense(found, at + "qkv")
        thirds = [at + "query", at + "key", at + "value"]
        nodes.append(helper.make_node("Split", [at + "qkv.sum"], thirds, axis=-1, num_outputs=3))
        query, key, value = (
            node(
                "Transpose",
                [node("Reshape", [third, apart], third + ".apart")],
                third + ".turned",
                perm=order,
            )
            for third, order in zip(thirds, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)
        )
        near = node("Mul", [node("MatMul", [query, key], at + "near"), scale], at + "scaled")
        share = node("Softmax", [near], at + "share", axis=-1)
        mixed = node(
            "Transpose", [node("MatMul", [share, value], at + "blend")], at + "back", perm=[0, 2, 1, 3]
        )
        mixed = dense(node("Reshape", [mixed, whole], at + "joined"), at + "mix")
        found = even(node("Add", [found, mixed], at + "with_mix"), at + "mixed")
        wide = dense(found, at + "wide")
        curve = node("Erf", [node("Mul", [wide, root], at + "root")], at + "erf")
        bent = node(
            "Mul",
            [node("Mul", [wide, half], at + "half"), node("Add", [curve, one], at + "rise")],
            at + "bent",
        )
        found = even(node("Add", [found, dense(bent, at + "narrow")], at + "with_wide"), at + "done")
    mean = node("ReduceMean", [found, constant("axis", np.array([1], dtype=np.int64))], "mean", keepdims=0)
    dense(mean, "out")
    graph = helper.make_graph(
        nodes,
        "reader",
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, [1, "pieces", size])],
        [helper.make_tensor_value_info("out.sum", TensorProto.FLOAT, [1, len(weights["out.b"])])],
        list(known.values()),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    with tempfile.TemporaryDirectory(prefix="reader-") as folder:
        path, small = Path(folder) / "reader.onnx", Path(folder) / "small.onnx"
        onnx.save(model, path)
        logging.disable(logging.WARNING)  # it advises a step for image models
        quantize_dynamic(
            path,
            small,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=["out.product"],
            extra_options={"MatMulConstBOnly": True},
        )
        logging.disable(logging.NOTSET)
        return small.read_bytes()
