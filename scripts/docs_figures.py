"""Draw the figures of the documentation into docs/figures.

    python scripts/docs_figures.py

Run it again when a shipped posterior changes; the same posteriors give the same figures.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from bayes_distill import forecast, load_posterior, plot
from bayes_distill.laws import LAWS
from bayes_distill.laws.published import TABLE_6_AS_PRINTED, TABLE_6_INTERVALS
from bayes_distill.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayes_distill.posterior import Posterior

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "figures"
DRAWS, INK, BLUE, ORANGE = 1500, style.INK, "#0067a8", "#c8542b"
STUDENTS = (
    ("143M", "5.7B", 2.5, "#17173a"),
    ("546M", "22B", 2.2, "#0067a8"),
    ("1.82B", "73B", 2.1, "#d3a23a"),
)
SYMBOL = {c.name: c.symbol for c in LAWS["distillation"].coefficients}


def coefficients(posterior: Posterior) -> None:
    """Draws of coefficients that trade off, above; what the same draws forecast, below."""
    with style.house_style():
        _save(_coefficients(posterior), "coefficients.png")


def _coefficients(posterior: Posterior) -> Figure:
    thin = posterior.thin(DRAWS)
    values = thin.published
    figure, axes = plt.subplots(2, 2, figsize=(9.6, 7.4), layout="constrained", sharex="col")
    for column, (across, above) in enumerate((("A'", "alpha'"), ("c1", "d1"))):
        ridge, flat = axes[:, column]
        shown = np.quantile(values[across], [0.0, 0.95 if across == "c1" else 1.0])
        for ax in (ridge, flat):
            ax.set_xscale("log")
            ax.set_xlim(shown[0] / 2, shown[1] * 2)
            low, high = TABLE_6_INTERVALS[across]
            ax.axvspan(low, high, color=ORANGE, linewidth=1.5)
        keep = values[across] <= shown[1]
        dots = ridge.scatter(
            values[across][keep],
            values[above][keep],
            s=9,
            alpha=0.6,
            linewidth=0,
            rasterized=True,
            **(
                {"c": values["gamma'"][keep], "norm": "log", "cmap": "cividis"}
                if across == "A'"
                else {"color": BLUE}
            ),
        )
        if across == "A'":
            bar = figure.colorbar(
                dots,
                ax=ridge,
                aspect=30,
                pad=0.02,
                format="%.1f",
                ticks=[0.4, 0.6, 0.8, 1.0, 1.5, 2.0],
            )
            bar.minorticks_off()
            bar.set_label(SYMBOL["gamma'"], rotation=0)
        ridge.plot(
            TABLE_6_AS_PRINTED[across],
            TABLE_6_AS_PRINTED[above],
            "D",
            color=ORANGE,
            markersize=8,
            markeredgecolor="white",
            zorder=4,
        )
        ridge.set_ylabel(SYMBOL[above], rotation=0, labelpad=12)
        _losses(flat, thin, values[across], keep)
        flat.set_xlabel(SYMBOL[across])
    axes[0, 0].set_title("A′ is not determined: it trades off with α′ and γ′ ...")
    axes[0, 1].set_title("... nor is c₁ (the last 5% of the draws lie further)")
    axes[1, 0].set_title("The same draws: forecasts hardly differ along A′ ...")
    axes[1, 1].set_title("... nor along c₁")
    axes[1, 0].set_ylabel("forecast loss, from its median (nats per token)")
    axes[1, 0].legend(
        loc="upper left", fontsize=8.5, frameon=True, framealpha=0.95, edgecolor="white"
    )
    marks = [
        axes[0, 1].plot([], [], "o", color=BLUE, markersize=4, label=f"{thin.n_draws} draws")[0],
        axes[0, 1].plot([], [], "D", color=ORANGE, label="table 6, as printed")[0],
        axes[0, 1].plot([], [], color=ORANGE, label="its 90% interval: the width of the line")[0],
    ]
    figure.legend(handles=marks, loc="outside upper left", ncols=3)
    return figure


def _losses(ax: Axes, thin: Posterior, across: np.ndarray, keep: np.ndarray) -> None:
    for params, tokens, teacher, colour in STUDENTS:
        answer = forecast(thin, params=params, tokens=tokens, teacher_loss=teacher)
        loss = answer.draws["loss"].to_numpy().ravel()
        ax.scatter(
            across[keep],
            (loss - np.median(loss))[keep],
            s=6,
            alpha=0.3,
            color=colour,
            linewidth=0,
            rasterized=True,
        )
        name = f"{params} on {tokens} tokens, teacher {teacher}: {np.median(loss):.2f}"
        ax.plot([], [], "o", color=colour, markersize=4, label=name)
    for edge in (-0.01, 0.01):
        ax.axhline(edge, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.text(
        0.99,
        0.01,
        "0.01 nats",
        transform=ax.get_yaxis_transform(),
        ha="right",
        va="bottom",
        fontsize=8.5,
    )
    ax.set_ylim(-0.03, 0.03)


def gap(posterior: Posterior) -> None:
    """Student loss against teacher loss, as the tutorial draws it."""
    figure = plot(
        "student-against-teacher", posterior, params="198M", tokens="4.9B", teacher_loss=[1.9, 2.7]
    )
    _save(figure, "capacity-gap.png")


def _save(figure: Figure, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(FOLDER / name, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    """Draw them all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--plain", default="busbridge2025-plain", help="a fit of the law of table 6"
    )
    parser.add_argument("--default", default="busbridge2025", help="a fit with the default card")
    arguments = parser.parse_args()
    coefficients(load_posterior(arguments.plain))
    gap(load_posterior(arguments.default))


if __name__ == "__main__":
    main()
