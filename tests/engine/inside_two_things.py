"""Runs with the engine's Python: two things in one message, from the words to who has the next word."""

import sys
from pathlib import Path
from typing import Any

from tests.engine.inside import check, prepare, run_checks

MODEL, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])
prepare(MODEL)

from rasa.engine.graph import ExecutionContext, GraphSchema  # noqa: E402
from rasa.shared.core.domain import Domain  # noqa: E402
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, UserUttered  # noqa: E402
from rasa.shared.core.trackers import DialogueStateTracker  # noqa: E402
from rasa.shared.nlu.training_data.message import Message  # noqa: E402

from engine.channel import recorded_answer  # noqa: E402
from engine.two_things import ACTION, BOTH, ClauseCutter, ClauseJoiner, TwoThingsPolicy  # noqa: E402

#: What stands in for the classifier: the first of these words decides.
WORDS = {
    "slaap": "report_sleep_problem",
    "ruzie": "report_conflict",
    "dood": "report_suicidal_thoughts",
    "hallo": "greet",
    "nee": "deny",
    "weer": "out_of_scope",
}


def read(*texts: str, sure: float = 0.9, whole: dict[str, Any] | None = None) -> list[Message]:
    """Messages through cutter, classifier and joiner."""
    messages = ClauseCutter({}).process([Message({"text": text}) for text in texts])
    for number, message in enumerate(messages):
        found = next((i for word, i in WORDS.items() if word in message.get("text")), "nlu_fallback")
        row = whole if whole is not None and number < len(texts) else {"name": found, "confidence": sure}
        message.set("intent", row, add_to_output=True)
        message.set("intent_ranking", [row, {"name": "thank", "confidence": 0.01}], add_to_output=True)
    return ClauseJoiner({}).process(messages)


def clauses(text: str) -> list[str]:
    return [message.get("text") for message in ClauseCutter({}).process([Message({"text": text})])][1:]


@check
def a_message_is_cut_where_something_new_may_begin(_model: Path, _folder: Path) -> None:
    assert clauses("ik slaap slecht en dan nog ruzie thuis") == ["ik slaap slecht", "ruzie thuis"]
    assert clauses("Ik slaap slecht. Er is ruzie!") == ["Ik slaap slecht", "Er is ruzie!"]
    assert clauses("ik slaap slecht, er is ruzie") == ["ik slaap slecht", "er is ruzie"]
    assert clauses("ik slaap 7,5 uur") == []
    assert clauses("als ik thuiskom, slaap ik niet") == []
    assert clauses('/inform{"a": "b en c"}') == []
    assert clauses("slaap en ruzie en " * 40) == []
    assert len(clauses("a. b. c. d. e. f. g. h. i. j")) == 6


@check
def both_are_noted_when_both_are_sure(_model: Path, _folder: Path) -> None:
    [message] = read("ik slaap slecht en er is ruzie")
    assert message.get(BOTH) == ["report_sleep_problem", "report_conflict"]
    assert message.get("intent")["name"] == "report_sleep_problem"
    assert [row["name"] for row in message.get("intent_ranking")][:2] == message.get(BOTH)
    assert BOTH in message.as_dict(only_output_properties=True)


@check
def nothing_is_noted_otherwise(_model: Path, _folder: Path) -> None:
    assert read("ik slaap slecht en er is ruzie", sure=0.6)[0].get(BOTH) is None
    assert read("ik slaap slecht, er is ruzie", sure=0.8)[0].get(BOTH) is None
    for text in (
        "ik slaap slecht en ik slaap kort",
        "ik slaap slecht en het weer is mooi",
        "ik slaap slecht en ruzie",
        "ik slaap slecht en nee dat wil ik",
        "slaap",
        "",
    ):
        assert read(text)[0].get(BOTH) is None, text
    assert read("hallo. ik slaap slecht")[0].get(BOTH) == ["greet", "report_sleep_problem"]


@check
def danger_in_one_of_the_two_is_all_that_is_heard(_model: Path, _folder: Path) -> None:
    for text in ("ik slaap slecht en ik wil dood", "ik wil dood en er is ruzie"):
        [message] = read(text)
        assert message.get(BOTH) is None
        assert message.get("intent")["name"] == "report_suicidal_thoughts"


@check
def a_message_that_was_not_understood_gets_the_intent_of_a_clause(_model: Path, _folder: Path) -> None:
    unsure = {"name": "nlu_fallback", "confidence": 0.5}
    [message] = read("ik slaap slecht en er is ruzie", whole=unsure)
    assert message.get("intent")["name"] in message.get(BOTH)
    assert all(row["name"] != "nlu_fallback" for row in message.get("intent_ranking"))


@check
def many_messages_at_once_keep_their_order_and_number(_model: Path, _folder: Path) -> None:
    texts = ["ik slaap slecht en er is ruzie", "hallo", "er is ruzie. ik slaap slecht"]
    found = read(*texts)
    assert [message.get("text") for message in found] == texts
    assert [bool(message.get(BOTH)) for message in found] == [True, False, True]


DOMAIN = Domain.from_dict(
    {"intents": ["report_sleep_problem"], "actions": [ACTION], "forms": {"a_form": {"required_slots": []}}}
)


def predicted(*events: Any) -> str | None:
    policy = TwoThingsPolicy.create({"priority": 7}, None, None, ExecutionContext(GraphSchema({})))
    tracker = DialogueStateTracker.from_events("who", list(events), domain=DOMAIN)
    found = policy.predict_action_probabilities(tracker, DOMAIN).probabilities
    return DOMAIN.action_names_or_texts[found.index(1.0)] if 1.0 in found else None


@check
def the_action_has_the_word_after_the_message_and_not_in_a_form(_model: Path, _folder: Path) -> None:
    said = UserUttered("x", {"name": "report_sleep_problem"}, parse_data={BOTH: ["a", "b"]})
    listening = ActionExecuted("action_listen")
    assert predicted(listening, said) == ACTION
    assert predicted(listening, said, ActionExecuted(ACTION)) == "action_listen"
    assert predicted(ActiveLoop("a_form"), listening, said) is None
    assert predicted(listening, UserUttered("x", {"name": "report_sleep_problem"})) is None
    assert predicted(listening, said, ActionExecuted("utter_other")) is None


@check
def the_recorded_answer_to_a_message_heard_twice_is_whole(_model: Path, _folder: Path) -> None:
    tracker = DialogueStateTracker.from_events(
        "who",
        [
            UserUttered("first", message_id="m1"),
            BotUttered("to the first"),
            UserUttered("second", message_id="m2"),
            BotUttered("one"),
            UserUttered("second", message_id="m2"),
            BotUttered("other"),
            UserUttered("third", message_id="m3"),
            BotUttered("to the third"),
        ],
    )
    answers = {
        name: [one["text"] for one in recorded_answer(tracker, name) or []] for name in ("m1", "m2", "m3")
    }
    assert answers == {"m1": ["to the first"], "m2": ["one", "other"], "m3": ["to the third"]}
    assert recorded_answer(tracker, "m4") is None


run_checks(MODEL, FOLDER)
