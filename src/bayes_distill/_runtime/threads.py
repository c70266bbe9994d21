"""Calls on threads of this process: for what lets go of Python's lock, as NumPy and JAX do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import joblib


def on_cores[T](call: Callable[[int], T], number: int, most: int | None = None) -> Iterator[T]:
    """Results of ``call(0)`` to ``call(number - 1)``, in their order.

    As many run at once as there are cores, or `most`. After an exception, an interrupt among them,
    those that run are waited for, and no more are begun.
    """
    if number < 1:
        return
    pool = ThreadPoolExecutor(min(number, joblib.cpu_count(), most or number))
    try:
        yield from pool.map(call, range(number))
    finally:
        pool.shutdown(cancel_futures=True)
