"""What the guard says about a message.

Room: pure core. Imports nothing heavy: everyone who handles a judgement needs this file and no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: `explicit`: danger now, act at once. `ambiguous`: may be danger, ask. `none`: neither.
Verdict = Literal["explicit", "ambiguous", "none"]
Kind = Literal[
    "suicidal_thoughts",
    "self_harm",
    "overdose",
    "violence_threat",
    "danger_to_others",
    "medical_emergency",
    "substance",
]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found in a message.

    Attributes:
        verdict: how sure the danger is.
        kind: which danger; None when there is none, now or in the past.
        third_party: the worry is about someone the writer knows, not about the writer.
        past: danger that is over; the verdict is then `none`.
        because: the phrases and scores that led to it, in English, for logs and for people who check the guard.
    """

    verdict: Verdict
    kind: Kind | None
    third_party: bool
    past: bool
    because: tuple[str, ...]


NOTHING = Judgement("none", None, False, False, ())
