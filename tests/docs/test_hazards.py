"""The hazard log says what it must, and the tests that it names exist."""

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LOG = yaml.safe_load((ROOT / "docs" / "safety" / "hazards.yaml").read_text())
HAZARDS = LOG["hazards"]
KEYS = {"id", "hazard", "cause", "effect", "severity", "likelihood", "control", "tests", "residual"}


def names_in(path: Path) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)}


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: hazard["id"])
def test_every_hazard_has_a_control_and_every_control_a_test_that_exists(hazard: dict) -> None:
    assert set(hazard) == KEYS
    assert all(hazard[key] for key in KEYS)
    assert hazard["severity"] in ("catastrophic", "major", "considerable", "minor")
    assert hazard["likelihood"] in ("very unlikely", "unlikely", "possible")
    for named in hazard["tests"]:
        path, _, test = named.partition("::")
        assert (ROOT / path).is_file(), f"{hazard['id']}: {path} does not exist"
        assert test in names_in(ROOT / path), f"{hazard['id']}: {path} has no {test}"


def test_there_are_at_least_twenty_hazards_and_each_has_its_own_number() -> None:
    ids = [hazard["id"] for hazard in HAZARDS]
    assert len(ids) == len(set(ids)) >= 20
