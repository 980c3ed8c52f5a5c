"""What can only be seen from inside the engine: its patches and its tracker store, beside Rasa's own."""

from pathlib import Path

import pytest

from tests.engine.conftest import run_inside

PATCHES = [
    "stock_first",
    "another_source_text_is_refused",
    "every_patch_fits_this_rasa",
    "whole_conversations_are_the_same",
    "every_prediction_and_every_copy_is_the_same",
    "events_in_force_are_the_same_for_any_events",
    "action_results_are_judged_the_same",
    "what_is_typed_and_what_is_tapped_is_read_the_same",
]
TRACKER_STORE = [
    "the_live_tracker_is_what_a_cold_read_gives",
    "a_failed_turn_leaves_no_trace",
    "a_database_that_fails_fails_the_turn",
    "what_another_process_writes_is_seen",
    "a_deleted_conversation_begins_anew",
    "a_small_cache_is_only_slower",
    "a_new_model_gets_trackers_with_its_own_slots",
    "rasa_makes_it_from_endpoints_yml",
]


@pytest.fixture(scope="module")
def patches(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return run_inside("inside_patches.py", str(small_model), str(tmp_path_factory.mktemp("patches")))


@pytest.fixture(scope="module")
def tracker_store(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return run_inside("inside_tracker_store.py", str(small_model), str(tmp_path_factory.mktemp("store")))


def test_every_check_is_named_here(patches: dict[str, str], tracker_store: dict[str, str]) -> None:
    assert list(patches) == PATCHES
    assert list(tracker_store) == TRACKER_STORE


@pytest.mark.parametrize("name", PATCHES)
def test_patched_rasa_does_what_rasa_does(patches: dict[str, str], name: str) -> None:
    assert patches[name] == ""


@pytest.mark.parametrize("name", TRACKER_STORE)
def test_the_tracker_store_keeps_its_promises(tracker_store: dict[str, str], name: str) -> None:
    assert tracker_store[name] == ""
