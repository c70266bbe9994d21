"""Notes on a result: points outside the runs, thinned draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import number
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.hull import TOLERANCE, Place
from bayes_distill.predict.points import Points

FEW_DRAWS = 50
FEW_DRAWS_NOTE = "so few draws make intervals too narrow: ask for 200 or more with `draws`"
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


def extrapolation(
    posterior: Posterior,
    points: Points,
    teacher_loss: np.ndarray,
    *,
    distilled: np.ndarray | None = None,
) -> pd.DataFrame:
    """How far each point lies outside the runs of its kind: factors beyond their hull, 1 inside.

    `distilled` (points,) says which are by a teacher; by default those that state one. ``untried``
    are those of whose kind there was no run, with their factors from runs of the other kind.
    Inputs of the law have factors too, beyond the range of the runs (``factor_{name}``).
    """
    taught = points.distilled if distilled is None else distilled
    where = place_of(posterior, points.params, points.tokens, teacher_loss, taught)
    of_inputs = input_factors(posterior, points)
    beyond = [factor > 1 for factor in of_inputs.values()]
    return pd.DataFrame(
        {
            "outside": np.any([where.outside, *beyond], axis=0),
            "factor_params": where.factors[:, 0],
            "factor_tokens": where.factors[:, 1],
            **{f"factor_{name}": factor for name, factor in of_inputs.items()},
            "teacher_outside": where.teacher_outside,
            "untried": where.untried,
        }
    )


def input_factors(posterior: Posterior, points: Points) -> dict[str, np.ndarray]:
    """How far the inputs of points lie beyond the range of the runs, (points,) each, by name.

    Of positive inputs it is a factor, of others 1 and the distance in widths of the range. Of a
    column of names there is none: its levels are those of the runs.
    """
    found = {}
    of_levels = {each.name for each in posterior.law.inputs if each.level_of}
    for name, (low, high) in posterior.info.get("input_ranges", {}).items():
        if points.inputs is None or name not in points.inputs or name in of_levels:
            continue
        value = np.asarray(points.inputs[name], float)
        if low > 0:
            factor = np.maximum(value / high, low / np.maximum(value, 1e-300))
        else:
            width = max(high - low, 1e-300)
            factor = 1 + np.maximum(value - high, low - value) / width
        found[name] = np.where(factor > 1 + TOLERANCE, factor, 1.0)
    return found


def place_of(
    posterior: Posterior,
    params: np.ndarray,
    tokens: np.ndarray,
    teacher_loss: np.ndarray,
    distilled: np.ndarray,
) -> Place:
    """Where students (points,) lie among the runs of their kind; inside, where there are none."""
    hulls = posterior.hulls
    if hulls is None:
        nowhere = np.zeros(len(params), bool)
        return Place(np.ones((len(params), 2)), nowhere, nowhere, np.zeros(len(params)))
    return hulls.where(params, tokens, teacher_loss, distilled)


def grounds(
    posterior: Posterior,
    params: np.ndarray,
    tokens: np.ndarray,
    teacher_loss: np.ndarray,
    distilled: np.ndarray,
    *,
    supervised: tuple[np.ndarray, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """What the losses of students (points,) rest on, as columns (points,) of a table.

    ``rests_on_runs`` is how many runs were of the student's kind (NaN where that was not stored),
    ``rests_on_teachers`` how many of them were known as teachers alone,
    ``rests_on_prior`` whether there were none, ``rests_on_factor`` how many times beyond them it
    lies, in size or tokens, 1 inside. ``supervised_rests_on_*`` is the same for supervised training
    of its size on as many tokens, or of the sizes and tokens `supervised`.
    """
    size, fresh = (params, tokens) if supervised is None else supervised
    alone = np.zeros(len(params), bool)
    places = {
        "": place_of(posterior, params, tokens, teacher_loss, distilled),
        "supervised_": place_of(posterior, size, fresh, np.full(len(params), np.nan), alone),
    }
    no_runs = posterior.hulls is None
    teachers = float(posterior.info.get("teachers_as_runs", 0))
    known = {"": np.where(distilled, 0.0, teachers), "supervised_": np.full(len(params), teachers)}
    columns = {}
    for kind, place in places.items():
        columns[f"{kind}rests_on_runs"] = place.runs
        columns[f"{kind}rests_on_teachers"] = known[kind]
        columns[f"{kind}rests_on_prior"] = place.untried | no_runs
        columns[f"{kind}rests_on_factor"] = place.factors.max(axis=1)
    return columns


def rests_on(row: Mapping[Any, Any], *, distilled: bool) -> dict[str, Any]:
    """Plain data of the columns of `grounds`; a distilled student's comparison has two sides."""
    told = _grounds_of(row, "")
    return told | {"supervised": _grounds_of(row, "supervised_")} if distilled else told


def _grounds_of(row: Mapping[Any, Any], kind: str) -> dict[str, Any]:
    runs, teachers, prior, factor = (
        row[f"{kind}rests_on_{name}"] for name in ("runs", "teachers", "prior", "factor")
    )
    return {
        "runs": int(runs) if np.isfinite(runs) else None,
        "teachers": int(teachers) if np.isfinite(teachers) else None,
        "prior": bool(prior),
        "extrapolation": number(factor),
    }


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
    of_runs = ("factor_params", "factor_tokens")
    for column in (n for n in table if str(n).startswith("factor_") and n not in of_runs):
        if (count := int((table[column] > 1).sum())) > 0:
            notes.append(
                f"{count} of {len(table)} points lie outside the runs in "
                f"{str(column).removeprefix('factor_')}, by a factor of up to "
                f"{table[column].max():.3g}: the intervals there rest on the law being right"
            )
    untried = int(table["untried"].sum())
    if untried:
        notes.append(
            f"{untried} of {len(table)} points are of a kind of which there was no run (supervised "
            "or distilled): they rest on the prior and the law"
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
    few = (FEW_DRAWS_NOTE,) if thin.n_draws < FEW_DRAWS else ()
    return (
        f"{thin.n_draws:,} of {posterior.n_draws:,} draws were used: for that, means are off by "
        f"about {error:.1f}% of their sd, ends of 90% intervals by {END * error:.1f}%",
        *few,
    )
