"""The guard: is someone in danger, in what these words say? Room: pure core; no clock, no storage, no network.

Four layers, each readable by itself: words are made even (normal.py), phrases are found in their scopes (phrases.py), a
small classifier gives its opinion (classifier.py), and the decision here weighs both. It prefers a gentle question over
an alarm, and an alarm over silence. Never raises on any text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from bot.resources import RESOURCES, SourcedDefinition, read_definition
from bot.safety.classifier import Classifier, Opinion, Piece, load_weights
from bot.safety.examples import content_hash
from bot.safety.normal import Normaliser, load_normaliser
from bot.safety.phrases import STOPS, Hit, PhraseRules, load_phrase_rules
from bot.safety.reader import load_reader
from bot.safety.verdict import NOTHING, Judgement, Kind, Verdict

#: Fewer words say too little to be judged, unless they are a phrase.
FEWEST = 3
#: A message of so few words is judged as a whole only; of a longer one every sentence is judged too.
SHORT = 12
#: A sentence has so many words; more of them are cut, so that one danger cannot drown in a page.
SENTENCE = 40
#: So many sentences of a message are looked at twice: those in which the words alone say most.
SENTENCES = 1
#: In a message of so many words, short sentences are judged together until they have this many.
LONG, TOGETHER = 300, 25
GRAVITY: dict[Verdict, int] = {"none": 0, "ambiguous": 1, "explicit": 2}


class GuardModelError(Exception):
    """The guard's model is missing or does not fit; `str()` is one plain sentence."""


class Decision(SourcedDefinition):
    """resources/safety/decision.yml: every figure a probability from 0 to 1."""

    look_twice: float = Field(ge=0, le=1)
    ask: float = Field(ge=0, le=1)
    act: float = Field(ge=0, le=1)
    ask_sentence: float = Field(ge=0, le=1)
    act_sentence: float = Field(ge=0, le=1)
    ask_with_phrase: float = Field(ge=0, le=1)
    doubt_phrase: float = Field(ge=0, le=1)
    ask_sure: float = Field(ge=0, le=1)
    third_party: float = Field(ge=0, le=1)
    past: float = Field(ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Guard:
    """Judges messages. Safe to use from several threads."""

    normaliser: Normaliser
    rules: PhraseRules
    classifier: Classifier
    decision: Decision

    def judge(self, text: str) -> Judgement:
        """What one message says."""
        even = self.normaliser.even(text)
        words = self.normaliser.words(even)
        hits = self.rules.find(words)
        if not hits and sum(word.isalpha() for word in words) < FEWEST:
            return NOTHING
        message = Piece(words, hits, even)
        pieces = _sentences(words, hits) if len(words) > SHORT else []
        quick = [self.classifier.quick_danger(piece) for piece in pieces]
        most = max([self.classifier.quick_danger(message), *quick])
        if not hits and most < self.decision.look_twice:
            return NOTHING
        telling = [
            (any(hit.free and hit.rule.sure for hit in piece.hits), danger, -place)
            for place, (piece, danger) in enumerate(zip(pieces, quick, strict=True))
            if len(pieces) > 1 and (piece.hits or danger >= self.decision.look_twice)
        ]
        chosen = [pieces[-place] for _, _, place in sorted(telling, reverse=True)[:SENTENCES]]
        whole = self.classifier.opinions([message])[0]
        settled = whole.explicit >= self.decision.act
        return self._decide(hits, whole, [] if settled else self.classifier.opinions(chosen))

    def judge_recent(self, texts: Sequence[str], /) -> Judgement:
        """The newest message alone, or graver: a phrase that runs from the messages before it into the newest.

        Args:
            texts: a person's last messages, oldest first; at least one.
        """
        if len(texts) == 1:
            return self.judge(texts[0])
        alone = self.judge(texts[-1])
        if alone.verdict == "explicit" or any(self.judge(text).verdict != "none" for text in texts[:-1]):
            return alone  # what was said before has been answered
        before = self.normaliser.words(self.normaliser.even(" ".join(texts[:-1])))
        even = self.normaliser.even(" ".join(texts))
        words = self.normaliser.words(even)
        hits = self.rules.find(words)
        across = [hit for hit in hits if hit.free and hit.start < len(before) < hit.end]
        if not across:
            return alone
        together = self._decide(across, self.classifier.opinions([Piece(words, hits, even)])[0], [])
        return together if GRAVITY[together.verdict] > GRAVITY[alone.verdict] else alone

    def _decide(self, hits: Sequence[Hit], whole: Opinion, parts: Sequence[Opinion]) -> Judgement:
        limit = self.decision
        sure = [hit for hit in hits if hit.free and hit.rule.sure]
        free = [hit for hit in hits if hit.free]
        gravest = max([whole, *parts], key=lambda one: one.danger)
        because = [f"words '{hit.words}' ({hit.rule.id})" for hit in free[:3]]
        verdict: Verdict = "none"
        if (
            (sure and gravest.danger >= limit.doubt_phrase)
            or whole.explicit >= limit.act
            or any(part.explicit >= limit.act_sentence for part in parts)
        ):
            verdict = "explicit"
        elif (
            whole.danger >= (limit.ask_with_phrase if free else limit.ask)
            or any(part.danger >= limit.ask_sentence for part in parts)
            or (sure and sure[0].rule.verdict == "explicit" and gravest.danger >= limit.ask_sure)
        ):
            verdict = "ambiguous"
        if verdict == "none":
            if whole.past >= limit.past:
                return Judgement("none", whole.kind, whole.third_party >= limit.third_party, True, ())
            return NOTHING
        because.append(f"classifier: danger {gravest.danger:.2f}, explicit {gravest.explicit:.2f}")
        return Judgement(
            verdict, self._kind(free, whole, gravest), self._third(whole, gravest), False, tuple(because)
        )

    def _kind(self, hits: Sequence[Hit], whole: Opinion, gravest: Opinion) -> Kind:
        """The likeliest kind; the kind of a phrase counts as half a vote more."""
        votes = {kind: share + whole.kinds[kind] for kind, share in gravest.kinds.items()}
        for hit in hits:
            votes[hit.kind] += 0.5 if hit.rule.sure else 0.25
        return max(votes, key=lambda kind: votes[kind])

    def _third(self, whole: Opinion, gravest: Opinion) -> bool:
        return (whole.third_party + gravest.third_party) / 2 >= self.decision.third_party


def _sentences(words: Sequence[str], hits: Sequence[Hit]) -> list[Piece]:
    """The words sentence by sentence with the phrases in them, without those that hold nothing to judge."""
    found: list[list[int]] = [[]]
    least = TOGETHER if len(words) > LONG else 1
    near = {place for hit in hits for place in _stops_around(words, hit)}
    for place, word in enumerate(words):
        enough = 1 if place in near else least
        if (word in STOPS and len(found[-1]) >= enough) or len(found[-1]) >= SENTENCE:
            found.append([])
        if word not in STOPS:
            found[-1].append(place)
    pieces = []
    for places in found:
        if len(places) > 1:
            inside = [hit for hit in hits if places[0] <= hit.start and hit.end <= places[-1] + 1]
            mine = [words[place] for place in places]
            pieces.append(Piece(mine, inside, " ".join(mine)))
    return pieces


def _stops_around(words: Sequence[str], hit: Hit) -> list[int]:
    """Where the sentence that holds a phrase begins and ends: it is never judged together with others."""
    before = next((place for place in range(hit.start - 1, -1, -1) if words[place] in STOPS), None)
    after = next((place for place in range(hit.end, len(words)) if words[place] in STOPS), None)
    return [place for place in (before, after) if place is not None]


def load_guard(path: Path) -> Guard:
    """The guard with the definitions in resources/ and a trained model.

    Raises:
        GuardModelError: the model is missing, unreadable, or was trained from other examples.
        ResourceError: a definition does not hold to its schema.
    """
    try:
        weights, made_from = load_weights(path)
        read = load_reader(weights.reader)
    except OSError as error:
        raise GuardModelError(f"there is no trained guard at {path}: run `bot train` first.") from error
    except ValueError as error:
        raise GuardModelError(
            f"the guard at {path} cannot be used ({error}): run `bot train` again."
        ) from error
    if made_from != content_hash():
        raise GuardModelError(f"the guard at {path} was trained from other examples: run `bot train` again.")
    decision = read_definition(RESOURCES / "safety" / "decision.yml", Decision)
    guard = Guard(load_normaliser(), load_phrase_rules(), Classifier(weights, read), decision)
    guard.judge("ik wil dood")  # reads lemmas and the reader's words now, so that nobody waits for them
    return guard
