"""Rank ECDFs: the plot draws what the study holds, and says what failed."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bayes_distill.plots.ranks import ranks
from studies import NAMES, random_study


@pytest.fixture(scope="module")
def study():
    return random_study()


def test_a_panel_for_every_quantity(study):
    axes = ranks(study)
    shown = [ax for ax in axes.reshape(-1) if ax.get_visible()]
    assert [ax.get_title(loc="left").split()[0] for ax in shown] == list(NAMES)
    assert [("FAIL" in ax.get_title(loc="left")) for ax in shown] == [False] * 3 + [True, False]


def test_the_curve_is_the_ecdf_less_the_diagonal(study):
    ax = ranks(study).reshape(-1)[1]
    x, y = study.curve("level")
    line = ax.lines[-1]
    np.testing.assert_array_equal(line.get_xdata(), x)
    pits = np.sort(study.ranks.query("name == 'level'")["pit"].to_numpy())
    middle = (pits[:-1] + pits[1:]) / 2
    np.testing.assert_allclose(np.interp(middle, x, y), np.arange(1, 60) / 60 - middle, atol=1e-12)
    assert y[0] == 0
    assert y[-1] == 0


def test_given_axes_are_used(study):
    _, axes = plt.subplots(1, 5)
    assert (ranks(study, axes) == axes).all()
    assert all(ax.lines for ax in axes)


def test_can_be_saved(study, tmp_path):
    figure = ranks(study)[0, 0].figure
    figure.savefig(tmp_path / "ranks.png")
    assert (tmp_path / "ranks.png").stat().st_size > 10_000
