"""Sentences that a reader of a plan needs beside its tables."""

from __future__ import annotations

import pandas as pd

from bayes_distill.posterior import Posterior
from bayes_distill.predict.extrapolation import by_factors
from bayes_distill.predict.verdicts import law_notes


def plan_notes(posterior: Posterior, used_draws: int, table: pd.DataFrame) -> tuple[str, ...]:
    """Thinning, point values, repeated tokens, and recipes outside the runs.

    Parameters
    ----------
    posterior
        The whole of it.
    used_draws
        How many of its draws the plan is made with.
    table
        The plan's.
    """
    notes = [*posterior.warnings, *law_notes(posterior)]
    if used_draws < posterior.n_draws:
        notes.append(f"planned with {used_draws} of {posterior.n_draws} draws")
    if posterior.n_draws == 1:
        notes.append("point coefficients: every interval is a single value, not a certainty")
    if posterior.law.knows_repeats:
        notes.append(
            "no recipe repeats tokens: all of the student's tokens are taken to be new, however "
            "many; for repeated ones ask for a forecast with `unique_tokens`"
        )
    hull = posterior.hull
    if hull is None:
        return tuple(notes)
    recipes = table[table["feasible"]]
    params, tokens = recipes["params"].to_numpy(float), recipes["recipe_student_tokens"].to_numpy()
    factors = hull.factors_of(params, tokens)
    outside = factors[factors.max(axis=1) > 1]
    if len(outside):
        most = dict(zip(("the student's size", "its tokens"), outside.max(axis=0), strict=True))
        notes.append(
            f"{len(outside)} of {len(recipes)} recipes lie outside the runs, {by_factors(most)}: "
            "they rest on the law"
        )
    teachers = sum(hull.teacher_outside(loss) for loss in recipes["recipe_teacher_loss"])
    if teachers:
        notes.append(
            f"{teachers} of {len(recipes)} recipes want a teacher better or worse than any in the "
            "runs"
        )
    return tuple(notes)
