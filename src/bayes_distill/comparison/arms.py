"""Recipe A or recipe B, at a scale that nobody has run: arms of one table, compared."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import interval_fault, number, seed_faults
from bayes_distill._input.numbers import parse_quantity
from bayes_distill._input.progress import Progress
from bayes_distill._input.types import NUMBER, SOURCE, WHOLE, check_types
from bayes_distill.comparison.arms_card import arm_columns, arms_card, arms_of
from bayes_distill.comparison.arms_pairs import pair_of
from bayes_distill.comparison.arms_registered import arm_losses_of_runs, register_arms
from bayes_distill.errors import Fault, InputError
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.predict.registered import register_faults, size_faults
from bayes_distill.predict.results.display import Result
from bayes_distill.predict.verdicts import UNKNOWN, fit_verdicts, law_notes
from bayes_distill.runs import Runs
from bayes_distill.runs.cell_values import parse_labels
from bayes_distill.runs.column_names import plain_name
from bayes_distill.runs.reading import examine
from bayes_distill.runs.table import LABELS, kind_of

FLOP = 6.0  # a parameter and a token
REACH, STEPS = 1e4, 161
"""Factor of compute to either side within which multipliers and crossings are sought."""
LEAST_RUNS = 3
BY = "arms_by"
"""Where a fit says which column named the arms."""
SETS = {"validationset", "valset", "evalset", "validation", "valdata", "evaldata", "testset"}
"""Columns, plainly written, that say which validation set a loss is of."""


@dataclass(frozen=True, eq=False, repr=False)
class Arms(Result):
    """Arms compared at one or more points.

    Parameters
    ----------
    table
        One row a pair and point: ``a``, ``b``, ``params``, ``tokens``, ``p_a_better``, the gap
        ``gap_{mean|lower|upper}`` (loss of a less that of b, in the unit of the runs), the compute
        multiplier ``multiplier_{median|lower|upper}`` (how many times the compute of the point b
        needs to reach the loss of a there; infinite where it never does), and where the two cross
        at as many tokens per parameter, ``crossing_{median|lower|upper}`` (FLOPs) with
        ``p_no_crossing``.
    arms
        One row an arm and point: ``name``, ``runs``, ``params``, ``tokens`` and its loss,
        ``loss_{mean|lower|upper}``.
    interval
        Probability inside every interval.
    notes
        Sentences for people.
    fit
        Verdicts on the fit, ``sampling`` and ``law``.
    posterior
        The fit of all arms, for further questions.
    """

    table: pd.DataFrame
    arms: pd.DataFrame
    interval: float
    notes: tuple[str, ...]
    posterior: Posterior
    fit: Mapping[str, str] = field(default_factory=lambda: UNKNOWN)

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        pairs = [
            {
                "a": r["a"],
                "b": r["b"],
                "at": {k: r[k] for k in ("params", "tokens")},
                "p_a_better": r["p_a_better"],
                "gap": {k: r[f"gap_{k}"] for k in ("mean", "lower", "upper")},
                "compute_multiplier": {
                    k: number(r[f"multiplier_{k}"]) for k in ("median", "lower", "upper")
                },
                "crossing": {
                    "flops": {k: number(r[f"crossing_{k}"]) for k in ("median", "lower", "upper")},
                    "p_none": r["p_no_crossing"],
                },
            }
            for r in self.table.to_dict("records")
        ]
        arms = [
            {
                "name": r["name"],
                "runs": int(r["runs"]),
                "at": {k: r[k] for k in ("params", "tokens")},
                "loss": {k: r[f"loss_{k}"] for k in ("mean", "lower", "upper")},
            }
            for r in self.arms.to_dict("records")
        ]
        return {"interval": self.interval, "pairs": pairs, "arms": arms, "fit": dict(self.fit)}


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
    what all arms share cancels (`comparison.arms_card`).

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
    points = _points(at, faults)
    posterior = _posterior_of(runs, by, faults)
    if posterior is not None:
        faults += size_faults(register, len(points) * len(arms_of(posterior.card)))
        if faults:
            raise InputError(faults)
    if posterior is None:
        if isinstance(runs, Posterior):
            raise InputError(faults)
        from bayes_distill.inference.fit import fit

        table, names = _table(runs, by, across_validation_sets, faults)
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


def _points(at: Any, faults: list[Fault]) -> np.ndarray:
    """Sizes and tokens (points, 2) of the argument `at`."""
    if at is None:
        faults.append(Fault("is needed, such as params=7B,tokens=140B", column="at"))
        return np.ones((1, 2))
    listed = [at] if isinstance(at, (str, Mapping)) else list(at)
    found = []
    for each in listed:
        stated: Any = each
        if isinstance(each, str):
            parts = [part.partition("=") for part in each.split(",")]
            stated = {key.strip(): value.strip() for key, _, value in parts}
        strange = sorted(set(stated) - {"params", "tokens"})
        lacking = [name for name in ("params", "tokens") if name not in stated]
        if strange or lacking:
            faults.append(Fault(f"'{each}' is not params=SIZE,tokens=NUMBER", column="at"))
            continue
        try:
            pair = [float(parse_quantity(str(stated[n]))) for n in ("params", "tokens")]
        except ValueError as error:
            faults.append(Fault(str(error), column="at"))
            continue
        if not all(0 < value < np.inf for value in pair):
            faults.append(Fault(f"'{each}' has no positive numbers", column="at"))
            continue
        found.append(pair)
    return np.array(found or [[1.0, 1.0]])


def _table(
    source: Any, by: str | None, across: bool, faults: list[Fault]
) -> tuple[Runs, list[str]]:
    """Runs with a column for each arm, and the names of the arms."""
    if by is None:
        faults.append(Fault("is needed: the column that names the arm", column="by"))
        raise InputError(faults)
    if isinstance(source, Runs):
        frame, other, name = source.frame, pd.DataFrame(index=source.frame.index), source.source
    else:
        examined = examine(source)
        faults += examined.faults
        frame, other, name = examined.sound, examined.other, examined.source
    every = {plain_name(str(n)): other[n] for n in other}
    every |= {plain_name(n): frame[n] for n in (*LABELS, "teacher_loss") if n in frame}
    if plain_name(by) not in every and not faults:
        present = ", ".join(map(str, [*other, *(n for n in LABELS if n in frame)])) or "none"
        faults.append(Fault(f"there is no column {by} (there are {present})", column="by"))
    if faults:
        raise InputError(faults)
    if kind_of(frame) != "supervised":
        raise InputError(f"{name} has runs with a teacher: arms are compared among supervised runs")
    labels = pd.Series(parse_labels(every[plain_name(by)]), index=frame.index, dtype=object)
    counts = labels.value_counts()
    names = sorted(map(str, counts.index))
    if labels.isna().any():
        rows = labels.index[labels.isna()]
        faults += [Fault("is empty: every run needs its arm", int(row), by) for row in rows]
    if len(names) < 2:
        faults.append(Fault(f"{by} names {len(names)} arm: two are needed", column="by"))
    few = [f"{arm} ({counts[arm]})" for arm in names if counts[arm] < LEAST_RUNS]
    if few:
        faults.append(
            Fault(f"{', '.join(few)} have fewer than {LEAST_RUNS} runs each", column="by")
        )
    if not across:
        faults += _different_sets(labels, every)
    if faults:
        raise InputError(faults)
    own = frame.drop(columns=[n for n in LABELS if n in frame])
    for column, arm in zip(arm_columns(len(names)), names, strict=True):
        own[column] = (labels == arm).astype(float)
    inputs = tuple(arm_columns(len(names)))
    return Runs(own, name, inputs=inputs), names


def _different_sets(labels: pd.Series[Any], columns: Mapping[str, Any]) -> list[Fault]:
    """Refuse arms whose losses are of different validation sets."""
    for name in SETS & set(columns):
        sets = pd.Series(parse_labels(columns[name]), index=labels.index, dtype=object)
        of_arms = {frozenset(sets[labels == arm].dropna()) for arm in labels.dropna().unique()}
        if len(of_arms) > 1:
            said = (
                "arms have losses on different validation sets, which say nothing about each other"
            )
            return [Fault(f"{said}: compare one set, or say `across_validation_sets`", column=name)]
    return []


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
            pairs.append(
                {
                    "a": a,
                    "b": b,
                    "params": params,
                    "tokens": tokens,
                    **pair_of(curves[a], curves[b], factors, FLOP * params * tokens, levels),
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
