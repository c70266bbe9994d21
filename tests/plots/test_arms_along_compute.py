"""The picture of arms along compute."""

from __future__ import annotations

import numpy as np
import pytest

import bayes_distill as bd
from bayes_distill.plots.arms_along_compute import arms_along_compute
from made_arms import made_up_arms


def test_it_draws_every_arm_and_the_gap_to_the_best():
    made_up = made_up_arms()
    above, below = arms_along_compute(made_up, 1e9, 20e9)
    lines = {line.get_label(): line for line in above.lines}
    assert {"code", "web"} <= set(lines)
    answer = bd.arms(made_up, at="params=1B,tokens=20B").arms.set_index("name")["loss_mean"]
    flops = lines["web"].get_xdata()
    for arm in ("code", "web"):
        drawn = np.interp(np.log(6e9 * 20e9), np.log(flops), lines[arm].get_ydata())
        assert drawn == pytest.approx(answer[arm], rel=1e-3)
    assert below.get_ylabel() == "loss above that of code"
    gap = next(line for line in below.lines if line.get_label() == "web")
    wanted = np.asarray(lines["web"].get_ydata()) - np.asarray(lines["code"].get_ydata())
    np.testing.assert_allclose(gap.get_ydata(), wanted)
