"""Which runs are left out together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from bayes_distill._input.numbers import format_quantity, parse_quantity
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.runs import Runs
from bayes_distill.validation.budgets import FACTORS, Group, beyond_budgets, compute_of

LeaveOut = Literal["params", "group", "tail", "compute"]
SAME_SIZE = 0.01  # relative
TAIL = 0.1  # share of the runs


def split(
    table: Runs,
    leave_out: LeaveOut,
    *,
    groups: Sequence[str] | None = None,
    min_runs: int = 8,
    tail: str | None = None,
    factors: Sequence[float] | None = None,
) -> tuple[Group, ...]:
    """Groups of runs to leave out, each in turn.

    Parameters
    ----------
    table
        All runs.
    leave_out
        ``params``: the runs of one student size (sizes within 1% are one). ``group``: those of one
        label in the column ``group``. ``tail``: the dearest runs at once, predicted from the rest.
        ``compute``: the runs above each of several budgets.
    groups
        Sizes (``"143M"``) or labels to leave out; by default every one with enough runs.
    min_runs
        Least number of runs of a group that is left out.
    tail
        For ``tail``, a condition on the runs that are kept for fitting, such as ``"loss > 2.3"``;
        by default all but the tenth that took most compute (size times tokens).
    factors
        For ``compute``, how many times as dear the dearest run is as the budgets, 3, 10 and 30 by
        default.

    Raises
    ------
    InputError
        Naming everything that cannot be done with these runs.
    """
    faults = []
    if leave_out not in get_args(LeaveOut):
        allowed = ", ".join(get_args(LeaveOut))
        raise InputError(Fault(f"{leave_out!r} is none of {allowed}", column="leave_out"))
    if min_runs < 1:
        faults.append(Fault(f"{min_runs} is less than 1", column="min_runs"))
    if tail is not None and leave_out != "tail":
        faults.append(Fault(f'goes with `leave_out="tail"`, not {leave_out}', column="tail"))
    if factors is not None and leave_out != "compute":
        faults.append(Fault(f'goes with `leave_out="compute"`, not {leave_out}', column="factors"))
    if groups is not None and leave_out in ("tail", "compute"):
        faults.append(
            Fault(f"goes with `leave_out` params or group, not {leave_out}", column="groups")
        )
    if leave_out == "group" and (
        "group" not in table.frame or not table.frame["group"].notna().any()
    ):
        faults.append(Fault(f"{table.source} has no column group with labels", column="leave_out"))
    chosen: tuple[Group, ...] = ()
    with collected(faults):
        if leave_out == "tail":
            chosen = (_tail(table, tail),)
        elif leave_out == "compute":
            chosen = beyond_budgets(table, FACTORS if factors is None else factors)
        elif not any(fault.column == "leave_out" for fault in faults):
            found = _sizes(table) if leave_out == "params" else _labels(table)
            chosen = _chosen(found, groups, leave_out, min_runs)
    if faults:
        raise InputError(faults)
    return chosen


def _sizes(table: Runs) -> tuple[Group, ...]:
    """One group a size; sizes within 1% of the smallest of them are one."""
    params = table.frame["params"].to_numpy(float)
    found = []
    left = np.ones(len(params), bool)
    while left.any():
        held = left & (params <= params[left].min() * (1 + SAME_SIZE))
        found.append(Group(format_quantity(float(np.median(params[held]))), held))
        left &= ~held
    return tuple(found)


def _labels(table: Runs) -> tuple[Group, ...]:
    labels = table.frame["group"]
    return tuple(
        Group(str(label), (labels == label).to_numpy(bool))
        for label in sorted(labels.dropna().unique(), key=str)
    )


def _tail(table: Runs, tail: str | None) -> Group:
    if tail is None:
        cost = compute_of(table.frame)
        edge = float(np.sort(cost)[-math.ceil(TAIL * len(cost))])
        return Group(f"from {edge:.2g} FLOP", cost >= edge)
    try:
        fitted = table.where(tail).frame.index
    except InputError as error:
        raise InputError([Fault(f.problem, column="tail") for f in error.faults]) from None
    held = ~table.frame.index.isin(fitted)
    if not held.any():
        raise InputError(
            Fault(
                f"{tail!r} holds for all {len(table)} runs: it names those that are kept for "
                "fitting, and leaves none to predict",
                column="tail",
            )
        )
    return Group(f"all but {tail}", held)


def _chosen(
    found: Sequence[Group], names: Sequence[str] | None, leave_out: LeaveOut, min_runs: int
) -> tuple[Group, ...]:
    """Groups by what the user calls them, or every one with enough runs."""
    if names is None:
        enough = tuple(group for group in found if len(group) >= min_runs)
        if enough:
            return enough
        what = "size" if leave_out == "params" else "label"
        problem = f"no {what} has {min_runs} runs ({_counts(found)}): ask for fewer"
        raise InputError(Fault(problem, column="min_runs"))
    chosen: list[Group] = []
    faults = []
    for name in names:
        try:
            group = _by_size(found, name) if leave_out == "params" else _by_label(found, name)
        except ValueError as error:
            faults.append(Fault(str(error), column="groups"))
            continue
        if group is None:
            faults.append(Fault(f"there is no {name!r} among {_counts(found)}", column="groups"))
        elif len(group) < min_runs:
            faults.append(
                Fault(
                    f"{group.name} has {len(group)} runs, fewer than the least number {min_runs}",
                    column="groups",
                )
            )
        elif group not in chosen:
            chosen.append(group)
    if not names:
        faults.append(Fault("is an empty list", column="groups"))
    if faults:
        raise InputError(faults)
    return tuple(chosen)


def _by_size(found: Sequence[Group], name: str) -> Group | None:
    """The group of a size as people write it: 143M stands for 143.4M too."""
    distance = {
        abs(np.log(parse_quantity(name) / parse_quantity(group.name))): group for group in found
    }
    nearest = min(distance)
    return distance[nearest] if nearest <= np.log1p(SAME_SIZE) else None


def _by_label(found: Sequence[Group], name: str) -> Group | None:
    return next((group for group in found if group.name == name), None)


def _counts(found: Sequence[Group], most: int = 12) -> str:
    listed = ", ".join(f"{group.name}: {len(group)}" for group in found[:most])
    return listed + (f" and {len(found) - most} more" if len(found) > most else "")
