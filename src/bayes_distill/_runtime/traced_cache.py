"""Functions of arrays whose traced form is kept between processes, beside what XLA compiles.

Compiled programs come from JAX's own cache, but to look one up JAX traces the function first,
and tracing the planner's searches takes longer than running them. So the traced form is
exported once, and read back by every later process. What is kept is named after everything that
it was made of: function, static arguments, shapes, the source of this package, versions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import RLock
from typing import Any

import jax
import numpy as np
from jax import export

from bayes_distill._runtime.disk_cache import keep, place_of, read_kept

ONE_AT_A_TIME = RLock()
PACKAGE = Path(__file__).resolve().parents[1]
TRACED = (
    "_runtime/traced_cache.py",
    "_runtime/one_dimensional.py",
    "predict/optimal_teacher.py",
    "posterior/evaluate.py",
    "laws",
    "planning",
    "compute",
)
"""Sources that a traced function may be made of."""


class Stored:
    """A function that is traced once for each static part and shapes, in all processes together.

    Parameters
    ----------
    function
        Takes its static arguments, then arrays or trees of arrays; returns a tree of arrays.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.__doc__ = function.__doc__
        self.programs: dict[Hashable, Callable[..., Any]] = {}

    def __call__(self, static: tuple[Any, ...], *arrays: Any) -> tuple[Any, ...]:
        """The leaves of what the function returns."""
        leaves, structure = jax.tree.flatten(arrays)
        leaves = [x if isinstance(x, jax.Array) else np.asarray(x) for x in leaves]
        shapes = tuple((x.shape, x.dtype) for x in leaves)
        key = (static, structure, shapes)
        program = self.programs.get(key)
        if program is None:
            with ONE_AT_A_TIME:  # threads of a report ask for the same programs
                program = self.programs.get(key)
                if program is None:
                    program = self.programs[key] = self._program(static, structure, shapes)
        return tuple(program(*leaves))

    def _program(self, static: tuple[Hashable, ...], structure: Any, shapes: Any) -> Any:
        def flat(*leaves: Any) -> tuple[Any, ...]:
            found = self.function(*static, *jax.tree.unflatten(structure, leaves))
            return tuple(jax.tree.leaves(found))

        if not all(_is_ours(part) for part in static):
            return jax.jit(flat)  # what it is made of cannot be told from its name
        header = [
            self.name,
            repr(static),
            str(structure),
            [(shape, dtype.name) for shape, dtype in shapes],
            jax.default_backend(),
            _made_of(),
        ]
        name = hashlib.sha256(json.dumps(header).encode()).hexdigest()[:40]
        path = place_of("traced", name)
        kept = read_kept(path)
        if kept is not None:
            return jax.jit(export.deserialize(bytearray(kept)).call)
        traced = export.export(jax.jit(flat))(
            *(jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in shapes)
        )
        with suppress(ValueError):  # what cannot be serialised is traced by every process
            keep(path, bytes(traced.serialize()))
        return jax.jit(traced.call)


def _is_ours(part: Hashable) -> bool:
    """Whether the text of a static argument says all about it."""
    plain = part is None or isinstance(part, (bool, int, float, str))
    return plain or type(part).__module__.startswith("bayes_distill.")


@cache
def _made_of() -> str:
    """Fingerprint of the sources and of the versions that a traced function depends on."""
    content = hashlib.sha256()
    for name in TRACED:
        place = PACKAGE / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            content.update(path.read_bytes())
    for package in ("jax", "jaxlib", "numpy"):
        content.update(version(package).encode())
    return content.hexdigest()
