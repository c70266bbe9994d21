"""Likelihoods by name: built-ins, entry points of installed packages, dotted paths."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from importlib.metadata import entry_points
from typing import Any

from bayes_distill.errors import InputError
from bayes_distill.likelihoods.base import Likelihood
from bayes_distill.likelihoods.contaminated import Contaminated
from bayes_distill.likelihoods.normal import Normal
from bayes_distill.likelihoods.student_t import StudentT

ENTRY_POINTS = "bayes_distill.likelihoods"
BUILT_IN: dict[str, type[Likelihood]] = {
    family.name: family for family in (StudentT, Normal, Contaminated)
}
DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def likelihood_names() -> list[str]:
    """Names that a card may state besides dotted paths: built-ins, then entry points."""
    installed = {point.name for point in entry_points(group=ENTRY_POINTS)}
    return [*BUILT_IN, *sorted(installed - set(BUILT_IN))]


def likelihood_named(name: str) -> type[Likelihood]:
    """The class of a likelihood, by the name that a card states.

    Parameters
    ----------
    name
        That of a built-in, or of an entry point in the group ``bayes_distill.likelihoods``, or a
        dotted path ``package.module:Class``. What a path names is imported, from where Python
        finds modules; it is never evaluated as an expression.

    Raises
    ------
    InputError
        If there is no such likelihood, it cannot be imported, or it is not a likelihood. Modules
        of the standard library are refused without being imported.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    if DOTTED.fullmatch(name):
        return _checked(_imported(name), name)
    for point in entry_points(group=ENTRY_POINTS, name=name):
        try:
            family = point.load()
        except Exception as error:  # whatever the module of another package raises
            raise InputError(
                f"{name} is a likelihood of an installed package whose import fails with "
                f"{type(error).__name__}: {error}"
            ) from error
        return _checked(family, name)
    known = ", ".join(likelihood_names())
    raise InputError(f"{name!r} is not known: use {known}, or a dotted path package.module:Class")


def _imported(path: str) -> Any:
    module_name, _, attribute = path.partition(":")
    if module_name.partition(".")[0] in sys.stdlib_module_names:
        raise InputError(f"{path} is of Python's standard library, which holds no likelihood")
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


def _checked(family: Any, name: str) -> type[Likelihood]:
    if not (isinstance(family, type) and issubclass(family, Likelihood)):
        raise InputError(f"{name} is not a subclass of bayes_distill.likelihoods.Likelihood")
    if inspect.isabstract(family):
        missing = ", ".join(sorted(family.__abstractmethods__))
        raise InputError(f"{name} does not define {missing}")
    return family
