"""The named plots: what each shows, what it takes, and the function that draws it.

A plot is a function under the decorator `register`. It may stand in a module of this package, in a
module that an installed package names as an entry point of the group ``bayes_distill.plots``, or in
a notebook. `PLOTS` holds them all; a module is imported when one of its plots is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bayes_distill.errors import InputError
from bayes_distill.plots.discovery import plots_in_files
from bayes_distill.plots.entry import (
    LAST,
    Drawing,
    Function,
    InReport,
    LateFunction,
    Plot,
    Request,
    Source,
)

__all__ = [
    "LAST",
    "PLOTS",
    "Drawing",
    "InReport",
    "LateFunction",
    "Plot",
    "Plots",
    "Request",
    "Source",
    "register",
]

PACKAGE = "bayes_distill.plots"


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
