"""Plots of checks and of identifiability: what is on them."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from bayes_distill.checking.checks import predictive
from bayes_distill.checking.power_scaling import sensitivity
from bayes_distill.identification.identifiability import identifiability
from bayes_distill.identification.next_run import next_run
from bayes_distill.plots import predictive_checks as drawn
from bayes_distill.plots.next_run_map import next_run_map
from bayes_distill.plots.prior_against_posterior import prior_against_posterior


@pytest.fixture(autouse=True)
def headless() -> Iterator[None]:
    """Draw without a screen, and leave no figure behind."""
    before = mpl.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


@pytest.fixture(scope="module")
def checked(chinchilla):
    return predictive(chinchilla.posterior)


def titles(ax) -> str:
    return " ".join(ax.get_title(loc=loc) for loc in ("left", "center", "right"))


def test_predictive_distributions_hold_replications_and_the_runs(checked):
    for check, name in ((checked.prior, "Prior"), (checked.posterior, "Posterior")):
        ax = drawn.predictive_distribution(check, draws=10).viz["plot"]["loss"].item()
        assert titles(ax).strip().startswith(name)
        assert len(ax.lines) >= 11


def test_loo_pit_says_how_uniform(checked):
    ax = drawn.loo_pit(checked.leave_one_out).viz["plot"]["loss"].item()
    assert f"{checked.leave_one_out.p_uniform:.2g}" in titles(ax)
    assert f"{len(checked.leave_one_out.table)} runs" in titles(ax)


def test_every_quantity_has_axes_and_the_real_one_a_line(checked):
    axes = drawn.predictive_quantities(checked.posterior).reshape(-1)
    for ax, row in zip(axes, checked.posterior.table.to_dict("records"), strict=False):
        assert row["name"].replace("_", " ") in titles(ax)
        assert ax.lines[0].get_xdata()[0] == row["observed_mean"]


def test_power_scaling_draws_the_answers_named(chinchilla):
    found = sensitivity(chinchilla.posterior)
    collection = drawn.power_scaling(found, ["alpha", "beta"])
    assert set(collection.viz["plot"].data_vars) == {"log alpha", "log beta"}


def test_prior_against_posterior_is_on_the_prior_s_scale(chinchilla):
    report = identifiability(chinchilla.posterior, interval=0.5)
    _, ax = plt.subplots()
    assert prior_against_posterior(report, "published", ax=ax) is ax
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["beta", "alpha", "B", "A", "E"]
    assert any("50%\ncredible" in text.get_text() for text in ax.get_legend().get_texts())
    variables = report.variables["published"]
    before, after = (np.log(d["E"]) for d in (variables.prior, variables.posterior))
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    expected = (np.median(after) - before.mean()) / before.std()
    assert dots[-1].get_xdata()[0] == pytest.approx(expected, abs=0.05)


def test_map_marks_the_recommended_run_and_the_runs_done(chinchilla):
    following = next_run(chinchilla.posterior, coefficient="beta")
    ax = next_run_map(following, chinchilla.runs)
    best = following.table.iloc[0]
    (star,) = [line for line in ax.lines if line.get_marker() == "*"]
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (best["params"], best["tokens"])
    assert ax.collections
    assert "beta" in titles(ax)


def test_a_short_list_is_drawn_as_points(chinchilla):
    asked = pd.DataFrame({"params": [1e9, 2e9], "tokens": [2e10, 9e10]})
    following = next_run(chinchilla.posterior, coefficient="beta", candidates=asked)
    _, ax = plt.subplots()
    assert next_run_map(following, ax=ax) is ax
    assert len(ax.collections[0].get_offsets()) == 2
