"""Recipe A or recipe B, at a scale that nobody has run: arms of one table, compared."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import interval_fault, seed_faults
from bayes_distill._input.progress import Progress
from bayes_distill._input.types import NUMBER, SOURCE, WHOLE, check_types
from bayes_distill.comparison.arms_card import FLOPS, arm_columns, arms_card, arms_of
from bayes_distill.comparison.arms_next_run import telling_run
from bayes_distill.comparison.arms_pairs import pair_of
from bayes_distill.comparison.arms_registered import arm_losses_of_runs, register_arms
from bayes_distill.comparison.arms_result import Arms
from bayes_distill.comparison.arms_table import points_of, table_of_arms
from bayes_distill.errors import Fault, InputError
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.predict.registered import register_faults, size_faults
from bayes_distill.predict.verdicts import fit_verdicts, law_notes
from bayes_distill.runs import Runs

REACH, STEPS = 1e4, 161
"""Factor of compute to either side within which multipliers and crossings are sought."""
TELLING = (0.001, 0.01, 0.1)
"""Compute of the runs that might change an answer, over that of the point."""
BY = "arms_by"
"""Where a fit says which column named the arms."""


def arms(
    runs: Runs | Posterior | pd.DataFrame | str | Path,
    by: str | None = None,
    at: Sequence[Mapping[str, Any]] | Mapping[str, Any] | Sequence[str] | str | None = None,
    *,
    across_validation_sets: bool = False,
    chains: int = 4,
    warmup: int = 1000,
    draws: int = 1000,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
    progress: Progress | None = None,
    register: str | Path | None = None,
) -> Arms:
    """Compare the arms of a table of runs at sizes and tokens that may lie outside it.

    One model of all arms is fitted: slopes are pooled, floors and levels are nearly separate, and
    what all arms share cancels (`comparison.arms_card`). Runs of two arms of one size, tokens and
    seed are pairs: they share their luck.

    Parameters
    ----------
    runs
        A table of supervised runs with a column that names the arm, or a fit of the arms of one.
    by
        Name of that column.
    at
        Where to compare: ``"params=7B,tokens=140B"``, a mapping of these, or a list of either.
    across_validation_sets
        Whether arms may be compared whose losses are of different validation sets, as a column of
        the table says (``validation_set`` and the like).
    chains, warmup, draws
        As for `fit`.
    interval
        Probability inside every interval.
    seed
        Seed of everything random.
    allow_failed
        Whether a fit that failed its checks may be used.
    progress
        Called with (phase, done, all) as sampling goes on.
    register
        A register that the answer is appended to, as in `forecast`: the loss of a run of each arm,
        and which of two is better.

    Raises
    ------
    InputError
        Naming every argument or cell at fault.
    FailedFitError
        If the fit failed its checks and that is not allowed.
    """
    check_types(
        runs=(runs, (Runs, Posterior, pd.DataFrame, *SOURCE)),
        interval=(interval, NUMBER),
        seed=(seed, WHOLE),
        register=(register, (*SOURCE, type(None))),
    )
    faults = seed_faults(seed) + register_faults(register)
    if (fault := interval_fault(interval)) is not None:
        faults.append(fault)
    points = points_of(at, faults)
    posterior = _posterior_of(runs, by, faults)
    if posterior is not None:
        faults += size_faults(register, len(points) * len(arms_of(posterior.card)))
        if faults:
            raise InputError(faults)
    if posterior is None:
        if isinstance(runs, Posterior):
            raise InputError(faults)
        from bayes_distill.inference.fit import fit

        table, names = table_of_arms(runs, by, across_validation_sets, faults)
        if faults := size_faults(register, len(points) * len(names)):
            raise InputError(faults)
        settings: dict[str, Any] = {"chains": chains, "warmup": warmup, "draws": draws}
        posterior = fit(
            table, arms_card(names, table.frame), seed=seed, progress=progress, **settings
        )
        posterior = replace(posterior, info={**posterior.info, BY: by})
    posterior = load_posterior(posterior, allow_failed=allow_failed)
    result, new_runs = _compared(posterior, points, interval, seed)
    if register is not None:
        asked = {"by": posterior.info.get(BY), "draws": posterior.n_draws}
        asked |= {"interval": interval, "seed": seed}
        register_arms(register, posterior, result.arms, result.table, new_runs, asked)
    return result


def _posterior_of(runs: Any, by: str | None, faults: list[Fault]) -> Posterior | None:
    """The fit of arms that is named in place of runs; ``None`` for a table."""
    if isinstance(runs, (str, Path)) and Path(runs).suffix == ".nc":
        runs = load_posterior(runs, allow_failed=True)
    if not isinstance(runs, Posterior):
        return None
    if not arms_of(runs.card):
        faults.append(Fault(f"{runs.card.name} is no fit of arms: give the table, and `by`"))
    if by is not None:
        faults.append(Fault("is for a table: a fit knows its arms", column="by"))
    return runs


def _compared(
    posterior: Posterior, points: np.ndarray, interval: float, seed: int
) -> tuple[Arms, np.ndarray]:
    """The answer, and losses of a run of each of its arms and points, (draws, rows)."""
    names = arms_of(posterior.card)
    columns = arm_columns(len(names))
    runs = posterior.tree["runs"].dataset if "runs" in posterior.tree.children else None
    tails = (1 - interval) / 2
    levels = [tails, 1 - tails]
    factors = np.geomspace(1 / REACH, REACH, STEPS)
    cheap = [int(np.abs(np.log(factors / share)).argmin()) for share in TELLING]
    pairs, of_arms, new_runs = [], [], []
    for place, (params, tokens) in enumerate(points):
        ray = params * np.sqrt(factors), tokens * np.sqrt(factors)
        curves = {}
        for column, arm in zip(columns, names, strict=True):
            inputs = {c: np.full(STEPS, float(c == column)) for c in columns}
            curves[arm] = posterior.supervised_loss(*ray, inputs=inputs)
            loss = curves[arm][:, STEPS // 2]
            lower, upper = np.quantile(loss, levels)
            count = np.nan if runs is None else float(runs[column].sum())
            of_arms.append((arm, count, params, tokens, loss.mean(), lower, upper))
        here = np.stack([curves[arm][:, STEPS // 2] for arm in names], axis=1)
        new_runs.append(arm_losses_of_runs(posterior, here, params, seed + place))
        for a, b in itertools.combinations(names, 2):
            gap = curves[a][:, STEPS // 2] - curves[b][:, STEPS // 2]
            losses = {arm: curves[arm][:, cheap] for arm in (a, b)}
            telling = telling_run(posterior, gap, losses, ray[0][cheap], ray[1][cheap])
            pairs.append(
                {
                    "a": a,
                    "b": b,
                    "params": params,
                    "tokens": tokens,
                    **pair_of(curves[a], curves[b], factors, FLOPS * params * tokens, levels),
                    **{f"telling_{name}": value for name, value in telling._asdict().items()},
                }
            )
    arms_table = pd.DataFrame(
        of_arms,
        columns=["name", "runs", "params", "tokens", "loss_mean", "loss_lower", "loss_upper"],
    )
    notes = (*posterior.warnings, *law_notes(posterior))
    answer = Arms(
        pd.DataFrame(pairs), arms_table, interval, notes, posterior, fit_verdicts(posterior)
    )
    return answer, np.hstack(new_runs)
