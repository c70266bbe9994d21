"""What installed packages hold, by the name that a card states: entry points and dotted paths."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import sysconfig
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from bayes_distill.errors import InputError

DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
"""``package.module:Name``."""

_RUN_BY_PYTHON = frozenset({"__main__", "__init__"})
_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Folders inside that of the standard library that hold other packages."""


def installed(group: str) -> set[str]:
    """Names of the entry points in a group."""
    return {point.name for point in entry_points(group=group)}


def named(name: str, group: str, what: str) -> Any:
    """What a dotted path or an entry point stands for; ``None`` where there is neither.

    A path is imported from where Python finds modules, and never evaluated. `what` is what it
    should be, in a word.

    Raises
    ------
    InputError
        If it cannot be imported. Modules of the standard library, and those that are programs
        (``__main__``), are refused without being imported.
    """
    if DOTTED.fullmatch(name):
        return _imported(name, what)
    for point in entry_points(group=group, name=name):
        try:
            return point.load()
        except (Exception, SystemExit) as error:  # whatever another package's module raises
            raise InputError(
                f"{name} is a {what} of an installed package whose import fails with "
                f"{type(error).__name__}: {error}"
            ) from error
    return None


def _imported(path: str, what: str) -> Any:
    module_name, _, attribute = path.partition(":")
    if not _RUN_BY_PYTHON.isdisjoint(module_name.split(".")):
        raise InputError(f"{path} is a module that runs a program, which holds no {what}")
    if _of_standard_library(module_name.partition(".")[0]):
        raise InputError(f"{path} is of Python's standard library, which holds no {what}")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever the module raises while it is imported
        if isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(
            f"{error.name}."
        ):
            raise InputError(
                f"{path} was not found: there is no module {error.name} here. Install the package "
                "that holds it, or add the folder of its file to the environment variable "
                "PYTHONPATH"
            ) from error
        raise InputError(
            f"{path} was found, but importing its module fails with {type(error).__name__}: {error}"
        ) from error
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise InputError(f"the module {module_name} has no {attribute}") from None
    except (Exception, SystemExit) as error:  # a module may make its attributes as they are asked
        raise InputError(
            f"{path} was found, but the module fails with {type(error).__name__}: {error}"
        ) from error


def _of_standard_library(package: str) -> bool:
    """Whether a package comes with Python, its tests and the parts without a name in a list too.

    It is found and not imported.
    """
    if package in sys.stdlib_module_names:
        return True
    try:
        found = importlib.util.find_spec(package)
    except (ImportError, ValueError):  # a module without a specification, as that of a program
        return package in sys.modules
    if found is None:
        return False
    if found.origin in ("built-in", "frozen"):
        return True
    places = [*(found.submodule_search_locations or ()), *([found.origin] if found.origin else [])]
    libraries = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")]
    for place in map(Path, places):
        for library in libraries:
            try:
                inside = place.resolve().relative_to(library).parts
            except ValueError:
                continue
            if _INSTALLED.isdisjoint(inside):
                return True
    return False
