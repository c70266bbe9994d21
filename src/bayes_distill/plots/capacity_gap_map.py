"""Capacity-gap map: how likely one teacher is too strong, over student size and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import mean_of
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.plots import style
from bayes_distill.plots.figures import axes_or_new, figure_of
from bayes_distill.plots.fitted_runs import distilled_hull, fitted_runs
from bayes_distill.plots.registry import Drawing, Request, register
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.predict import points
from bayes_distill.predict.arguments import check_teachers
from bayes_distill.predict.extrapolation import extrapolation
from bayes_distill.predict.optimal_teacher import loss_slope
from bayes_distill.predict.points import Points, Quantity
from bayes_distill.predict.ranges import log_range

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.posterior.hull import Hull
    from bayes_distill.runs import Runs

CELLS = 64
DRAWS = 500
BEYOND = 3.0  # factor by which the map reaches beyond the runs
FALLBACK = {"params": (1e8, 1e11), "tokens": (1e9, 1e13)}  # for a posterior that came from no runs
LEVELS = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0)
LINES = {0.05: ":", 0.5: "-", 0.95: "--"}


@register(
    "capacity-gap-map",
    order=20,
    title="Capacity-gap map",
    shows="the probability that a slightly stronger teacher than this one makes the student worse, "
    "over student size and tokens. `params` and `tokens` take the two ends of a range.",
    takes=("params", "tokens", "teacher_loss", "teacher_params", "teacher_tokens"),
    needs=(("teacher_loss", "teacher_params"),),
    needs_teacher=True,
)
def _draw(request: Request) -> Drawing:
    posterior: Posterior = request.subject
    gap = gap_map(posterior, **request.options, allow_failed=True)
    hull = distilled_hull(posterior)
    ax = capacity_gap_map(gap, hull=hull, runs=fitted_runs(posterior), unit=request.unit)
    return Drawing(figure_of(ax), gap.notes)


@dataclass(frozen=True, eq=False)
class GapMap:
    """Capacity-gap risk on a grid of students.

    Parameters
    ----------
    table
        One row a size and number of tokens: ``params, tokens, p_stronger_teacher_hurts`` (as in
        `GapRisk`) and ``extrapolated``, whether the student lies outside the runs.
    teacher_loss
        Mean loss of the teacher.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    teacher_loss: float
    notes: tuple[str, ...]


def gap_map(
    posterior: Posterior | str | Path,
    params: Quantity | None = None,
    tokens: Quantity | None = None,
    *,
    teacher_loss: Quantity | None = None,
    teacher_params: Quantity | None = None,
    teacher_tokens: Quantity | None = None,
    cells: int = CELLS,
    draws: int = DRAWS,
    allow_failed: bool = False,
) -> GapMap:
    """Probability that a stronger teacher hurts, on a grid of students under one teacher.

    Parameters
    ----------
    posterior, draws, allow_failed
        As in `forecast`; the posterior is of a distillation law.
    params, tokens
        The two ends of each range; by default the runs' with a factor of 3 on either side.
    teacher_loss, teacher_params, teacher_tokens
        The teacher, as in `risk`.
    cells
        Grid points along each side.

    Raises
    ------
    InputError
        Naming every argument at fault.
    """
    loaded = load_posterior(posterior, allow_failed=allow_failed)
    thin = loaded.thin(draws)
    faults: list[Fault] = []
    sides = []
    default = _default(thin)
    for name, ends in (("params", params), ("tokens", tokens)):
        with collected(faults):
            sides.append(log_range(name, ends, default[name], cells))
    with collected(faults):
        one = points.grid(1e9, 1e10, teacher_loss, teacher_params, teacher_tokens)
        if not one.distilled.all():
            faults.append(
                Fault("is needed (or teacher_params and teacher_tokens)", column="teacher_loss")
            )
        elif len(one) > 1:
            faults.append(Fault("name one teacher: a map is of one", column="teacher_loss"))
    if faults:
        raise InputError(faults)
    check_teachers(thin, one)
    teacher = one.teacher_draws(thin)  # (draws, 1)
    n, d = (side.ravel() for side in np.meshgrid(*sides))
    slope = loss_slope(thin, n, d, np.repeat(teacher, n.size, axis=1))
    none = np.full(n.size, np.nan)
    taught = np.ones(n.size, bool)
    where = extrapolation(thin, Points(n, d, none, none, none), none, distilled=taught)
    table = pd.DataFrame(
        {
            "params": n,
            "tokens": d,
            "p_stronger_teacher_hurts": (slope < 0).mean(axis=0),
            "extrapolated": where["outside"],
        }
    )
    return GapMap(table, float(mean_of(teacher)[0]), loaded.warnings)


def _default(posterior: Posterior) -> dict[str, tuple[float, float]]:
    hull = distilled_hull(posterior)
    if hull is None:
        return FALLBACK
    corners = np.exp(np.array(hull.points))
    return {
        name: (float(side.min() / BEYOND), float(side.max() * BEYOND))
        for name, side in zip(("params", "tokens"), corners.T, strict=True)
    }


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
        Outline of the runs; outside it the map is an extrapolation.
    runs
        Runs; their students are points on the map.
    unit
        Unit of the teacher's loss, for the title.
    """
    from matplotlib import patheffects

    with style.house_style():
        ax = axes_or_new(ax, 8.0, 5.4)
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
