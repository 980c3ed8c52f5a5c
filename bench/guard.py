"""How well and how fast the guard judges: the held-out messages, everyday sentences, and its speed on one core.

python -m bench.guard [--write docs/safety/guard.md]
"""

from __future__ import annotations

import argparse
import json
import math
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path

import numpy as np

from bench.frames import load_frames, sentences
from bench.turns import ROOT
from bot.resources import read_yaml
from bot.safety.examples import Example, read_examples
from bot.safety.guard import Guard, load_guard
from bot.safety.typing_habits import with_slips
from bot.safety.verdict import Judgement
from bot.settings import load_settings
from bot.storage.message_log import RECENT_MESSAGES
from scripts.check_sentences import from_yaml

#: Hard messages, each set by other hands than the training messages: the first set, and that of two more hands.
HELD_OUT, HELD_OUT_MORE = (ROOT / "tests" / "safety" / name for name in ("held_out.csv", "held_out_more.csv"))
#: By four further hands: on these the thresholds of decision.yml were chosen; nothing is learned of them.
THRESHOLDS = ROOT / "tests" / "safety" / "held_out_thresholds.csv"
#: By two more hands who were asked for an exam that a guard would fail.
EXAM = ROOT / "tests" / "safety" / "held_out_exam.csv"
#: By two hands who wrote after the thresholds of decision 0012; judged first when those had been chosen.
LATER = ROOT / "tests" / "safety" / "held_out_later.csv"
#: By three more, written after all that is learned; judged when nothing was chosen any more (docs/decisions/0013).
NEWEST = ROOT / "tests" / "safety" / "held_out_newest.csv"
#: By three further hands with the same task, to confirm what the newest show (docs/decisions/0014).
CONFIRMING = ROOT / "tests" / "safety" / "held_out_confirming.csv"
#: Plain messages, as people type them first, by two more hands (docs/decisions/0014).
PLAIN = ROOT / "tests" / "safety" / "held_out_plain.csv"
#: Hard messages by three hands more, judged for the first time with the guard of decision 0014 (docs/decisions/0015).
SEALED = ROOT / "tests" / "safety" / "held_out_sealed.csv"
#: By three hands more, judged for the first time when the thresholds stood (docs/decisions/0016).
CLOSING = ROOT / "tests" / "safety" / "held_out_closing.csv"
#: The sets written with one task, that of the aims; nothing was learned of them, and no figure chosen on them.
ONE_TASK = (NEWEST, CONFIRMING, SEALED, CLOSING)
#: Plain messages in other languages than Dutch, by a further hand.
LANGUAGES = ROOT / "tests" / "safety" / "held_out_languages.csv"
#: Everyday sentences: written as such, and the engine's held-out ones of intents in which no danger is heard.
EVERYDAY_LIFE = ROOT / "tests" / "safety" / "everyday.txt"
EVERYDAY_LATER = ROOT / "tests" / "safety" / "everyday_later.txt"
EVERYDAY_SEALED = ROOT / "tests" / "safety" / "everyday_sealed.txt"
EVERYDAY_CLOSING = ROOT / "tests" / "safety" / "everyday_closing.txt"
EVERYDAY = ROOT / "tests" / "nlu" / "held_out.yml"
#: Intents of which the sentences may hold danger, so that they are no everyday sentences.
DANGER_HEARD = frozenset(
    {
        "report_suicidal_thoughts", "report_colleague_struggling", "report_substance_use", "report_aggression",
        "report_shocking_event", "report_low_mood", "report_anxiety", "request_helpline",
    }
)  # fmt: skip
#: Conversations with the whole stack, as messages come in them.
CONVERSATIONS = ROOT / "tests" / "cases" / "conversations"
#: Loads the guard in a process of its own; says how many seconds that took, and its modules before it.
LOADS = """
import json, time
began = time.perf_counter()
import onnx, onnxruntime
from bot.safety.guard import load_guard
from bot.settings import load_settings
ready = time.perf_counter()
load_guard(load_settings()[0].guard_model)
print(json.dumps([time.perf_counter() - ready, ready - began]))
"""
#: Limits of decision.yml with which the reader never stops half-way.
TO_THE_END = {"enough": 1.0, "enough_danger": 1.0}
NO_MARKS = re.compile(r"[.,;:!?…\"()]+")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
Share = tuple[str, int, int]


def interval(hits: int, all_: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    if all_ == 0:
        return 0.0, 1.0
    z, share = 1.959964, hits / all_
    middle = (share + z * z / (2 * all_)) / (1 + z * z / all_)
    reach = z * math.sqrt(share * (1 - share) / all_ + z * z / (4 * all_ * all_)) / (1 + z * z / all_)
    return middle - reach, middle + reach


def held_out(guard: Guard, *paths: Path) -> list[Share]:
    """What the guard makes of held-out messages: name, how many, out of how many."""
    return shares(_judged(guard, paths))


def _judged(guard: Guard, paths: Iterable[Path]) -> list[tuple[Example, Judgement]]:
    errors: list[str] = []
    examples = [one for path in paths for one in read_examples(path, errors)]
    if errors:
        raise ValueError("; ".join(errors))
    return [(one, guard.judge(one.text)) for one in examples]


def shares(judged: Sequence[tuple[Example, Judgement]]) -> list[Share]:
    """How much danger of each sort is seen, and how often something is seen that is not there."""

    def share(name: str, which: Callable[[Example], bool], good: Callable[[Judgement], bool]) -> Share:
        chosen = [found for one, found in judged if which(one)]
        return name, sum(map(good, chosen)), len(chosen)

    def seen(found: Judgement) -> bool:
        return found.verdict != "none"

    return [
        share("explicit danger: explicit or ambiguous", lambda one: one.verdict == "explicit", seen),
        share(
            "explicit danger: explicit",
            lambda one: one.verdict == "explicit",
            lambda f: f.verdict == "explicit",
        ),
        share("ambiguous: explicit or ambiguous", lambda one: one.verdict == "ambiguous", seen),
        share(
            "worry about someone else: not none", lambda one: one.third_party and one.verdict != "none", seen
        ),
        share("hard negatives: anything but none", lambda one: one.verdict == "none", seen),
    ]


def told(guard: Guard) -> list[Share]:
    """Of the sets with one task: whether kind and person are right where danger is seen, and what is over is heard."""
    judged = _judged(guard, ONE_TASK)
    seen = [(one, found) for one, found in judged if "none" not in (one.verdict, found.verdict)]
    over = [found for one, found in judged if one.past]
    return [
        ("the kind of danger that is seen", sum(one.kind == found.kind for one, found in seen), len(seen)),
        ("whose it is", sum(one.third_party == found.third_party for one, found in seen), len(seen)),
        ("danger that is over: told to be", sum(found.past for found in over), len(over)),
    ]


def everyday(guard: Guard) -> list[Share]:
    """Everyday sentences, as written and as typed, and what people say to the assistant, that look like danger."""
    said = [one.text for one in from_yaml(EVERYDAY) if one.label not in DANGER_HEARD]
    life, later, sealed, closing = (
        path.read_text(encoding="utf-8").splitlines()
        for path in (EVERYDAY_LIFE, EVERYDAY_LATER, EVERYDAY_SEALED, EVERYDAY_CLOSING)
    )
    return [
        (f"{name}: anything but none", sum(guard.judge(one).verdict != "none" for one in texts), len(texts))
        for name, texts in (
            ("everyday sentences", life),
            ("by four later hands", later),
            ("by three last hands", sealed),
            ("by four closing hands", closing),
            ("all of these", [*life, *later, *sealed, *closing]),
            ("without a stop at the end", [one.rstrip(" .!?…") for one in life]),
            ("after a greeting", [f"hallo. {one}" for one in life]),
            ("made from frames", sentences(load_frames())),
            ("said to the assistant", said),
        )
    ]


def habits(guard: Guard) -> list[str]:
    """Rows about all three sets of hard messages and the everyday sentences, typed in other ways than written."""
    hard = [one for path in (HELD_OUT, HELD_OUT_MORE, THRESHOLDS) for one in read_examples(path, [])]
    life = EVERYDAY_LIFE.read_text(encoding="utf-8").splitlines()
    dice = np.random.default_rng(1)
    rows = []
    for name, typed in (
        ("as written", lambda text: text),
        ("one word in eight typed wrongly", lambda text: with_slips(text, dice, 0.125)),
        ("no marks", lambda text: " ".join(NO_MARKS.sub(" ", text).split())),
        ("dots for marks", lambda text: re.sub("[.,]", "...", text)),
        ("sorry voor het storen, …", lambda text: f"sorry voor het storen, {text}"),
        ("… 😔", lambda text: f"{text} 😔"),
        ("… haha", lambda text: f"{text} haha"),
    ):  # fmt: skip
        found = shares([(one, guard.judge(typed(one.text))) for one in hard])
        usual = sum(guard.judge(typed(one)).verdict != "none" for one in life) / len(life)
        seen, _, doubt, _, wrong = (f"{hits / all_:.1%}" for _, hits, all_ in found)
        rows.append(f"| {name} | {seen} | {doubt} | {wrong} | {usual:.1%} |")
    return rows


def in_pieces(guard: Guard) -> list[str]:
    """Rows of a table: messages of all three sets sent in two or three pieces, and everyday sentences three in a row.

    A message counts as seen when something is said after any of its pieces, as it is in a conversation.
    """

    def seen(pieces: Sequence[str]) -> bool:
        return any(
            guard.judge_recent(pieces[max(0, last - 2) : last + 1]).verdict != "none"
            for last in range(len(pieces))
        )

    hard = [one for path in (HELD_OUT, HELD_OUT_MORE, THRESHOLDS) for one in read_examples(path, [])]
    life = EVERYDAY_LIFE.read_text(encoding="utf-8").splitlines()
    groups = {
        "explicit danger": [one.text for one in hard if one.verdict == "explicit"],
        "ambiguous danger": [one.text for one in hard if one.verdict == "ambiguous"],
        "hard negatives": [one.text for one in hard if one.verdict == "none"],
    }
    rows = {name: [_cut(text) for text in texts] for name, texts in groups.items()}
    rows["three everyday sentences"] = [life[at : at + 3] for at in range(0, len(life) - 2, 3)]
    return [
        f"| {name} | {sum(map(seen, pieces)) / len(pieces):.1%} | {len(pieces)} |"
        for name, pieces in rows.items()
    ]


def half_way(guard: Guard) -> list[str]:
    """Rows of a table: what changes because the reader may stop half-way, against a guard that always reads on."""
    to_the_end = replace(guard, decision=guard.decision.model_copy(update=TO_THE_END))
    hard = [one.text for path in (HELD_OUT, HELD_OUT_MORE, THRESHOLDS) for one in read_examples(path, [])]
    life = EVERYDAY_LIFE.read_text(encoding="utf-8").splitlines()
    rows = []
    for name, texts in (("hard messages", hard), ("everyday sentences", life)):
        pairs = [(guard.judge(text), to_the_end.judge(text)) for text in texts]
        verdicts = sum(found.verdict != read.verdict for found, read in pairs)
        parts = ("verdict", "kind", "third_party", "past")
        anything = sum(any(getattr(a, one) != getattr(b, one) for one in parts) for a, b in pairs)
        rows.append(f"| {name} | {verdicts} | {anything} | {len(texts)} |")
    return rows


def _cut(text: str) -> list[str]:
    """Twelve words and more in three messages, six and more in two."""
    words = text.split()
    count = min(3, max(1, len(words) // 6 + 1)) if len(words) >= 6 else 1
    ends = [len(words) * place // count for place in range(count + 1)]
    return [" ".join(words[start:end]) for start, end in pairwise(ends)]


def speed(guard: Guard) -> list[str]:
    """Lines about time: everyday sentences, what is said, conversations, hard messages, ten kilobytes, loading.

    The aims are for 600 hard messages and 10,000 everyday sentences; one line has them in about that share.
    """
    said = [one.text for one in from_yaml(EVERYDAY)]
    life = EVERYDAY_LIFE.read_text(encoding="utf-8").splitlines()
    hard = [one.text for one in read_examples(HELD_OUT, [])]
    page = ("Vandaag was het druk op de afdeling, we hadden te weinig volk en de bel bleef gaan. " * 130)[
        :10_000
    ]
    to_the_end = replace(guard, decision=guard.decision.model_copy(update=TO_THE_END))
    after_two = [[life[2 * place], life[2 * place + 1], text] for place, text in enumerate(hard)]
    return [
        _times(
            "hard messages among everyday ones, as in the aims", guard, _alone(hard, sentences(load_frames()))
        ),
        _times("an everyday sentence", guard, _alone(life)),
        _times("an everyday sentence after two others", guard, zip(life, life[1:], life[2:], strict=False)),
        _times("said to the assistant", guard, _alone(said)),
        _times("in whole conversations, with the two messages before", guard, _in_conversations()),
        _times("a hard message", guard, _alone(hard)),
        _times("a hard message after two everyday sentences", guard, after_two),
        _times("a hard message, always read to its end", to_the_end, _alone(hard)),
        _times("10 kB of text", guard, _alone([page] * 20)),
        *_loading(),
    ]


def _alone(*texts: Iterable[str]) -> Iterator[list[str]]:
    """Messages that nothing was said before."""
    return ([text] for text in chain(*texts))


def _in_conversations() -> Iterator[Sequence[str]]:
    """All that people write in the conversations that are tested with the whole stack, each with the two before it."""
    for path in sorted(CONVERSATIONS.glob("*.yml")):
        for case in read_yaml(path):
            said = [str(step["say"]) for step in case["steps"] if "say" in step]
            yield from (said[max(0, place - RECENT_MESSAGES) : place + 1] for place in range(len(said)))


def _times(name: str, guard: Guard, rows: Iterable[Sequence[str]]) -> str:
    """Median and p99 for messages, each with those before it, judged as the app judges them."""
    took = []
    for texts in rows:
        began = time.perf_counter()
        guard.judge_recent(texts)
        took.append((time.perf_counter() - began) * 1000)
    return f"| {name} | {statistics.median(took):.1f} ms | {statistics.quantiles(took, n=100)[98]:.1f} ms |"


def _loading() -> list[str]:
    """Rows about loading in a process of its own: its modules, and then the guard, the median of five times."""
    found = [
        json.loads(subprocess.check_output([sys.executable, "-c", LOADS], cwd=ROOT, text=True))
        for _ in range(5)
    ]
    return [
        f"| {name} | {statistics.median(one[place] for one in found) * 1000:.0f} ms | |"
        for place, name in enumerate(
            ("loading, in a process of its own", "the modules it needs, before that")
        )
    ]


def report(guard: Guard) -> str:
    """The figures as Markdown."""
    lines: list[str] = []
    for title, found in (
        ("the first set", held_out(guard, HELD_OUT)),
        ("by two more hands", held_out(guard, HELD_OUT_MORE)),
        ("on which thresholds were chosen", held_out(guard, THRESHOLDS)),
        ("set as an exam", held_out(guard, EXAM)),
        ("by two later hands", held_out(guard, LATER)),
        ("by the three newest hands", held_out(guard, NEWEST)),
        ("by three more, to confirm", held_out(guard, CONFIRMING)),
        ("plain messages", held_out(guard, PLAIN)),
        ("by three last hands", held_out(guard, SEALED)),
        ("by three closing hands", held_out(guard, CLOSING)),
        ("these four sets with one task, together", held_out(guard, *ONE_TASK)),
        ("what is told of it, in these four", told(guard)),
        ("in ten other languages", held_out(guard, LANGUAGES)),
        ("everyday", everyday(guard)),
    ):
        lines += [f"| {title} | share | 95 % interval | count |", "|---|---|---|---|"]
        for name, hits, all_ in found:
            low, high = interval(hits, all_)
            lines.append(f"| {name} | {hits / all_:.1%} | {low:.1%} – {high:.1%} | {hits} of {all_} |")
        lines.append("")
    lines += [
        "| typed otherwise | explicit seen | ambiguous | hard negatives | everyday |",
        "|---|---|---|---|---|",
    ]
    lines += [*habits(guard), ""]
    lines += ["| sent in pieces | anything but none | rows |", "|---|---|---|", *in_pieces(guard), ""]
    lines += [
        "| stopping half-way changes | verdicts | anything | of |",
        "|---|---|---|---|",
        *half_way(guard),
        "",
    ]
    return "\n".join([*lines, "| time | median | p99 |", "|---|---|---|", *speed(guard)])


def main() -> int:
    """Print the figures, or write them between the marks of a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="a page that holds the marks between which figures stand")
    options = parser.parse_args()
    found = report(load_guard(load_settings()[0].guard_model))
    if options.write is None:
        print(found)
        return 0
    page = options.write.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    options.write.write_text(f"{before}{BEGIN}\n{found}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
