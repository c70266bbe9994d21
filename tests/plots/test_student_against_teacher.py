"""The plot of student against teacher loss: what is on it, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from bayes_distill.forecasting import Forecast, forecast
from bayes_distill.plots.student_against_teacher import student_against_teacher
from bayes_distill.runs import Runs

TEACHERS = np.linspace(1.8, 2.7, 19)


@pytest.fixture(autouse=True)
def headless() -> Iterator[None]:
    """Draw without a screen, and leave no figure behind."""
    plt.close("all")
    before = mpl.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


@pytest.fixture
def curves(scattered) -> Forecast:
    return forecast(scattered, "198M,1B", "5B", teacher_loss=TEACHERS, interval=0.8)


def lines(ax: Axes, label: str) -> list:
    return [line for line in ax.lines if label in str(line.get_label())]


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
    legend = student_against_teacher(curves).get_legend()
    title = legend.get_title().get_text()
    assert "credible" in title
    assert "80%" in title
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["198M on 5B tokens", "1B on 5B tokens", "student = teacher"]


def test_curves_and_bands_are_those_of_the_forecast(curves):
    ax = student_against_teacher(curves)
    assert len(ax.collections) == 2
    for label, params, band in zip(("198M", "1B on"), (198e6, 1e9), ax.collections, strict=True):
        mine = curves.table[curves.table["params"] == params]
        (line,) = lines(ax, label)
        np.testing.assert_allclose(line.get_xdata(), TEACHERS)
        np.testing.assert_allclose(line.get_ydata(), mine["mean"])
        edge = band.get_paths()[0].vertices
        assert edge[:, 1].min() == pytest.approx(mine["credible_lower"].min())
        assert edge[:, 1].max() == pytest.approx(mine["credible_upper"].max())


def test_students_differ_in_colour_and_a_star_marks_the_best_teacher(curves):
    ax = student_against_teacher(curves)
    assert lines(ax, "198M")[0].get_color() != lines(ax, "1B on")[0].get_color()
    stars = [line for line in ax.lines if line.get_marker() == "*"]
    assert len(stars) == 2
    for star, params in zip(stars, (198e6, 1e9), strict=True):
        mine = curves.table[curves.table["params"] == params]
        best = mine.loc[mine["mean"].idxmin()]
        assert (star.get_xdata()[0], star.get_ydata()[0]) == (best["teacher_loss"], best["mean"])


def test_the_order_of_the_table_does_not_matter(scattered):
    shuffled = np.random.default_rng(0).permutation(TEACHERS)
    ax = student_against_teacher(forecast(scattered, "1B", "5B", teacher_loss=shuffled))
    (line,) = lines(ax, "1B on")
    assert (np.diff(line.get_xdata()) > 0).all()


def test_only_runs_of_these_students_are_shown(curves):
    frame = pd.DataFrame(
        {
            "params": [198e6, 198.5e6, 198e6, 1e9, 3e9],
            "tokens": [5e9, 5e9, 9e9, 5e9, 5e9],
            "loss": [2.7, 2.71, 2.6, 2.5, 2.4],
            "teacher_loss": [2.1, 2.2, 2.1, 2.3, 2.2],
        }
    )
    ax = student_against_teacher(curves, Runs.from_frame(frame))
    points = [line for line in ax.lines if line.get_marker() in ("o", "s")]
    shown = [list(zip(p.get_xdata(), p.get_ydata(), strict=True)) for p in points]
    assert shown == [[(2.1, 2.7), (2.2, 2.71)], [(2.3, 2.5)]]
    assert points[0].get_marker() != points[1].get_marker()  # told apart without colour


def test_can_be_saved(curves, tmp_path):
    figure = student_against_teacher(curves).figure
    figure.savefig(tmp_path / "plot.png")
    figure.savefig(tmp_path / "plot.svg")
    assert (tmp_path / "plot.png").stat().st_size > 10_000
