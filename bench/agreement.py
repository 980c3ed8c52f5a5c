"""How far readers who did not know the labels of the held-out messages agree with them, and with each other.

tests/safety/second_readers.csv holds what they said, by set and row; nothing is decided by it. Kappa is Cohen's (1960,
doi:10.1177/001316446002000104): 1 is full agreement, 0 what chance would give.

python -m bench.agreement
"""

from __future__ import annotations

import csv
from pathlib import Path

from sklearn.metrics import cohen_kappa_score

from bot.safety.examples import read_examples

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "safety"
SETS = {
    "held_out": "the first set",
    "held_out_more": "by two more hands",
    "held_out_thresholds": "for thresholds",
    "held_out_exam": "set as an exam",
    "held_out_later": "by two later hands",
    "held_out_newest": "by the three newest hands",
    "held_out_confirming": "by three more, to confirm",
    "held_out_plain": "plain messages",
    "held_out_sealed": "by three last hands",
    "held_out_closing": "by three closing hands",
}


def labels(name: str) -> dict[str, list[str]]:
    """The verdicts of one set in its order: "label", and "first" and "second" as far as there was such a reader."""
    found = {"label": [str(one.verdict) for one in read_examples(FOLDER / f"{name}.csv", [])]}
    with (FOLDER / "second_readers.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == name]
    for reader in ("first", "second"):
        said = [row[reader] for row in rows if row[reader]]
        if said:
            found[reader] = said
    return found


def agreement(one: list[str], other: list[str]) -> tuple[float, float]:
    """The share of messages with the same verdict, and kappa."""
    same = sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
    return same, float(cohen_kappa_score(one, other))


def main() -> int:
    """Print a table as Markdown."""
    print("| set | messages | who | same verdict | kappa |\n|---|---|---|---|---|")
    for name, title in SETS.items():
        found = labels(name)
        pairs = [("label", "first"), ("label", "second"), ("first", "second")]
        for a, b in (pair for pair in pairs if set(pair) <= set(found)):
            same, kappa = agreement(found[a], found[b])
            who = {"label": "label"}.get(a, f"{a} reader")
            print(f"| {title} | {len(found[a])} | {who}, {b} reader | {same:.1%} | {kappa:.2f} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
