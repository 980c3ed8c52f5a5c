"""Room `engine`: finding the rules that fit a moment, by index. May know Rasa's RulePolicy.

Rasa compares every rule with every state of the conversation, at each prediction. A rule can only fit when its
last state does: so only rules with the same last action and the same intent are compared, and only as far back as
the longest of them reaches.
"""

# ruff: noqa: SLF001 - it stands in for Rasa's own methods, which use these too

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from rasa.core.policies.memoization import MemoizationPolicy
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.constants import PREVIOUS_ACTION, USER
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ACTION_NAME, INTENT

from engine.history import latest_states

_INDEX = "_ademruimte_index"  # attribute on the policy

Handle = tuple[Any, Any]  # last action and intent of a rule's last state; None fits any


class _Index:
    """The rules of one lookup table by the handle of their last state."""

    def __init__(self, lookup: Mapping[str, str]) -> None:
        self.lookup = lookup
        self.by_handle: dict[Handle, list[str]] = defaultdict(list)
        self.longest = 0
        for key in lookup:
            states = RulePolicy._rule_key_to_state(key)
            self.longest = max(self.longest, len(states))
            self.by_handle[_handle(states[-1])].append(key)

    def candidates(self, state: State) -> set[str]:
        action, intent = _handle(state)
        found: set[str] = set()
        for handle in {(action, intent), (action, None), (None, intent), (None, None)}:
            found.update(self.by_handle.get(handle, ()))
        return found


def _handle(state: Mapping[str, Any]) -> Handle:
    return (state.get(PREVIOUS_ACTION) or {}).get(ACTION_NAME), (state.get(USER) or {}).get(INTENT)


def _index(policy: RulePolicy, lookup: Mapping[str, str]) -> _Index:
    indexes: dict[int, _Index] = policy.__dict__.setdefault(_INDEX, {})
    index = indexes.get(id(lookup))
    if index is None or index.lookup is not lookup:
        index = indexes[id(lookup)] = _Index(lookup)
    return index


def possible_keys(self: RulePolicy, lookup: Mapping[str, str], states: list[State]) -> set[str]:
    """Stands in for RulePolicy._get_possible_keys: the same keys."""
    if not states:
        return set(lookup)
    index = _index(self, lookup)
    keys = index.candidates(states[-1])
    for turn, state in enumerate(reversed(states)):
        if not keys or turn >= index.longest:
            break
        keys = {key for key in keys if self._is_rule_applicable(key, turn, state)}
    return keys


def prediction_states(
    self: RulePolicy,
    tracker: DialogueStateTracker,
    domain: Domain,
    use_text_for_last_user_input: bool = False,
    rule_only_data: dict[str, Any] | None = None,  # noqa: ARG001 - Rasa's signature; unused for rules there too
) -> list[State]:
    """Stands in for RulePolicy's _prediction_states: its end, as long as any rule.

    One state more than the longest rule, so that a rule for the start of a conversation cannot fit its middle.
    """
    lookups = [table for table in self.lookup.values() if isinstance(table, dict)]
    longest = max((_index(self, table).longest for table in lookups), default=0)
    states = latest_states(tracker, domain, longest + 1)
    self.featurizer._choose_last_user_input([states], use_text_for_last_user_input)
    return states


def without_stories(original: Any) -> Any:
    """Wrap MemoizationPolicy.predict_action_probabilities: with nothing memorised there is nothing to look up."""

    def predict(
        self: MemoizationPolicy, tracker: DialogueStateTracker, domain: Domain, *args: Any, **kwargs: Any
    ) -> PolicyPrediction:
        if not self.lookup:
            return self._prediction(self._default_predictions(domain))
        prediction: PolicyPrediction = original(self, tracker, domain, *args, **kwargs)
        return prediction

    return predict
