"""Coefficients against published values: posterior, prior and print, each on a scale of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_distill.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from bayes_distill.views.coefficients import Coefficients

COLUMNS = 3
WIDE = 30.0  # ratio of an interval's ends above which its axis is logarithmic
MARGIN = 1.2  # of the width of posterior and print together: a wider prior leaves the axis


def coefficients_against_published(
    coefficients: Coefficients, axes: np.ndarray | None = None
) -> np.ndarray:
    """Draw the interval of every coefficient beside its prior and the value in print.

    Coefficients have no unit that helps to compare them, so that each has an axis of its own.

    Parameters
    ----------
    coefficients
        With published values where there are any.
    axes
        As many axes as coefficients; by default new ones, three in a row.
    """
    from matplotlib.patches import Patch

    table = coefficients.table
    count = len(table)
    with style.house_style():
        if axes is None:
            rows = -(-count // COLUMNS)
            figure = style.new_figure(9.4, 0.98 * rows + 1.2)
            axes = figure.subplots(rows, COLUMNS, squeeze=False)
        axes = np.asarray(axes)
        flat = axes.reshape(-1)
        for ax, (_, row) in zip(flat, table.iterrows(), strict=False):
            _one(ax, row)
        for ax in flat[count:]:
            ax.set_axis_off()
        level = style.percent(coefficients.interval)
        handles = [
            style.mark_handle(
                f"posterior: median and {level} credible interval, equal-tailed",
                color=style.INK,
                marker="o",
                linestyle="-",
                linewidth=4.5,
            ),
            style.mark_handle(
                "the same, not identified by the runs",
                color=style.INK,
                marker="o",
                markerfacecolor="white",
                linestyle="-",
                linewidth=1.6,
            ),
        ]
        if table["prior_median"].notna().any():
            text = f"prior: {level} interval, equal-tailed (may leave the axis)"
            handles.append(Patch(facecolor=style.FAINT, alpha=0.55, linewidth=0, label=text))
        if table["published"].notna().any():
            handles.append(
                style.mark_handle(
                    coefficients.source, color=PRINT, marker="D", linestyle="-", linewidth=3
                )
            )
        flat[0].figure.legend(handles=handles, loc="outside upper left", ncols=1, fontsize=9)
    return axes


PRINT = "#c8542b"


def _one(ax: Axes, row: pd.Series[Any]) -> None:
    low, middle, high = (float(row[n]) for n in ("lower", "median", "upper"))
    before = [float(row[f"prior_{n}"]) for n in ("lower", "upper")]
    known = [float(v) for v in row[["published", "published_lower", "published_upper"]]]
    _scale(ax, np.array([low, middle, high, *known]), np.array(before))
    if np.isfinite(before).all():
        ax.fill_betweenx(
            [-0.75, 0.75], before[0], before[1], color=style.FAINT, alpha=0.55, linewidth=0
        )
    sure = bool(row["identified"])
    ax.plot(
        [low, high],
        [0.3, 0.3],
        color=style.INK,
        linewidth=4.5 if sure else 1.6,
        solid_capstyle="butt",
    )
    ax.plot(
        middle,
        0.3,
        marker="o",
        color=style.INK,
        markersize=6.5,
        linestyle="none",
        markerfacecolor=style.INK if sure else "white",
    )
    if np.isfinite(known[0]):
        if np.isfinite(known[1:]).all():
            ax.plot(known[1:], [-0.35, -0.35], color=PRINT, linewidth=3, solid_capstyle="butt")
        ax.plot(known[0], -0.35, marker="D", color=PRINT, markersize=4.5, linestyle="none")
    ax.set(ylim=(-0.8, 0.8), yticks=[])
    ax.grid(axis="y", visible=False)
    ax.spines["left"].set_visible(False)
    ax.set_title(
        f"{symbol(row['name'])}{'' if sure else '   (not identified)'}", pad=3, fontsize=10
    )
    style.plain_ticks(ax.xaxis)


def _scale(ax: Axes, core: np.ndarray, prior: np.ndarray) -> None:
    """Show posterior and print, and of the prior what lies not too far from them."""
    core = core[np.isfinite(core)]
    log = bool(core.max() / core.min() > WIDE)
    forth, back = (np.log, np.exp) if log else (np.asarray, np.asarray)
    low, high = float(forth(core.min())), float(forth(core.max()))
    reach = MARGIN * ((high - low) or 0.05 * abs(high))
    with np.errstate(over="ignore"):
        ends = [float(forth(v)) for v in prior if np.isfinite(v)] or [low, high]
    left, right = max(min(low, *ends), low - reach), min(max(high, *ends), high + reach)
    pad = 0.06 * (right - left) or 0.05 * abs(right)
    ax.set_xscale("log" if log else "linear")
    ax.set_xlim(float(back(left - pad)), float(back(right + pad)))


GREEK = {"alpha": "α", "beta": "β", "gamma": "γ"}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def symbol(name: str) -> str:
    """Write a coefficient as the paper does: ``α′``, ``c₁``."""
    prime = "′" if name.endswith("'") else ""
    bare = name.removesuffix("'")
    return GREEK.get(bare, bare.translate(SUBSCRIPTS)) + prime
