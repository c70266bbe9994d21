"""The named plots: what each shows, what it takes, and the function that draws it.

A plot is a function under the decorator `register`. It may stand in a module of this package, in a
module that an installed package names as an entry point of the group ``bayes_distill.plots``, or in
a notebook. `PLOTS` holds them all; a module is imported when one of its plots is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from bayes_distill.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PACKAGE = "bayes_distill.plots"
LAST = 1000.0  # by default plots are listed behind those of this package
Source = Literal["fit", "validation", "calibration"]


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
        A `Posterior`, `Validation` or `Calibration`, as the plot's `source` says.
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
        What it is drawn from: a posterior (``fit``), or what `validate` or `calibrate` returned.
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


class Plots(Mapping[str, Plot]):
    """Plots by name, in the order of lists.

    Parameters
    ----------
    package
        Package whose modules are searched, by its full name.
    group
        Group of entry points that name further modules; ``None`` for none.
    """

    def __init__(self, package: str, group: str | None = None) -> None:
        self.package, self.group = package, group
        self._in_files: dict[str, Plot] | None = None
        self._of_session: dict[str, Plot] = {}

    def __getitem__(self, name: str) -> Plot:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def search(self) -> None:
        """Search files again, as after a package with plots was installed in this session."""
        self._in_files = None

    def add(self, plot: Plot) -> None:
        """Add a plot for the rest of the session, in place of one that was added before.

        Raises
        ------
        InputError
            If a plot in a file has this name.
        """
        same = self._files().get(plot.name)
        if same is not None and same.origin != plot.origin:
            raise InputError(f"there is a plot {plot.name!r} already: {same.origin}")
        self._of_session[plot.name] = plot

    def _files(self) -> dict[str, Plot]:
        if self._in_files is None:
            from bayes_distill.plots.discovery import plots_in_files

            self._in_files = plots_in_files(self.package, self.group)
        return self._in_files

    def _all(self) -> dict[str, Plot]:
        plots = (self._files() | self._of_session).values()
        return {plot.name: plot for plot in sorted(plots, key=lambda p: (p.order, p.name))}


PLOTS = Plots(PACKAGE, PACKAGE)
"""All plots by name."""


def register(
    name: str,
    *,
    title: str,
    shows: str,
    takes: tuple[str, ...] = (),
    needs: tuple[tuple[str, ...], ...] = (),
    source: Source = "fit",
    needs_teacher: bool = False,
    report: InReport | None = None,
    order: float = LAST,
) -> Callable[[Function], Function]:
    """Register the decorated function as a plot; the function stays as it is.

    Parameters
    ----------
    name
        Name for `plot` and the command line: lower-case words, joined by hyphens.
    title, shows, takes, needs, source, needs_teacher, report, order
        As in `Plot`. In a module their values are written out (texts, numbers, tuples and
        `InReport`), so that plots can be listed without importing the module.

    Raises
    ------
    InputError
        If a plot in a file has this name.
    """

    def registered(draw: Function) -> Function:
        if not draw.__module__.startswith(f"{PACKAGE}."):  # the search reads those in their files
            PLOTS.add(
                Plot(name, draw, title, shows, takes, needs, source, needs_teacher, report, order)
            )
        return draw

    return registered
