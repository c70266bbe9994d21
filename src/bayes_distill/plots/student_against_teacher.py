"""Student loss against teacher loss, with bands: the picture of the capacity gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_distill.quantities import format_quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.forecasting import Forecast
    from bayes_distill.runs import Runs

# dark to light, told apart in grey and by the colour-blind; markers and dashes differ too
COLOURS = ("#22223b", "#0072b2", "#009e73", "#d55e00", "#cc79a7", "#e69f00")
MARKERS = ("o", "s", "^", "D", "v", "P")


def student_against_teacher(
    forecast: Forecast, runs: Runs | None = None, ax: Axes | None = None
) -> Axes:
    """Draw student loss against teacher loss, one curve a student, with its credible band.

    Parameters
    ----------
    forecast
        Of a grid of students and teacher losses.
    runs
        Runs to show as points where their student is one of the forecast's.
    ax
        Axes to draw on; by default new ones.
    """
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=(7, 5), layout="constrained")
    table = forecast.table
    students = table[["params", "tokens"]].drop_duplicates().itertuples(index=False)
    for place, (params, tokens) in enumerate(students):
        mine = (table["params"] == params) & (table["tokens"] == tokens)
        curve = table[mine].sort_values("teacher_loss")
        colour = COLOURS[place % len(COLOURS)]
        label = f"{format_quantity(params)} on {format_quantity(tokens)} tokens"
        ax.fill_between(
            curve["teacher_loss"], curve["credible_lower"], curve["credible_upper"],
            color=colour, alpha=0.25, linewidth=0,
        )  # fmt: skip
        ax.plot(curve["teacher_loss"], curve["mean"], color=colour, label=label)
        best = curve.iloc[int(curve["mean"].to_numpy().argmin())]
        ax.plot(
            best["teacher_loss"], best["mean"], marker="*", color=colour, markersize=12,
            markeredgecolor="white", linestyle="none", zorder=4,
        )  # fmt: skip
        if runs is not None:
            frame = runs.frame
            shown = np.isclose(frame["params"].to_numpy(), params, rtol=0.01) & np.isclose(
                frame["tokens"].to_numpy(), tokens, rtol=0.01
            )
            ax.plot(
                frame["teacher_loss"][shown], frame["loss"][shown],
                marker=MARKERS[place % len(MARKERS)], color=colour, markersize=4,
                markerfacecolor="white", linestyle="none", alpha=0.9,
            )  # fmt: skip
    limits = {"xlim": ax.get_xlim(), "ylim": ax.get_ylim()}
    low = max(limits["xlim"][0], limits["ylim"][0])
    high = min(limits["xlim"][1], limits["ylim"][1])
    ax.plot(
        [low, high], [low, high], color="0.4", linestyle=(0, (4, 3)), linewidth=1,
        label="student = teacher",
    )  # fmt: skip
    ax.set(**limits)
    ax.set_xlabel("teacher loss (nats per token); stronger teachers to the left")
    ax.set_ylabel("student loss (nats per token)")
    percent = f"{100 * forecast.interval:g}%"
    ax.legend(
        title=f"mean and {percent} credible band;\nstar: best teacher; points: runs", frameon=False,
        fontsize=9, title_fontsize=9,
    )  # fmt: skip
    ax.spines[["top", "right"]].set_visible(False)
    return ax
