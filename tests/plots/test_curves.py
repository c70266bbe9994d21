"""Curves with their intervals: stretches within and beyond the runs."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_distill.plots.curves import extrapolation_spans


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
