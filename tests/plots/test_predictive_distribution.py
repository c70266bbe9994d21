"""Predictive distributions: what is on their plots."""

from __future__ import annotations

from bayes_distill.plots.predictive_distribution import predictive_distribution


def titles(ax) -> str:
    return " ".join(ax.get_title(loc=loc) for loc in ("left", "center", "right"))


def test_predictive_distributions_hold_replications_and_the_runs(checked):
    for check, name in ((checked.prior, "Prior"), (checked.posterior, "Posterior")):
        ax = predictive_distribution(check, draws=10).viz["plot"]["loss"].item()
        assert titles(ax).strip().startswith(name)
        assert len(ax.lines) >= 11
