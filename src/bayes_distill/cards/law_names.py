"""Laws by name: built-ins, entry points of installed packages, dotted paths."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

from bayes_distill._runtime.by_name import installed, named
from bayes_distill.errors import InputError
from bayes_distill.laws import LAWS, Law

ENTRY_POINTS = "bayes_distill.laws"


def law_names() -> list[str]:
    """Names that a card may state besides dotted paths: built-ins, then entry points."""
    return [*LAWS, *sorted(installed(ENTRY_POINTS) - set(LAWS))]


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
    law = named(name, ENTRY_POINTS, "law")
    if law is not None:
        return _checked(law, name)
    raise InputError(
        f"{name!r} is not known: use one of {', '.join(law_names())}, a dotted path "
        "package.module:Law, or a formula"
    )


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
