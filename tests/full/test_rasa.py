"""Rasa's own tools on the project: `rasa data validate` is clean, the end-to-end stories pass."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from bot.settings import load_settings
from tests.full.stack import ROOT


async def rasa(*arguments: str) -> str:
    """Run Rasa's command line from the root, as its users do."""
    process = await asyncio.create_subprocess_exec(
        str(load_settings()[0].engine_python), "-m", "rasa", *arguments,
        cwd=ROOT,
        env={**os.environ, "RASA_TELEMETRY_ENABLED": "false", "CUDA_VISIBLE_DEVICES": "-1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    text = output.decode()
    assert process.returncode == 0, text[-3000:]
    return text


async def test_rasa_data_validate_finds_nothing() -> None:
    said = await rasa("data", "validate", "--fail-on-warnings")
    ours = [line for line in said.splitlines() if "UserWarning" in line]
    assert ours == []
    assert "No story structure conflicts found" in said


async def test_the_end_to_end_stories_pass_with_the_trained_model(tmp_path: Path) -> None:
    model = load_settings()[0].model
    await rasa(
        "test", "core", "--e2e", "--stories", "tests/stories", "--model", str(model), "--out", str(tmp_path)
    )
    report = json.loads((tmp_path / "story_report.json").read_text())
    failed = (tmp_path / "failed_test_stories.yml").read_text()
    assert report["conversation_accuracy"]["accuracy"] == 1.0, failed
    assert report["conversation_accuracy"]["total"] >= 17
