"""Two things in one message: cutting, noting, and giving the word to the action that answers both."""

from pathlib import Path

import pytest

from tests.engine.conftest import run_inside

CHECKS = [
    "a_message_is_cut_where_something_new_may_begin",
    "both_are_noted_when_both_are_sure",
    "nothing_is_noted_otherwise",
    "danger_in_one_of_the_two_is_all_that_is_heard",
    "a_message_that_was_not_understood_gets_the_intent_of_a_clause",
    "many_messages_at_once_keep_their_order_and_number",
    "the_action_has_the_word_after_the_message_and_not_in_a_form",
    "the_recorded_answer_to_a_message_heard_twice_is_whole",
]


@pytest.fixture(scope="module")
def two_things(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return run_inside("inside_two_things.py", str(small_model), str(tmp_path_factory.mktemp("two-things")))


def test_every_check_is_named_here(two_things: dict[str, str]) -> None:
    assert list(two_things) == CHECKS


@pytest.mark.parametrize("name", CHECKS)
def test_two_things(two_things: dict[str, str], name: str) -> None:
    assert two_things[name] == ""
