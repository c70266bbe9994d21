"""The house style: readable in grey and by the colour-blind; units and intervals are named.

Series are ordered from dark to light, so that they keep apart in grey; their hues keep apart under
protanopia, deuteranopia and tritanopia (at least 17 in CIELAB); markers and dashes differ as well.
The style is a context: whatever the caller has set outside it stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from bayes_distill._input.numbers import format_quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

LOSS_UNIT = "nats per token"
PROBABILITY_MAP = "cividis"  # even in lightness, and made for the colour-blind
DIAGONAL = (0, (4, 3))  # dashes of a line that says what calibrated or unchanged would be
INK, MUTED, FAINT = "#17173a", "#5c5c66", "#b9b9c2"
PRINTED = "#c8542b"  # values in print
REPLICATED = "#0067a8"  # runs simulated from a fit, next to real ones
THICK, THIN = 2.2, 1.0  # a curve within the range of the runs, and extrapolated
RC: Mapping[str, Any] = {
    "text.parse_math": False,  # names are shown as they are, dollars and all
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.transparent": False,
    "figure.dpi": 100,
    "savefig.dpi": 150,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "mathtext.fontset": "dejavusans",
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 10,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6ea",
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.color": INK,
    "legend.fontsize": 9,
    "legend.title_fontsize": 9,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "legend.borderaxespad": 0.0,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "path",
    "svg.hashsalt": "bayes-distill",
    "pdf.fonttype": 42,
}


class Series(NamedTuple):
    """How one series looks: colour, marker and dashes differ from its neighbours' alike."""

    colour: str
    marker: str
    dashes: Any


_SERIES = (
    Series("#17173a", "o", "-"),
    Series("#7a1f6b", "s", (0, (6, 1.6))),
    Series("#0067a8", "^", (0, (3.2, 1.2))),
    Series("#c8542b", "D", (0, (7, 1.4, 1.4, 1.4))),
    Series("#2f9c7c", "v", (0, (1.4, 1.2))),
    Series("#d3a23a", "P", (0, (4, 1.2, 1.2, 1.2, 1.2, 1.2))),
)
MOST_SERIES = len(_SERIES)
_CHOSEN = {2: (0, 3), 3: (0, 2, 5), 4: (0, 2, 3, 5), 5: (0, 1, 2, 3, 5)}


def series(count: int) -> list[Series]:
    """Looks of `count` series, dark to light, as far apart as that many can be.

    Past `MOST_SERIES` looks repeat.
    """
    if count == 1:
        return [Series(_SERIES[2].colour, "o", "-")]
    chosen = _CHOSEN.get(count, range(MOST_SERIES))
    return [_SERIES[chosen[i % len(chosen)]] for i in range(count)]


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style inside the block; settings outside stay as they are."""
    import matplotlib as mpl

    with mpl.rc_context(dict[Any, Any](RC)):
        yield


def percent(interval: float) -> str:
    """Write a probability in per cent: ``90%``."""
    return f"{100 * interval:g}%"


def interval_name(interval: float, kind: str = "credible", shape: str = "interval") -> str:
    """Name an interval: ``90% credible interval, equal-tailed``; along a curve it is a ``band``."""
    return f"{percent(interval)} {kind} {shape}, equal-tailed"


def loss_label(what: str, unit: str = LOSS_UNIT) -> str:
    """Label of an axis of losses, with their unit."""
    return f"{what} ({unit})"


def student_name(params: float, tokens: float | None = None) -> str:
    """Name a student by its size and data: ``1B on 100B tokens``."""
    if tokens is None:
        return f"{format_quantity(params)} parameters"
    return f"{format_quantity(params)} on {format_quantity(tokens)} tokens"


def count_axis(ax: Axes, which: Literal["x", "y"]) -> None:
    """Make an axis of sizes or tokens logarithmic, labelled ``300M``, ``1B``, ``3B``.

    Call it when the limits are final.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = sorted(axis.get_view_interval())
    decades = np.log10(high / low)
    subs = (1.0, 2.0, 5.0) if decades < 1.6 else (1.0, 3.0) if decades < 3.2 else (1.0,)
    axis.set_major_locator(LogLocator(subs=subs, numticks=20))
    axis.set_major_formatter(FuncFormatter(lambda value, _: format_quantity(value)))
    axis.set_minor_formatter(NullFormatter())


def interval_handle(interval: float, kind: str = "credible", text: str | None = None) -> Any:
    """Legend entry of the interval of a curve, which names its kind and level."""
    from matplotlib.patches import Patch

    label = text or interval_name(interval, kind, "band")
    return Patch(facecolor=MUTED, alpha=0.35, linewidth=0, label=label)


def mark_handle(label: str, **look: Any) -> Any:
    """Legend entry of a marker or a line, grey by default."""
    from matplotlib.lines import Line2D

    return Line2D([], [], **{"color": MUTED, "linestyle": "none", **look}, label=label)


def series_handle(look: Series, label: str, marker: bool = False, thin: bool = False) -> Any:
    """Legend entry of a series; thin if all of it is extrapolated."""
    from matplotlib.lines import Line2D

    return Line2D(
        [],
        [],
        color=look.colour,
        linestyle=look.dashes,
        label=label,
        linewidth=THIN if thin else THICK,
        marker=look.marker if marker else "",
        markerfacecolor="white",
        markersize=5,
    )


def legend_beside(ax: Axes, handles: Sequence[Any], title: str | None = None) -> Legend:
    """Put a legend to the right of the axes, where it covers no data."""
    return ax.legend(
        handles=handles, title=title, loc="upper left", bbox_to_anchor=(1.02, 1.0), alignment="left"
    )


def span_handle(label: str) -> Any:
    """Legend entry of an interval on the horizontal axis."""
    from matplotlib.patches import Patch

    return Patch(facecolor=MUTED, alpha=0.2, linewidth=0, label=label)


def loss_text(loss: float) -> str:
    """Write a loss with at least two decimals and no more than four: ``2.00``, ``1.8953``."""
    text = f"{loss:.4f}".rstrip("0")
    return text + "0" * max(0, 2 - len(text.partition(".")[2]))


def plain_ticks(axis: Axis, most: int = 5) -> None:
    """Keep the ticks of a small axis few, and written without powers where they can be."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    if axis.get_scale() == "log":
        axis.set_major_locator(LogLocator(numticks=most + 1))
    else:
        axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(
            FuncFormatter(lambda v, _: f"{v:.4g}" if abs(v) < 1e3 else format_quantity(v))
        )
    axis.set_minor_locator(NullLocator())


def plain_powers(figure: Figure) -> None:
    """Write the powers of ten of logarithmic axes as ``1e20``.

    matplotlib writes them in the mathematics that this style does not read (`RC`).
    """
    from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, NullFormatter

    def power(value: float, _: object) -> str:
        if value < 1e4:
            return f"{value:g}"
        return f"{value:.0e}".replace("e+", "e").replace("e0", "e")

    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if isinstance(axis.get_major_formatter(), LogFormatterMathtext):
                axis.set_major_formatter(FuncFormatter(power))
            if isinstance(axis.get_minor_formatter(), LogFormatterMathtext):
                axis.set_minor_formatter(NullFormatter())
