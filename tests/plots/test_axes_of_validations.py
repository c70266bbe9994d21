"""Plots of a validation draw on the axes that they get, or on new ones."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from bayes_distill.plots.coverage import coverage
from bayes_distill.plots.reliability import reliability
from studies import random_validation


@pytest.mark.parametrize("draw", [coverage, reliability])
def test_draws_on_the_axes_passed_or_on_its_own(draw):
    _, ax = plt.subplots()
    assert draw(random_validation(), ax=ax) is ax
    assert len(plt.get_fignums()) == 1
    assert draw(random_validation()) is not ax
    assert ax.get_xlabel()
    assert ax.get_ylabel()
