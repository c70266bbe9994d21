"""Map of what one more run would tell, over its size and tokens.

Its numbers are those of `identification.next_run`.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_distill._input.numbers import format_quantity
from bayes_distill.identification.next_run import NextRun, next_run
from bayes_distill.plots import style
from bayes_distill.plots.figures import axes_or_new, figure_of
from bayes_distill.plots.fitted_runs import fitted_runs
from bayes_distill.plots.registry import Drawing, Request, register

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

    from bayes_distill.runs import Runs

GRID = 3  # sizes and tokens at least, for cells; a short list is drawn as points
MOST_NAMES = 2  # in the title
TEXTS = {"best": "tells most:", "cheap": "cheapest that tells 80% as much:"}
TARGET = {"params": "target_params", "tokens": "target_tokens"}  # as `next_run` names them


@register(
    "next-run-map",
    order=100,
    title="The next run",
    shows="what one more run would tell, over its size and tokens: about `coefficient`, or about "
    "the forecast of a student of `params` on `tokens`.",
    takes=("coefficient", "params", "tokens", "teacher_loss", "budget", "flops"),
    needs=(("coefficient", "params"),),
)
def _draw(request: Request) -> Drawing:
    options = {TARGET.get(name, name): value for name, value in request.options.items()}
    following = next_run(request.subject, **options, seed=request.seed, allow_failed=True)
    ax = next_run_map(following, fitted_runs(request.subject))
    return Drawing(figure_of(ax), following.notes)


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
    from matplotlib.ticker import PercentFormatter

    table = following.table
    best = table.groupby(["params", "tokens"])["linear_information_gain"].max()
    cells = table.pivot_table("linear_information_gain", "tokens", "params", aggfunc="max")
    handles = []
    with style.house_style():
        ax = axes_or_new(ax, 11.0, 5.4)
        ax.grid(visible=False)
        gains: ScalarMappable
        if min(cells.shape) >= GRID and best.size > 2 * max(cells.shape):
            gains = ax.pcolormesh(
                *_edges(cells),
                cells.to_numpy(),
                cmap=style.PROBABILITY_MAP,
                vmin=0,
                rasterized=True,
            )
        else:
            places = best.reset_index()
            gains = ax.scatter(
                places["params"],
                places["tokens"],
                c=places["linear_information_gain"],
                vmin=0,
                cmap=style.PROBABILITY_MAP,
                s=160,
                edgecolor=style.MUTED,
                linewidth=0.6,
            )
        if runs is not None:
            look: dict[str, Any] = {
                "marker": "o",
                "markersize": 3.5,
                "color": "white",
                "markeredgecolor": style.INK,
                "markeredgewidth": 0.6,
            }
            ax.plot(runs.frame["params"], runs.frame["tokens"], linestyle="none", **look)
            handles.append(style.mark_handle("runs done", **look))
        for mark, marker, size in (("cheap", "P", 11), ("best", "*", 17)):
            for row in table[table["recommended"] == mark].to_dict("records"):
                look = {
                    "marker": marker,
                    "markersize": size,
                    "color": "#c8542b",
                    "markeredgecolor": "white",
                }
                ax.plot(
                    row["params"], row["tokens"], linestyle="none", clip_on=False, zorder=5, **look
                )
                handles.append(style.mark_handle(f"{TEXTS[mark]}\n{_named(row)}", **look))
        for which in ("x", "y"):
            (ax.set_xscale if which == "x" else ax.set_yscale)("log")
            style.count_axis(ax, "x" if which == "x" else "y")
        ax.set_xlabel("student size (non-embedding parameters)")
        ax.set_ylabel("student training tokens")
        names = list(following.targets["name"])
        targets = (
            ", ".join(names) if len(names) <= MOST_NAMES else f"{len(names)} answers, on average"
        )
        ax.set_title(f"What one more run would tell about {targets}")
        bar = ax.figure.colorbar(
            gains, ax=ax, format=PercentFormatter(1), location="left", pad=0.02
        )
        bar.set_label("share of its variance that the run removes (expected)")
        style.legend_beside(ax, handles[::-1], "Under the best teacher for each")
    return ax


def _named(row: dict[Hashable, Any]) -> str:
    name = f"{format_quantity(row['params'])} on {format_quantity(row['tokens'])}"
    teacher = row["teacher_loss"]
    return name if np.isnan(teacher) else f"{name}, teacher {teacher:.2f}"


def _edges(cells: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Edges half-way, on the log scale, between sizes and between tokens."""
    edges = []
    for values in (cells.columns.to_numpy(float), cells.index.to_numpy(float)):
        log = np.log(values)
        middle = (log[1:] + log[:-1]) / 2
        ends = [2 * log[0] - middle[0], *middle, 2 * log[-1] - middle[-1]]
        edges.append(np.exp(ends))
    return edges[0], edges[1]
