"""Student against teacher loss: the curves, against plain calls, and the plot of them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from bayes_distill.errors import InputError
from bayes_distill.plots.student_against_teacher import (
    TEACHERS,
    student_against_teacher,
    teacher_curves,
)
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.forecast import Forecast, forecast
from bayes_distill.runs import read_runs

GRID = np.linspace(1.8, 2.7, 19)


def test_curves_are_forecasts_over_the_runs_teachers(scattered):
    found = teacher_curves(scattered, "1B", "20B", interval=0.8)
    table = found.forecast.table
    np.testing.assert_allclose(table["teacher_loss"], np.linspace(1.9, 2.8, TEACHERS))
    plain = forecast(scattered, "1B", "20B", teacher_loss=[1.9, 2.8], interval=0.8).table
    for column in ("loss_mean", "loss_lower", "loss_upper"):
        np.testing.assert_allclose(table[column].iloc[[0, -1]], plain[column])
    best = risk(scattered, "1B", "20B", teacher_loss=2.0, interval=0.8).table
    wanted = best["optimal_teacher_loss_lower"]
    np.testing.assert_allclose(found.best.table["optimal_teacher_loss_lower"], wanted)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"params": "1B"}, ["tokens: is needed"]),
        ({"params": "1B", "tokens": "20B", "teacher_loss": 2.0}, ["teacher_loss: give the two"]),
        ({"params": "1B", "tokens": "20B", "at": pd.DataFrame()}, ["at: give either"]),
    ],
)
def test_curves_of_nothing_are_refused(scattered, asked, named):
    with pytest.raises(InputError) as refused:
        teacher_curves(scattered, **asked)
    assert all(part in str(refused.value) for part in named)


def test_a_table_of_students(scattered):
    students = pd.DataFrame({"params": [1e9, 3e9], "tokens": [2e10, 6e10]})
    table = teacher_curves(scattered, at=students, teacher_loss="2.0,2.2").forecast.table
    assert len(table) == 2 * TEACHERS
    assert set(table["params"]) == {1e9, 3e9}


@pytest.fixture
def curves(scattered) -> Forecast:
    return forecast(scattered, "198M,1B", "5B", teacher_loss=GRID, interval=0.8)


def test_draws_on_the_axes_given_and_returns_them(curves):
    _, ax = plt.subplots()
    assert student_against_teacher(curves, ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_makes_axes_of_its_own_otherwise(curves):
    ax = student_against_teacher(curves)
    assert isinstance(ax, Axes)
    assert len(plt.get_fignums()) == 1


def test_axes_are_named_with_units(curves):
    ax = student_against_teacher(curves)
    assert "teacher loss" in ax.get_xlabel()
    assert "student loss" in ax.get_ylabel()
    assert "nats per token" in ax.get_xlabel()
    assert "nats per token" in ax.get_ylabel()


def test_legend_says_what_the_band_is_and_names_every_student(curves):
    texts = [t.get_text() for t in student_against_teacher(curves).get_legend().get_texts()]
    assert texts[:2] == ["198M on 5B tokens", "1B on 5B tokens"]
    assert "80% credible band, equal-tailed" in texts
    assert "thin and pale: outside the runs" in texts
    assert texts[-1] == "student = teacher"
    assert "runs" not in texts  # none are shown


def test_curves_and_bands_are_those_of_the_forecast(curves, reads):
    ax = student_against_teacher(curves)
    for label, params in (("198M on 5B tokens", 198e6), ("1B on 5B tokens", 1e9)):
        mine = curves.table[curves.table["params"] == params]
        x, y = reads.curve(ax, label)
        np.testing.assert_allclose(x, GRID)
        np.testing.assert_allclose(y, mine["loss_mean"])
        x, lower, upper = reads.interval(ax, label)
        np.testing.assert_allclose(x, GRID)
        np.testing.assert_allclose(lower, mine["loss_lower"])
        np.testing.assert_allclose(upper, mine["loss_upper"])


def test_outside_the_runs_the_line_is_thin(curves):
    ax = student_against_teacher(curves)
    pieces = [line for line in ax.lines if line.get_label() == "_1B on 5B tokens"]
    thin, thick = sorted(pieces, key=lambda line: line.get_linewidth())
    assert thin.get_linewidth() < 0.6 * thick.get_linewidth()
    # no teacher of the runs was better than 1.9; the thin piece reaches over to the thick one
    assert thin.get_xdata().max() == thick.get_xdata().min() == pytest.approx(1.9)


def test_the_interval_of_the_best_teacher_goes_through_its_star(curves, scattered):
    best = risk(scattered, "198M,1B", "5B", teacher_loss=2.0, interval=0.8)
    ax = student_against_teacher(curves, best=best)
    bars = [line for line in ax.lines if line.get_marker() == "|"]
    for bar, (_, row) in zip(bars, best.table.iterrows(), strict=True):
        ends = [row["optimal_teacher_loss_lower"], row["optimal_teacher_loss_upper"]]
        np.testing.assert_allclose(bar.get_xdata(), ends)
    texts = "\n".join(t.get_text() for t in ax.get_legend().get_texts())
    assert "80% credible interval, equal-tailed" in texts


def test_a_best_teacher_at_an_end_of_the_range_has_no_star(scattered):
    falling = forecast(scattered, "198M", "5B", teacher_loss=np.linspace(1.8, 2.0, 9))
    ax = student_against_teacher(falling)
    assert not [line for line in ax.lines if line.get_marker() == "*"]


def test_the_unit_is_the_callers(curves):
    ax = student_against_teacher(curves, unit="bits per byte")
    assert "(bits per byte)" in ax.get_xlabel()
    assert "(bits per byte)" in ax.get_ylabel()


def test_looks_as_it_did(made_up_curves, same_picture):
    same_picture(student_against_teacher(made_up_curves).figure, "student_against_teacher")


def test_students_differ_in_colour_and_a_star_marks_the_best_teacher(curves):
    ax = student_against_teacher(curves)
    shown = {line.get_label(): line for line in ax.lines}
    one, other = shown["198M on 5B tokens"], shown["1B on 5B tokens"]
    assert one.get_color() != other.get_color()
    assert one.get_linestyle() != other.get_linestyle()
    stars = [line for line in ax.lines if line.get_marker() == "*"]
    assert len(stars) == 2
    for star, params in zip(stars, (198e6, 1e9), strict=True):
        mine = curves.table[curves.table["params"] == params]
        best = mine.loc[mine["loss_mean"].idxmin()]
        assert (star.get_xdata()[0], star.get_ydata()[0]) == (
            best["teacher_loss"],
            best["loss_mean"],
        )


def test_the_order_of_the_table_does_not_matter(scattered, reads):
    shuffled = np.random.default_rng(0).permutation(GRID)
    one, other = (
        student_against_teacher(forecast(scattered, "1B", "5B", teacher_loss=losses))
        for losses in (GRID, shuffled)
    )
    for found, wanted in zip(
        reads.curve(one, "1B on 5B tokens"), reads.curve(other, "1B on 5B tokens"), strict=True
    ):
        np.testing.assert_allclose(found, wanted)


def test_only_runs_of_these_students_are_shown(curves):
    frame = pd.DataFrame(
        {
            "params": [198e6, 198.5e6, 198e6, 1e9, 3e9],
            "tokens": [5e9, 5e9, 9e9, 5e9, 5e9],
            "loss": [2.7, 2.71, 2.6, 2.5, 2.4],
            "teacher_loss": [2.1, 2.2, 2.1, 2.3, 2.2],
        }
    )
    ax = student_against_teacher(curves, read_runs(frame))
    points = [line for line in ax.lines if line.get_marker() in ("o", "D")]
    shown = [list(zip(p.get_xdata(), p.get_ydata(), strict=True)) for p in points]
    assert shown == [[(2.1, 2.7), (2.2, 2.71)], [(2.3, 2.5)]]
    assert points[0].get_marker() != points[1].get_marker()  # told apart without colour


def test_can_be_saved(curves, tmp_path):
    figure = student_against_teacher(curves).figure
    figure.savefig(tmp_path / "plot.png")
    figure.savefig(tmp_path / "plot.svg")
    assert (tmp_path / "plot.png").stat().st_size > 10_000
