"""What a recipe may use where nobody says so: teachers and tokens that somebody could have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayes_distill.planning.solver.limits import PAIRS, Limits
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.stored_runs import runs_of
from bayes_distill.runs.schema import MOST_PARAMS

TOKENS = 3e14
"""Tokens of public text by people, about (Villalobos et al. 2024, arXiv:2211.04325)."""
TIMES_LARGEST = 100.0
"""Teachers reach to so many times the largest model in the runs."""
LARGEST = 1e13
"""The largest teacher where the runs are not known; no dense model of that size was trained."""


def realistic_limits(posterior: Posterior, stated: Mapping[str, Any] | None = None) -> Limits:
    """The limits that are stated; for others, what exists, within 100 times the runs' models.

    Parameters
    ----------
    posterior
        Whose runs count: the largest of their students and teachers.
    stated
        Arguments of `Limits`. A bound or a menu that lies beyond the usual limit moves it.

    Raises
    ------
    InputError
        As `Limits`.
    """
    chosen = dict(stated or {})
    most = {
        "max_tokens": TOKENS,
        "max_teacher_tokens": TOKENS,
        "max_teacher_params": largest_teacher(posterior),
    }
    for low, high in PAIRS:
        within = [most[high], chosen.get(low, 0.0)]
        if high == "max_teacher_params":
            within += list(chosen.get("teacher_sizes", ()))
        chosen.setdefault(high, max(within))
    return Limits(**chosen)


def largest_teacher(posterior: Posterior) -> float:
    """The largest teacher to think of, by the models in the runs."""
    hull, runs = posterior.hull, runs_of(posterior)
    if hull is None:
        return LARGEST
    sizes = [float(np.exp(max(x for x, _ in hull.points)))]
    if runs is not None and "teacher_params" in runs:
        sizes += runs["teacher_params"].dropna().tolist()
    return min(TIMES_LARGEST * max(sizes), MOST_PARAMS)
