"""Thousands of problems run through compiled programs, in batches of a few fixed sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jax import Array
from numpy.typing import NDArray

BATCHES = (32, 256, 1024)
"""Sizes that problems are padded to, so that other numbers of them do not compile again."""


def in_batches[P: tuple[Any, ...]](
    solve: Callable[..., tuple[Array, ...]],
    coordinates: Mapping[str, NDArray[np.float64]],
    draw: NDArray[np.intp],
    problems: P,
    *arrays: NDArray[Any],
) -> list[NDArray[Any]]:
    """Run a compiled program over all problems, padding the last batch with copies of one.

    Parameters
    ----------
    solve
        Takes coordinates, problems and `arrays` of one of the sizes in `BATCHES`.
    coordinates
        Arrays (draws,).
    draw
        Which draw each problem belongs to, shape (problems,).
    problems
        A named tuple of arrays that broadcast to (problems,).
    arrays
        More arrays over problems, of any further shape.
    """
    count = len(draw)
    size = next((b for b in BATCHES if b >= count), BATCHES[-1])
    fields = [np.broadcast_to(np.asarray(values), (count,)) for values in problems]

    def batch(start: int) -> list[NDArray[Any]]:
        index = np.minimum(np.arange(start, start + size), count - 1)
        c = {name: values[draw[index]] for name, values in coordinates.items()}
        some = type(problems)(*(values[index] for values in fields))
        return [np.asarray(x) for x in solve(c, some, *(x[index] for x in arrays))]

    pieces = [batch(start) for start in range(0, count, size)]
    return [np.concatenate(parts)[:count] for parts in zip(*pieces, strict=True)]
