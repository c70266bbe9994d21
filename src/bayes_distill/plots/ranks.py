"""Rank ECDFs of a calibration study: curves that leave their band give a wrong posterior away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.calibration.result import Calibration

COLUMNS = 4
INK, MUTED, BAND = "#17173a", "#5c5c66", "#dcdce2"
# told apart in grey and by the colour-blind; the title says it in words too
LOOKS = {"pass": ("#0067a8", "-"), "review": ("#d3a23a", "-"), "fail": ("#c8542b", "-")}


def ranks(calibration: Calibration, axes: np.ndarray | None = None) -> np.ndarray:
    """Draw the ECDF of the ranks of every quantity, less the diagonal, with its bands.

    Right ranks stay inside the grey band in 95 of 100 studies, for one quantity; all curves
    together stay between the dashed lines.

    Parameters
    ----------
    calibration
        The study.
    axes
        As many axes as there are quantities, of any shape; by default new ones.
    """
    import matplotlib.pyplot as plt

    rows = calibration.table.to_dict("records")
    if axes is None:
        lines = math.ceil(len(rows) / COLUMNS)
        figure, axes = plt.subplots(
            lines, COLUMNS, figsize=(11, 0.9 + 1.9 * lines), sharex=True, sharey=True,
            squeeze=False, layout="constrained",
        )  # fmt: skip
        for unused in axes.reshape(-1)[len(rows) :]:
            unused.set_visible(False)
        figure.legend(handles=_handles(len(rows)), loc="outside upper left", ncols=3, frameon=False)
        for ax in axes.reshape(-1)[max(0, len(rows) - COLUMNS) : len(rows)]:
            ax.tick_params(labelbottom=True)  # where the row below has no panel
            ax.set_xlabel("rank of the truth", color=INK)
        for ax in axes[:, 0]:
            ax.set_ylabel("ECDF less diagonal", color=INK)
    for ax, row in zip(np.asarray(axes).reshape(-1), rows, strict=False):
        _panel(ax, calibration, row)
    return np.asarray(axes)


def _panel(ax: Axes, calibration: Calibration, row: dict[Any, Any]) -> None:
    bands = calibration.bands
    ax.fill_between(bands["x"], bands["lower"], bands["upper"], color=BAND, linewidth=0)
    for side in ("lower_all", "upper_all"):
        ax.plot(bands["x"], bands[side], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.axhline(0, color=MUTED, linewidth=0.6)
    colour, dashes = LOOKS[row["verdict"]]
    ax.plot(*calibration.curve(row["name"]), color=colour, linewidth=1.5, linestyle=dashes)
    said = "" if row["verdict"] == "pass" else f"  {row['verdict'].upper()}"
    ax.set_title(f"{row['name']}{said}\np = {_p(row['p_value'])}, adjusted {_p(row['p_adjusted'])}",
                 fontsize=9, loc="left", color=INK)  # fmt: skip
    ax.set_xlim(0, 1)
    ax.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
    ax.tick_params(colors=MUTED, labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)


def _p(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.1g}"


def _handles(count: int) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Line2D([], [], color=LOOKS["pass"][0], label="ECDF of the ranks, less the diagonal"),
        Patch(color=BAND, label="95% simultaneous band, one quantity"),
        Line2D([], [], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)),
               label=f"the same for all {count} together"),
    ]  # fmt: skip
