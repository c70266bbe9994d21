"""Capacity-gap map: how likely one teacher is too strong, over student size and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_distill.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.posterior.hull import Hull
    from bayes_distill.runs import Runs
    from bayes_distill.views.gap_map import GapMap

LEVELS = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0)
LINES = {0.05: ":", 0.5: "-", 0.95: "--"}


def capacity_gap_map(
    gap: GapMap,
    ax: Axes | None = None,
    *,
    hull: Hull | None = None,
    runs: Runs | None = None,
    unit: str = style.LOSS_UNIT,
) -> Axes:
    """Draw the probability that a slightly stronger teacher makes the student worse.

    Parameters
    ----------
    gap
        Risk on a full grid of sizes and tokens under one teacher.
    ax
        Axes to draw on; by default new ones.
    hull
        Outline of the runs; outside it the map rests on the law.
    runs
        Runs, whose students are shown as points.
    unit
        Unit of the teacher's loss, for the title.
    """
    from matplotlib import patheffects

    with style.house_style():
        ax = style.axes_or_new(ax, 8.0, 5.4)
        grid = gap.table.pivot_table(
            index="tokens", columns="params", values="p_stronger_teacher_hurts", sort=True
        )
        sizes, tokens = grid.columns.to_numpy(float), grid.index.to_numpy(float)
        ax.set(xscale="log", yscale="log", xlim=sizes[[0, -1]], ylim=tokens[[0, -1]])
        ax.grid(False)
        filled = ax.contourf(
            sizes,
            tokens,
            grid.to_numpy(float),
            levels=LEVELS,
            cmap=style.PROBABILITY_MAP,
            norm=_even_steps(),
        )
        filled.set_edgecolor("face")  # no hairlines between the steps in vector formats
        lines = ax.contour(
            sizes,
            tokens,
            grid.to_numpy(float),
            levels=list(LINES),
            colors="white",
            linewidths=1.3,
            linestyles=list(LINES.values()),
        )
        halo: list[Any] = [patheffects.withStroke(linewidth=3, foreground=style.INK)]
        lines.set_path_effects(halo)
        handles = [
            style.mark_handle(
                f"{100 * level:g}%", color="white", linestyle=line, linewidth=1.3, path_effects=halo
            )
            for level, line in LINES.items()
        ]
        if hull is not None:
            corners = np.exp(np.array(hull.points))
            ax.plot(*corners.T, color="white", linewidth=2.6, zorder=3)
            ax.plot(*corners.T, color=style.INK, linewidth=1.2, linestyle=(0, (5, 2)), zorder=3)
            handles.append(
                style.mark_handle(
                    "outline of the runs; outside it\nthe map rests on the law",
                    color=style.INK,
                    linestyle=(0, (5, 2)),
                    linewidth=1.2,
                )
            )
        if runs is not None:
            ax.plot(
                runs.frame["params"],
                runs.frame["tokens"],
                marker="o",
                linestyle="none",
                zorder=4,
                markersize=4.5,
                markerfacecolor="white",
                markeredgecolor=style.INK,
                markeredgewidth=0.8,
            )
            handles.append(
                style.mark_handle(
                    "students of the runs",
                    marker="o",
                    markerfacecolor="white",
                    markeredgecolor=style.INK,
                )
            )
        style.count_axis(ax, "x")
        style.count_axis(ax, "y")
        ax.set_xlabel("student size (non-embedding parameters)")
        ax.set_ylabel("student tokens")
        ax.set_title(f"Is a teacher of loss {style.loss_text(gap.teacher_loss)} {unit} too strong?")
        bar = ax.figure.colorbar(filled, ax=ax, ticks=list(LEVELS), pad=0.02)
        bar.ax.set_yticklabels([f"{100 * p:g}%" for p in LEVELS])
        bar.set_label(
            "posterior probability that a slightly stronger\nteacher makes the student worse"
        )
        bar.outline.set_visible(False)
        lines_key = ax.legend(
            handles=handles[: len(LINES)],
            loc="upper left",
            bbox_to_anchor=(0.0, -0.13),
            ncols=3,
            title="Lines of equal probability",
            alignment="left",
            handlelength=2.2,
            columnspacing=1.2,
        )
        ax.add_artist(lines_key)
        if handles[len(LINES) :]:
            ax.legend(handles=handles[len(LINES) :], loc="upper left", bbox_to_anchor=(0.55, -0.13))
    return ax


def _even_steps() -> object:
    """Colours an even step apart for levels that are not."""
    from matplotlib.colors import BoundaryNorm

    return BoundaryNorm(list(LEVELS), 256)
