"""Work on other threads of this process: calls on all cores, and programs compiled ahead of use.

Threads help where a call lets go of Python's lock, as NumPy, JAX and XLA's compiler do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

import joblib


def on_cores[T](call: Callable[[int], T], number: int, most: int | None = None) -> Iterator[T]:
    """Results of ``call(0)`` to ``call(number - 1)``, in their order.

    As many run concurrently as there are cores, or `most`. After an exception, an interrupt among
    them, those that run are waited for, and no more are begun.
    """
    if number < 1:
        return
    pool = ThreadPoolExecutor(min(number, joblib.cpu_count(), most or number))
    try:
        yield from pool.map(call, range(number))
    finally:
        pool.shutdown(cancel_futures=True)


def compile_ahead(function: Any, *arguments: Any) -> Future[Any]:
    """Begin to compile a jitted function for arguments: arrays, or their shapes.

    A call with such arguments compiles nothing once the future is done, and compiles a second time
    before: wait for it. XLA compiles each program on a single core, so that several are compiled
    concurrently. Tracing stays on the calling thread: NumPyro's handlers keep a stack that all
    threads share.
    """
    return _compilers().submit(function.lower(*arguments).compile)


@cache
def _compilers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(joblib.cpu_count(), 2), thread_name_prefix="compile")
