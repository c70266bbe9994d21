"""Laws by name: built-ins, entry points of installed packages, dotted paths."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

from bayes_distill.errors import InputError
from bayes_distill.laws import LAWS, Law

ENTRY_POINTS = "bayes_distill.laws"
DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def law_names() -> list[str]:
    """Names that a card may state besides dotted paths: built-ins, then entry points."""
    installed = {point.name for point in entry_points(group=ENTRY_POINTS)}
    return [*LAWS, *sorted(installed - set(LAWS))]


def law_named(name: str) -> Law:
    """The law that a card states by name.

    Parameters
    ----------
    name
        That of a built-in, or of an entry point in the group ``bayes_distill.laws``, or a dotted
        path ``package.module:Law``, of a class that takes no arguments or of an instance. What a
        path names is imported, from where Python finds modules; it is never evaluated.

    Raises
    ------
    InputError
        If there is no such law, it cannot be imported, or it is no law. Modules of the standard
        library are refused without being imported.
    """
    return LAWS[name] if name in LAWS else _found(name)


@lru_cache(maxsize=64)
def _found(name: str) -> Law:
    if DOTTED.fullmatch(name):
        return _checked(_imported(name), name)
    for point in entry_points(group=ENTRY_POINTS, name=name):
        try:
            law = point.load()
        except Exception as error:  # whatever the module of another package raises
            raise InputError(
                f"{name} is a law of an installed package whose import fails with "
                f"{type(error).__name__}: {error}"
            ) from error
        return _checked(law, name)
    raise InputError(
        f"{name!r} is not known: use one of {', '.join(law_names())}, a dotted path "
        "package.module:Law, or a formula"
    )


def _imported(path: str) -> Any:
    module_name, _, attribute = path.partition(":")
    if module_name.partition(".")[0] in sys.stdlib_module_names:
        raise InputError(f"{path} is of Python's standard library, which holds no law")
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


def _checked(law: Any, name: str) -> Law:
    if inspect.isabstract(law):
        missing = ", ".join(sorted(law.__abstractmethods__))
        raise InputError(f"{name} does not define {missing}")
    if isinstance(law, type) and issubclass(law, Law):
        try:
            law = law()
        except TypeError as error:
            raise InputError(f"{name} cannot be made without arguments: {error}") from error
    if not isinstance(law, Law):
        raise InputError(f"{name} is neither a subclass nor an instance of bayes_distill.Law")
    return law
