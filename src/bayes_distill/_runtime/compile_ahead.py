"""Programs compiled on other threads, while this one goes on.

A fit needs half a dozen programs, and XLA compiles each on a single core. Tracing stays on the
calling thread: NumPyro's handlers keep a stack that all threads share.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

import joblib


def ahead(function: Any, *arguments: Any) -> Future[Any]:
    """Begin to compile a jitted function for arguments: arrays, or their shapes.

    A call with such arguments compiles nothing once the future is done, and compiles a second time
    before: wait for it.
    """
    return _threads().submit(function.lower(*arguments).compile)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(joblib.cpu_count(), 2), thread_name_prefix="compile")
