"""The house style: readable in grey and by the colour-blind, and plain about units and bands.

Series are ordered from dark to light, so that they keep apart in grey; their hues keep apart under
protanopia, deuteranopia and tritanopia (at least 17 in CIELAB); markers and dashes differ as well.
The style is a context: whatever the caller has set outside it stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
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
BAND_ALPHA = 0.32
OUTSIDE_ALPHA = 0.17
THICK, THIN = 2.2, 1.0  # a curve inside and outside the runs
RC: Mapping[str, Any] = {
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


def axes_or_new(ax: Axes | None, width: float = 9.6, height: float = 5.4) -> Axes:
    """Give the axes back, or new ones on a figure of this size in inches."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    ax.set_axisbelow(True)
    return ax


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure of this size in inches, for a plot of several axes."""
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(width, height), layout="constrained")


def percent(interval: float) -> str:
    """Write a probability as people say it: ``90%``."""
    return f"{100 * interval:g}%"


def band_name(interval: float, kind: str = "credible") -> str:
    """Say what a band is: ``90% credible band, equal-tailed``."""
    return f"{percent(interval)} {kind} band, equal-tailed"


def interval_name(interval: float, kind: str = "credible") -> str:
    """Say what an interval is: ``90% credible interval, equal-tailed``."""
    return f"{percent(interval)} {kind} interval, equal-tailed"


def loss_label(what: str, unit: str = LOSS_UNIT) -> str:
    """Label of an axis of losses, with their unit."""
    return f"{what} ({unit})"


def student_name(params: float, tokens: float | None = None) -> str:
    """Name a student as people do: ``1B on 100B tokens``."""
    if tokens is None:
        return f"{format_quantity(params)} parameters"
    return f"{format_quantity(params)} on {format_quantity(tokens)} tokens"


def count_axis(ax: Axes, which: Literal["x", "y"]) -> None:
    """Make an axis of sizes or tokens logarithmic, labelled ``300M``, ``1B``, ``3B``.

    To be called once the limits are final.
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


def outside_spans(outside: Sequence[bool] | np.ndarray) -> list[tuple[slice, bool]]:
    """Stretches of a curve inside and outside the runs; neighbours share a point."""
    flags = np.asarray(outside, bool)
    edges = [0, *(np.flatnonzero(flags[1:] != flags[:-1]) + 1).tolist(), len(flags)]
    spans = []
    for start, stop in pairwise(edges):
        # an inside stretch ends at its last inside point; an outside one reaches over to it
        beyond = bool(flags[start])
        first = start - 1 if beyond and start > 0 else start
        last = stop + 1 if beyond and stop < len(flags) else stop
        spans.append((slice(first, last), beyond))
    return spans


def curve_with_band(
    ax: Axes,
    x: Any,
    middle: Any,
    lower: Any,
    upper: Any,
    look: Series,
    outside: Any,
    label: str,
) -> None:
    """Draw a curve and its band; where it is outside the runs it is thin, and the band pale.

    The label goes to an empty line, so that a legend shows the curve as it is inside the runs; the
    drawn pieces carry it behind an underscore.
    """
    x, middle, lower, upper = (np.asarray(v, float) for v in (x, middle, lower, upper))
    ax.plot([], [], color=look.colour, linestyle=look.dashes, linewidth=THICK, label=label)
    for part, beyond in outside_spans(np.asarray(outside, bool)):
        ax.fill_between(
            x[part],
            lower[part],
            upper[part],
            color=look.colour,
            linewidth=0,
            label=f"_{label}",
            alpha=OUTSIDE_ALPHA if beyond else BAND_ALPHA,
        )
        ax.plot(
            x[part],
            middle[part],
            color=look.colour,
            linestyle=look.dashes,
            label=f"_{label}",
            linewidth=THIN if beyond else THICK,
        )


def band_handle(interval: float, kind: str = "credible", text: str | None = None) -> Any:
    """Legend entry of a band, naming its kind and level."""
    from matplotlib.patches import Patch

    return Patch(facecolor=MUTED, alpha=0.35, linewidth=0, label=text or band_name(interval, kind))


def mark_handle(label: str, **look: Any) -> Any:
    """Legend entry of a marker or a line, in grey unless told otherwise."""
    from matplotlib.lines import Line2D

    return Line2D([], [], **{"color": MUTED, "linestyle": "none", **look}, label=label)


def series_handle(look: Series, label: str, marker: bool = False, thin: bool = False) -> Any:
    """Legend entry of a series; thin if all of it lies outside the runs."""
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


def outside_handle() -> Any:
    """Legend entry of curves outside the runs, which are thin and pale."""
    return mark_handle("thin and pale: outside the runs", linestyle="-", linewidth=THIN)


def span_handle(label: str) -> Any:
    """Legend entry of an upright band."""
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
