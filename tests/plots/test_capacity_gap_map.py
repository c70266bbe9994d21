"""Capacity-gap map: the numbers, against plain calls, and the plot of them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.plots.capacity_gap_map import LEVELS, GapMap, capacity_gap_map, gap_map
from bayes_distill.predict.capacity_gap import risk


@pytest.fixture(scope="session")
def gap(scattered):
    return gap_map(scattered, teacher_loss=2.0, cells=12, draws=100)


def test_the_map_holds_what_capacity_gap_says(scattered):
    found = gap_map(scattered, "300M,3B", "6B,60B", teacher_loss=2.0, cells=4, draws=2000)
    table = found.table
    plain = risk(
        scattered, sorted(set(table["params"])), sorted(set(table["tokens"])), teacher_loss=2.0
    ).table
    both = table.merge(plain, on=["params", "tokens"], suffixes=("", "_plain"))
    assert len(both) == 16
    wanted = both["p_stronger_teacher_hurts_plain"]
    np.testing.assert_allclose(both["p_stronger_teacher_hurts"], wanted, atol=1e-12)
    assert 0 < wanted.mean() < 1
    assert found.teacher_loss == 2.0


def test_the_map_reaches_three_times_beyond_the_runs(scattered):
    table = gap_map(scattered, teacher_loss=2.0, cells=3, draws=50).table
    assert (table["params"].min(), table["params"].max()) == pytest.approx((1e8 / 3, 6e9))
    assert (table["tokens"].min(), table["tokens"].max()) == pytest.approx((2e9 / 3, 3e11))
    inside = ~table["extrapolated"]
    assert inside.sum() == 1  # the middle of three by three


def test_the_map_names_every_fault(scattered):
    with pytest.raises(InputError) as refused:
        gap_map(scattered, "1B", "-2,many", teacher_loss="1.9,2.0")
    text = str(refused.value)
    assert "params: give the two ends" in text
    assert "tokens: 'many' is not a number" in text
    assert "teacher_loss: name one teacher" in text


def test_a_map_of_a_sized_teacher_carries_its_uncertainty(scattered):
    found = gap_map(scattered, teacher_params="7B", teacher_tokens="140B", cells=3, draws=200)
    own = scattered.thin(200).supervised_loss(np.array([7e9]), np.array([1.4e11]))
    assert found.teacher_loss == pytest.approx(own.mean())


def test_the_map_shows_the_grid_and_says_what_it_is(gap, scattered, reads):
    ax = capacity_gap_map(gap, hull=scattered.hull)
    assert ax.get_xlabel() == "student size (non-embedding parameters)"
    assert ax.get_ylabel() == "student tokens"
    assert "2.00 nats per token" in ax.get_title(loc="left")
    filled = ax.collections[0]
    np.testing.assert_allclose(filled.levels, LEVELS)
    np.testing.assert_allclose(
        ax.get_xlim(), [gap.table["params"].min(), gap.table["params"].max()]
    )
    (bar,) = [other for other in ax.figure.axes if other is not ax]
    assert "posterior probability" in bar.get_ylabel()
    said = reads.legends(ax.figure)
    assert "outline of the runs" in said
    assert "50%" in said


def test_the_50_percent_line_runs_where_the_probability_is_one_half():
    x, y = np.geomspace(1e8, 1e10, 21), np.geomspace(1e9, 1e12, 21)
    n, d = (side.ravel() for side in np.meshgrid(x, y))
    p = 1 - (np.log10(n) - 8) / 2  # one half at a billion, whatever the tokens
    table = pd.DataFrame({"params": n, "tokens": d, "p_stronger_teacher_hurts": p})
    ax = capacity_gap_map(GapMap(table, 2.0, ()))
    line = ax.collections[1].get_paths()[1].vertices  # of the levels 5%, 50%, 95%
    np.testing.assert_allclose(line[:, 0], 1e9, rtol=0.02)


def test_a_map_takes_axes(gap):
    _, ax = plt.subplots()
    assert capacity_gap_map(gap, ax) is ax


def test_the_map_looks_as_it_did(same_picture):
    x, y = np.geomspace(5e7, 2e10, 24), np.geomspace(1e9, 1e12, 24)
    n, d = (side.ravel() for side in np.meshgrid(x, y))
    p = 1 / (1 + np.exp(3 * (np.log(n / 1e9) + 0.3 * np.log(d / 3e10))))
    table = pd.DataFrame({"params": n, "tokens": d, "p_stronger_teacher_hurts": p})
    same_picture(capacity_gap_map(GapMap(table, 2.0, ())).figure, "capacity_gap_map")
