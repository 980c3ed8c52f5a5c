"""Room `engine`: teaches the guard's reader with TensorFlow, which comes with Rasa. Knows tokens and labels, no words.

    python -m engine.reader_training lesson.npz learned.npz

The reader is a transformer of a few layers; it starts from the weights in the lesson and learns all outputs at once.
The same lesson gives the same weights on the same machine. bot/safety/lesson.py writes the lesson.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
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
#: Messages of up to so many tokens are read beside an everyday message now and then.
SHORT = 60


class Reader:
    """The transformer: token vectors → outputs; parts in bfloat16 where the machine is fast at it.

    The lowest layers stand still: what they know of words holds for these messages too, and half the work is saved.
    """

    def __init__(self, lesson: dict[str, Any]) -> None:
        self.weights = {
            name.removeprefix("w/"): tf.Variable(value, name=name)
            for name, value in lesson.items()
            if name.startswith("w/")
        }
        self.layers, self.heads, self.still = (int(lesson[name]) for name in ("layers", "heads", "still"))
        self.epsilon = float(lesson["epsilon"])
        self.half = tf.bfloat16 if _is_fast_at_bfloat16() else tf.float32

    def __call__(self, vectors: tf.Tensor, mask: tf.Tensor, *, drop: bool) -> tf.Tensor:
        """Outputs for a batch; shapes (n, tokens, size) and (n, tokens) → (n, outputs)."""

        def dropped(value: tf.Tensor, *, learns: bool = True) -> tf.Tensor:
            value = tf.cast(value, tf.float32)
            return tf.nn.dropout(value, DROPOUT) if drop and learns else value

        count, length, size = tf.shape(vectors)[0], tf.shape(vectors)[1], vectors.shape[2]
        away = (1.0 - mask)[:, None, None, :] * -1e4
        found = self._even(vectors, "start")
        for layer in range(self.layers):
            at, learns = f"l{layer}.", layer >= self.still
            if layer == self.still:
                found = tf.stop_gradient(found)
            parts = tf.reshape(
                self._dense(found, at + "qkv"), (count, length, 3, self.heads, size // self.heads)
            )
            query, key, value = tf.unstack(tf.transpose(parts, (2, 0, 3, 1, 4)))
            near = tf.cast(tf.matmul(query, key, transpose_b=True), tf.float32)
            near = tf.nn.softmax(near / (size // self.heads) ** 0.5 + away)
            mixed = tf.transpose(tf.matmul(tf.cast(near, self.half), value), (0, 2, 1, 3))
            mixed = self._dense(tf.reshape(mixed, (count, length, size)), at + "mix")
            found = self._even(found + dropped(mixed, learns=learns), at + "mixed")
            wide = tf.nn.gelu(self._dense(found, at + "wide"))
            narrow = self._dense(wide, at + "narrow")
            found = self._even(found + dropped(narrow, learns=learns), at + "done")
        mean = tf.reduce_sum(found * mask[..., None], 1) / tf.reduce_sum(mask, 1, keepdims=True)
        return tf.matmul(dropped(mean), self.weights["out.w"]) + self.weights["out.b"]

    def _dense(self, value: tf.Tensor, name: str) -> tf.Tensor:
        kernel = tf.cast(self.weights[name + ".w"], self.half)
        shape = tf.shape(value)
        flat = tf.matmul(tf.reshape(tf.cast(value, self.half), (-1, kernel.shape[0])), kernel)
        return tf.reshape(flat, (shape[0], shape[1], kernel.shape[1])) + tf.cast(
            self.weights[name + ".b"], self.half
        )

    def _even(self, value: tf.Tensor, name: str) -> tf.Tensor:
        mean, variance = tf.nn.moments(value, -1, keepdims=True)
        scaled = (value - mean) * tf.math.rsqrt(variance + self.epsilon)
        return scaled * self.weights[name + ".w"] + self.weights[name + ".b"]


def learn(lesson: dict[str, Any]) -> dict[str, Any]:
    """The weights after the lesson, by name."""
    tf.keras.utils.set_random_seed(int(lesson["seed"]))
    reader = Reader(lesson)
    still = ("start.", *(f"l{layer}." for layer in range(reader.still)))
    learning = {name: one for name, one in reader.weights.items() if not name.startswith(still)}
    variables = list(learning.values())
    moments = [(tf.Variable(tf.zeros_like(one)), tf.Variable(tf.zeros_like(one))) for one in variables]
    paces = [HEAD_PACE if name.startswith("out.") else 1.0 for name in learning]
    all_parts = list(zip(variables, moments, paces, strict=True))

    @tf.function(reduce_retracing=True)
    def step(vectors: Any, mask: Any, labels: Any, known: Any, pace: Any, count: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = _loss(reader(vectors, mask, drop=True), labels, known)
        slopes, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), CLIP)
        for place, (one, (first, second), own) in enumerate(all_parts):  # AdamW
            one.assign(one * (1.0 - pace * own * DECAY))
            tf.raw_ops.ResourceApplyAdam(
                var=one.handle, m=first.handle, v=second.handle, grad=slopes[place], lr=pace * own,
                beta1_power=0.9**count, beta2_power=0.999**count, beta1=0.9, beta2=0.999, epsilon=1e-8,
            )  # fmt: skip
        return loss

    dice = np.random.default_rng(int(lesson["seed"]))
    epochs, top = int(lesson["epochs"]), float(lesson["pace"])
    usual = int(np.sum(lesson["everyday"]))
    each = len(lesson["everyday"]) - usual + int(usual * float(lesson["everyday_share"]))
    total, done, losses = epochs * -(-each // BATCH), 0, []
    for _ in range(epochs):
        for rows, vectors, mask in _batches(lesson, dice):
            done += 1
            pace = top * min(1.0, done / (WARM_UP * total)) * max(0.0, 1 - done / total)
            labels = {name: lesson[name][rows] for name in ("verdict", "kind", "third_party", "past")}
            known = lesson["known"][rows]
            losses.append(
                step(
                    tf.constant(vectors), tf.constant(mask), labels, known,
                    tf.constant(pace, tf.float32), tf.constant(done, tf.float32),
                )
            )  # fmt: skip
            if done * 10 // total > (done - 1) * 10 // total:
                sys.stdout.write(f"  reader: {done * 100 // total} %, loss {float(np.mean(losses)):.3f}\n")
                sys.stdout.flush()
                losses.clear()
    return {name: one.numpy() for name, one in reader.weights.items()}


def _loss(outputs: tf.Tensor, labels: dict[str, Any], known: Any) -> tf.Tensor:
    """Verdict for every message; for whom and of which kind where there is or was danger."""
    sharp = tf.one_hot(labels["verdict"], 3) * (1 - SMOOTHING) + SMOOTHING / 3
    verdict = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(sharp, outputs[:, :3]))
    past = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels["past"], outputs[:, 4]))
    third = tf.nn.sigmoid_cross_entropy_with_logits(labels["third_party"], outputs[:, 3])
    kind = tf.nn.sparse_softmax_cross_entropy_with_logits(labels["kind"], outputs[:, 5:])
    aside = tf.reduce_sum((third + kind) * known) / tf.maximum(tf.reduce_sum(known), 1.0)
    return verdict + ASIDE * (past + aside)


def _batches(lesson: dict[str, Any], dice: Any) -> Iterator[tuple[Any, Any, Any]]:
    """One epoch: rows, token vectors, mask. Everyday messages are drawn anew, others all come."""
    starts, tokens = lesson["starts"], lesson["tokens"]
    everyday = np.flatnonzero(lesson["everyday"])
    drawn = dice.permutation(everyday)[: int(len(everyday) * float(lesson["everyday_share"]))]
    rows = dice.permutation(np.concatenate([np.flatnonzero(~lesson["everyday"]), drawn]))
    lengths = np.diff(starts)
    batches = []
    for at in range(0, len(rows), BATCH * TOGETHER):
        near = rows[at : at + BATCH * TOGETHER]
        near = near[np.argsort(lengths[near], kind="stable")]
        batches += [near[place : place + BATCH] for place in range(0, len(near), BATCH)]
    for place in dice.permutation(len(batches)):
        chosen = batches[place]
        read = [tokens[starts[row] : starts[row + 1]] for row in chosen]
        for i in np.flatnonzero(dice.random(len(read)) < float(lesson["company"])):
            if len(read[i]) <= SHORT and len(everyday):
                other = dice.choice(everyday)
                beside = tokens[starts[other] : starts[other + 1]]
                pair = (read[i], beside) if dice.random() < 0.5 else (beside, read[i])
                read[i] = np.concatenate([pair[0][:-1], pair[1][1:]])
        longest = max(map(len, read))
        longest += -longest % 8  # few shapes, so that little is compiled
        ids = np.zeros((len(read), longest), dtype=np.int32)
        mask = np.zeros((len(read), longest), dtype=np.float32)
        for i, one in enumerate(read):
            ids[i, : len(one)], mask[i, : len(one)] = one, 1.0
        yield chosen, lesson["table"][ids] + lesson["positions"][:longest], mask


def _is_fast_at_bfloat16() -> bool:
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
