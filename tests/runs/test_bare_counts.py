"""Counts in millions and billions that do not say so are judged as columns."""

from __future__ import annotations

import pandas as pd
import pytest

from bayes_distill.runs import check
from bayes_distill.runs.bare_counts import bare_scales
from made_sweeps import grid


@pytest.mark.parametrize(
    ("params", "tokens", "scales"),
    [
        ([70, 160, 410, 1000], [2, 5, 12, 30], {"params": 1e6, "tokens": 1e9}),
        ([0.07, 0.16, 0.41, 1], [2, 5, 12, 30], {"params": 1e9, "tokens": 1e9}),
        ([7, 13, 34, 70], [0.14, 0.3, 0.7, 1.4], {"params": 1e9, "tokens": 1e12}),
        ([7e7, 1.6e8, 4e8, 1e9], [2000, 5000, 12000, 30000], {"tokens": 1e6}),
        ([70, 160, 410, 1000], [2e9, 5e9, 1e10, 3e10], {"params": 1e6}),
        ([7, 160e6, 410e6, 1e9], [2e9, 5e9, 1e10, 3e10], {}),
    ],
)
def test_units_are_judged_together(params, tokens, scales):
    assert bare_scales(pd.DataFrame({"params": params, "tokens": tokens}, dtype=float)) == scales


def test_a_column_has_one_fault_that_names_the_scale():
    frame = grid().assign(params=lambda t: t["params"] / 1e6, tokens=lambda t: t["tokens"] / 1e9)
    size, data = check(frame).faults
    assert (size.row, size.column, data.column) == (None, "params", "tokens")
    assert "70 to 1000, which look like millions: write 70M" in size.problem
    assert '`columns="params=params*1e6"`' in size.problem
    assert 'tokens = { from = "tokens", scale = 1e9 }' in data.problem


def test_a_single_bare_cell_is_named_by_its_row():
    frame = grid()
    frame.loc[3, "params"] = 7
    (fault,) = check(frame).faults
    assert (fault.row, fault.column) == (3, "params")
    assert "did you mean 7B?" in fault.problem
