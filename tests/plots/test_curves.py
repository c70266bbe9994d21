"""Curves with their intervals: stretches within and beyond the runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_distill.plots.curves import Curve, extrapolation_spans


@pytest.mark.parametrize(
    ("extrapolated", "spans"),
    [
        ([0, 0, 0], [(0, 3, False)]),
        ([1, 1, 1], [(0, 3, True)]),
        ([1, 0, 0], [(0, 2, True), (1, 3, False)]),
        ([0, 0, 1], [(0, 2, False), (1, 3, True)]),
        ([1, 0, 1], [(0, 2, True), (1, 2, False), (1, 3, True)]),
    ],
)
def test_stretches_beyond_the_runs_reach_over_to_those_within(extrapolated, spans):
    found = extrapolation_spans(np.array(extrapolated, bool))
    assert [(part.start, part.stop, beyond) for part, beyond in found] == spans


def test_where_there_is_no_curve_nothing_is_extrapolated():
    table = pd.DataFrame({"x": [1.0, 2.0], "y": [np.nan, 2.0], "outside": [np.nan, True]})
    curve = Curve.of(table.astype({"outside": object}), "x", ("y", "y", "y"), "outside")
    assert curve.extrapolated.tolist() == [False, True]
