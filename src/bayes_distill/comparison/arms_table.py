"""What is compared, and where: the runs of every arm, and sizes and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.numbers import parse_quantity
from bayes_distill.comparison.arms_card import arm_columns
from bayes_distill.comparison.arms_pairs import paired_runs
from bayes_distill.errors import Fault, InputError
from bayes_distill.runs import Runs
from bayes_distill.runs.cell_values import parse_labels
from bayes_distill.runs.checkpoints import PAIR
from bayes_distill.runs.column_names import plain_name
from bayes_distill.runs.reading import examine
from bayes_distill.runs.table import LABELS, kind_of

LEAST_RUNS = 3
SEED = "seed"
SETS = {"validationset", "valset", "evalset", "validation", "valdata", "evaldata", "testset"}
"""Columns, plainly written, that say which validation set a loss is of."""


def points_of(at: Any, faults: list[Fault]) -> np.ndarray:
    """Sizes and tokens (points, 2) of the argument `at`."""
    if at is None:
        faults.append(Fault("is needed, such as params=7B,tokens=140B", column="at"))
        return np.ones((1, 2))
    listed = [at] if isinstance(at, (str, Mapping)) else list(at)
    found = []
    for each in listed:
        stated: Any = each
        if isinstance(each, str):
            parts = [part.partition("=") for part in each.split(",")]
            stated = {key.strip(): value.strip() for key, _, value in parts}
        strange = sorted(set(stated) - {"params", "tokens"})
        lacking = [name for name in ("params", "tokens") if name not in stated]
        if strange or lacking:
            faults.append(Fault(f"'{each}' is not params=SIZE,tokens=NUMBER", column="at"))
            continue
        try:
            pair = [float(parse_quantity(str(stated[n]))) for n in ("params", "tokens")]
        except ValueError as error:
            faults.append(Fault(str(error), column="at"))
            continue
        if not all(0 < value < np.inf for value in pair):
            faults.append(Fault(f"'{each}' has no positive numbers", column="at"))
            continue
        found.append(pair)
    return np.array(found or [[1.0, 1.0]])


def table_of_arms(
    source: Any, by: str | None, across: bool, faults: list[Fault]
) -> tuple[Runs, list[str]]:
    """Runs with a column for each arm, and the names of the arms."""
    if by is None:
        faults.append(Fault("is needed: the column that names the arm", column="by"))
        raise InputError(faults)
    if isinstance(source, Runs):
        frame, other, name = source.frame, pd.DataFrame(index=source.frame.index), source.source
    else:
        examined = examine(source)
        faults += examined.faults
        frame, other, name = examined.sound, examined.other, examined.source
    every = {plain_name(str(n)): other[n] for n in other}
    every |= {plain_name(n): frame[n] for n in (*LABELS, "teacher_loss") if n in frame}
    if plain_name(by) not in every and not faults:
        present = ", ".join(map(str, [*other, *(n for n in LABELS if n in frame)])) or "none"
        faults.append(Fault(f"there is no column {by} (there are {present})", column="by"))
    if faults:
        raise InputError(faults)
    if kind_of(frame) != "supervised":
        raise InputError(f"{name} has runs with a teacher: arms are compared among supervised runs")
    labels = pd.Series(parse_labels(every[plain_name(by)]), index=frame.index, dtype=object)
    counts = labels.value_counts()
    names = sorted(map(str, counts.index))
    if labels.isna().any():
        rows = labels.index[labels.isna()]
        faults += [Fault("is empty: every run needs its arm", int(row), by) for row in rows]
    if len(names) < 2:
        faults.append(Fault(f"{by} names {len(names)} arm: two are needed", column="by"))
    few = [f"{arm} ({counts[arm]})" for arm in names if counts[arm] < LEAST_RUNS]
    if few:
        faults.append(
            Fault(f"{', '.join(few)} have fewer than {LEAST_RUNS} runs each", column="by")
        )
    if not across:
        faults += _different_sets(labels, every)
    if faults:
        raise InputError(faults)
    own = frame.drop(columns=[n for n in LABELS if n in frame])
    own[PAIR] = paired_runs(frame, labels, every.get(SEED))
    for column, arm in zip(arm_columns(len(names)), names, strict=True):
        own[column] = (labels == arm).astype(float)
    inputs = tuple(arm_columns(len(names)))
    return Runs(own, name, inputs=inputs), names


def _different_sets(labels: pd.Series[Any], columns: Mapping[str, Any]) -> list[Fault]:
    """Refuse arms whose losses are of different validation sets."""
    for name in SETS & set(columns):
        sets = pd.Series(parse_labels(columns[name]), index=labels.index, dtype=object)
        of_arms = {frozenset(sets[labels == arm].dropna()) for arm in labels.dropna().unique()}
        if len(of_arms) > 1:
            said = (
                "arms have losses on different validation sets, which say nothing about each other"
            )
            return [Fault(f"{said}: compare one set, or say `across_validation_sets`", column=name)]
    return []
