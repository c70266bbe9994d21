"""The source files that modules are made of: their own and those of all that they import.

Imports are followed within this package, and from a module of another package within that one too.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import CodeType

from bayes_distill._runtime.imports import ImportLists

PACKAGE = __name__.partition(".")[0]
LIBRARIES = frozenset({"jax", "jaxlib", "ml_dtypes", "numpy", "opt_einsum"})
"""Identified by their versions, as Python is; a module of another package may import no others."""


class UnknownSourceError(Exception):
    """A module is made of something that no source file shows."""


@dataclass(frozen=True, eq=False)
class SourceFile:
    """A source file as it was read, and the modules that it imports and that are followed.

    `stamp` is the time of its last change (ns) and its size, to see whether it has changed since.
    """

    path: Path
    stamp: tuple[int, int]
    content: bytes
    imports: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Sources:
    """Source files in the order of their modules' names."""

    files: tuple[SourceFile, ...]

    @cached_property
    def digest(self) -> str:
        """Sha256 in hex over the files and the versions of Python and the libraries."""
        total = hashlib.sha256(sys.version.encode())
        for name in sorted(LIBRARIES & sys.modules.keys()):
            total.update(f"{name} {getattr(sys.modules[name], '__version__', '')}".encode())
        for file in self.files:
            total.update(hashlib.sha256(file.content).digest())
        return total.hexdigest()

    @cached_property
    def code(self) -> set[CodeType]:
        """The code objects that the files define, those of nested functions included."""
        objects: set[CodeType] = set()
        waiting = [compile(f.content, str(f.path), "exec", dont_inherit=True) for f in self.files]
        while waiting:
            code = waiting.pop()
            objects.add(code)
            waiting += [part for part in code.co_consts if isinstance(part, CodeType)]
        return objects


_FILES: dict[str, SourceFile] = {}
_SOURCES: dict[frozenset[str], Sources] = {}


def sources_of(modules: Iterable[str]) -> Sources:
    """Read the files that loaded modules are made of, once, and again where one has changed.

    Raises
    ------
    UnknownSourceError
        If a module has no source file, or one of another package imports what is neither followed
        nor identified by its version.
    OSError, SyntaxError
        If a file cannot be read, or is not Python.
    """
    names = frozenset(modules)
    known = _SOURCES.get(names)
    if known is None or any(_stamp(file.path) != file.stamp for file in known.files):
        known = _SOURCES[names] = Sources(tuple(_read_all(names)))
    return known


def _read_all(names: Iterable[str]) -> list[SourceFile]:
    files: dict[str, SourceFile] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in files:
            file = files[name] = _read(name)
            waiting += [*_parents(name), *file.imports]
    _import_lists().store()
    return [files[name] for name in sorted(files)]


def _read(name: str) -> SourceFile:
    path = _path_of(name)
    if path is None:
        raise UnknownSourceError(f"{name} has no source file")
    stamp = _stamp(path)  # before the content: a later change is then seen
    known = _FILES.get(name)
    if known is None or (known.path, known.stamp) != (path, stamp):
        content = path.read_bytes()
        known = _FILES[name] = SourceFile(path, stamp, content, _followed(name, path, content))
    return known


@cache
def _import_lists() -> ImportLists:
    return ImportLists()


def _followed(name: str, path: Path, content: bytes) -> tuple[str, ...]:
    """Modules that a module imports, as far as they are followed."""
    top_of_name = name.partition(".")[0]
    modules: list[str] = []
    for written, attributes in _import_lists().of(content):
        target = _absolute(written, name, path)
        top = target.partition(".")[0]
        if top in (top_of_name, PACKAGE):
            submodules = (f"{target}.{attribute}" for attribute in attributes)
            modules += [target, *(x for x in submodules if x in sys.modules or _path_of(x))]
        elif top_of_name != PACKAGE and top not in LIBRARIES and top not in sys.stdlib_module_names:
            raise UnknownSourceError(f"{name} imports {target}")
    return tuple(modules)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _absolute(written: str, name: str, path: Path) -> str:
    """Absolute name of a module that is written in the module `name`."""
    rest = written.lstrip(".")
    level = len(written) - len(rest)
    if level == 0:
        return written
    inside = name.split(".")
    package = inside[: len(inside) + (path.name == "__init__.py") - level]
    return ".".join([*package, rest] if rest else package)


def _path_of(name: str) -> Path | None:
    """Path of the source file of a module whose top-level package is loaded, if it has one."""
    top, *rest = name.split(".")
    loaded = sys.modules.get(top)
    if not rest:
        files = [Path(getattr(loaded, "__file__", None) or "")]
    else:
        stems = [Path(folder, *rest) for folder in getattr(loaded, "__path__", ())]
        files = [path for x in stems for path in (x / "__init__.py", x.with_suffix(".py"))]
    return next((path for path in files if path.suffix == ".py" and path.is_file()), None)
