"""New figures and axes, and the figure of what was drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_distill.errors import Fault, InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_given: ContextVar[Axes | None] = ContextVar("given_axes", default=None)
SEVERAL = "this plot has a figure of its own, with several axes: leave it out"
LEAST_TYPE = 5.0
"""Smallest type, in points, of a legend that has to fit into given axes."""


@contextmanager
def drawing_on(ax: Axes | None) -> Iterator[None]:
    """Draw what has one axes on these; what needs more is refused.

    Legends come to lie inside of them, in smaller type where they are too large.

    Raises
    ------
    InputError
        If the plot makes a figure of its own.
    """
    token = _given.set(ax)
    try:
        yield
    finally:
        _given.reset(token)
    if ax is not None:
        _legends_inside(ax)


def _legends_inside(ax: Axes) -> None:
    from matplotlib.legend import Legend

    legends = [each for each in ax.get_children() if isinstance(each, Legend)]
    places: tuple[Any, ...] = (
        ("best",) if len(legends) == 1 else ("upper right", "lower left", "upper left")
    )
    for legend, place in zip(legends, places, strict=False):
        legend.set_bbox_to_anchor(None)
        legend.set_loc(place)
        figure = ax.get_figure(root=True)
        assert figure is not None
        texts = [*legend.get_texts(), legend.get_title()]
        while max(float(text.get_fontsize()) for text in texts) > LEAST_TYPE:
            figure.draw_without_rendering()
            box, room = legend.get_window_extent(), ax.get_window_extent()
            if box.width <= room.width and box.height <= room.height:
                break
            for text in texts:
                text.set_fontsize(max(float(text.get_fontsize()) - 1, LEAST_TYPE))


def axes_or_new(ax: Axes | None, width: float = 9.6, height: float = 5.4) -> Axes:
    """Return the axes, or those of `drawing_on`, or new ones on a figure of this size in inches."""
    ax = _given.get() if ax is None else ax
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    ax.set_axisbelow(True)
    return ax


def are_given(ax: Axes | None) -> bool:
    """Whether the caller gives the axes, on which a legend will lie inside."""
    return ax is not None or _given.get() is not None


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure of this size in inches, for a plot of several axes."""
    if _given.get() is not None:
        raise InputError(Fault(SEVERAL, column="ax"))
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
