"""What loss a student will reach, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill._input.intervals import equal_tailed, mean_of, number
from bayes_distill._input.types import NUMBER, SOURCE, WHOLE, check_types
from bayes_distill._runtime.memory import give_back
from bayes_distill._runtime.threads import on_cores
from bayes_distill.errors import Fault, InputError
from bayes_distill.posterior import Posterior
from bayes_distill.predict.arguments import check_repeats, check_teachers, load_beside, read_points
from bayes_distill.predict.dataset import as_dataset
from bayes_distill.predict.extrapolation import (
    extrapolation,
    extrapolation_notes,
    repeat_notes,
    thinning_notes,
)
from bayes_distill.predict.points import Points, Quantity

DRAWS = 4000  # by default: what thinning to them costs is said where it is done
BLOCK = 2**21  # draws times points at once: 16 MB an array
THREADS = 8  # blocks at once, where there are as many cores
TIDY = 16  # blocks after which freed memory is given back
KEPT = 2**24  # draws times points that are kept: 128 MB an array


@dataclass(frozen=True)
class Forecast:
    """Losses of students.

    Parameters
    ----------
    table
        One row a point, for people. ``credible_*`` bound the mean curve, ``predictive_*`` a
        single new run; both are equal-tailed at `interval`.
    kept
        Arrays (draws, points) that `draws` labels; ``None`` where they would be too much to keep.
    interval
        Probability inside every band.
    notes
        Sentences about points outside the runs, for people.
    """

    table: pd.DataFrame
    kept: Mapping[str, np.ndarray] | None
    interval: float
    notes: tuple[str, ...]

    @cached_property
    def draws(self) -> xr.Dataset:
        """``loss``, ``new_run``, ``supervised_loss``, ``teacher_loss`` (sample, point).

        In the unit of the runs' loss.

        Raises
        ------
        InputError
            If there were too many draws and points to keep more than their summaries.
        """
        if self.kept is None:
            raise InputError(
                f"the draws of {len(self.table):,} points were summarised as they came and not "
                f"kept: more than {KEPT:,} draws times points. Ask for fewer of either"
            )
        return as_dataset(self.kept, self.table)

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
    draws: int = DRAWS,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
) -> Forecast:
    """Forecast the loss of every combination of the values given, or of every row of `at`.

    Points are taken in blocks, so that memory is bounded whatever is asked.

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
    draws
        Most draws to use; more are thinned evenly, and a note says what that costs.
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
        draws=(draws, WHOLE),
    )
    faults: list[Fault] = [] if draws > 0 else [Fault("must be at least 1", column="draws")]
    points = None
    try:
        points = read_points(
            at,
            params,
            tokens,
            teacher_loss,
            teacher_params,
            teacher_tokens,
            interval,
            unique_tokens,
        )
    except InputError as error:
        faults += error.faults
    posterior = load_beside(faults, posterior, allow_failed)
    assert points is not None
    check_teachers(posterior, points)
    check_repeats(posterior, points)
    thin = posterior if posterior.n_draws <= draws else posterior.thin(draws)
    size = max(1, BLOCK // thin.n_draws)
    keep = thin.n_draws * len(points) <= KEPT
    rows = np.array_split(np.arange(len(points)), range(size, len(points), size))

    def answer(place: int) -> tuple[pd.DataFrame, _Block | None]:
        block = points.kept(rows[place])
        found = _Block.of(thin, block, seed, place)
        table = _table(thin, block, found, interval)
        if place % TIDY == TIDY - 1:
            give_back()
        return table, found if keep else None

    first = answer(0)  # compiles what the others use
    others = on_cores(lambda place: answer(place + 1), len(rows) - 1, THREADS)
    answers = [first, *others]
    table = pd.concat([one for one, _ in answers], ignore_index=True)
    blocks = [block for _, block in answers if block is not None]
    notes = (
        *posterior.warnings,
        *extrapolation_notes(table),
        *repeat_notes(posterior, points),
        *thinning_notes(posterior, thin),
    )
    whole = None
    if keep:
        whole = {
            name: parts[0] if len(parts) == 1 else np.hstack(parts)
            for name, parts in zip(_Block._fields, zip(*blocks, strict=True), strict=True)
        }
    return Forecast(table, whole, interval, notes)


class _Block(NamedTuple):
    """Draws (draws, points) of some of the points."""

    loss: np.ndarray
    new_run: np.ndarray
    supervised_loss: np.ndarray
    teacher_loss: np.ndarray

    @classmethod
    def of(cls, posterior: Posterior, points: Points, seed: int, place: int) -> _Block:
        distilled = points.distilled
        supervised = points.alone_draws(posterior)
        teacher = points.teacher_draws(posterior, seed)
        loss = supervised.copy()
        if distilled.any():
            loss[:, distilled] = posterior.distilled_loss(
                points.params[distilled], points.tokens[distilled], teacher[:, distilled]
            )
        generator = np.random.default_rng([seed, place] if place else seed)
        return cls(loss, posterior.new_run(loss, distilled, generator), supervised, teacher)


def _table(
    posterior: Posterior,
    points: Points,
    found: _Block,
    interval: float,
) -> pd.DataFrame:
    loss, new_run, supervised, teacher = found
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
