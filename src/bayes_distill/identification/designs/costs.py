"""What each candidate costs: FLOPs of its training, or a column of the table, to a power."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from bayes_distill._input.suggestions import did_you_mean
from bayes_distill._input.text import named, shown
from bayes_distill.compute import FLOPS, SCENARIOS, total_flops
from bayes_distill.errors import Fault, InputError
from bayes_distill.predict.points import Points

POWER = re.compile(r"(.*?)\*\*\s*([-+0-9.eE]+)\s*", re.DOTALL)
LARGEST_POWER = 4.0


def costs(points: Points, cost: str, columns: pd.DataFrame | None) -> np.ndarray:
    """Cost (points,) of each run, finite and positive.

    Parameters
    ----------
    points
        Runs to choose from. A teacher is taken to exist, with its logits.
    cost
        ``eq69``, ``6nd``, or the name of a numeric column; ``name**0.5`` is it to a power.
    columns
        The other columns of the table of candidates; ``None`` where there is no table.

    Raises
    ------
    InputError
        If there is no such column, or it holds something else than positive numbers.
    """
    name, power = _parsed(cost)
    if name in FLOPS:
        scenario = SCENARIOS["best-case"]
        spent = total_flops(points.params, points.tokens, scenario, FLOPS[name])
        return np.asarray(spent.total) ** power
    known = [] if columns is None else [str(column) for column in columns]
    if columns is None or name not in known:
        there = [*FLOPS, *known]
        hint = did_you_mean(name, there, f"there are {named(there)}")
        raise InputError(Fault(f"no cost '{shown(name)}'; {hint}", column="cost"))
    values = pd.to_numeric(columns.iloc[:, known.index(name)], errors="coerce").to_numpy(float)
    wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if wrong.size:
        raise InputError([Fault("is not a positive number", int(row), name) for row in wrong[:20]])
    return np.asarray(values**power)


def _parsed(cost: str) -> tuple[str, float]:
    found = POWER.fullmatch(cost.strip())
    if found is None:
        return cost.strip(), 1.0
    try:
        power = float(found[2])
    except ValueError:
        power = 0.0
    if not 0 < power <= LARGEST_POWER:
        problem = f"the power of '{shown(cost)}' is not between 0 and {LARGEST_POWER:g}"
        raise InputError(Fault(problem, column="cost"))
    return found[1].strip(), power
