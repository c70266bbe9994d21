"""Marks that several plots share: runs, best values with their intervals, the diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayes_distill.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


def draw_runs(ax: Axes, x: ArrayLike, y: ArrayLike, look: style.Series, size: float) -> None:
    """Draw runs as open marks in the colour of their series."""
    ax.plot(
        x,
        y,
        marker=look.marker,
        color=look.colour,
        markersize=size,
        markerfacecolor="white",
        markeredgewidth=0.9,
        linestyle="none",
        zorder=3,
    )


def draw_spread(ax: Axes, ends: Sequence[float], y: float, look: style.Series) -> None:
    """Draw the interval of a best value as a bar with its two ends, at the height `y`."""
    ax.plot(
        ends,
        [y] * 2,
        color=look.colour,
        linewidth=1.6,
        marker="|",
        markersize=9,
        markeredgewidth=1.6,
        zorder=3.5,
    )


def draw_star(
    ax: Axes, x: float, y: float, look: style.Series, *, size: float, edge: float
) -> None:
    """Mark a best value with a star; `size` and the width of its `edge` are in points."""
    ax.plot(
        x,
        y,
        marker="*",
        color=look.colour,
        markersize=size,
        markeredgecolor="white",
        markeredgewidth=edge,
        linestyle="none",
        zorder=4,
    )


def draw_calibrated(ax: Axes) -> None:
    """Draw the diagonal on which observed shares equal the forecast ones."""
    ax.plot(
        [0, 1],
        [0, 1],
        color=style.MUTED,
        linewidth=1,
        linestyle=style.DIAGONAL,
        label="calibrated",
    )
