"""LOO-PITs: what is on their plot."""

from __future__ import annotations

from bayes_distill.plots.loo_pit import loo_pit


def titles(ax) -> str:
    return " ".join(ax.get_title(loc=loc) for loc in ("left", "center", "right"))


def test_loo_pit_says_how_uniform(checked):
    ax = loo_pit(checked.leave_one_out).viz["plot"]["loss"].item()
    assert f"{checked.leave_one_out.p_uniform:.2g}" in titles(ax)
    assert f"{len(checked.leave_one_out.table)} runs" in titles(ax)
