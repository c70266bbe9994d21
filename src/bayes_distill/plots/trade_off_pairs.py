"""Pair plots of the coefficients that trade off: what data determine only together."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

from bayes_distill.plots import style
from bayes_distill.plots.coefficients_against_published import PRINT, symbol

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.views.trade_offs import TradeOffs

LOG_FROM = 30.0  # ratio of an axis's ends above which it is logarithmic


def trade_off_pairs(trade_offs: TradeOffs, axes: np.ndarray | None = None) -> np.ndarray:
    """Draw coefficients that trade off against each other, one panel a pair.

    Parameters
    ----------
    trade_offs
        Draws, correlations and ranges.
    axes
        Four axes, (2, 2); by default new ones.
    """
    pairs = [pair for group in trade_offs.groups for pair in combinations(group, 2)]
    with style.house_style():
        if axes is None:
            axes = style.new_figure(8.6, 7.6).subplots(2, 2)
        axes = np.asarray(axes)
        for ax, (below, across) in zip(axes.reshape(-1), pairs, strict=True):
            _pair(ax, trade_offs, across, below)
        handles = [
            style.mark_handle(
                f"posterior, {len(next(iter(trade_offs.draws.values())))} draws",
                marker="o",
                color=style.series(1)[0].colour,
                markersize=4,
            ),
            style.mark_handle(trade_offs.source, color=PRINT, marker="D", markersize=7),
        ]
        axes.reshape(-1)[0].figure.legend(handles=handles, loc="outside upper left", ncols=2)
    return axes


def _pair(ax: Axes, trade_offs: TradeOffs, across: str, below: str) -> None:
    ax.plot(
        trade_offs.draws[across],
        trade_offs.draws[below],
        marker="o",
        markersize=2.6,
        alpha=0.22,
        markeredgewidth=0,
        linestyle="none",
        color=style.series(1)[0].colour,
        rasterized=True,
    )
    if across in trade_offs.published and below in trade_offs.published:
        ax.plot(
            trade_offs.published[across],
            trade_offs.published[below],
            marker="D",
            markersize=8,
            color=PRINT,
            markeredgecolor="white",
            linestyle="none",
            zorder=4,
        )
    sides: tuple[tuple[Literal["x", "y"], str], ...] = (("x", across), ("y", below))
    for side, name in sides:
        low, high = trade_offs.ranges[name]
        if high / low > LOG_FROM:
            (ax.set_xscale if side == "x" else ax.set_yscale)("log")
        (ax.set_xlim if side == "x" else ax.set_ylim)(low, high)
    ax.set_xlabel(symbol(across))
    ax.set_ylabel(symbol(below), rotation=0, labelpad=12)
    r = f"{float(trade_offs.correlation[across][below]):.2f}".replace("-", "−")
    text = f"{symbol(below)} and {symbol(across)}: correlation of the logarithms {r}"
    ax.set_title(text, fontsize=9.5)
