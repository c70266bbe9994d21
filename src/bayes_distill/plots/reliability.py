"""Reliability diagram of the gap risk: forecast probabilities against what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_distill.validation.result import Validation

STYLES = {"predictive": ("#0072b2", "o", "-"), "credible": ("#d55e00", "s", "--")}
MEANING = {"predictive": "of the runs as measured", "credible": "of the mean curves"}


def reliability(validation: Validation, ax: Axes | None = None) -> Axes:
    """Draw observed frequency against forecast probability, bin by bin, with numbers of pairs.

    On the diagonal, what was forecast with 30% came true in 30% of the pairs. The area of a marker
    grows with its pairs; pairs share runs, so that their number overstates what they tell.

    Parameters
    ----------
    validation
        Of a distillation law; its reliability table is drawn.
    ax
        Axes to draw on; by default new ones.
    """
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=(6, 5.5), layout="constrained")
    ax.plot([0, 1], [0, 1], color="0.5", linewidth=1, linestyle=(0, (4, 3)), label="calibrated")
    table = validation.reliability
    most = max(1, int(table["pairs"].max()))
    for band, (colour, marker, dashes) in STYLES.items():
        mine = table[(table["band"] == band) & (table["pairs"] > 0)]
        brier = validation.table.iloc[-1][f"brier_{band}"]
        ax.plot(
            mine["forecast"], mine["observed"], color=colour, linestyle=dashes, linewidth=1.2,
            label=f"{band}, {MEANING[band]}\n(Brier score {brier:.3f})",
        )  # fmt: skip
        ax.scatter(
            mine["forecast"], mine["observed"], s=20 + 180 * (mine["pairs"] / most) ** 0.5,
            color=colour, marker=marker, edgecolor="white", zorder=3,
        )  # fmt: skip
        right = band == "credible"
        for forecast, observed, pairs in mine[["forecast", "observed", "pairs"]].itertuples(
            index=False
        ):
            ax.annotate(
                f"{pairs}", (forecast, observed), xytext=(9, -10) if right else (-9, 10),
                textcoords="offset points", ha="left" if right else "right", va="center",
                color=colour, fontsize=8,
            )  # fmt: skip
    ax.set(xlim=(-0.14, 1.12), ylim=(-0.1, 1.08), aspect="equal")
    ax.set_xlabel("forecast probability that the stronger teacher gives the worse student")
    ax.set_ylabel("share of the pairs in which it did")
    ax.legend(frameon=False, fontsize=9, loc="lower right", title="numbers: pairs in the bin")
    ax.spines[["top", "right"]].set_visible(False)
    return ax
