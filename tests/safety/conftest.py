"""The trained guard, loaded once."""

from __future__ import annotations

import pytest

from bot.safety.guard import Guard, load_guard
from bot.settings import load_settings


@pytest.fixture(scope="session")
def guard() -> Guard:
    return load_guard(load_settings()[0].guard_model)
