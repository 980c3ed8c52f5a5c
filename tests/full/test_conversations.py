"""Whole conversations, as written in tests/cases/conversations/, with the real engine and the trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.full.stack import ROOT, Stack, words

FILES = sorted((ROOT / "tests/cases/conversations").glob("*.yml"))
CASES = [(path.stem, case) for path in FILES for case in yaml.safe_load(path.read_text())]


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[f"{f}: {c['name']}" for f, c in CASES])
async def test_the_conversation_goes_as_written(
    case: dict[str, Any], stack: Stack, http: aiohttp.ClientSession
) -> None:
    person = await stack.person(http)
    for step in case["steps"]:
        found = await (person.say(step["say"]) if "say" in step else person.tap(step["tap"]))
        read = words(found)
        for expected in step.get("reads", []):
            assert expected in read, f"after {step.get('say', step.get('tap'))!r}: {read}"
        for unexpected in step.get("never", []):
            assert unexpected not in read, f"after {step.get('say', step.get('tap'))!r}: {read}"
        kinds = [part["type"] for part in found]
        for kind in step.get("shows", []):
            assert kind in kinds, f"after {step.get('say', step.get('tap'))!r}: {kinds}"
        if "asks" in step:
            assert [p["item"] for p in found if p["type"] == "scale"] == [step["asks"]]


async def test_every_flow_has_its_conversations() -> None:
    wanted = {path.stem.removeprefix("test_") for path in (ROOT / "tests/stories").glob("*.yml")}
    assert {Path(path).stem for path in FILES} == wanted
