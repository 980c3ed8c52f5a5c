"""What the engine understands of the held-out sentences, by intent, and of messages with two things in them.

Printed as text, and written as one HTML page with every sentence that was misread.

python -m bench.nlu_report [--html FILE] [--write docs/nlu.md]
"""

from __future__ import annotations

import argparse
import html
import json
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from bench.turns import ROOT
from bot.resources import read_yaml
from bot.settings import load_settings
from scripts.check_sentences import Sentence, from_yaml

HELD_OUT = ROOT / "tests" / "nlu" / "held_out.yml"
TWO_THINGS = ROOT / "tests" / "nlu" / "multi_intent.yml"
OUT_OF_SCOPE = "out_of_scope"
BINS = 10
WORST = 15
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


@dataclass(frozen=True)
class Read:
    """A held-out sentence, its intent, and what was understood, likeliest first; `both` when two things were heard."""

    sentence: Sentence
    ranking: tuple[str, ...]
    confidence: float
    both: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """The likeliest is the right one."""
        return self.ranking[:1] == (self.sentence.label,)

    @property
    def heard(self) -> set[str]:
        """What gets an answer."""
        return set(self.both or self.ranking[:1])


@dataclass(frozen=True)
class TwoThings:
    """How two things in one message are heard; shares from 0 to 1."""

    messages: int
    both: float
    some: float
    taken_for_two: float
    right_one_lost: float


def read(sentences: list[Sentence]) -> list[Read]:
    """Every sentence through `bot parse --jsonl`, as a user of the command would."""
    settings = load_settings()[0]
    lines = "\n".join(json.dumps({"id": n, "text": one.text}) for n, one in enumerate(sentences))
    done = subprocess.run(
        [str(settings.engine_python), "-m", "engine.parse", "--model", str(settings.model)],
        input=lines, capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    found = {one["id"]: one for one in map(json.loads, done.stdout.splitlines())}
    return [
        Read(
            one,
            tuple(rank["intent"] for rank in found[n]["ranking"]),
            found[n]["confidence"],
            tuple(found[n].get("both") or ()),
        )
        for n, one in enumerate(sentences)
    ]


def two_things(single: list[Read]) -> TwoThings:
    """Read the messages with two things, and count what of the sentences with one thing was taken for two."""
    wanted = [(one["text"], set(one["intents"])) for one in read_yaml(TWO_THINGS)]
    heard = [one.heard for one in read([Sentence(text, "", TWO_THINGS.name) for text, _ in wanted])]
    pairs = [(mine, intents) for mine, (_, intents) in zip(heard, wanted, strict=True)]
    taken = [one for one in single if one.both]
    return TwoThings(
        messages=len(pairs),
        both=sum(mine == intents for mine, intents in pairs) / len(pairs),
        some=sum(bool(mine & intents) for mine, intents in pairs) / len(pairs),
        taken_for_two=len(taken) / len(single),
        right_one_lost=sum(one.sentence.label not in one.both for one in taken) / len(single),
    )


def summary(reads: list[Read]) -> dict[str, float]:
    """Shares of 1: right at first rank, within two, macro-F1, out-of-scope recall; and the calibration error."""
    scores = list(by_intent(reads).values())
    outside = [one for one in reads if one.sentence.label == OUT_OF_SCOPE]
    return {
        "right at first rank": sum(one.right for one in reads) / len(reads),
        "right within the first two": sum(one.sentence.label in one.ranking[:2] for one in reads)
        / len(reads),
        "macro-F1": sum(f1 for _, _, f1 in scores) / len(scores),
        "out-of-scope recall": sum(one.right for one in outside) / len(outside),
        "calibration error (ECE, ten bins)": calibration(reads),
    }


def by_intent(reads: list[Read]) -> dict[str, tuple[float, float, float]]:
    """Precision, recall and F1 of every intent."""
    truth, said = Counter(one.sentence.label for one in reads), Counter(one.ranking[0] for one in reads)
    right = Counter(one.sentence.label for one in reads if one.right)
    found = {}
    for intent, count in sorted(truth.items()):
        precision = right[intent] / said[intent] if said[intent] else 0.0
        recall = right[intent] / count
        total = precision + recall
        found[intent] = (precision, recall, 2 * precision * recall / total if total else 0.0)
    return found


def calibration(reads: list[Read]) -> float:
    """Expected calibration error over ten bins of confidence (Guo and others 2017, arXiv:1706.04599)."""
    bins: dict[int, list[Read]] = defaultdict(list)
    for one in reads:
        bins[min(int(one.confidence * BINS), BINS - 1)].append(one)
    return sum(
        abs(sum(one.right for one in some) - sum(one.confidence for one in some)) for some in bins.values()
    ) / len(reads)


def confusions(reads: list[Read]) -> list[tuple[str, str, int]]:
    """What is most often taken for what."""
    wrong = Counter((one.sentence.label, one.ranking[0]) for one in reads if not one.right)
    return [(was, taken, count) for (was, taken), count in wrong.most_common(WORST)]


def as_markdown(reads: list[Read], two: TwoThings) -> str:
    """The figures as Markdown tables."""
    lines = [f"{len(reads)} sentences.", "", "| what | share |", "|---|---|"]
    lines += [f"| {name} | {value:.1%} |" for name, value in summary(reads).items()]
    lines += [
        "",
        f"Two things in one message: {two.messages} messages, and what it costs the sentences above.",
        "",
    ]
    lines += ["| two things | share |", "|---|---|"]
    lines += [f"| both are understood | {two.both:.1%} |", f"| at least one is understood | {two.some:.1%} |"]
    lines += [f"| one thing is taken for two | {two.taken_for_two:.1%} |"]
    lines += [f"| one thing is taken for two others | {two.right_one_lost:.1%} |"]
    lines += ["", "| intent | precision | recall | F1 |", "|---|---|---|---|"]
    ordered = sorted(by_intent(reads).items(), key=lambda one: one[1][2])
    lines += [f"| `{name}` | {p:.0%} | {r:.0%} | {f1:.0%} |" for name, (p, r, f1) in ordered]
    lines += ["", "| was | taken for | times |", "|---|---|---|"]
    lines += [f"| `{was}` | `{taken}` | {count} |" for was, taken, count in confusions(reads)]
    return "\n".join(lines)


def as_html(reads: list[Read], two: TwoThings) -> str:
    """The same on one page, with every sentence that was misread."""
    rows = "".join(
        f"<tr><td>{html.escape(one.sentence.text)}</td><td>{one.sentence.label}</td><td>{one.ranking[0]}</td>"
        f"<td>{one.confidence:.2f}</td></tr>"
        for one in sorted(reads, key=lambda one: one.sentence.label)
        if not one.right
    )
    style = (
        "body{font:16px/1.4 system-ui;margin:2rem;max-width:70rem}td,th{padding:.2rem .6rem;text-align:left}"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>What the engine understands</title>'
        f"<style>{style}</style><h1>What the engine understands</h1><pre>{html.escape(as_markdown(reads, two))}</pre>"
        f"<h2>Misread</h2><table><tr><th>sentence</th><th>is</th><th>taken for</th><th>confidence</th></tr>"
        f"{rows}</table></html>\n"
    )


def main() -> int:
    """Print the figures, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--html", type=Path, help="write one HTML page here")
    parser.add_argument("--write", type=Path, help="a page that holds the marks between which figures stand")
    options = parser.parse_args()
    reads = read(list(from_yaml(HELD_OUT)))
    two = two_things(reads)
    print(as_markdown(reads, two))
    if options.html is not None:
        options.html.write_text(as_html(reads, two), encoding="utf-8")
    if options.write is not None:
        page = options.write.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        options.write.write_text(
            f"{before}{BEGIN}\n{as_markdown(reads, two)}\n{END}{after}", encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
