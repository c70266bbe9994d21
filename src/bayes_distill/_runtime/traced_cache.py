"""Functions of arrays whose traced form is stored between processes, beside what XLA compiles.

Compiled programs come from JAX's own cache, but to look one up JAX traces the function first,
and tracing the planner's searches takes longer than running them. So the traced form is
exported once, and read back by every later process.

A stored program must never be older than its source. Its name is a checksum of the function, its
static arguments, the shapes, and the content of every source file behind the function and the
classes of its static arguments (`sources`). A program is stored only if all code that ran while it
was traced is that of these files (`executed_code`): code that was loaded by its name, replaced, or
edited after it was imported may run, but is not stored. Constants of modules are taken to be those
of the source.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from threading import RLock
from types import FunctionType
from typing import Any

import jax
import numpy as np
from jax import export

from bayes_distill._runtime.disk_cache import cache_path, read_cached, write_cached
from bayes_distill._runtime.executed_code import foreign_code
from bayes_distill._runtime.jax_setup import require_float64
from bayes_distill._runtime.sources import UnknownSourceError, sources_of

TRACING = RLock()  # threads of a report ask for the same programs
DYNAMIC_IMPORT = re.compile(r"\b(?:import_module|__import__|exec_module)\b")


class Stored:
    """A function that is traced once for each static part and shapes, in all processes together.

    Parameters
    ----------
    function
        Takes its static arguments, then arrays or trees of arrays; returns a tree of arrays. What
        it does must follow from its arguments and from its module's source.

    Raises
    ------
    TypeError
        If its source file would not say what it does: a function of ``__main__``, a nested function
        or a lambda, one whose module has no source file or imports modules by a name that is
        computed.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        fault = _why_unknown(function)
        if fault is not None:
            raise TypeError(f"the traced form of {function!r} cannot be stored: {fault}")
        self.function = function
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.__doc__ = function.__doc__
        self.programs: dict[Hashable, Callable[..., Any]] = {}

    def __call__(self, static: tuple[Any, ...], *arrays: Any) -> tuple[Any, ...]:
        """The leaves of what the function returns."""
        require_float64()
        leaves, structure = jax.tree.flatten(arrays)
        leaves = [x if isinstance(x, jax.Array) else np.asarray(x) for x in leaves]
        shapes = tuple((x.shape, x.dtype) for x in leaves)
        key = (static, structure, shapes)
        program = self.programs.get(key)
        if program is None:
            with TRACING:
                program = self.programs.get(key)
                if program is None:
                    program = self.programs[key] = self._program(static, structure, shapes)
        return tuple(program(*leaves))

    def _program(self, static: tuple[Hashable, ...], structure: Any, shapes: Any) -> Any:
        def flat(*leaves: Any) -> tuple[Any, ...]:
            tree = self.function(*static, *jax.tree.unflatten(structure, leaves))
            return tuple(jax.tree.leaves(tree))

        modules = {self.function.__module__}
        try:
            described = [_describe(part, modules) for part in static]
            sources = sources_of(modules)
        except (UnknownSourceError, OSError, SyntaxError):
            return jax.jit(flat)  # traced by every process
        header = [
            self.name,
            self.function.__code__.co_firstlineno,  # a name may be defined twice
            described,
            str(structure),
            [(shape, dtype.name) for shape, dtype in shapes],
            jax.default_backend(),
            bool(jax.config.jax_enable_x64),
            sources.digest,
        ]
        name = hashlib.sha256(json.dumps(header).encode()).hexdigest()[:40]
        path = cache_path("traced", name)
        stored = read_cached(path)
        if stored is not None:
            return jax.jit(export.deserialize(bytearray(stored)).call)
        arguments = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in shapes]
        with foreign_code(sources.code) as foreign:
            traced = export.export(jax.jit(flat))(*arguments)
        if foreign == []:
            with suppress(ValueError):  # what cannot be serialised is traced by every process
                write_cached(path, bytes(traced.serialize()))
        return jax.jit(traced.call)


def _why_unknown(function: object) -> str | None:
    """Why the source of a function's module does not say what it does, and what would help."""
    if not isinstance(function, FunctionType):
        return "it is no function: define one that calls it"
    if "<" in function.__qualname__ or function.__closure__:
        return (
            "it is nested, so it depends on where it was made: define it with def at the top of a "
            "module and pass what it depends on as arguments"
        )
    path = Path(getattr(sys.modules.get(function.__module__), "__file__", None) or "")
    if function.__module__ == "__main__" or path.suffix != ".py" or not path.is_file():
        return (
            f"the module {function.__module__} has no source file that other processes import: "
            "move it to one that has"
        )
    dynamic = DYNAMIC_IMPORT.search(path.read_text(encoding="utf-8"))
    if dynamic:
        return (
            f"{path} uses {dynamic[0]}, so what it imports cannot be read from it: write import "
            "statements, or move the function to a module that does"
        )
    return None


def _describe(part: object, modules: set[str]) -> Any:
    """All there is to a static argument, for JSON; adds the modules of its classes to `modules`.

    Raises
    ------
    UnknownSourceError
        If it has parts that are neither plain nor fields of a dataclass of a module.
    """
    if part is None or type(part) in (bool, int, float, str):
        return part
    if type(part) is tuple:
        return [_describe(item, modules) for item in part]
    kind = type(part)
    if isinstance(part, type) or not is_dataclass(part) or "<" in kind.__qualname__:
        raise UnknownSourceError(f"nothing says what a {kind.__qualname__} is made of")
    names = [field.name for field in fields(part)]
    if set(getattr(part, "__dict__", {})) - set(names):
        raise UnknownSourceError(f"this {kind.__qualname__} is more than its fields")
    modules.add(kind.__module__)
    values = {name: _describe(getattr(part, name), modules) for name in names}
    return {"class": f"{kind.__module__}.{kind.__qualname__}", "fields": values}
