"""Distillation against supervised training over budgets, with the band of the crossover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_distill._input.numbers import format_quantity
from bayes_distill.plots import style

if TYPE_CHECKING:
    import pandas as pd

    from bayes_distill.views.against_supervised import AgainstSupervised

SHOWN = 0.05  # share of the draws below which a crossover is not worth a band


def distillation_against_supervised(
    compared: AgainstSupervised, axes: np.ndarray | None = None, *, unit: str = style.LOSS_UNIT
) -> np.ndarray:
    """Draw the loss that a budget reaches with and without a teacher, and the difference.

    The difference has a band of its own: both losses rest on the same draws, so it is known
    better than either.

    Parameters
    ----------
    compared
        One student under one or more scenarios.
    axes
        Two axes: losses, and what distillation gains. By default new ones.
    unit
        Unit of the losses, for the labels.
    """
    table = compared.table
    names = list(table["scenario"].unique())
    with style.house_style():
        if axes is None:
            axes = style.new_figure(9.8, 7.2).subplots(2, 1, sharex=True)
        axes = np.asarray(axes).reshape(2)
        top, bottom = axes
        alone, *looks = style.series(len(names) + 1)
        first = table[table["scenario"] == names[0]]
        style.curve_with_band(
            top,
            first["budget"],
            first["supervised_mean"],
            first["supervised_lower"],
            first["supervised_upper"],
            alone,
            first["supervised_outside"],
            "supervised",
        )
        untried = bool(first["supervised_outside"].all())
        also = "\nthin: no run of the fit was supervised" if untried else ""
        bottom.axhline(0, color=style.INK, linewidth=1)
        handles = [style.series_handle(alone, f"supervised{also}", thin=untried)]
        spans = False
        for name, look in zip(names, looks, strict=True):
            mine = table[table["scenario"] == name]
            for ax, column in ((top, "loss"), (bottom, "improvement")):
                style.curve_with_band(
                    ax,
                    mine["budget"],
                    mine[f"{column}_mean"],
                    mine[f"{column}_lower"],
                    mine[f"{column}_upper"],
                    look,
                    mine["outside"],
                    name,
                )
            found = compared.crossings[compared.crossings["scenario"] == name]
            said = [_crossing(axes, row, look) for _, row in found[found["p"] >= SHOWN].iterrows()]
            spans |= bool(said)
            text = "\n".join([name, *(said or ["no crossover between these budgets"])])
            handles.append(style.series_handle(look, text))
        handles.append(style.band_handle(compared.interval))
        if spans:
            handles.append(
                style.span_handle(
                    "upright: budget where the two\nbreak even, median and\n"
                    f"{style.interval_name(compared.interval)}"
                )
            )
        if bool(table["outside"].any()):
            handles.append(style.outside_handle())
        for ax in axes:
            ax.set_xscale("log")
            ax.set_xlim(table["budget"].min(), table["budget"].max())
        top.set_title(f"What a budget reaches: {format_quantity(compared.params)} student")
        top.set_ylabel(style.loss_label("student loss", unit))
        bottom.set_title("What distillation gains: supervised loss less distilled loss")
        bottom.set_ylabel(style.loss_label("gain", unit) + "; above 0\ndistillation is better")
        bottom.set_xlabel("budget (FLOPs)")
        style.legend_beside(top, handles, "Mean loss of the one recipe")
    return axes


def _crossing(axes: np.ndarray, row: pd.Series[Any], look: style.Series) -> str:
    """Draw where one scenario starts or stops paying, and say it."""
    for ax in axes:
        ax.axvspan(
            row["budget_lower"], row["budget_upper"], color=look.colour, alpha=0.14, linewidth=0
        )
        ax.axvline(row["budget_median"], color=look.colour, linewidth=1.1, linestyle=look.dashes)
    middle, *ends = (
        format_quantity(row[f"budget_{name}"], 2) for name in ("median", "lower", "upper")
    )
    share = "" if row["p"] > 0.995 else f", in {100 * row['p']:.0f}% of draws"
    side = "above" if row["direction"] == "starts" else "below"
    return f"better {side} {middle} FLOPs{share}\n({' to '.join(ends)})"
