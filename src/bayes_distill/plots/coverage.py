"""Nominal against observed coverage of predictive bands, group by group."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from bayes_distill.plots.style import series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.validation.result import Validation

MOST_GROUPS = 6  # with a colour each; more are drawn in grey


def coverage(validation: Validation, ax: Axes | None = None) -> Axes:
    """Draw the share of left-out runs inside each predictive band against its level.

    Below the diagonal bands are too narrow, above it too wide.

    Parameters
    ----------
    validation
        Its table is drawn, one line a group and a thick one for all runs.
    ax
        Axes to draw on; by default new ones.
    """
    import matplotlib.pyplot as plt

    from bayes_distill.validation.refit import percent

    if ax is None:
        _, ax = plt.subplots(figsize=(6, 5.5), layout="constrained")
    ax.plot([0, 1], [0, 1], color="0.5", linewidth=1, linestyle=(0, (4, 3)), label="calibrated")
    levels = list(validation.levels)
    groups = validation.table.iloc[:-1]
    many = len(groups) > MOST_GROUPS
    looks = series(len(groups)) if not many else series(1) * len(groups)
    for place, (row, look) in enumerate(zip(groups.to_dict("records"), looks, strict=True)):
        ax.plot(
            levels, [row[f"coverage_{percent(level)}"] for level in levels],
            color="0.6" if many else look.colour, marker=look.marker, markersize=5, linewidth=1,
            alpha=0.9,
            label=None if many and place else _label(row, many, len(groups)),
        )  # fmt: skip
    overall = validation.table.iloc[-1]
    ax.plot(
        levels, [overall[f"coverage_{percent(level)}"] for level in levels], color="black",
        marker="o", linewidth=2.5, label=f"overall ({overall['runs']} runs)", zorder=4,
    )  # fmt: skip
    ax.set(xlim=(min(levels) - 0.06, 1.0), ylim=(-0.02, 1.02))
    ticks = [level for i, level in enumerate(levels) if not i or level - levels[i - 1] > 0.02]
    ax.set_xticks(ticks, [f"{percent(level)}%" for level in ticks])
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    ax.set_xlabel("level of the predictive band")
    ax.set_ylabel("share of the left-out runs inside it")
    ax.legend(frameon=False, fontsize=9, title="left out", loc="lower right")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _label(row: Mapping[Hashable, Any], many: bool, count: int) -> str:
    return f"each of {count} groups" if many else f"{row['group']} ({row['runs']} runs)"
