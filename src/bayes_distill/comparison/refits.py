"""Refits of several cards without the same groups of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bayes_distill._input.progress import Progress
from bayes_distill.comparison.fits import runs_table
from bayes_distill.errors import Fault, InputError
from bayes_distill.parallel import map_tasks
from bayes_distill.posterior import Posterior
from bayes_distill.validation.leave_out import Prepared, prepare
from bayes_distill.validation.refit import refit
from bayes_distill.validation.result import Validation

TEACHER_APART, STUDENT_APART = 0.05, 0.004  # as `validate` has them; pairs are not compared here


def prepare_refits(
    fits: Mapping[str, Posterior],
    leave_out: Sequence[str],
    *,
    tail: str | None,
    settings: Mapping[str, Any],
) -> dict[tuple[str, str], Prepared]:
    """Check every refit and run none: (what is left out, label) -> its refits.

    `settings` are those of `validate` that are the same for all.

    Raises
    ------
    InputError
        Naming everything that is wrong.
    """
    found, faults = {}, []
    for kind in leave_out:
        for label, fit in fits.items():
            try:
                found[kind, label] = prepare(
                    runs_table(fit),
                    fit.card,
                    leave_out=kind,  # type: ignore[arg-type]
                    tail=tail if kind == "tail" else None,
                    groups=None if kind == "tail" else settings["groups"],
                    where=None,
                    corrections=False,
                    mapping=None,
                    teacher_apart=TEACHER_APART,
                    student_apart=STUDENT_APART,
                    **{k: v for k, v in settings.items() if k != "groups"},
                )
            except InputError as error:
                faults += [fault for fault in error.faults if fault not in faults]
    if settings["groups"] is not None and set(leave_out) <= {"tail"}:
        faults.append(Fault("goes with `leave_out` params or group", column="groups"))
    if faults:
        raise InputError(faults)
    return found


def run_refits(
    prepared: Mapping[tuple[str, str], Prepared],
    interval: float,
    *,
    workers: int | None,
    scheduler: Any,
    resume: str | Path | None,
    progress: Progress | None,
) -> dict[str, dict[str, Validation]]:
    """Run all refits, of all fits, as one list of tasks: what is left out -> label -> result."""
    tasks = [task for each in prepared.values() for task in each.tasks]
    scored = map_tasks(
        refit,
        tasks,
        workers=workers,
        scheduler=scheduler,
        progress=progress,
        store=resume,
        label="refits",
    )
    found: dict[str, dict[str, Validation]] = {}
    for (kind, label), each in prepared.items():
        mine, scored = scored[: len(each.tasks)], scored[len(each.tasks) :]
        found.setdefault(kind, {})[label] = each.collected(
            mine, leave_out=kind, interval=interval, notes=each.table.notes
        )
    return found
