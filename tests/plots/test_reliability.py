"""Reliability of the gap risk: what is on the plot."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_distill.errors import InputError
from bayes_distill.plots.reliability import reliability
from studies import random_validation


def test_reliability_shows_the_table_with_its_counts():
    result = random_validation()
    ax = reliability(result)
    table = result.reliability[result.reliability["pairs"] > 0]
    shown = [line for line in ax.lines if str(line.get_label()).startswith("predictive")]
    mine = table[table["band"] == "predictive"]
    assert np.allclose(shown[0].get_xdata(), mine["forecast"])
    assert np.allclose(shown[0].get_ydata(), mine["observed"])
    assert sorted(text.get_text() for text in ax.texts) == sorted(map(str, table["pairs"]))
    assert "0.123" in str(shown[0].get_label())


def test_without_pairs_of_teachers_there_is_nothing_to_draw():
    with pytest.raises(InputError, match="holds no pairs of runs"):
        reliability(random_validation(pairs=0))
