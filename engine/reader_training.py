"""Room `engine`: teaches the guard's reader with TensorFlow, which comes with Rasa. Knows tokens and labels, no words.

    python -m engine.reader_training lesson.npz learned.npz

The reader is a transformer of a few layers; it starts from the weights in the lesson and learns all outputs at once,
half-way and at its end. The same lesson gives the same weights on the same machine; one without AMX is slower and more
exact. The lesson is written by bot/safety/lesson.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf

#: Messages a step, steps that are sorted by length together, and the share of steps in which the pace grows.
BATCH, TOGETHER, WARM_UP = 64, 30, 0.06
DROPOUT, SMOOTHING, DECAY, CLIP = 0.1, 0.05, 0.05, 1.0
#: What is only asked of dangerous messages weighs less than whether they are dangerous.
ASIDE = 0.2
#: The outputs start without weights and learn faster than the layers.
HEAD_PACE = 5.0
#: What is answered half-way counts for so much beside the last answer.
FIRST_ANSWER = 0.3
#: Messages of up to so many tokens are read beside one that was said to the assistant now and then.
SHORT = 60
#: What was last answered rightly with such a probability is easy: so much of it is read again, and counts for the rest.
EASY, AGAIN = 0.9, 0.4
#: Batches in which is measured how large numbers get.
MEASURED = 20
#: What is known of each message: figures, or 1 and 0.
LABELS = ("verdict", "kind", "third_party", "past", "everyday", "known", "harmless")
#: What learns in a layer.
KERNELS = ("qkv", "mix", "wide", "narrow")
#: The outputs half-way and at the end.
ENDS = ("half.", "out.")


class Reader:
    """The transformer: token vectors → outputs; in bfloat16 where the machine is fast at it, else in float32.

    The lowest layers stand still, and so do all biases and the evening of vectors: what they know of words holds for
    these messages too, and much work is saved.
    """

    def __init__(self, lesson: dict[str, Any]) -> None:
        self.layers, self.heads, self.still, self.half = (
            int(lesson[name]) for name in ("layers", "heads", "still", "half")
        )
        self.epsilon = tf.constant(float(lesson["epsilon"]))
        self.number = tf.bfloat16 if _is_fast_at_bfloat16() else tf.float32
        weights = {name.removeprefix("w/"): value for name, value in lesson.items() if name.startswith("w/")}
        moving = [f"l{layer}.{name}.w" for layer in range(self.still, self.layers) for name in KERNELS]
        ends = [name for name in weights if name.startswith(ENDS)]
        self.learning = {name: tf.Variable(weights.pop(name)) for name in (*moving, *ends)}
        self.reach: dict[str, tf.Tensor] | None = None
        kernels = {f"l{layer}.{name}.w" for layer in range(self.still) for name in KERNELS}
        self.fixed = {
            name: tf.constant(value, self.number if name in kernels else tf.float32)
            for name, value in weights.items()
        }

    def kernels(self) -> dict[str, tf.Tensor]:
        """The kernels by name, as numbers that are fast to multiply."""
        return {
            name: tf.cast(kernel, self.number)
            for name, kernel in (self.fixed | self.learning).items()
            if name.endswith(tuple(f".{one}.w" for one in KERNELS))
        }

    def __call__(
        self, kernels: dict[str, tf.Tensor], vectors: tf.Tensor, mask: tf.Tensor, kept: tf.Tensor | None
    ) -> list[tf.Tensor]:
        """Outputs for a batch half-way, if there are, and at the end, each of shape (n, outputs).

        Args:
            kernels: as `kernels` gives them, once for all halves of a step.
            vectors: shape (n, tokens, size).
            mask: 1 where there is a token, shape (n, tokens).
            kept: where a number is not dropped, shape (2 × learning layers, n, tokens, size); None: everywhere.
        """
        count, length, size = tf.shape(vectors)[0], tf.shape(vectors)[1], vectors.shape[2]
        away, scale = (1.0 - mask)[:, None, None, :] * -1e4, tf.constant((size // self.heads) ** -0.5)
        nothing, outputs = tf.zeros((1, 1, size), self.number), []
        found = self._even(tf.cast(vectors, self.number), nothing, None, "start", None)
        for layer in range(self.layers):
            at, learns = f"l{layer}.", layer >= self.still
            if layer == self.still:
                found = tf.stop_gradient(found)
            first, second = (
                None if kept is None or not learns else kept[2 * (layer - self.still) + n] for n in (0, 1)
            )
            together = self._dense(kernels, found, at + "qkv") + tf.cast(
                self.fixed[at + "qkv.b"], self.number
            )
            parts = tf.reshape(together, (count, length, 3, self.heads, size // self.heads))
            query, key, value = tf.unstack(tf.transpose(parts, (2, 0, 3, 1, 4)))
            shares = _shares(tf.matmul(query, key, transpose_b=True), away, scale)
            mixed = tf.reshape(tf.transpose(tf.matmul(shares, value), (0, 2, 1, 3)), (count, length, size))
            found = self._even(
                found, self._dense(kernels, mixed, at + "mix"), first, at + "mixed", at + "mix"
            )
            wide = _bent(self._dense(kernels, found, at + "wide"), self.fixed[at + "wide.b"])
            found = self._even(
                found, self._dense(kernels, wide, at + "narrow"), second, at + "done", at + "narrow"
            )
            if layer + 1 in (self.half, self.layers):
                head = "out" if layer + 1 == self.layers else "half"
                mean = tf.reduce_sum(tf.cast(found, tf.float32) * mask[..., None], 1)
                mean /= tf.reduce_sum(mask, 1, keepdims=True)
                outputs.append(tf.matmul(mean, self.learning[head + ".w"]) + self.learning[head + ".b"])
        return outputs

    def _dense(self, kernels: dict[str, tf.Tensor], value: tf.Tensor, name: str) -> tf.Tensor:
        kernel = kernels[name + ".w"]
        shape, flat = tf.shape(value), tf.reshape(value, (-1, kernel.shape[0]))
        if self.reach is not None:
            here = tf.reduce_max(tf.abs(tf.cast(flat, tf.float32)), 0)
            self.reach[name] = tf.maximum(self.reach.get(name, 0.0), here)
        return tf.reshape(tf.matmul(flat, kernel), (shape[0], shape[1], kernel.shape[1]))

    def _even(
        self, found: tf.Tensor, more: tf.Tensor, kept: tf.Tensor | None, name: str, dense: str | None
    ) -> tf.Tensor:
        """What was found and what is added to it, made even."""
        own = self.fixed[dense + ".b"] if dense else tf.zeros_like(self.fixed[name + ".b"])
        weights = self.fixed[name + ".w"], self.fixed[name + ".b"]
        if kept is None:
            return _added(found, more, own, *weights, self.epsilon)
        return _added_in_part(found, more, own, *weights, self.epsilon, kept)


def _compiled(moving: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What happens number by number in one pass over the memory, forward and back; back it is done once more.

    Args:
        moving: so many of the arguments, the first ones, have a slope.
    """

    def made(work: Callable[..., Any]) -> Callable[..., Any]:
        forward = tf.function(work, jit_compile=True)

        @tf.function(jit_compile=True)
        def back(inputs: Any, above: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(inputs[:moving])
                found = work(*inputs)
            return tape.gradient(found, inputs[:moving], above)

        @tf.custom_gradient
        def both(*inputs: Any) -> Any:
            return forward(*inputs), lambda above: (*back(inputs, above), *[None] * (len(inputs) - moving))

        return both

    return made


def _sum_made_even(value: Any, more: Any, own: Any, weight: Any, bias: Any, epsilon: Any) -> Any:
    total = tf.cast(value, tf.float32) + tf.cast(more, tf.float32) + own
    mean, variance = tf.nn.moments(total, -1, keepdims=True)
    return tf.cast((total - mean) * tf.math.rsqrt(variance + epsilon) * weight + bias, value.dtype)


@_compiled(2)
def _added(found: Any, more: Any, own: Any, weight: Any, bias: Any, epsilon: Any) -> Any:
    return _sum_made_even(found, more, own, weight, bias, epsilon)


@_compiled(2)
def _added_in_part(found: Any, more: Any, own: Any, weight: Any, bias: Any, epsilon: Any, kept: Any) -> Any:
    part = tf.cast(kept, tf.float32) / (1 - DROPOUT)
    return _sum_made_even(found, (tf.cast(more, tf.float32) + own) * part, 0.0, weight, bias, epsilon)


@_compiled(1)
def _bent(value: Any, own: Any) -> Any:
    return tf.cast(tf.nn.gelu(tf.cast(value, tf.float32) + own), value.dtype)


@_compiled(1)
def _shares(near: Any, away: Any, scale: Any) -> Any:
    return tf.cast(tf.nn.softmax(tf.cast(near, tf.float32) * scale + away), near.dtype)


def learn(lesson: dict[str, Any]) -> dict[str, Any]:
    """The weights after the lesson, by name, and how large the numbers get that are multiplied with them."""
    tf.config.threading.set_inter_op_parallelism_threads(2)  # two halves of a step side by side
    tf.config.threading.set_intra_op_parallelism_threads(max(1, (os.cpu_count() or 2) // 2))
    tf.keras.utils.set_random_seed(int(lesson["seed"]))
    reader = Reader(lesson)
    learning = reader.learning
    variables = list(learning.values())
    moments = [(tf.Variable(tf.zeros_like(one)), tf.Variable(tf.zeros_like(one))) for one in variables]
    paces = [HEAD_PACE if name.startswith(ENDS) else 1.0 for name in learning]
    all_parts = list(zip(variables, moments, paces, strict=True))

    @tf.function(reduce_retracing=True)
    def step(halves: Any, labels: Any, weights: Any, pace: Any, count: Any) -> Any:
        with tf.GradientTape() as tape:
            kernels = reader.kernels()
            read = [reader(kernels, *half) for half in halves]
            *earlier, outputs = (tf.concat([one[place] for one in read], 0) for place in range(len(read[0])))
            loss = _loss(outputs, labels, weights)
            both = loss + FIRST_ANSWER * sum(_loss(one, labels, weights) for one in earlier)
        slopes, _ = tf.clip_by_global_norm(tape.gradient(both, variables), CLIP)
        for place, (one, (first, second), own) in enumerate(all_parts):  # AdamW
            one.assign(one * (1.0 - pace * own * DECAY))
            tf.raw_ops.ResourceApplyAdam(
                var=one.handle, m=first.handle, v=second.handle, grad=slopes[place], lr=pace * own,
                beta1_power=0.9**count, beta2_power=0.999**count, beta1=0.9, beta2=0.999, epsilon=1e-8,
            )  # fmt: skip
        right = tf.gather(tf.nn.softmax(outputs[:, :3]), labels["verdict"], axis=1, batch_dims=1)
        return loss, right

    dice = np.random.default_rng(int(lesson["seed"]))
    epochs, top = int(lesson["epochs"]), float(lesson["pace"])
    right, done, losses = np.zeros(len(lesson["drawn"])), 0, []
    for epoch in range(epochs):
        easy = right >= EASY
        batches = _batches(lesson, epoch, dice, ~easy | (dice.random(len(easy)) < AGAIN))
        halves_of = _made_ahead(
            lambda read: _halves(lesson, reader, dice, read), [read for _, read in batches]
        )
        for place, ((rows, _), halves) in enumerate(zip(batches, halves_of, strict=True)):
            done += 1
            part = (epoch + (place + 1) / len(batches)) / epochs
            pace = top * min(1.0, part / WARM_UP) * (1 - part)
            labels = {name: lesson[name][rows] for name in LABELS}
            weights = np.where(easy[rows], 1 / AGAIN, 1.0).astype(np.float32)
            loss, found = step(
                halves, labels, tf.constant(weights),
                tf.constant(pace, tf.float32), tf.constant(done, tf.float32),
            )  # fmt: skip
            losses.append(loss)
            right[rows] = found.numpy()
            if int(part * 10) > int((part - 1 / (len(batches) * epochs)) * 10):
                sys.stdout.write(f"  reader: {part:.0%}, loss {float(np.mean(losses)):.3f}\n")
                sys.stdout.flush()
                losses.clear()
    return {name: one.numpy() for name, one in learning.items()} | _reach(reader, lesson, dice)


def _reach(reader: Reader, lesson: dict[str, Any], dice: Any) -> dict[str, Any]:
    """How large each number gets that is multiplied with a kernel ("l3.wide.reach"), over some messages."""
    reader.reach, kernels = {}, reader.kernels()
    for _, read in _batches(lesson, 0, dice, np.ones(len(lesson["drawn"]), dtype=bool))[:MEASURED]:
        vectors, mask = _vectors(lesson, read)
        reader(kernels, tf.constant(vectors), tf.constant(mask), None)
    return {f"{name}.reach": one.numpy() for name, one in reader.reach.items()}


def _loss(outputs: tf.Tensor, labels: dict[str, Any], weights: Any) -> tf.Tensor:
    """Verdict for every message; for whom and of which kind where danger is or was; where none is, how it is said."""
    known, harmless = labels["known"], labels["harmless"]
    sharp = tf.one_hot(labels["verdict"], 3) * (1 - SMOOTHING) + SMOOTHING / 3
    each = tf.nn.softmax_cross_entropy_with_logits(sharp, outputs[:, :3])
    verdict = tf.reduce_sum(weights * each) / tf.reduce_sum(weights)
    past = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels["past"], outputs[:, 4]))
    third = tf.nn.sigmoid_cross_entropy_with_logits(labels["third_party"], outputs[:, 3])
    kind = tf.nn.sparse_softmax_cross_entropy_with_logits(labels["kind"], outputs[:, 6:])
    aside = tf.reduce_sum((third + kind) * known) / tf.maximum(tf.reduce_sum(known), 1.0)
    everyday = tf.nn.sigmoid_cross_entropy_with_logits(labels["everyday"], outputs[:, 5])
    usual = tf.reduce_sum(everyday * harmless) / tf.maximum(tf.reduce_sum(harmless), 1.0)
    return verdict + ASIDE * (past + aside + usual)


def _batches(lesson: dict[str, Any], epoch: int, dice: Any, wanted: Any) -> list[tuple[Any, list[Any]]]:
    """One epoch, step by step: rows and the tokens of each. What is said to the assistant is drawn, others all come.

    Args:
        lesson: as bot/safety/lesson.py wrote it; the messages stand in it once for each epoch.
        epoch: which time it is, from 0.
        dice: the generator of random numbers.
        wanted: for each row whether it may come.
    """
    first = epoch * len(lesson["drawn"])
    starts, tokens = lesson["starts"][first:], lesson["tokens"]
    said = np.flatnonzero(lesson["drawn"])
    drawn = dice.permutation(said)[: int(len(said) * float(lesson["drawn_share"]))]
    rows = dice.permutation(np.concatenate([np.flatnonzero(~lesson["drawn"]), drawn]))
    rows = rows[wanted[rows]]
    read = [tokens[starts[row] : starts[row + 1]] for row in rows]
    for i in np.flatnonzero(dice.random(len(read)) < float(lesson["company"])):
        if len(read[i]) <= SHORT and len(said):
            other = dice.choice(said)
            beside = tokens[starts[other] : starts[other + 1]]
            pair = (read[i], beside) if dice.random() < 0.5 else (beside, read[i])
            read[i] = np.concatenate([pair[0][:-1], pair[1][1:]])
    lengths = np.array([len(one) for one in read])
    batches = []
    for at in range(0, len(rows), BATCH * TOGETHER):
        near = at + np.argsort(lengths[at : at + BATCH * TOGETHER], kind="stable")
        batches += [near[place : place + BATCH] for place in range(0, len(near), BATCH)]
    dice.shuffle(batches)
    return [(rows[chosen], [read[one] for one in chosen]) for chosen in batches]


def _halves(lesson: dict[str, Any], reader: Reader, dice: Any, read: list[Any]) -> list[list[tf.Tensor]]:
    """A step in two halves that are read side by side: vectors, mask, and where a number is not dropped."""
    middle, halves = (len(read) + 1) // 2, []
    for half in (read[:middle], read[middle:]):
        if half:
            vectors, mask = _vectors(lesson, half)
            shape = (2 * (reader.layers - reader.still), *vectors.shape)
            kept = np.frombuffer(dice.bytes(int(np.prod(shape))), np.uint8).reshape(shape) >= DROPOUT * 256
            halves.append([tf.constant(one) for one in (vectors, mask, kept)])
    return halves


def _made_ahead(make: Callable[[Any], Any], of: list[Any]) -> Iterator[Any]:
    """What is made of each, in order; the next one is made while the one before is used."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = [pool.submit(make, one) for one in of[:1]]
        for place in range(len(of)):
            made = coming.pop().result()
            coming += [pool.submit(make, one) for one in of[place + 1 : place + 2]]
            yield made


def _vectors(lesson: dict[str, Any], read: list[Any]) -> tuple[Any, Any]:
    """Token vectors and mask of some messages, as long as the longest."""
    longest = max(map(len, read))
    longest += -longest % 4  # few shapes, so that little is compiled
    ids = np.zeros((len(read), longest), dtype=np.int32)
    mask = np.zeros((len(read), longest), dtype=np.float32)
    for line, one in enumerate(read):
        ids[line, : len(one)], mask[line, : len(one)] = one, 1.0
    return lesson["table"][ids] + lesson["positions"][:longest], mask


def _is_fast_at_bfloat16() -> bool:
    """Whether the processor multiplies tables of bfloat16 (AMX)."""
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False


def main() -> int:
    """Read the lesson, learn, write the weights."""
    source, target = map(Path, sys.argv[1:])
    with np.load(source, allow_pickle=False) as found:
        lesson = {name: found[name] for name in found.files}
    np.savez(target, **learn(lesson))
    return 0


if __name__ == "__main__":
    sys.exit(main())
