"""Work spread over all JAX devices: draws in equal parts, problems batch by batch.

With one device, which is the usual case on a CPU, nothing is cut and nothing is moved. Programs
stay those of one device each (`Stored`), so a part of the work is asked of every device before the
first answer is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched
from typing import Any

import jax
import numpy as np

Program = Callable[..., Sequence[Any]]


def over_draws(
    program: Program,
    static: tuple[Any, ...],
    by_draw: tuple[Any, ...],
    shared: tuple[Any, ...],
    draws: int,
) -> list[np.ndarray]:
    """Call a stored program with some draws on every device.

    Parameters
    ----------
    program, static
        As `Stored` is called. It takes `by_draw`, then `shared`.
    by_draw
        Arrays or trees of arrays (draws, ...); an array with a single row is for all draws.
    shared
        Arrays that all draws have in common.
    draws
        How many there are.

    Returns
    -------
    list
        What the program returns, arrays (draws, ...).
    """
    places = jax.devices()
    if len(places) == 1 or draws < len(places):
        return [np.asarray(x) for x in program(static, *by_draw, *shared)]
    size = -(-draws // len(places))
    found = []
    for k, place in enumerate(places):
        # the last part is as long as the others: one program serves all
        rows = np.minimum(np.arange(k * size, (k + 1) * size), draws - 1)

        def part(x: Any, rows: np.ndarray = rows) -> np.ndarray:
            return np.asarray(x)[rows] if x.shape[0] == draws else np.asarray(x)

        with jax.default_device(place):
            found.append(program(static, *jax.tree.map(part, by_draw), *shared))
    return [np.concatenate(parts)[:draws] for parts in zip(*jax.device_get(found), strict=True)]


def in_turn[T](
    solve: Callable[[T], Sequence[Any]], tasks: Iterable[T], ahead: int = 1
) -> Iterator[list[np.ndarray]]:
    """Answers of `solve` to tasks, in their order, each asked of the next device in turn.

    `ahead` tasks a device are asked for before the first answer is waited for.
    """
    places = jax.devices()
    for some in batched(tasks, ahead * len(places)):
        asked = []
        for k, task in enumerate(some):
            with jax.default_device(places[k % len(places)] if len(places) > 1 else None):
                asked.append(solve(task))
        yield from ([np.asarray(x) for x in answer] for answer in jax.device_get(asked))
