"""The map of the next run: what is on it."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from bayes_distill.identification.next_run import next_run
from bayes_distill.plots.next_run_map import next_run_map


def titles(ax) -> str:
    return " ".join(ax.get_title(loc=loc) for loc in ("left", "center", "right"))


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
