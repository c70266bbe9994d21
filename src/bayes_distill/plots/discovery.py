"""Plots in source files, read without running them: JAX and matplotlib are imported to draw."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bayes_distill.errors import InputError
from bayes_distill.plots.entry import InReport, LateFunction, Plot

DECORATOR, IN_REPORT = "register", InReport.__name__


def plots_in_files(package: str, group: str | None) -> dict[str, Plot]:
    """Plots of a package's modules, then of the modules that entry points name, by name.

    An entry point that cannot be used is skipped with a warning: it belongs to another package.

    Raises
    ------
    InputError
        If a module of the package registers a name twice, or in a way that cannot be read.
    """
    plots: dict[str, Plot] = {}
    for folder in import_module(package).__path__:
        for path in sorted(Path(folder).glob("*.py")):
            _add(plots, plots_of(f"{package}.{path.stem}", path))
    for entry in entry_points(group=group) if group else ():
        try:
            spec = find_spec(entry.module)
            if spec is None or spec.origin is None:
                raise ImportError(f"there is no module {entry.module}")
            _add(plots, plots_of(entry.module, Path(spec.origin)))
        except (ImportError, OSError, SyntaxError, ValueError) as error:
            warnings.warn(f"no plots from the entry point {entry.name}: {error}", stacklevel=2)
    return plots


def plots_of(module: str, path: Path) -> list[Plot]:
    """Plots that a module registers at its top level; `path` is its source.

    Raises
    ------
    InputError
        If the arguments of `register` are not written out there.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return [
        _plot(module, function.name, decorator)
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and _name(decorator.func) == DECORATOR
    ]


def _add(plots: dict[str, Plot], new: list[Plot]) -> None:
    for plot in new:
        if plot.name in plots:
            raise InputError(
                f"two functions register the plot {plot.name!r}: {plots[plot.name].origin} and "
                f"{plot.origin}"
            )
        plots[plot.name] = plot


def _plot(module: str, function: str, call: ast.Call) -> Plot:
    try:
        (name,) = (ast.literal_eval(argument) for argument in call.args)
        return Plot(name, LateFunction(module, function), **dict(_values(call)))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{module}, line {call.lineno}: write out the arguments of {DECORATOR}, a name and "
            f"keywords ({error})"
        ) from None


def _values(call: ast.Call) -> Iterator[tuple[str, Any]]:
    """Keywords of a call with their values: literals, or an `InReport` of literals."""
    for keyword in call.keywords:
        value = keyword.value
        if keyword.arg is None:
            raise ValueError("no ** here")
        if isinstance(value, ast.Call) and _name(value.func) == IN_REPORT:
            yield keyword.arg, InReport(**dict(_values(value)))
        else:
            yield keyword.arg, ast.literal_eval(value)


def _name(function: ast.expr) -> str | None:
    """Last part of a function's name: ``register`` of ``plots.register``."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None
