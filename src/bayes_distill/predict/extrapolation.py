"""Notes on a result: points outside the runs, thinned draws."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayes_distill.posterior import Posterior
from bayes_distill.predict.points import Points

END = 2.1  # error of the end of a 90% interval of normal draws, over that of their mean


def repeat_notes(posterior: Posterior, points: Points) -> tuple[str, ...]:
    """Say which points repeat their tokens more often than the runs did."""
    seen = posterior.info.get("epochs")
    if seen is None or points.unique_tokens is None:
        return ()
    epochs = np.where(points.repeated, points.tokens / points.unique_tokens, 1.0)
    beyond = epochs > seen * 1.01
    if not beyond.any():
        return ()
    return (
        f"{int(beyond.sum())} of {len(points)} points see their tokens more often (up to "
        f"{epochs.max():.3g} times) than any run did ({seen:.3g}): the value of repeats "
        "there rests on the law, and this law has no harm from many epochs",
    )


def extrapolation(posterior: Posterior, points: Points, teacher_loss: np.ndarray) -> pd.DataFrame:
    """How far each point lies outside the runs: factors beyond their hull, 1 inside."""
    hull = posterior.hull
    n = len(points)
    factors = np.ones((n, 2))
    teacher_outside = np.zeros(n, bool)
    if hull is not None:
        factors = hull.factors_of(points.params, points.tokens)
        teacher_outside = np.array([hull.teacher_outside(t) for t in teacher_loss], bool)
    outside = (factors > 1).any(axis=1) | teacher_outside
    return pd.DataFrame(
        {
            "outside": outside,
            "factor_params": factors[:, 0],
            "factor_tokens": factors[:, 1],
            "teacher_outside": teacher_outside,
        }
    )


def by_factors(most: Mapping[str, float]) -> str:
    """How far something lies outside the runs, leaving out what does not.

    `most` are factors as `Hull.factors` gives them, by the names that people read.
    """
    beyond = [f"{factor:.3g} in {name}" for name, factor in most.items() if factor > 1]
    together = " and at once " if len(beyond) > 1 else ""
    return f"by a factor of up to {together.join(beyond)} from the nearest point among them"


def extrapolation_notes(table: pd.DataFrame) -> tuple[str, ...]:
    """One sentence each for points outside the runs' sizes and outside their teachers."""
    notes = []
    beyond = table[(table["factor_params"] > 1) | (table["factor_tokens"] > 1)]
    if len(beyond):
        most = {name: float(beyond[f"factor_{name}"].max()) for name in ("params", "tokens")}
        notes.append(
            f"{len(beyond)} of {len(table)} points lie outside the runs, {by_factors(most)}: the "
            "intervals there rest on the law being right"
        )
    teachers = int(table["teacher_outside"].sum())
    if teachers:
        notes.append(
            f"{teachers} of {len(table)} points have a teacher better or worse than any in the runs"
        )
    return tuple(notes)


def thinning_notes(posterior: Posterior, thin: Posterior) -> tuple[str, ...]:
    """Say what thinning costs in accuracy, if there was any."""
    if thin.n_draws == posterior.n_draws:
        return ()
    error = 100 / np.sqrt(thin.n_draws)
    return (
        f"{thin.n_draws:,} of {posterior.n_draws:,} draws were used: for that, means are off by "
        f"about {error:.1f}% of their sd, ends of 90% intervals by {END * error:.1f}%",
    )
