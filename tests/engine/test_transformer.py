"""config.transformer.yml: its parts load, featurise and train, with a tiny transformer that the test makes itself."""

import pytest

from tests.engine.conftest import run_inside

CHECKS = [
    "a_folder_with_a_model_loads_and_featurises_a_sentence",
    "a_miniature_training_gives_a_model_that_reads",
]


@pytest.fixture(scope="module")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return run_inside("inside_transformer.py", str(tmp_path_factory.mktemp("transformer")))


def test_every_check_is_named_here(transformer: dict[str, str]) -> None:
    assert list(transformer) == CHECKS


@pytest.mark.parametrize("name", CHECKS)
def test_with_a_tiny_transformer(transformer: dict[str, str], name: str) -> None:
    assert transformer[name] == ""
