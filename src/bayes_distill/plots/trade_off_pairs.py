"""Pairs of coefficients that trade off: the runs identify them together rather than one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from bayes_distill.errors import InputError
from bayes_distill.laws.published import PublishedValues
from bayes_distill.plots import style
from bayes_distill.plots.figures import figure_of, new_figure
from bayes_distill.plots.registry import Drawing, Request, register
from bayes_distill.posterior import Posterior, load_posterior

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DRAWS = 2000
SHOWN = (0.005, 0.995)  # c1 runs off to infinity: an axis has to end somewhere
LOG_FROM = 30.0  # ratio of an axis's ends above which it is logarithmic
COLUMNS = 2


@register(
    "trade-off-pairs",
    order=80,
    title="Coefficients that trade off",
    shows="the coefficients that the runs determine only together, as pairs of draws: A', alpha', "
    "gamma' and c1, d1.",
)
def _draw(request: Request) -> Drawing:
    pairs = trade_offs(request.subject, allow_failed=True)
    return Drawing(figure_of(trade_off_pairs(pairs)), pairs.notes)


@dataclass(frozen=True, eq=False)
class TradeOffs:
    """Draws of coefficients that trade off.

    Parameters
    ----------
    groups
        Names that belong together.
    symbols
        How papers write them, by name.
    draws
        Name -> (draws,).
    correlation
        Of the logarithms, a square table by name.
    ranges
        Where almost all draws lie, by name: the axes of the plot.
    published
        Point values in print.
    source
        Where those are printed; empty without any.
    notes
        Sentences for people.
    """

    groups: tuple[tuple[str, ...], ...]
    symbols: Mapping[str, str]
    draws: Mapping[str, np.ndarray]
    correlation: pd.DataFrame
    ranges: Mapping[str, tuple[float, float]]
    published: Mapping[str, float]
    source: str
    notes: tuple[str, ...]


def trade_offs(
    posterior: Posterior | str | Path, *, draws: int = DRAWS, allow_failed: bool = False
) -> TradeOffs:
    """Draws and correlations of the coefficients that trade off under a law.

    The law declares them (`Law.trade_offs`): under eq. 8 of Busbridge et al. 2025 A', alpha',
    gamma', and c1, d1; under Chinchilla's law A, alpha, E, and B, beta.

    Parameters
    ----------
    posterior, draws, allow_failed
        As in `forecast`.

    Raises
    ------
    InputError
        If the posterior is a single point, which has no trade-offs, or its law names none.
    """
    loaded = load_posterior(posterior, allow_failed=allow_failed)
    law = loaded.law
    if loaded.n_draws < 2:
        raise InputError(
            f"{loaded.card.name} holds point coefficients: there is nothing to trade off"
        )
    if not law.trade_offs:
        raise InputError(
            f"{loaded.card.name} is of the law {law.name} ({law.title}), which names no "
            "coefficients that trade off"
        )
    thin = loaded.thin(draws)
    names = [name for group in law.trade_offs for name in group]
    values = {name: thin.published[name] for name in names}
    logs = pd.DataFrame({name: np.log(value) for name, value in values.items()})
    finite = logs[np.isfinite(logs).all(axis=1)]
    published = law.published_values or PublishedValues("", {})
    return TradeOffs(
        law.trade_offs,
        {c.name: c.symbol for c in law.coefficients if c.name in names},
        values,
        finite.corr(),
        {name: _range(finite[name].to_numpy(), published.points.get(name)) for name in names},
        published.points,
        published.source,
        loaded.warnings,
    )


def _range(logs: np.ndarray, published: float | None) -> tuple[float, float]:
    low, high = np.quantile(logs, SHOWN)
    if published is not None:
        low, high = min(low, np.log(published)), max(high, np.log(published))
    pad = 0.04 * (high - low)
    return float(np.exp(low - pad)), float(np.exp(high + pad))


def trade_off_pairs(related: TradeOffs, axes: np.ndarray | None = None) -> np.ndarray:
    """Draw coefficients that trade off against each other, one panel for each pair of a group.

    Parameters
    ----------
    related
        Draws, correlations and ranges.
    axes
        As many axes as pairs, or more; by default new ones, two in a row.
    """
    pairs = [pair for group in related.groups for pair in combinations(group, 2)]
    with style.house_style():
        if axes is None:
            down = -(-len(pairs) // COLUMNS)
            axes = new_figure(8.6, 3.8 * down).subplots(down, COLUMNS, squeeze=False)
        axes = np.asarray(axes)
        for ax in axes.reshape(-1)[len(pairs) :]:
            ax.set_axis_off()
        for ax, (below, across) in zip(axes.reshape(-1), pairs, strict=False):
            _pair(ax, related, across, below)
        handles = [
            style.mark_handle(
                f"posterior, {len(next(iter(related.draws.values())))} draws",
                marker="o",
                color=style.series(1)[0].colour,
                markersize=4,
            )
        ]
        if related.source:
            handles.append(
                style.mark_handle(related.source, color=style.PRINTED, marker="D", markersize=7)
            )
        axes.reshape(-1)[0].figure.legend(handles=handles, loc="outside upper left", ncols=2)
    return axes


def _pair(ax: Axes, related: TradeOffs, across: str, below: str) -> None:
    ax.plot(
        related.draws[across],
        related.draws[below],
        marker="o",
        markersize=2.6,
        alpha=0.22,
        markeredgewidth=0,
        linestyle="none",
        color=style.series(1)[0].colour,
        rasterized=True,
    )
    if across in related.published and below in related.published:
        ax.plot(
            related.published[across],
            related.published[below],
            marker="D",
            markersize=8,
            color=style.PRINTED,
            markeredgecolor="white",
            linestyle="none",
            zorder=4,
        )
    sides: tuple[tuple[Literal["x", "y"], str], ...] = (("x", across), ("y", below))
    for side, name in sides:
        low, high = related.ranges[name]
        if high / low > LOG_FROM:
            (ax.set_xscale if side == "x" else ax.set_yscale)("log")
        (ax.set_xlim if side == "x" else ax.set_ylim)(low, high)
    x, y = related.symbols[across], related.symbols[below]
    ax.set_xlabel(x)
    ax.set_ylabel(y, rotation=0, labelpad=12)
    r = f"{float(related.correlation[across][below]):.2f}".replace("-", "−")
    ax.set_title(f"{y} and {x}: correlation of the logarithms {r}", fontsize=9.5)
