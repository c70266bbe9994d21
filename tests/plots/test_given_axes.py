"""Plots on axes that the caller gives."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.legend import Legend

import bayes_distill as bd
from bayes_distill.errors import InputError

STUDENT = {"params": "1B", "tokens": "100B"}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("student-against-teacher", {"params": "300M,1B,3B", "tokens": "20B,100B"}),
        ("isoflop-profiles", {"budget": "1e20,1e21"}),
        ("capacity-gap-map", {"teacher_loss": "2.0"}),
        ("teachers", {**STUDENT, "teachers": pd.DataFrame({"loss": [1.9, 2.1, 2.3]})}),
    ],
)
def test_everything_is_inside_the_given_axes(scattered, kind, options):
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    drawn = bd.plot(kind, scattered, ax=right, **options)
    assert drawn is figure
    assert not left.has_data()
    assert right.has_data()
    assert plt.fignum_exists(figure.number)
    figure.draw_without_rendering()
    room = right.get_window_extent()
    for legend in (each for each in right.get_children() if isinstance(each, Legend)):
        box = legend.get_window_extent()
        assert room.x0 - 1 <= box.x0
        assert box.x1 <= room.x1 + 1
        assert room.y0 - 1 <= box.y0
        assert box.y1 <= room.y1 + 1


@pytest.mark.parametrize("kind", ["recipe-against-budget", "trade-off-pairs"])
def test_plots_of_several_axes_are_refused(scattered, kind):
    figure, ax = plt.subplots()
    options = {"params": "1B", "budget": "1e21,1e22"} if kind.startswith("recipe") else {}
    with pytest.raises(InputError, match="ax: this plot has a figure of its own") as caught:
        bd.plot(kind, scattered, ax=ax, **options)
    assert [fault.column for fault in caught.value.faults] == ["ax"]
    assert plt.get_fignums() == [figure.number]
    assert not ax.has_data()


def test_the_next_plot_has_a_figure_of_its_own(scattered):
    figure, ax = plt.subplots()
    bd.plot("student-against-teacher", scattered, ax=ax, **STUDENT)
    assert bd.plot("student-against-teacher", scattered, **STUDENT) is not figure
