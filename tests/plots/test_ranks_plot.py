"""The plot of rank ECDFs draws what the study holds, and says what failed."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bayes_distill.calibration.quantities import Quantity
from bayes_distill.calibration.result import LEVELS, Study, summarise
from bayes_distill.plots.ranks import ranks

NAMES = ("floor", "level", "share", "c0", "teacher_slope")


@pytest.fixture(scope="module")
def study():
    generator = np.random.default_rng(2)
    sweeps = []
    for i in range(60):
        pits = generator.uniform(size=5)
        pits[3] **= 3
        quantities = {
            name: {
                "rank": int(50 * pit), "draws": 49, "pit": float(pit), "truth": 0.0, "mean": 0.0,
                "sd": 1.0, "inside": [True] * len(LEVELS),
            }
            for name, pit in zip(NAMES, pits, strict=True)
        }  # fmt: skip
        fit = {"verdict": "pass", "fits": 1, "rhat_max": 1.0, "ess_bulk_min": 400.0}
        sweeps.append(
            {"sweep": i, **fit, "divergences": 0, "seconds": 1.0, "quantities": quantities}
        )
    described = [Quantity(name, "coordinate", "") for name in NAMES]
    return summarise(sweeps, described, Study("a", "a", "l", "d", 9, {}, {}))


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
