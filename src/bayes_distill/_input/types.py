"""Checks of the types of arguments: a wrong type is a TypeError, a wrong value an InputError."""

from __future__ import annotations

from numbers import Integral, Real
from pathlib import Path

SOURCE = (str, Path)
NUMBER = (Real,)
WHOLE = (Integral,)


def check_types(**arguments: tuple[object, tuple[type, ...]]) -> None:
    """Refuse arguments that are of none of their types.

    Parameters
    ----------
    **arguments
        Value and accepted types of each argument, by its name. ``None`` is accepted wherever
        ``type(None)`` is among them.

    Raises
    ------
    TypeError
        Naming every such argument, what it should be and what it is.
    """
    wrong = [
        f"{name} must be {' or '.join(map(_called, types))}, not {type(value).__name__} ({value!r})"
        for name, (value, types) in arguments.items()
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types)
    ]
    if wrong:
        raise TypeError("; ".join(wrong))


def _called(kind: type) -> str:
    plain = {Real: "a number", Integral: "a whole number", type(None): "None", str: "text"}
    return plain.get(kind, kind.__name__)
