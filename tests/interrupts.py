"""Interrupts at a chosen place, for tests of work that goes on later."""

from __future__ import annotations

from bayes_distill._input.progress import Progress


def interrupt_at(report: int) -> Progress:
    """Progress that interrupts the work at its report of this number, from 1."""
    reports = 0

    def progress(phase: str, done: int, of: int) -> None:
        nonlocal reports
        reports += 1
        if reports == report:
            raise KeyboardInterrupt

    return progress
