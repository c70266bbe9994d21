"""What loss a student will reach, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill import points as asked
from bayes_distill.argument_types import NUMBER, SOURCE, WHOLE, check_types
from bayes_distill.bands import equal_tailed, interval_fault, mean_of, number
from bayes_distill.errors import Fault, InputError
from bayes_distill.points import Points, Quantity
from bayes_distill.posterior import Posterior, load_posterior


@dataclass(frozen=True)
class Forecast:
    """Losses of students.

    Parameters
    ----------
    table
        One row a point, for people. ``credible_*`` bound the mean curve, ``predictive_*`` a
        single new run; both are equal-tailed at `interval`.
    draws
        ``loss``, ``new_run``, ``supervised_loss``, ``teacher_loss`` (sample, point), in the unit of
        the runs' loss.
    interval
        Probability inside every band.
    notes
        Sentences about points outside the runs, for people.
    """

    table: pd.DataFrame
    draws: xr.Dataset
    interval: float
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rows = []
        for r in self.table.to_dict("records"):
            rows.append(
                {
                    **{k: number(r[k]) for k in ("params", "tokens", "teacher_loss")},
                    **{
                        k: number(r[k])
                        for k in ("teacher_params", "teacher_tokens", "unique_tokens")
                    },
                    "mean": r["mean"],
                    "sd": r["sd"],
                    "credible": {"lower": r["credible_lower"], "upper": r["credible_upper"]},
                    "predictive": {"lower": r["predictive_lower"], "upper": r["predictive_upper"]},
                    "supervised": {k: r[f"supervised_{k}"] for k in ("mean", "lower", "upper")},
                    "p_beats_supervised": number(r["p_beats_supervised"]),
                    "extrapolation": {
                        k: r[k]
                        for k in ("outside", "factor_params", "factor_tokens", "teacher_outside")
                    },
                }
            )
        return {"interval": self.interval, "rows": rows}


def forecast(
    posterior: Posterior | str | Path,
    params: Quantity | None = None,
    tokens: Quantity | None = None,
    *,
    teacher_loss: Quantity | None = None,
    teacher_params: Quantity | None = None,
    teacher_tokens: Quantity | None = None,
    unique_tokens: Quantity | None = None,
    at: pd.DataFrame | str | Path | None = None,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
) -> Forecast:
    """Forecast the loss of every combination of the values given, or of every row of `at`.

    Parameters
    ----------
    posterior
        A `Posterior`, a file written by `fit`, or the name of a card that ships with one.
    params, tokens
        Student size and training tokens: numbers, text such as ``"1B,3B"``, or sequences.
    teacher_loss
        Loss of the teacher, in the unit of the runs. Without any teacher the forecast is of
        supervised training.
    teacher_params, teacher_tokens
        A teacher by size and data instead; its loss comes from the supervised law, with its
        uncertainty.
    unique_tokens
        How many different tokens there are: a student that trains on more sees some more than
        once. By default all are different. For a law that knows of repeats.
    at
        A table with these columns instead. With ``teacher_loss_se`` a teacher's loss is uncertain
        by that standard error.
    interval
        Probability inside every band.
    seed
        Seed of the scatter of new runs and of the error of teachers' losses.
    allow_failed
        Whether a posterior whose fit failed its checks may be used.

    Raises
    ------
    InputError
        Naming every argument or cell at fault.
    FailedFitError
        If the fit failed its checks and that is not allowed.
    TypeError
        Naming every argument of a wrong type.
    """
    check_types(
        posterior=(posterior, (Posterior, *SOURCE)),
        at=(at, (pd.DataFrame, *SOURCE, type(None))),
        interval=(interval, NUMBER),
        seed=(seed, WHOLE),
    )
    faults: list[Fault] = []
    points = None
    try:
        points = read_points(
            at, params, tokens, teacher_loss, teacher_params, teacher_tokens, interval,
            unique_tokens,
        )  # fmt: skip
    except InputError as error:
        faults += error.faults
    posterior = load_beside(faults, posterior, allow_failed)
    assert points is not None
    check_teachers(posterior, points)
    check_repeats(posterior, points)
    distilled = points.distilled
    supervised = points.alone_draws(posterior)
    teacher = points.teacher_draws(posterior, seed)
    loss = supervised.copy()
    if distilled.any():
        loss[:, distilled] = posterior.distilled_loss(
            points.params[distilled], points.tokens[distilled], teacher[:, distilled]
        )
    new_run = posterior.new_run(loss, distilled, np.random.default_rng(seed))
    table = _table(posterior, points, loss, new_run, supervised, teacher, interval)
    dims = ("sample", "point")
    draws = xr.Dataset(
        {
            "loss": (dims, loss),
            "new_run": (dims, new_run),
            "supervised_loss": (dims, supervised),
            "teacher_loss": (dims, teacher),
        },
        coords={
            "params": ("point", points.params),
            "tokens": ("point", points.tokens),
        },
    )
    notes = (
        *posterior.warnings, *extrapolation_notes(table), *repeat_notes(posterior, points),
    )  # fmt: skip
    return Forecast(table, draws, interval, notes)


def read_points(
    at: pd.DataFrame | str | Path | None,
    params: Quantity | None,
    tokens: Quantity | None,
    teacher_loss: Quantity | None,
    teacher_params: Quantity | None,
    teacher_tokens: Quantity | None,
    interval: float,
    unique_tokens: Quantity | None = None,
) -> Points:
    """Points of a call, with the faults of all its arguments in one error."""
    faults = [f for f in [interval_fault(interval)] if f is not None]
    points = None
    try:
        if at is None:
            points = asked.grid(
                params, tokens, teacher_loss, teacher_params, teacher_tokens, unique_tokens
            )
        else:
            points = asked.from_table(at)
    except InputError as error:
        faults = [*error.faults, *faults]
    given = (params, tokens, teacher_loss, teacher_params, teacher_tokens, unique_tokens)
    if at is not None and any(value is not None for value in given):
        faults.append(Fault("give either a table or single values, not both", column="at"))
    if faults or points is None:
        raise InputError(faults)
    return points


def load_beside(
    faults: list[Fault], source: Posterior | str | Path, allow_failed: bool
) -> Posterior:
    """Load a posterior; what is wrong with it is raised together with the other faults of a call.

    Raises
    ------
    InputError
        If there are faults, of either sort.
    FailedFitError
        If there are none and the fit failed its checks.
    """
    try:
        # a call that is at fault anyway hears of that first
        posterior = load_posterior(source, allow_failed=allow_failed or bool(faults))
    except InputError as error:
        raise InputError([*error.faults, *faults]) from None
    if faults:
        raise InputError(faults)
    return posterior


def check_teachers(posterior: Posterior, points: Points) -> None:
    """Refuse teachers where the law knows none."""
    if points.distilled.any() and not posterior.law.has_teacher:
        raise InputError(
            Fault(
                f"the {posterior.card.name} posterior is of a supervised law and says nothing "
                "about teachers: leave the teacher out, or use a distillation fit",
                column="teacher_loss",
            )
        )


def check_repeats(posterior: Posterior, points: Points) -> None:
    """Refuse repeated tokens where the law takes them for new ones."""
    if points.repeated.any() and not posterior.law.knows_repeats:
        raise InputError(
            Fault(
                f"the {posterior.card.name} posterior is of the law {posterior.law.name}, which "
                "takes repeated tokens for new ones: leave it out, or fit the card data-limited",
                column="unique_tokens",
            )
        )


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
        f"{epochs.max():.3g} times) than any run did ({seen:.3g}): what repeats are worth there "
        "rests on the law, and this law knows of no harm from many epochs",
    )


def extrapolation(posterior: Posterior, points: Points, teacher_loss: np.ndarray) -> pd.DataFrame:
    """How far each point lies outside the runs: factors beyond their hull, 1 inside."""
    hull = posterior.hull
    n = len(points)
    factors = np.ones((n, 2))
    teacher_outside = np.zeros(n, bool)
    if hull is not None:
        factors = np.array(
            [hull.factors(n_, d) for n_, d in zip(points.params, points.tokens, strict=True)]
        ).reshape(n, 2)
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
    """Say by how much something lies outside the runs, leaving out what does not."""
    beyond = [f"{factor:.3g} in {name}" for name, factor in most.items() if factor > 1]
    return f"by a factor of up to {' and '.join(beyond)}"


def extrapolation_notes(table: pd.DataFrame) -> tuple[str, ...]:
    """One sentence each for points outside the runs' sizes and outside their teachers."""
    notes = []
    beyond = table[(table["factor_params"] > 1) | (table["factor_tokens"] > 1)]
    if len(beyond):
        most = {name: float(beyond[f"factor_{name}"].max()) for name in ("params", "tokens")}
        notes.append(
            f"{len(beyond)} of {len(table)} points lie outside the runs, {by_factors(most)}: the "
            "bands there rest on the law being right"
        )
    teachers = int(table["teacher_outside"].sum())
    if teachers:
        notes.append(
            f"{teachers} of {len(table)} points have a teacher better or worse than any in the runs"
        )
    return tuple(notes)


def _table(
    posterior: Posterior,
    points: Points,
    loss: np.ndarray,
    new_run: np.ndarray,
    supervised: np.ndarray,
    teacher: np.ndarray,
    interval: float,
) -> pd.DataFrame:
    credible, predictive = equal_tailed(loss, interval), equal_tailed(new_run, interval)
    plain = equal_tailed(supervised, interval)
    teacher_mean = mean_of(teacher)
    beats = np.where(points.distilled, (loss < supervised).mean(axis=0), np.nan)
    table = pd.DataFrame(
        {
            "params": points.params,
            "tokens": points.tokens,
            "teacher_loss": teacher_mean,
            "teacher_params": points.teacher_params,
            "teacher_tokens": points.teacher_tokens,
            "unique_tokens": np.where(points.repeated, points.unique_tokens, points.tokens)
            if points.unique_tokens is not None
            else points.tokens,
            "mean": loss.mean(axis=0),
            "sd": loss.std(axis=0),
            "credible_lower": credible[0],
            "credible_upper": credible[1],
            "predictive_lower": predictive[0],
            "predictive_upper": predictive[1],
            "supervised_mean": supervised.mean(axis=0),
            "supervised_lower": plain[0],
            "supervised_upper": plain[1],
            "p_beats_supervised": beats,
        }
    )
    return table.join(extrapolation(posterior, points, teacher_mean))
