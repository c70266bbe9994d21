"""New figures and axes, and the figure of what was drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def axes_or_new(ax: Axes | None, width: float = 9.6, height: float = 5.4) -> Axes:
    """Return the axes, or new ones on a figure of this size in inches."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    ax.set_axisbelow(True)
    return ax


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure of this size in inches, for a plot of several axes."""
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(width, height), layout="constrained")


def figure_of(axes: Any) -> Figure:
    """The figure of one or several axes."""
    figure: Figure = np.asarray(axes).reshape(-1)[0].figure
    return figure


def figure_of_collection(collection: Any) -> Figure:
    """The figure of one of ArviZ's collections of plots."""
    figure: Figure = collection.viz["figure"].item()
    return figure
