"""Map of what one more run would tell, over its size and tokens."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_distill.quantities import format_quantity

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

    from bayes_distill.identify.next_run import NextRun
    from bayes_distill.runs import Runs

GRID = 3  # sizes and tokens at least, for cells; a short list is drawn as points


def next_run_map(following: NextRun, runs: Runs | None = None, ax: Axes | None = None) -> Axes:
    """Draw the expected gain of a run over its size and tokens, with its best teacher for each.

    Parameters
    ----------
    following
        Candidates and their gains. Cells show the linear gain, which all candidates have.
    runs
        Runs done already, to show as dots.
    ax
        Axes to draw on; by default new ones.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

    if ax is None:
        _, ax = plt.subplots(figsize=(8, 5.4), layout="constrained")
    table = following.table
    best = table.groupby(["params", "tokens"])["linear_gain"].max()
    cells = table.pivot_table("linear_gain", "tokens", "params", aggfunc="max")
    drawn: ScalarMappable
    if min(cells.shape) >= GRID and best.size > 2 * max(cells.shape):
        drawn = ax.pcolormesh(
            *_edges(cells), cells.to_numpy(), cmap="cividis", vmin=0, rasterized=True
        )
    else:
        places = best.reset_index()
        drawn = ax.scatter(
            places["params"], places["tokens"], c=places["linear_gain"], cmap="cividis", vmin=0,
            s=160, edgecolor="0.3", linewidth=0.6,
        )  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    if runs is not None:
        ax.plot(
            runs.frame["params"], runs.frame["tokens"], linestyle="none", marker="o", markersize=3,
            color="white", markeredgecolor="0.2", markeredgewidth=0.5, label="runs done",
        )  # fmt: skip
    for mark, marker, size in (("cheap", "P", 11), ("best", "*", 17)):
        for row in table[table["recommended"] == mark].to_dict("records"):
            ax.plot(
                row["params"], row["tokens"], marker=marker, markersize=size, color="#c8542b",
                markeredgecolor="white", linestyle="none", clip_on=False, zorder=5,
                label=f"{mark}: {_named(row)}",
            )  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=20))
        axis.set_major_formatter(FuncFormatter(lambda value, _: format_quantity(value)))
        axis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("student parameters")
    ax.set_ylabel("student tokens")
    bar = ax.figure.colorbar(drawn, ax=ax, format=PercentFormatter(1))
    names = list(following.targets["name"])
    asked = ", ".join(names) if len(names) <= 3 else f"{len(names)} coefficients, on average"
    bar.set_label(f"variance removed (expected): {asked}")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _named(row: dict[Hashable, Any]) -> str:
    name = f"{format_quantity(row['params'])} on {format_quantity(row['tokens'])}"
    teacher = row["teacher_loss"]
    return name if np.isnan(teacher) else f"{name}, teacher {teacher:.2f}"


def _edges(cells: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Edges half-way, on the log scale, between sizes and between tokens."""
    found = []
    for values in (cells.columns.to_numpy(float), cells.index.to_numpy(float)):
        log = np.log(values)
        middle = (log[1:] + log[:-1]) / 2
        ends = [2 * log[0] - middle[0], *middle, 2 * log[-1] - middle[-1]]
        found.append(np.exp(ends))
    return found[0], found[1]
