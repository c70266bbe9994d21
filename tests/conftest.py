"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# a first example imports pandera or compiles a law, which no deadline should count
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def real_data() -> Path:
    """Folder with the two real tables; tests that need them are skipped without it."""
    folder = os.environ.get("BAYES_DISTILL_DATA")
    if not folder:
        pytest.skip("set BAYES_DISTILL_DATA to the folder with the two real tables to run this")
    return Path(folder)
