"""How many runs a fit needs, and when it rests on its priors."""

from __future__ import annotations

from bayes_distill.errors import Fault
from bayes_distill.runs.table import Kind

NEEDED = {"supervised": 3, "distillation": 14, "mixed": 20}
"""Least runs that the default card for each kind of table is fitted to; see
`inference.fit.check_card`."""
FEW = 8


def too_few(count: int) -> Fault | None:
    """The fault of a table that no card can be fitted to."""
    least = NEEDED["supervised"]
    if count >= least:
        return None
    runs = "1 usable run" if count == 1 else f"{count} usable runs"
    return Fault(f"{runs}: any fit needs at least {least}")


def few_runs_note(count: int, kind: Kind) -> str | None:
    """What a fit of few runs rests on, or that the default card needs more of them."""
    needed = NEEDED[kind]
    if count < needed:
        return (
            f"{count} {kind} runs are too few for the default card of such a table, which needs "
            f"{needed}."
        )
    if kind == "supervised" and count < FEW:
        return (
            f"{count} runs are few: a fit is possible, and rests on priors learned from public "
            "sweeps as much as on these runs."
        )
    return None
