"""Sentences made by rule for training the guard: the same act in different company. Room: pure core.

resources/safety/grammar.yml names acts and contexts; every act is put into some contexts of each label, chosen by a
fixed seed. What is made here is for training only, beside the examples that people wrote.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from bot.resources import RESOURCES, SourcedDefinition, read_definition
from bot.safety.examples import Example
from bot.safety.verdict import Kind, Verdict

SEED = 20261125
PATH = RESOURCES / "safety" / "grammar.yml"

Label = Literal["explicit", "explicit3", "none", "past"]
Acts = dict[Kind, list[str]]
Form = Literal["wish", "done", "to_me", "body"]
#: Contexts of each label that an act is put into.
EACH: dict[Label, int] = {"explicit": 3, "explicit3": 2, "none": 4, "past": 1}


class Grammar(SourcedDefinition):
    """Acts by form and kind, and the contexts of each form."""

    wish: Acts
    done: Acts
    to_me: Acts
    body: Acts
    contexts: dict[Form, dict[Label, list[str]]]


def load_grammar_examples(path: Path = PATH) -> list[Example]:
    """Every act in some of its contexts; the same list every time.

    Raises:
        ResourceError: the file does not hold to the schema.
    """
    grammar = read_definition(path, Grammar)
    choose = np.random.default_rng(SEED)
    found = []
    for form, contexts in grammar.contexts.items():
        acts: Acts = getattr(grammar, form)
        for kind, sentences in acts.items():
            for act in sentences:
                for label, count in EACH.items():
                    fitting = contexts.get(label, [])
                    places = choose.permutation(len(fitting))[:count]
                    found += [_example(fitting[place], act, kind, label, choose) for place in places]
    return found


def _example(context: str, act: str, kind: Kind, label: str, choose: np.random.Generator) -> Example:
    own = "ik" in context.replace(":", " ").split() or context.startswith(("k ", "kwil", "kheb"))
    about = {"zelf": "mezelf", "mijn": "mijn"} if own and label != "explicit3" else None
    about = about or {"zelf": "zichzelf", "mijn": ("zijn", "haar")[choose.integers(2)]}
    text = context.replace("{act}", act.format(**about))
    verdict: Verdict = "explicit" if label.startswith("explicit") else "none"
    return Example(
        verdict, kind if label != "none" else None, label == "explicit3", label == "past", text, "grammar"
    )
