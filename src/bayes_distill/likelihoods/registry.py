"""Likelihoods by name: built-ins, entry points of installed packages, dotted paths."""

from __future__ import annotations

import inspect
from typing import Any

from bayes_distill._runtime.by_name import installed, named
from bayes_distill.errors import InputError
from bayes_distill.likelihoods.base import Likelihood
from bayes_distill.likelihoods.contaminated import Contaminated
from bayes_distill.likelihoods.normal import Normal
from bayes_distill.likelihoods.student_t import StudentT

ENTRY_POINTS = "bayes_distill.likelihoods"
BUILT_IN: dict[str, type[Likelihood]] = {
    family.name: family for family in (StudentT, Normal, Contaminated)
}


def likelihood_names() -> list[str]:
    """Names that a card may state besides dotted paths: built-ins, then entry points."""
    return [*BUILT_IN, *sorted(installed(ENTRY_POINTS) - set(BUILT_IN))]


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
    family = named(name, ENTRY_POINTS, "likelihood")
    if family is not None:
        return _checked(family, name)
    known = ", ".join(likelihood_names())
    raise InputError(f"{name!r} is not known: use {known}, or a dotted path package.module:Class")


def _checked(family: Any, name: str) -> type[Likelihood]:
    if not (isinstance(family, type) and issubclass(family, Likelihood)):
        raise InputError(f"{name} is not a subclass of bayes_distill.likelihoods.Likelihood")
    if inspect.isabstract(family):
        missing = ", ".join(sorted(family.__abstractmethods__))
        raise InputError(f"{name} does not define {missing}")
    return family
