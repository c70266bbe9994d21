"""Sentences that a reader of a plan needs beside its tables."""

from __future__ import annotations

import pandas as pd

from bayes_distill._input.numbers import format_quantity
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.planning.tables import AT_LIMITS
from bayes_distill.posterior import Posterior
from bayes_distill.predict.extrapolation import FEW_DRAWS, FEW_DRAWS_NOTE, by_factors, place_of
from bayes_distill.predict.verdicts import law_notes


def plan_notes(
    posterior: Posterior, used_draws: int, table: pd.DataFrame, limits: Limits
) -> tuple[str, ...]:
    """Thinning, point values, repeated tokens, recipes outside the runs and at limits.

    Parameters
    ----------
    posterior
        The whole of it.
    used_draws
        How many of its draws the plan is made with.
    table
        The plan's.
    limits
        What recipes may use.
    """
    notes = [*posterior.warnings, *law_notes(posterior)]
    if used_draws < posterior.n_draws:
        notes.append(f"planned with {used_draws} of {posterior.n_draws} draws")
        notes += [FEW_DRAWS_NOTE] if used_draws < FEW_DRAWS else []
    if posterior.n_draws == 1:
        notes.append("point coefficients: every interval is a single value, not a certainty")
    if posterior.law.counts != "non-embedding":
        notes.append(
            f"sizes are {posterior.law.counts} parameters, and FLOPs are counted as of so many "
            "without an embedding"
        )
    if posterior.law.knows_repeats:
        notes.append(
            "no recipe repeats tokens: all of the student's tokens are taken to be new, however "
            "many; for repeated ones ask for a forecast with `unique_tokens`"
        )
    recipes = table[table["feasible"]]
    where = place_of(
        posterior,
        recipes["params"].to_numpy(float),
        recipes["recipe_student_tokens"].to_numpy(float),
        recipes["recipe_teacher_loss"].to_numpy(float),
        recipes["recipe_teacher_loss"].notna().to_numpy(bool),
    )
    factors = where.factors
    outside = factors[factors.max(axis=1) > 1]
    if len(outside):
        most = dict(zip(("the student's size", "its tokens"), outside.max(axis=0), strict=True))
        notes.append(
            f"{len(outside)} of {len(recipes)} recipes lie outside the runs, {by_factors(most)}: "
            "they rest on the law"
        )
    untried = int(where.untried.sum())
    if untried:
        notes.append(
            f"{untried} of {len(recipes)} recipes are of a kind of which there was no run "
            "(supervised or distilled): they rest on the prior and the law"
        )
    notes += [
        f"{count} of {len(recipes)} recipes lie at the limit `{limit}` = "
        f"{format_quantity(getattr(limits, limit))}"
        for limit in AT_LIMITS.values()
        if (count := sum(limit in at.split(",") for at in recipes["at_limit"]))
    ]
    teachers = int(where.teacher_outside.sum())
    if teachers:
        notes.append(
            f"{teachers} of {len(recipes)} recipes want a teacher better or worse than any in the "
            "runs"
        )
    return tuple(notes)
