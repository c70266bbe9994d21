"""Test quantities: what is on their plot."""

from __future__ import annotations

from bayes_distill.plots.predictive_quantities import predictive_quantities


def titles(ax) -> str:
    return " ".join(ax.get_title(loc=loc) for loc in ("left", "center", "right"))


def test_every_quantity_has_axes_and_the_real_one_a_line(checked):
    axes = predictive_quantities(checked.posterior).reshape(-1)
    for ax, row in zip(axes, checked.posterior.table.to_dict("records"), strict=False):
        assert row["name"].replace("_", " ") in titles(ax)
        assert ax.lines[0].get_xdata()[0] == row["observed_mean"]
