"""Coefficients against published values: posterior, prior and print, each on a separate scale."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import interval_fault
from bayes_distill.errors import InputError
from bayes_distill.laws.published import PublishedValues
from bayes_distill.plots import style
from bayes_distill.plots.figures import figure_of, new_figure
from bayes_distill.plots.registry import Drawing, InReport, Request, register
from bayes_distill.posterior import Posterior, load_posterior

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FINITE = 1e300
COLUMNS = 3
WIDE = 30.0  # ratio of an interval's ends above which its axis is logarithmic
# of a coefficient that the runs identify, that they do not, and of which it is not known
WIDTHS = {True: 4.5, False: 1.6, None: 2.8}
FACES = {True: style.INK, False: "white", None: style.FAINT}
MARGIN = 1.2  # of the width of posterior and print together: a wider prior leaves the axis


@register(
    "coefficients-against-published",
    order=70,
    title="Coefficients against published values",
    shows="every coefficient's interval beside its prior and the value in print.",
    report=InReport(
        caption="A posterior as wide as its prior has learnt nothing from these runs.",
        teachers=True,
    ),
)
def _draw(request: Request) -> Drawing:
    compared = coefficients(request.subject, interval=request.interval, allow_failed=True)
    return Drawing(figure_of(coefficients_against_published(compared)), compared.notes)


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Coefficients next to published ones.

    Parameters
    ----------
    table
        One row a coefficient: ``name, symbol``, ``median, lower, upper`` of the posterior, the same
        of the prior with ``prior_`` in front, ``published`` with ``published_lower`` and
        ``published_upper``, NaN where there is none; and ``identified``, missing where the
        posterior does not say whether the runs identify it.
    interval
        Probability inside the posterior's and the prior's intervals, which are equal-tailed.
    source
        Where the published values come from; empty without any.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    interval: float
    source: str
    notes: tuple[str, ...]


def coefficients(
    posterior: Posterior | str | Path,
    *,
    published: PublishedValues | None = None,
    interval: float = 0.9,
    allow_failed: bool = False,
) -> Coefficients:
    """Set a posterior's coefficients beside published ones.

    Parameters
    ----------
    posterior, interval, allow_failed
        As in `forecast`.
    published
        By default the law's `published_values`.

    Raises
    ------
    InputError
        If the posterior cannot be used or the interval is no probability.
    """
    fault = interval_fault(interval)
    if fault is not None:
        raise InputError(fault)
    loaded = load_posterior(posterior, allow_failed=allow_failed)
    values = published or loaded.law.published_values or PublishedValues("", {})
    identified = {c["name"]: bool(c["identified"]) for c in loaded.info.get("coefficients", [])}
    prior = _prior(loaded)
    rows = []
    for coefficient in loaded.law.coefficients:
        name = coefficient.name
        low, high = values.intervals.get(name, (np.nan, np.nan))
        rows.append(
            {
                "name": name,
                "symbol": coefficient.symbol,
                **_spread("", loaded.published[name], interval),
                **_spread("prior_", prior.get(name), interval),
                "published": values.points.get(name, np.nan),
                "published_lower": low,
                "published_upper": high,
                "identified": identified.get(name),
            }
        )
    table = pd.DataFrame(rows).astype({"identified": "boolean"})
    kind = f", with its {values.kind_of_interval}" if values.kind_of_interval else ""
    return Coefficients(table, interval, values.source + kind, loaded.warnings)


def _prior(posterior: Posterior) -> dict[str, np.ndarray]:
    """Draws of the prior under published names; none for a posterior that was not sampled."""
    if "prior" not in posterior.tree.children:
        return {}
    group = posterior.tree["prior"].dataset
    names = posterior.law.coordinate_names
    if not set(names) <= set(group.data_vars):
        return {}
    draws = {name: group[name].to_numpy().reshape(-1) for name in names}
    published = posterior.law.to_published(draws, posterior.reference)
    return {name: np.asarray(value) for name, value in published.items()}


def _spread(prefix: str, draws: np.ndarray | None, interval: float) -> dict[str, float]:
    levels = (("lower", (1 - interval) / 2), ("median", 0.5), ("upper", (1 + interval) / 2))
    if draws is None:
        return {prefix + name: np.nan for name, _ in levels}
    finite = np.minimum(draws, FINITE)  # c1 can reach infinity, and neighbours would average to it
    return {prefix + name: float(np.quantile(finite, level)) for name, level in levels}


def coefficients_against_published(
    compared: Coefficients, axes: np.ndarray | None = None
) -> np.ndarray:
    """Draw the interval of every coefficient beside its prior and the value in print.

    Coefficients have no unit that helps to compare them: each has a separate axis.

    Parameters
    ----------
    compared
        With published values where there are any.
    axes
        As many axes as coefficients; by default new ones, three in a row.
    """
    from matplotlib.patches import Patch

    table = compared.table
    count = len(table)
    with style.house_style():
        if axes is None:
            rows = -(-count // COLUMNS)
            figure = new_figure(9.4, 0.98 * rows + 1.2)
            axes = figure.subplots(rows, COLUMNS, squeeze=False)
        axes = np.asarray(axes)
        flat = axes.reshape(-1)
        for ax, (_, row) in zip(flat, table.iterrows(), strict=False):
            _one(ax, row)
        for ax in flat[count:]:
            ax.set_axis_off()
        level = style.percent(compared.interval)
        handles = _of_posterior(table["identified"], level)
        if table["prior_median"].notna().any():
            text = f"prior: {level} interval, equal-tailed (may leave the axis)"
            handles.append(Patch(facecolor=style.FAINT, alpha=0.55, linewidth=0, label=text))
        if table["published"].notna().any():
            handles.append(
                style.mark_handle(
                    compared.source, color=style.PRINTED, marker="D", linestyle="-", linewidth=3
                )
            )
        flat[0].figure.legend(handles=handles, loc="outside upper left", ncols=1, fontsize=9)
    return axes


def _of_posterior(identified: pd.Series[Any], level: str) -> list[Any]:
    """Legend entries of the posterior's intervals."""
    posterior = f"posterior: median and {level} credible interval, equal-tailed"
    texts: dict[bool | None, str] = {
        True: posterior,
        False: "the same, not identified by the runs",
        None: "the same, not known whether the runs identify it",
    }
    if identified.isna().all():
        texts = {None: f"{posterior}; not known which of them the runs identify"}
    elif identified.notna().all():
        del texts[None]
    return [
        style.mark_handle(
            text,
            color=style.INK,
            marker="o",
            markerfacecolor=FACES[which],
            linestyle="-",
            linewidth=WIDTHS[which],
        )
        for which, text in texts.items()
    ]


def _one(ax: Axes, row: pd.Series[Any]) -> None:
    low, middle, high = (float(row[n]) for n in ("lower", "median", "upper"))
    before = [float(row[f"prior_{n}"]) for n in ("lower", "upper")]
    printed = [float(v) for v in row[["published", "published_lower", "published_upper"]]]
    _scale(ax, np.array([low, middle, high, *printed]), np.array(before))
    if np.isfinite(before).all():
        ax.fill_betweenx(
            [-0.75, 0.75], before[0], before[1], color=style.FAINT, alpha=0.55, linewidth=0
        )
    identified = None if pd.isna(row["identified"]) else bool(row["identified"])
    ax.plot(
        [low, high],
        [0.3, 0.3],
        color=style.INK,
        linewidth=WIDTHS[identified],
        solid_capstyle="butt",
    )
    ax.plot(
        middle,
        0.3,
        marker="o",
        color=style.INK,
        markersize=6.5,
        linestyle="none",
        markerfacecolor=FACES[identified],
    )
    if np.isfinite(printed[0]):
        if np.isfinite(printed[1:]).all():
            ax.plot(
                printed[1:], [-0.35, -0.35], color=style.PRINTED, linewidth=3, solid_capstyle="butt"
            )
        ax.plot(
            printed[0], -0.35, marker="D", color=style.PRINTED, markersize=4.5, linestyle="none"
        )
    ax.set(ylim=(-0.8, 0.8), yticks=[])
    ax.grid(axis="y", visible=False)
    ax.spines["left"].set_visible(False)
    ax.set_title(
        row["symbol"] + ("   (not identified)" if identified is False else ""),
        pad=3,
        fontsize=10,
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
