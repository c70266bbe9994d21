"""Refit without each group of runs and compare the forecast of the group with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes_distill._input.intervals import interval_fault, seed_faults
from bayes_distill._input.progress import Progress
from bayes_distill.cards import Card, load_card
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.inference.fit import check_card, check_settings, default_card, law_of_card
from bayes_distill.parallel import check_places, map_tasks
from bayes_distill.runs import Runs, read_runs
from bayes_distill.validation.budgets import FACTORS, Group
from bayes_distill.validation.groups import LeaveOut, split
from bayes_distill.validation.refit import refit, refit_task
from bayes_distill.validation.result import Validation
from bayes_distill.validation.summaries import collect

if TYPE_CHECKING:
    from bayes_distill.runs.reading import ColumnsSource, MappingSource

LEVELS = (0.5, 0.8, 0.9, 0.95)


def validate(
    runs: Runs | pd.DataFrame | str | Path,
    model: Card | str | Path | None = None,
    *,
    leave_out: LeaveOut = "params",
    where: str | None = None,
    corrections: bool = True,
    mapping: MappingSource | None = None,
    columns: ColumnsSource | None = None,
    min_runs: int = 8,
    groups: Sequence[str] | None = None,
    tail: str | None = None,
    factors: Sequence[float] | None = None,
    teacher_apart: float = 0.05,
    student_apart: float = 0.004,
    chains: int = 4,
    warmup: int = 1000,
    draws: int = 1000,
    seed: int = 0,
    interval: float = 0.9,
    workers: int | None = None,
    scheduler: Any = None,
    resume: str | Path | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Refit without each group of runs and compare the forecast of the group with it.

    Parameters
    ----------
    runs, model, where, corrections, mapping, columns
        As in `fit`.
    leave_out
        ``params``: one student size at a time (sizes within 1% are one). ``group``: one label of
        the column ``group`` at a time. ``tail``: the dearest runs at once. ``compute``: the runs
        above a budget, for several budgets; `Validation.by_factor` has the scores.
    min_runs
        Least number of runs of a size or label that is left out.
    groups
        Sizes (``["143M", "1.82B"]``) or labels to leave out; by default every one that has enough
        runs.
    tail
        For ``tail``, a condition on the runs that are kept for fitting, such as ``"loss > 2.3"``;
        by default all but the tenth that took most compute (size times tokens).
    factors
        For ``compute``, how many times as dear as the budgets the dearest run is: 3, 10 and 30 by
        default. Budgets below which there are too few runs for the law are left out.
    teacher_apart, student_apart
        Least distance of two teachers' losses, and of their students' losses, for a pair to count
        in the gap risk's calibration.
    chains, warmup, draws, seed
        Of every refit, as in `fit`.
    interval
        Probability inside the predictive interval whose mean width is reported.
    workers, scheduler, resume
        Where the refits run, and the folder that keeps finished ones, as `workers`, `scheduler`
        and `store` of `bayes_distill.parallel.map_tasks`.
    progress
        Called with (phase, refits done, refits in all).

    Raises
    ------
    InputError
        Naming everything that is wrong with the runs, the card, the groups or the settings, before
        anything is fitted.
    """
    prepared = prepare(
        runs,
        model,
        leave_out=leave_out,
        where=where,
        corrections=corrections,
        mapping=mapping,
        columns=columns,
        min_runs=min_runs,
        groups=groups,
        tail=tail,
        factors=factors,
        teacher_apart=teacher_apart,
        student_apart=student_apart,
        chains=chains,
        warmup=warmup,
        draws=draws,
        seed=seed,
        interval=interval,
        workers=workers,
        scheduler=scheduler,
    )
    scored = map_tasks(
        refit,
        prepared.tasks,
        workers=workers,
        scheduler=scheduler,
        progress=progress,
        store=resume,
        label="refits",
    )
    return prepared.collected(scored, leave_out=leave_out, interval=interval, notes=prepared.notes)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A validation that can be run: its refits as plain data, and what they have in common."""

    table: Runs
    card: Card
    levels: tuple[float, ...]
    settings: dict[str, Any]
    tasks: list[dict[str, Any]]
    factors: tuple[float, ...]
    notes: tuple[str, ...]

    def collected(
        self,
        scored: Sequence[dict[str, Any]],
        *,
        leave_out: str,
        interval: float,
        notes: Sequence[str],
    ) -> Validation:
        """The validation that scores of its refits make."""
        return collect(
            scored,
            leave_out=leave_out,
            model=self.card.name,
            levels=self.levels,
            interval=interval,
            settings=self.settings,
            notes=notes,
            factors=self.factors,
        )


def prepare(
    runs: Runs | pd.DataFrame | str | Path,
    model: Card | str | Path | None,
    *,
    leave_out: LeaveOut,
    where: str | None,
    corrections: bool,
    mapping: MappingSource | None,
    min_runs: int,
    groups: Sequence[str] | None,
    tail: str | None,
    teacher_apart: float,
    student_apart: float,
    chains: int,
    warmup: int,
    draws: int,
    seed: int,
    interval: float,
    workers: int | None,
    scheduler: Any,
    factors: Sequence[float] | None = None,
    columns: ColumnsSource | None = None,
) -> Prepared:
    """Check everything and fit nothing; the arguments are those of `validate`.

    Raises
    ------
    InputError
        Naming everything that is wrong.
    """
    faults = [f for f in [interval_fault(interval)] if f is not None] + seed_faults(seed)
    for name, value in (("teacher_apart", teacher_apart), ("student_apart", student_apart)):
        if not value >= 0:
            faults.append(Fault(f"{value:g} is no distance", column=name))
    faults += _faults(check_settings, chains, warmup, draws)
    faults += _faults(check_places, workers, scheduler)
    table, card, found, more = _inputs(
        runs,
        model,
        where,
        corrections,
        mapping,
        columns,
        {
            "leave_out": leave_out,
            "groups": groups,
            "min_runs": min_runs,
            "tail": tail,
            "factors": factors,
        },
    )
    notes: list[str] = []
    if leave_out == "compute" and table is not None and card is not None:
        found, short = _fittable(table, card, found)
        if found:
            notes += [f"left out: {fault.problem}" for fault in short]
        else:
            more += short
    faults += more
    if faults or table is None or card is None:
        raise InputError(faults)
    levels = tuple(sorted({*LEVELS, interval}))
    settings = {"chains": chains, "warmup": warmup, "draws": draws, "seed": seed}
    scoring = {"levels": levels, "teacher_apart": teacher_apart, "student_apart": student_apart}
    tasks = [refit_task(table, card, group, settings, scoring) for group in found]
    ends: tuple[float, ...] = ()
    if leave_out == "compute":
        ends = tuple(sorted(set(FACTORS if factors is None else factors)))
    return Prepared(table, card, levels, settings, tasks, ends, (*table.notes, *notes))


def _fittable(
    table: Runs, card: Card, found: tuple[Group, ...]
) -> tuple[tuple[Group, ...], list[Fault]]:
    """Groups without which the card can be fitted, and what is at fault with the others."""
    faults = {group.name: _too_few(table, card, group) for group in found}
    good = tuple(group for group in found if not faults[group.name])
    return good, [fault for group in found for fault in faults[group.name]]


def _too_few(table: Runs, card: Card, group: Group) -> list[Fault]:
    rest = Runs(table.frame[~group.held], table.source)
    return [
        Fault(f"without {group.name}: {fault.problem}") for fault in _faults(check_card, card, rest)
    ]


def _inputs(
    runs: Runs | pd.DataFrame | str | Path,
    model: Card | str | Path | None,
    where: str | None,
    corrections: bool,
    mapping: MappingSource | None,
    columns: ColumnsSource | None,
    grouping: dict[str, Any],
) -> tuple[Runs | None, Card | None, tuple[Group, ...], list[Fault]]:
    """Table, card and groups, with the faults of all of them."""
    faults: list[Fault] = []
    table = card = None
    found: tuple[Group, ...] = ()
    try:
        law = law_of_card(model)
        table = read_runs(runs, corrections=corrections, mapping=mapping, columns=columns, law=law)
        table = table.where(where) if where is not None else table
    except InputError as error:
        faults += error.faults
        table = None
    with collected(faults):
        if isinstance(model, Card):
            card = model
        elif model is not None or table is not None:
            card = load_card(model if model is not None else default_card(table))  # type: ignore[arg-type]
    if table is not None:
        with collected(faults):
            found = split(table, **grouping)
    if table is not None and card is not None and grouping["leave_out"] != "compute":
        for group in found:
            faults += _too_few(table, card, group)
    return table, card, found, faults


def _faults(check: Any, *arguments: Any) -> list[Fault]:
    try:
        check(*arguments)
    except InputError as error:
        return list(error.faults)
    return []
