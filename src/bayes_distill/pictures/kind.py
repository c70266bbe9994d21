"""What a kind of picture is, and what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawn = tuple["Figure", tuple[str, ...]]
"""A figure, and sentences for people."""
Source = Literal["fit", "validation", "calibration"]
"""What a picture is of: a posterior, or the results that a command has written as JSON."""
LIMITS = ("max_tokens", "max_teacher_tokens", "max_teacher_params")


@dataclass(frozen=True)
class Request:
    """What a picture is asked for.

    Parameters
    ----------
    of
        What it is of: a `Posterior`, `Validation` or `Calibration`, as the kind's `source` says.
    given
        Options by their names, as given; those left out are not in it.
    interval, seed, unit
        Probability inside every band; seed of the scatter of new runs; unit of the losses.
    """

    of: Any
    given: Mapping[str, Any]
    interval: float
    seed: int
    unit: str


@dataclass(frozen=True)
class Kind:
    """One kind of picture.

    Parameters
    ----------
    name
        What it is called on the command line.
    shows
        One sentence for people.
    takes
        Names of the options that it understands.
    needs
        Of them, those without which it cannot be drawn; alternatives stand in one tuple.
    draw
        Draws it.
    source
        What it is of.
    """

    name: str
    shows: str
    takes: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    draw: Callable[[Request], Drawn]
    source: Source = "fit"
