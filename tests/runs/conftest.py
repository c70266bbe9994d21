"""Fixtures for tests of the table of runs."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture
def table() -> pd.DataFrame:
    """Four sound distillation runs and two supervised ones."""
    return pd.DataFrame(
        {
            "params": [1e8, 2e8, 4e8, 8e8, 1e9, 2e9],
            "tokens": [2e9, 4e9, 8e9, 16e9, 2e10, 4e10],
            "loss": [2.9, 2.7, 2.5, 2.4, 2.3, 2.2],
            "teacher_loss": [2.1, 2.1, 2.2, 2.2, None, None],
        }
    )
