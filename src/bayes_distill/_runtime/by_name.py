"""What installed packages hold, by the name that a card states: entry points and dotted paths."""

from __future__ import annotations

import importlib
import re
import sys
from importlib.metadata import entry_points
from typing import Any

from bayes_distill.errors import InputError

DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
"""``package.module:Name``."""


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
        If it cannot be imported. Modules of the standard library are refused without being
        imported.
    """
    if DOTTED.fullmatch(name):
        return _imported(name, what)
    for point in entry_points(group=group, name=name):
        try:
            return point.load()
        except Exception as error:  # whatever the module of another package raises
            raise InputError(
                f"{name} is a {what} of an installed package whose import fails with "
                f"{type(error).__name__}: {error}"
            ) from error
    return None


def _imported(path: str, what: str) -> Any:
    module_name, _, attribute = path.partition(":")
    if module_name.partition(".")[0] in sys.stdlib_module_names:
        raise InputError(f"{path} is of Python's standard library, which holds no {what}")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # whatever the module raises while it is imported
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
