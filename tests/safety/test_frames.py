"""Everyday sentences made from frames: every choice comes, and what is not well formed is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.frames import load_frames, sentences
from bot.resources import ResourceError

HEAD = """id: some
title: Iets
version: 1
valid_from: 2026-11-27
status: product_rule
source: een toets
frames:
"""


def folder(path: Path, *frames: str) -> Path:
    (path / "some.yml").write_text(HEAD + "".join(f"  - '{frame}'\n" for frame in frames), encoding="utf-8")
    return path


def test_every_choice_comes_and_nothing_stays_open() -> None:
    found = sentences(["Ik neem {de trein|de bus} naar {Gent|Breda}{|, denk ik}."], 200)
    assert sorted(found) == sorted(
        f"Ik neem {how} naar {where}{end}."
        for how in ("de trein", "de bus")
        for where in ("Gent", "Breda")
        for end in ("", ", denk ik")
    )


def test_no_more_is_made_of_a_frame_than_asked_and_always_the_same() -> None:
    frames = ["{a|b|c} {d|e|f} {g|h|i}", "niets te kiezen | hier"]
    found = sentences(frames, 4)
    assert len(found) <= 5
    assert "niets te kiezen | hier" in found
    assert found == sentences(frames, 4)
    assert found != sentences(frames, 4, seed=1)


def test_what_is_made_of_a_frame_does_not_depend_on_the_others() -> None:
    one, other = "{a|b|c|d} {e|f|g|h} x", "{a|b|c|d} {e|f|g|h} y"
    assert sentences([one, other], 3) == sentences([one], 3) + sentences([other], 3)


def test_a_choice_that_is_nothing_leaves_no_gap() -> None:
    assert set(sentences(["{Ja|} {hoor|}, dag {Jan|} ."], 90)) >= {"Ja hoor, dag Jan.", "Ja, dag.", ", dag."}


@pytest.mark.parametrize(
    "frame", ["Ik {ga|blijf naar huis", "Ik ga} naar huis", "Ik {ga {nu|straks}|blijf}", "Ik {ga} naar huis"]
)
def test_a_frame_that_is_not_well_formed_is_refused_with_its_place(tmp_path: Path, frame: str) -> None:
    with pytest.raises(ResourceError, match=r"some\.yml: frames\.1: "):
        load_frames(folder(tmp_path, "{Goed|Wel} zo", frame))


def test_ten_thousand_sentences_are_made_of_the_held_out_frames_and_none_stays_open() -> None:
    found = sentences(load_frames())
    assert len(found) >= 10_000
    assert not [text for text in found if set(text) & set("{}|") or "  " in text]
