"""Runs to choose from: a table, a grid around the runs of a fit, or one that a budget pays for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill._input.numbers import format_quantity
from bayes_distill.compute import TRAINING_PASSES, ForwardFlops
from bayes_distill.errors import Fault, InputError
from bayes_distill.identification.candidates import Candidates, candidate_grid, read_candidates
from bayes_distill.laws import Law
from bayes_distill.posterior import Posterior
from bayes_distill.predict.points import Points, other_columns

MOST_POOL = 100_000
RATIOS = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
"""Tokens per parameter of candidates where there were no runs."""
SIZES = 16
LEAST_SIZE, RANGE = 1e6, 300.0
"""Smallest size of such candidates, and the largest size over it, at most."""
SHARE = 0.25
"""Part of the budget that the dearest of them takes."""
AHEAD = 10.0
"""How many times the budget the run costs whose loss is wanted where no target is stated."""
RATIO = 20.0
"""Tokens per parameter of that run."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Candidates, the other columns of their table where there is one, and a note on them."""

    candidates: Candidates
    columns: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()


def read_pool(source: pd.DataFrame | str | Path, law: Law | None = None) -> Pool:
    """A table of candidates; losses in it are not looked at.

    Of the columns that the `law` declares too.

    Raises
    ------
    InputError
        Naming every faulty cell, or if there are more than 100,000 rows.
    """
    candidates = read_candidates(source, law)
    if len(candidates) > MOST_POOL:
        problem = f"{len(candidates):,} candidates are more than {MOST_POOL:,}: thin them out"
        raise InputError(Fault(problem, column="pool"))
    columns = other_columns(source, law).reset_index(drop=True)
    return Pool(candidates, columns)


def grid_pool(posterior: Posterior, budget: float, flops: ForwardFlops, reach: float) -> Pool:
    """A grid around the runs of a fit, or where there were none, of what the budget pays for."""
    if posterior.hulls is not None:
        return Pool(candidate_grid(posterior, posterior.hulls, reach))
    largest = size_of(SHARE * budget, RATIO, flops)
    smallest = max(LEAST_SIZE, largest / RANGE)
    if largest <= smallest:
        raise InputError(
            Fault(
                f"{budget:.3g} FLOPs pay for no run of {LEAST_SIZE:.0e} parameters", None, "budget"
            )
        )
    sizes = sorted({float(f"{v:.2g}") for v in np.geomspace(smallest, largest, SIZES)})
    rows = [(n, n * ratio) for n in sizes for ratio in RATIOS]
    params, tokens = np.array(rows).T
    empty = np.full(len(params), np.nan)
    note = (
        f"no candidates were stated: there are {len(rows)}, of {format_quantity(sizes[0])} to "
        f"{format_quantity(sizes[-1])} parameters"
    )
    return Pool(Candidates(Points(params, tokens, empty, empty, empty)), notes=(note,))


def default_target(posterior: Posterior, budget: float, flops: ForwardFlops) -> tuple[Points, str]:
    """A run that costs ten times the budget, and a note that says so.

    Under a law with teachers it has the strongest of the runs, if these were distilled.
    """
    params = float(f"{size_of(AHEAD * budget, RATIO, flops):.2g}")
    teacher = np.nan
    hulls = posterior.hulls
    if hulls is not None and hulls.supervised is None and hulls.distilled is not None:
        assert hulls.distilled.teacher_loss is not None
        teacher = float(min(hulls.distilled.teacher_loss))
    nothing = np.full(1, np.nan)
    at = Points(
        np.array([params]), np.array([RATIO * params]), np.array([teacher]), nothing, nothing
    )
    return at, f"no target was stated: it is the {at.names[0]}, which costs ten times the budget"


def size_of(budget: float, ratio: float, flops: ForwardFlops) -> float:
    """Size whose training on `ratio` tokens a parameter takes so many FLOPs."""
    sizes = np.geomspace(1e3, 1e15, 4000)
    cost = TRAINING_PASSES * np.asarray(flops.forward_flops(sizes)) * sizes * ratio
    return float(np.exp(np.interp(np.log(budget), np.log(cost), np.log(sizes))))
