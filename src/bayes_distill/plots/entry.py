"""What a named plot is: its entry, what it is asked to draw, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAST = 1000.0  # by default plots are listed behind those of this package
Source = Literal["fit", "validation", "calibration", "scores"]


class Drawing(NamedTuple):
    """A figure, and notes on what it rests on, one sentence each."""

    figure: Figure
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """What a plot is drawn from.

    Parameters
    ----------
    subject
        A `Posterior`, `Validation`, `Calibration` or `Scores`, as the plot's `source` says.
    options
        Values of the options that the caller set, by name.
    interval
        Probability inside every interval.
    seed
        Seed of everything random.
    unit
        Unit of the losses, for labels.
    """

    subject: Any
    options: Mapping[str, Any]
    interval: float
    seed: int
    unit: str


Draw = Callable[[Request], "Drawing | Figure"]
Function = TypeVar("Function", bound=Draw)


@dataclass(frozen=True)
class LateFunction:
    """A function that draws, whose module is imported when it is called."""

    module: str
    name: str

    def __call__(self, request: Request) -> Drawing | Figure:
        """Import the function, and call it."""
        draw: Draw = getattr(import_module(self.module), self.name)
        return draw(request)


@dataclass(frozen=True)
class InReport:
    """How the report shows a plot.

    Parameters
    ----------
    caption
        What to see in it, in a sentence.
    teachers
        Whether only reports of fits with distilled runs show it.
    draws
        Most draws that it needs; more are thinned evenly.
    """

    caption: str
    teachers: bool = False
    draws: int | None = None


@dataclass(frozen=True)
class Plot:
    """One named plot.

    Parameters
    ----------
    name
        Name for `plot` and the command line.
    draw
        Function that draws it.
    title
        A few words that stand above it in the report.
    shows
        One sentence, lower case: what it shows. Names of options stand between backticks.
    takes
        Names of the options that it understands.
    needs
        Of them, those without which it cannot be drawn; alternatives stand in one tuple.
    source
        What it is drawn from: a posterior (``fit``), or what `validate`, `calibrate` or
        `score` returned.
    needs_teacher
        Whether it is about teachers: under a law without them it is refused.
    report
        How the report shows it; ``None`` if it does not.
    order
        Place in lists, from low to high; equal ones by name.
    """

    name: str
    draw: Draw
    title: str
    shows: str
    takes: tuple[str, ...] = ()
    needs: tuple[tuple[str, ...], ...] = ()
    source: Source = "fit"
    needs_teacher: bool = False
    report: InReport | None = None
    order: float = LAST

    @property
    def origin(self) -> str:
        """Full name of the function that draws it."""
        if isinstance(self.draw, LateFunction):
            return f"{self.draw.module}.{self.draw.name}"
        return f"{self.draw.__module__}.{getattr(self.draw, '__qualname__', self.name)}"
