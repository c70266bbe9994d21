"""The plots on the page: which there are, and that fewer draws change none of them much."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bayes_distill.plots import PLOTS
from bayes_distill.reporting import plots_as_svg as figures
from studies import with_runs


@pytest.fixture(scope="module")
def posterior(scattered):
    return with_runs(scattered)


def titles(shown):
    return [figure.title for figure in shown]


@pytest.mark.slow
def test_a_fit_with_more_draws_than_a_plot_needs_has_the_same_plots(posterior):
    entries = [entry for entry in PLOTS.values() if entry.report is not None]
    assert all(posterior.n_draws > (entry.report.draws or 0) for entry in entries)
    thin = figures.figures_of(posterior, 0.9, 0)
    assert titles(thin) == [f"{entry.title}." for entry in entries]
    for entry in entries:
        PLOTS.add(replace(entry, report=replace(entry.report, draws=None)))
    whole = figures.figures_of(posterior, 0.9, 0)
    assert titles(whole) == titles(thin)
    for few, many in zip(thin, whole, strict=True):
        # the same students, runs and labels; numbers in legends may differ in their last digits
        words = [
            re.sub(r"[\d.]+", "#", " ".join(re.findall(r"<text[^>]*>([^<]*)<", one.svg)))
            for one in (few, many)
        ]
        assert words[0] == words[1], few.title
        assert few.svg.count("<use") == many.svg.count("<use"), few.title  # as many markers


def test_students_of_the_runs_are_drawn_with_their_runs(posterior):
    first = figures.figures_of(posterior, 0.9, 0)[0]
    assert "143M on " in first.svg
    assert ">runs<" in first.svg


def test_a_posterior_without_runs_has_no_plots(scattered):
    assert figures.figures_of(scattered, 0.9, 0) == []
