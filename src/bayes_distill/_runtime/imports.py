"""What source files import, parsed once for all processes.

Parsing the forty files behind a traced function takes ten times as long as reading them.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from bayes_distill._runtime.disk_cache import cache_path, read_cached, write_cached

Import = tuple[str, list[str]]
"""A module as written, with dots ahead where it is relative, and the names taken from it."""

MOST_FILES = 500  # whose imports are stored: the package has half as many


class ImportLists:
    """Imports of source files by the checksum of their content, stored between processes."""

    def __init__(self) -> None:
        parser = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
        self.path = cache_path("imports", parser[:40])
        stored = read_cached(self.path)
        self.known: dict[str, list[Import]] = {} if stored is None else json.loads(stored)
        self.stored = len(self.known)

    def of(self, content: bytes) -> list[Import]:
        """Imports of a file; `parse_imports` says which."""
        key = hashlib.sha256(content).hexdigest()
        if key not in self.known:
            self.known[key] = list(parse_imports(content))
        return self.known[key]

    def store(self) -> None:
        """Write the lists if any is new."""
        if len(self.known) > self.stored:
            latest = dict(list(self.known.items())[-MOST_FILES:])
            write_cached(self.path, json.dumps(latest).encode())
            self.stored = len(self.known)


def parse_imports(content: bytes) -> Iterator[Import]:
    """Imports of a source file in no particular order, those inside functions too.

    What ``TYPE_CHECKING`` guards is left out: it is never executed.
    """
    waiting: list[ast.AST] = [ast.parse(content)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module, [alias.name for alias in node.names]
        elif isinstance(node, ast.If) and _is_type_checking(node.test):
            waiting += node.orelse
        elif isinstance(node, (ast.Module, ast.stmt, ast.excepthandler, ast.match_case)):
            waiting += ast.iter_child_nodes(node)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"
