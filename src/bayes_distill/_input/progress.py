"""How long work says how far it is: (phase, parts done, parts in all)."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

Progress = Callable[[str, int, int], None]
Step = Callable[[], None]


def steps(progress: Progress | None, phase: str, total: int) -> Step:
    """A function that reports one more part of a phase as done, from whatever thread.

    That none is done yet is reported at once. Without `progress` nothing is.
    """
    if progress is None:
        return lambda: None
    report, lock, done = progress, threading.Lock(), itertools.count(1)
    report(phase, 0, total)

    def step() -> None:
        with lock:  # in order
            report(phase, min(next(done), total), total)

    return step
