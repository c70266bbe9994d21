"""What loss a student will reach, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill._input.intervals import draws_faults, number, seed_faults
from bayes_distill._input.progress import Progress, steps
from bayes_distill._input.types import NUMBER, SOURCE, WHOLE, check_types
from bayes_distill._runtime.memory import return_freed_memory
from bayes_distill._runtime.threads import on_cores
from bayes_distill.errors import InputError, collected
from bayes_distill.laws import Law
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.effects import EFFECTS, RUN
from bayes_distill.predict.arguments import (
    check_repeats,
    check_teachers,
    load_beside,
    loaded_early,
    read_points,
)
from bayes_distill.predict.extrapolation import (
    extrapolation,
    extrapolation_notes,
    grounds,
    repeat_notes,
    rests_on,
    thinning_notes,
)
from bayes_distill.predict.points import (
    SIZES,
    Points,
    Quantity,
    input_columns_of,
    other_columns,
    with_levels,
)
from bayes_distill.predict.registered import register_answer, register_faults, size_faults
from bayes_distill.predict.results.columns import summary
from bayes_distill.predict.results.display import Result
from bayes_distill.predict.results.draws import Samples, points_of
from bayes_distill.predict.verdicts import UNKNOWN, fit_verdicts, law_notes
from bayes_distill.runs.inputs import NOT_READ

DRAWS = 4000  # by default; a note says what thinning to them costs
BLOCK = 2**21  # draws times points of one block: 16 MB an array
THREADS = 8  # blocks in parallel, where there are as many cores
TIDY = 16  # blocks after which freed memory is returned to the system
STORED = 2**24  # most draws times points that a result stores: 128 MB an array


@dataclass(frozen=True, eq=False, repr=False)
class Forecast(Result):
    """Losses of students.

    Parameters
    ----------
    table
        One row a point: the student and its teacher as stated (``params``, ``tokens``,
        ``teacher_loss``, ``teacher_params``, ``teacher_tokens``, ``unique_tokens``), then
        ``{quantity}_{mean|median|sd|lower|upper}`` of ``loss`` (the mean curve: a credible
        interval), ``new_run`` (the measured loss of one new run: a predictive interval),
        ``supervised`` (the same student without a teacher) and ``teacher_loss`` (NaN without a
        teacher); ``p_beats_supervised``, where each side has what a model says of its size; and how
        far the point lies outside the runs (``outside``,
        ``factor_params``, ``factor_tokens``, ``teacher_outside``, and ``untried`` where no run was
        of its kind), all among runs of its own kind, supervised or distilled; what it rests on
        (``rests_on_*``, and ``supervised_rests_on_*`` for the comparison, see
        `predict.extrapolation.grounds`). Losses are in the unit of the runs; all intervals are
        equal-tailed.
    samples
        What `draws` labels; ``None`` where it would be too much to store.
    interval
        Probability inside every interval.
    notes
        Sentences for people: points outside the runs, thinned draws.
    fit
        Verdicts on the fit, ``sampling`` and ``law``.
    other
        Names of the columns of `table` that are those of `at` besides the points.
    inputs
        Names of those that are inputs of the law (`Law.extra_inputs`).
    """

    table: pd.DataFrame
    samples: Samples | None
    interval: float
    notes: tuple[str, ...]
    fit: Mapping[str, str] = field(default_factory=lambda: UNKNOWN)
    other: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()

    @cached_property
    def draws(self) -> xr.Dataset:
        """``loss``, ``new_run``, ``supervised``, ``teacher_loss`` (sample, point).

        New runs of one teacher, and of one student size and number of tokens, share what a fit says
        that they share, so that differences of points have the spread of differences of runs. In
        the unit of the runs' loss. ``sample`` has the levels ``chain`` and ``draw``;
        `bayes_distill.by_chain` puts them apart for ArviZ.

        Raises
        ------
        InputError
            If there were too many draws and points to store more than their summaries.
        """
        if self.samples is None:
            raise InputError(
                f"the draws of {len(self.table):,} points were summarised block by block and not "
                f"stored: more than {STORED:,} draws times points. Ask for fewer of either"
            )
        return self.samples.dataset(points_of(self.table, SIZES))

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rows = []
        for r in self.table.to_dict("records"):
            rows.append(
                {
                    **{k: size(r[k]) for k in ("params", "tokens")},
                    "teacher_loss": number(r["teacher_loss_mean"]),
                    **{
                        k: number(r[k])
                        for k in ("teacher_params", "teacher_tokens", "unique_tokens")
                    },
                    "mean": r["loss_mean"],
                    "sd": r["loss_sd"],
                    "credible": {k: r[f"loss_{k}"] for k in ("lower", "upper")},
                    "predictive": {k: r[f"new_run_{k}"] for k in ("lower", "upper")},
                    "supervised": {k: r[f"supervised_{k}"] for k in ("mean", "lower", "upper")},
                    "p_beats_supervised": number(r["p_beats_supervised"]),
                    "extrapolation": {
                        k: r[k]
                        for k in (
                            "outside",
                            "factor_params",
                            "factor_tokens",
                            *(f"factor_{name}" for name in self.inputs if f"factor_{name}" in r),
                            "teacher_outside",
                        )
                    },
                    "rests_on": rests_on(r, distilled=bool(r["teacher_loss_mean"] > 0)),
                    **({"inputs": {k: r[k] for k in self.inputs}} if self.inputs else {}),
                    **({"other": {k: plain(r[k]) for k in self.other}} if self.other else {}),
                }
            )
        return {"interval": self.interval, "rows": rows, "fit": dict(self.fit)}


def forecast(
    posterior: Posterior | str | Path,
    params: Quantity | None = None,
    tokens: Quantity | None = None,
    *,
    teacher_loss: Quantity | None = None,
    teacher_params: Quantity | None = None,
    teacher_tokens: Quantity | None = None,
    unique_tokens: Quantity | None = None,
    inputs: Mapping[str, Quantity] | None = None,
    at: pd.DataFrame | str | Path | None = None,
    draws: int = DRAWS,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
    progress: Progress | None = None,
    register: str | Path | None = None,
) -> Forecast:
    """Forecast the loss of every combination of the values, or of every row of `at`.

    Points are evaluated in blocks, so that memory is bounded whatever their number.

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
    inputs
        Values, or lists of them, of the other columns that the law reads (`Law.extra_inputs`), by
        name. What is left out has its default, and is needed if it has none.
    at
        A table with these columns instead. ``teacher_loss_se`` is the standard error of a measured
        teacher's loss. Its other columns are kept behind those of the forecast.
    draws
        Most draws to use; more are thinned evenly, and a note says what that costs.
    interval
        Probability inside every interval.
    seed
        Seed of the observation noise of new runs and of the error of teachers' losses.
    allow_failed
        Whether a posterior whose fit failed its checks may be used.
    progress
        Called with (phase, blocks of points done, blocks in all).
    register
        A register that the answer is appended to, to be scored once the runs are done; see
        `bayes_distill.score`.

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
        register=(register, (*SOURCE, type(None))),
    )
    faults = seed_faults(seed) + register_faults(register)
    faults += draws_faults(draws)
    posterior = loaded_early(posterior)
    law = posterior.law if isinstance(posterior, Posterior) else None
    points = None
    with collected(faults):
        points = read_points(
            at,
            params,
            tokens,
            teacher_loss,
            teacher_params,
            teacher_tokens,
            interval,
            unique_tokens,
            inputs,
            law,
        )
    if points is not None:
        faults += size_faults(register, len(points))
    posterior = load_beside(faults, posterior, allow_failed)
    assert points is not None
    check_teachers(posterior, points)
    check_repeats(posterior, points)
    thin = posterior if posterior.n_draws <= draws else posterior.thin(draws)
    size = max(1, BLOCK // thin.n_draws)
    stored = thin.n_draws * len(points) <= STORED or register is not None
    rows = np.array_split(np.arange(len(points)), range(size, len(points), size))
    # over all points: those of one teacher or condition may be in several blocks
    groups = points.groups if any(f"{name}_sd" in thin.draws for name in EFFECTS) else {}

    step = steps(progress, "forecasting", len(rows))

    def evaluate(place: int) -> tuple[pd.DataFrame, _Block | None]:
        block = points.subset(rows[place])
        here = {name: group[rows[place]] for name, group in groups.items()}
        here |= {RUN: rows[place]} if groups else {}
        losses = _Block.of(thin, block, seed, place, here)
        table = _table(thin, block, losses, interval)
        if place % TIDY == TIDY - 1:
            return_freed_memory()
        step()
        return table, losses if stored else None

    first = evaluate(0)  # compiles what the others use
    others = on_cores(lambda place: evaluate(place + 1), len(rows) - 1, THREADS)
    evaluated = [first, *others]
    table = pd.concat([one for one, _ in evaluated], ignore_index=True)
    other: tuple[str, ...] = ()
    if at is not None:
        table, other = _with_other_columns(table, at, posterior.law)
    blocks = [block for _, block in evaluated if block is not None]
    notes = (
        *posterior.warnings,
        *law_notes(posterior),
        *extrapolation_notes(table),
        *repeat_notes(posterior, points),
        *thinning_notes(posterior, thin),
    )
    samples = None
    if stored:
        values = {
            name: parts[0] if len(parts) == 1 else np.hstack(parts)
            for name, parts in zip(_Block._fields, zip(*blocks, strict=True), strict=True)
        }
        samples = Samples(values, thin.chains)
        asked = {"draws": thin.n_draws, "interval": interval, "seed": seed}
        stated = table.assign(teacher_loss=table["teacher_loss_mean"])
        told = table[["p_beats_supervised"]].to_dict("records")
        register_answer(register, "forecast", posterior, stated, samples["new_run"], asked, told)
    table = with_levels(table, posterior.law)
    inputs_of_table = tuple(name for name in input_columns_of(posterior.law) if name in table)
    return Forecast(
        table, samples, interval, notes, fit_verdicts(posterior), other, inputs_of_table
    )


def _with_other_columns(
    table: pd.DataFrame, at: pd.DataFrame | str | Path, law: Law
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table with the other columns of `at` behind its own, and their names.

    Columns of the name of one of the forecast's are left out.
    """
    other = other_columns(at, law).reset_index(drop=True)
    other = other[[name for name in other if name not in table]]
    return table.join(other.convert_dtypes()), tuple(map(str, other))


def size(value: float) -> float | None:
    """Size or tokens for JSON; ``None`` where the law reads none."""
    return None if value == NOT_READ else number(value)


def plain(value: Any) -> Any:
    """A cell for JSON: a number, a truth value or text; ``None`` where there is none."""
    if (
        value is None
        or value is pd.NA
        or value == ""
        or (isinstance(value, float) and np.isnan(value))
    ):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, (bool, int, float, str)) else str(value)


class _Block(NamedTuple):
    """Draws (draws, points) of some of the points."""

    loss: np.ndarray
    new_run: np.ndarray
    supervised: np.ndarray
    teacher_loss: np.ndarray

    @classmethod
    def of(
        cls,
        posterior: Posterior,
        points: Points,
        seed: int,
        place: int,
        groups: dict[str, np.ndarray],
    ) -> _Block:
        distilled = points.distilled
        supervised = points.supervised_draws(posterior)
        teacher = points.teacher_draws(posterior, seed)
        loss = supervised.copy()
        if distilled.any():
            loss[:, distilled] = points.distilled_draws(posterior, teacher)
        generator = np.random.default_rng([seed, place] if place else seed)
        new_run = posterior.new_run(
            loss, distilled, generator, params=points.params, effects_seed=seed, **groups
        )
        return cls(loss, new_run, supervised, teacher)


def _table(posterior: Posterior, points: Points, losses: _Block, interval: float) -> pd.DataFrame:
    columns = points.columns()
    for quantity, draws in losses._asdict().items():
        columns |= summary(quantity, draws, interval)
    alone = posterior.of_its_size(losses.supervised, points.params)
    beats = (losses.loss < alone).mean(axis=0)
    columns["p_beats_supervised"] = np.where(points.distilled, beats, np.nan)
    teacher = columns["teacher_loss_mean"]
    table = pd.DataFrame(columns).join(extrapolation(posterior, points, teacher))
    told = grounds(posterior, points.params, points.tokens, teacher, points.distilled)
    return table.assign(**told)
