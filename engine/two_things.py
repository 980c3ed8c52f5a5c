"""Room `engine`: hears two things in one message ("slaap slecht en ruzie met mijn chef"). May know Rasa's interfaces.

`ClauseCutter` stands before the classifier and lets it read the clauses of a message beside the message itself;
`ClauseJoiner` stands after it and notes both things on the message when both clauses are sure and say something
else. Which classifier it is makes no difference. `TwoThingsPolicy` then gives the word to the action that answers
both. Figures: docs/nlu.md.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, NamedTuple

from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.constants import INTENT_MESSAGE_PREFIX
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

#: On a message: the two things it says, in the order said.
BOTH = "two_things"
ACTION = "action_two_things"
#: Whatever else is said, this alone is heard.
DANGER = "report_suicidal_thoughts"

_PLACE = "_ademruimte_clause"  # on a clause: which message it comes from, where it was cut
_WORDS = "en|én|maar|plus|want|dus|ook|alsook|bovendien|daarnaast|daarna|sinds|omdat|waardoor|daardoor"
_CUT = re.compile(
    rf"(?P<strong>\s*[.!?…\n]+\s+|\s*[;:]\s+|\s+[-–—/+]\s+|,?\s+(?=(?:{_WORDS})\s))|(?P<comma>\s*,\s+)",
    re.IGNORECASE,
)
#: Left out at the start of a second clause: they say that something follows, not what.
_LEAD = re.compile(
    r"(?:(?:en|én|maar|plus|ook|dus|dan|nog|eens|alsook|bovendien|daarnaast)\s+)+", re.IGNORECASE
)
#: What begins so is one thing with what follows its comma.
_SUBORDINATE = re.compile(r"(?:als|wanneer|toen|omdat|terwijl|doordat|sinds|nu)\s", re.IGNORECASE)
_NO = re.compile(r"(?:nee+n?|nope|niet|liever niet)\b", re.IGNORECASE)
#: Said in one or two words; every other intent needs a clause of three.
_SHORT = frozenset({"greet", "thank", "goodbye", "deny", "stop"})
_FEWEST = 3
#: They answer a question or say nothing that could be answered beside something else.
_NEVER = frozenset(
    {
        "out_of_scope",
        "affirm",
        "skip",
        "go_back",
        "repeat",
        "ask_why",
        "restart",
        "give_score",
        "nlu_fallback",
    }
)
#: Said of the same thing in the same words.
_SAME = (frozenset({"stop", "report_want_to_quit"}), frozenset({"request_human", "request_callback"}))


class Clause(NamedTuple):
    """One side of a cut: the message it comes from, the cut, which side (0 or 1), and whether a comma made it."""

    message: int
    cut: int
    side: int
    comma: bool


class Pair(NamedTuple):
    """Two clauses as the classifier read them; `sure` is how sure the less sure of them is, 0–1."""

    sure: float
    first: dict[str, Any]
    second: dict[str, Any]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class ClauseCutter(GraphComponent):
    """Before the classifier: adds the clauses of each message as messages of their own."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The settings that config.yml may change."""
        return {
            "most_words": 60,  # a longer message tells a story
            "most_cuts": 3,  # so many places are tried, those at a connective or a full stop first
        }

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = {**self.get_default_config(), **config}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,  # noqa: ARG003 - Rasa's signature
        resource: Resource,  # noqa: ARG003
        execution_context: ExecutionContext,  # noqa: ARG003
    ) -> ClauseCutter:
        """Make the component (Rasa calls this)."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """The messages, then all clauses; `ClauseJoiner` takes the clauses out again."""
        clauses = []
        for number, message in enumerate(messages):
            text = message.get(TEXT) or ""
            if text.startswith(INTENT_MESSAGE_PREFIX):
                continue
            for cut, (left, right, comma) in enumerate(self._cuts(text)):
                for side, words in enumerate((left, right)):
                    place = Clause(number, cut, side, comma)
                    clauses.append(Message(data={TEXT: words, _PLACE: place}))
        return [*messages, *clauses]

    def _cuts(self, text: str) -> list[tuple[str, str, bool]]:
        """What stands left and right of each place where the text may be cut, and whether a comma is the place."""
        if len(text.split()) > self._config["most_words"]:
            return []
        found = []
        for match in _CUT.finditer(text):
            left, right = text[: match.start()].strip(), text[match.end() :].strip()
            right = right[lead.end() :] if (lead := _LEAD.match(right)) else right
            comma = match["comma"] is not None
            if left and right and not (comma and _SUBORDINATE.match(left)):
                found.append((left, right, comma))
        return sorted(found, key=lambda one: one[2])[: self._config["most_cuts"]]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class ClauseJoiner(GraphComponent):
    """After the classifier (and after FallbackClassifier): notes two things where two clauses say them."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The settings that config.yml may change; each a confidence from 0 to 1."""
        return {
            "sure": 0.65,  # of both clauses
            "sure_at_comma": 0.85,  # a comma parts things and parts of one thing alike
            "other_at_most": 0.05,  # how likely a clause may say the other one's thing as well
        }

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = {**self.get_default_config(), **config}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,  # noqa: ARG003 - Rasa's signature
        resource: Resource,  # noqa: ARG003
        execution_context: ExecutionContext,  # noqa: ARG003
    ) -> ClauseJoiner:
        """Make the component (Rasa calls this)."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """The messages without the clauses; those that say two things with `two_things` and a sure intent."""
        whole = [message for message in messages if message.get(_PLACE) is None]
        cuts: dict[tuple[int, int], list[Message]] = defaultdict(list)
        for message in messages:
            place = message.get(_PLACE)
            if place is not None:
                cuts[place.message, place.cut].append(message)
        pairs: dict[int, list[Pair]] = defaultdict(list)
        for (number, _), sides in cuts.items():
            pair = self._pair(*sides)
            if pair is not None:
                pairs[number].append(pair)
        for number, found in pairs.items():
            _note(whole[number], max(found, key=lambda pair: pair.sure))
        return whole

    def _pair(self, left: Message, right: Message) -> Pair | None:
        first, second = left.get(INTENT) or {}, right.get(INTENT) or {}
        names = {first.get("name"), second.get("name")}
        if len(names) < 2 or None in names or names & _NEVER or names in _SAME:
            return None
        for clause, intent in ((left, first), (right, second)):
            if len(clause.get(TEXT).split()) < _FEWEST and intent["name"] not in _SHORT:
                return None
        # A no in front says no to what was offered; elsewhere it belongs to its own clause.
        if second["name"] == "deny" or (first["name"] == "deny" and not _NO.match(left.get(TEXT))):
            return None
        sure = min(first["confidence"], second["confidence"])
        other = max(_confidence(left, second["name"]), _confidence(right, first["name"]))
        needed = self._config["sure_at_comma" if left.get(_PLACE).comma else "sure"]
        return (
            Pair(sure, first, second) if sure >= needed and other <= self._config["other_at_most"] else None
        )


def _confidence(message: Message, intent: str) -> float:
    ranking = message.get(INTENT_RANKING_KEY) or []
    return next((float(row["confidence"]) for row in ranking if row["name"] == intent), 0.0)


def _note(message: Message, pair: Pair) -> None:
    """Note the pair. The message keeps its intent when that is one of the two, else it gets the surer one."""
    both = {row["name"]: row for row in (pair.first, pair.second)}
    danger = both.get(DANGER)
    intent = message.get(INTENT) or {}
    if danger is not None:
        lead = danger
    elif intent.get("name") in both:
        lead = intent
    else:
        lead = max(both.values(), key=lambda row: row["confidence"])
    rows = [lead]
    if danger is None:
        message.set(BOTH, list(both), add_to_output=True)
        other = next(row for name, row in both.items() if name != lead["name"])
        rows.append({**other, "confidence": min(other["confidence"], lead["confidence"])})
    known = {row["name"] for row in rows} | {"nlu_fallback"}
    rest = [row for row in message.get(INTENT_RANKING_KEY) or [] if row["name"] not in known]
    message.set(INTENT, lead, add_to_output=True)
    message.set(INTENT_RANKING_KEY, [*rows, *rest], add_to_output=True)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class TwoThingsPolicy(Policy):
    """Gives a message with two things to `action_two_things`, except while a form asks its questions."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Its priority is above that of the rules for one thing (RulePolicy has 6)."""
        return {"priority": 7}

    def train(self, training_trackers: list[Any], domain: Domain, **_kwargs: Any) -> Resource:  # noqa: ARG002
        """Learn nothing."""
        return self._resource

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,  # noqa: ARG002 - Rasa's signature
        **_kwargs: Any,
    ) -> PolicyPrediction:
        """The action right after the message; when the action has nothing to add, wait for the person."""
        probabilities = self._default_predictions(domain)
        heard = tracker.latest_message
        if heard is not None and heard.parse_data.get(BOTH) and not tracker.active_loop_name:
            follows = {ACTION_LISTEN_NAME: ACTION, ACTION: ACTION_LISTEN_NAME}
            action = follows.get(tracker.latest_action_name or "")
            if action is not None:
                probabilities[domain.index_for_action(action)] = 1.0
        return self._prediction(probabilities)
