"""Curves with their intervals, thin and pale where they are extrapolated beyond the runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from bayes_distill.plots.style import THICK, THIN, Series, mark_handle

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

INTERVAL_ALPHA = 0.32
EXTRAPOLATION_ALPHA = 0.17


class Curve(NamedTuple):
    """A curve and its interval, arrays (points,); where it is extrapolated, the last is true."""

    x: np.ndarray
    middle: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    extrapolated: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame, x: str, ends: Sequence[str], extrapolated: str) -> Self:
        """Curve of the columns of a table; `ends` are its middle, lower and upper end."""
        middle, lower, upper = (table[column].to_numpy(float) for column in ends)
        beyond = table[extrapolated].eq(True).to_numpy(bool)  # NaN where there is no curve
        return cls(table[x].to_numpy(float), middle, lower, upper, beyond)


def extrapolation_spans(extrapolated: Sequence[bool] | np.ndarray) -> list[tuple[slice, bool]]:
    """Stretches of a curve within the range of the runs and beyond; neighbours share a point."""
    flags = np.asarray(extrapolated, bool)
    edges = [0, *(np.flatnonzero(flags[1:] != flags[:-1]) + 1).tolist(), len(flags)]
    spans = []
    for start, stop in pairwise(edges):
        # a stretch within ends at its last point within; one beyond reaches over to that point
        beyond = bool(flags[start])
        first = start - 1 if beyond and start > 0 else start
        last = stop + 1 if beyond and stop < len(flags) else stop
        spans.append((slice(first, last), beyond))
    return spans


def draw_curve(ax: Axes, curve: Curve, look: Series, label: str) -> None:
    """Draw a curve and its interval; where they are extrapolated, thin and pale.

    The label goes to an empty line, so that a legend shows the curve as it is within the range of
    the runs; the pieces of the curve carry it behind an underscore.
    """
    ax.plot([], [], color=look.colour, linestyle=look.dashes, linewidth=THICK, label=label)
    for part, beyond in extrapolation_spans(curve.extrapolated):
        ax.fill_between(
            curve.x[part],
            curve.lower[part],
            curve.upper[part],
            color=look.colour,
            linewidth=0,
            label=f"_{label}",
            alpha=EXTRAPOLATION_ALPHA if beyond else INTERVAL_ALPHA,
        )
        ax.plot(
            curve.x[part],
            curve.middle[part],
            color=look.colour,
            linestyle=look.dashes,
            label=f"_{label}",
            linewidth=THIN if beyond else THICK,
        )


def extrapolation_handle() -> Any:
    """Legend entry of extrapolated curves, which are thin and pale."""
    return mark_handle("thin and pale: outside the runs", linestyle="-", linewidth=THIN)
