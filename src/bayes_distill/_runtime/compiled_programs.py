"""Stored compiled programs that cannot be read or written: nobody is told, and they are removed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

ABOUT = re.compile(
    r"Error (?:reading|writing) persistent compilation cache entry for '([\w.<>-]+)'"
)


@contextmanager
def repaired_programs(*, quiet: bool) -> Iterator[None]:
    """Keep JAX's warnings about its cache from people, and remove the entries that they are of.

    JAX never writes an entry again that is there, so one that a full disk left truncated would be
    read in vain for ever. With `quiet` other warnings are not shown either.
    """
    damaged: set[str] = set()
    with warnings.catch_warnings():
        shown = warnings.showwarning
        if quiet:
            warnings.simplefilter("ignore")
        warnings.filterwarnings("always", message="Error .* persistent compilation cache entry")

        def show(message: Any, *place: Any, **more: Any) -> None:
            found = ABOUT.search(str(message))
            if found is not None:
                damaged.add(found[1])
            elif not quiet:
                shown(message, *place, **more)

        warnings.showwarning = show
        try:
            yield
        finally:
            if damaged:
                _remove(damaged)


def _remove(names: set[str]) -> None:
    """Remove all stored programs of these names; sound ones among them are compiled again."""
    from bayes_distill._runtime.jax_setup import cache_folder

    for name in names:
        for path in cache_folder().glob(f"{name}-*-cache"):
            with suppress(OSError):
                path.unlink()
