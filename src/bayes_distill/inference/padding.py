"""Sizes of arrays, rounded up: refits with somewhat fewer runs or groups compile nothing."""

from __future__ import annotations

ROWS = 64
SIZES, TEACHERS, CONDITIONS, RUNS = 8, 8, 16, 8  # numbers of groups


def padded(count: int, to: int) -> int:
    """The next multiple of `to`."""
    return -(-count // to) * to
