"""IsoFLOP profiles: loss over student size at a fixed budget, and the best size of each budget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import equal_tailed
from bayes_distill.compute import FLOPS, TRAINING_PASSES, ForwardFlops
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.posterior.stored_runs import runs_of
from bayes_distill.predict import points
from bayes_distill.predict.arguments import check_reads_sizes, interval_faults
from bayes_distill.predict.extrapolation import extrapolation
from bayes_distill.predict.points import Points, Quantity, quantities
from bayes_distill.predict.ranges import log_range

SIZES = 121
DRAWS = 1000
TOKENS_PER_PARAM = (0.3, 1000.0)  # at the two ends of the default range of sizes
NEAR = 0.1  # of a budget: runs this close are shown with its profile
# of the teacher's loss: measured losses are hardly ever equal to what is typed
SAME_TEACHER = 0.005


@dataclass(frozen=True, eq=False)
class IsoFlop:
    """Profiles of loss over student size.

    Parameters
    ----------
    table
        One row a budget and size: ``budget, params, tokens, loss_mean, loss_lower, loss_upper`` and
        ``extrapolated``, whether the student lies outside the runs. The interval is credible and
        equal-tailed.
    optima
        One row a budget: ``params_median, params_lower, params_upper`` of the best size of each
        draw within the range, ``loss`` of the mean curve at the median, ``p_at_end`` the share of
        draws whose best is an end of the range.
    runs
        Runs within a tenth of a budget (and, with a teacher, within 0.5% of its loss): ``budget,
        params, tokens, loss``.
    teacher_loss
        The teacher's loss; ``None`` for supervised training.
    interval
        Probability inside every interval.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    optima: pd.DataFrame
    runs: pd.DataFrame
    teacher_loss: float | None
    interval: float
    notes: tuple[str, ...]


def isoflop(
    posterior: Posterior | str | Path,
    budget: Quantity | None = None,
    *,
    params: Quantity | None = None,
    teacher_loss: Quantity | None = None,
    flops: str | ForwardFlops = "eq69",
    interval: float = 0.9,
    draws: int = DRAWS,
    allow_failed: bool = False,
) -> IsoFlop:
    """Loss over student size when all of a budget goes to the student's training.

    A distilled student has the discrepancies that unlike sizes share; what is particular to each of
    the sizes that were run is left out, and so the curve is that of sizes in general: it differs
    there from `forecast`, which is about one size.

    Parameters
    ----------
    posterior, interval, draws, allow_failed
        As in `forecast`.
    budget
        Budgets C in FLOPs; the student has D = C / 3 F(N) tokens (eq. 9 without a teacher to pay).
    params
        The two ends of the range of sizes; by default from 1000 tokens a parameter to 0.3.
    teacher_loss
        A free teacher's loss; without it, the profiles are of supervised training.
    flops
        ``eq69``, ``6nd``, or an object with ``forward_flops``.

    Raises
    ------
    InputError
        Naming every argument at fault.
    """
    faults = interval_faults(interval)
    budgets = np.unique(_positive("budget", budget, faults))
    if isinstance(flops, str) and flops not in FLOPS:
        faults.append(Fault(f"{flops!r} is not known: write {' or '.join(FLOPS)}", column="flops"))
    teacher = None if teacher_loss is None else _one_loss(teacher_loss, faults)
    if params is not None:
        with collected(faults):
            log_range("params", params, (1.0, 1.0), SIZES)
    if faults:
        raise InputError(faults)
    count = FLOPS[flops] if isinstance(flops, str) else flops
    loaded = load_posterior(posterior, allow_failed=allow_failed)
    check_reads_sizes(loaded, "an IsoFLOP profile")
    if teacher is not None and not loaded.law.has_teacher:
        raise InputError(
            Fault(
                f"the {loaded.card.name} posterior is of a law without teachers: leave it out",
                column="teacher_loss",
            )
        )
    thin = loaded.thin(draws)
    tables, optima = [], []
    for each in budgets:
        sizes = log_range("params", params, _default_sizes(each, count), SIZES)
        tokens = each / (TRAINING_PASSES * np.asarray(count.forward_flops(sizes)))
        table, best = _profile(thin, each, sizes, tokens, teacher, interval)
        tables.append(table)
        optima.append(best)
    return IsoFlop(
        pd.concat(tables, ignore_index=True),
        pd.DataFrame(optima),
        _runs_near(runs_of(loaded), budgets, teacher, count),
        teacher,
        interval,
        (*loaded.warnings, *_left_out(loaded, teacher)),
    )


def _left_out(posterior: Posterior, teacher: float | None) -> list[str]:
    """What the curves do without, in a sentence."""
    if teacher is None or not any(each.of_own_size for each in posterior.discrepancies.values()):
        return []
    return [
        "profiles are of sizes in general: the discrepancies that belong to single sizes of the "
        "runs are left out"
    ]


def _positive(name: str, value: Quantity | None, faults: list[Fault]) -> list[float]:
    if value is None:
        faults.append(Fault("is needed", column=name))
        return []
    try:
        numbers = quantities(value)
    except ValueError as error:
        faults.append(Fault(str(error), column=name))
        return []
    faults.extend(
        Fault(f"{number:g} is not a positive number", column=name)
        for number in numbers
        if not 0 < number < np.inf
    )
    return numbers


def _one_loss(teacher_loss: Quantity, faults: list[Fault]) -> float | None:
    try:
        losses = points.grid(1e9, 1e9, teacher_loss).teacher_loss
    except InputError as error:
        faults += error.faults
        return None
    if losses.size > 1:
        faults.append(Fault("name one: all profiles share a teacher", column="teacher_loss"))
    return float(losses[0])


def _default_sizes(budget: float, flops: ForwardFlops) -> tuple[float, float]:
    """Sizes that a budget trains on 1000 and on 0.3 tokens a parameter."""
    sizes = np.geomspace(1e4, 1e16, 2401)
    ratio = budget / (TRAINING_PASSES * np.asarray(flops.forward_flops(sizes))) / sizes
    low, high = (
        float(sizes[np.abs(np.log(ratio / wanted)).argmin()]) for wanted in TOKENS_PER_PARAM[::-1]
    )
    return low, high


def _profile(
    posterior: Posterior,
    budget: float,
    sizes: np.ndarray,
    tokens: np.ndarray,
    teacher: float | None,
    interval: float,
) -> tuple[pd.DataFrame, dict[str, float]]:
    none = np.full(sizes.size, np.nan)
    teachers = none if teacher is None else np.full(sizes.size, teacher)
    if teacher is None:
        loss = posterior.supervised_loss(sizes, tokens)
    else:
        loss = posterior.distilled_loss(sizes, tokens, teachers, conditions="smooth")
    lower, upper = equal_tailed(loss, interval)
    where = extrapolation(posterior, Points(sizes, tokens, teachers, none, none), teachers)
    mean = loss.mean(axis=0)
    table = pd.DataFrame(
        {
            "budget": budget,
            "params": sizes,
            "tokens": tokens,
            "loss_mean": mean,
            "loss_lower": lower,
            "loss_upper": upper,
            "extrapolated": where["outside"],
        }
    )
    place = loss.argmin(axis=1)
    best = _vertex(np.log(sizes), loss, place)
    low, middle, high = np.exp(np.quantile(best, [(1 - interval) / 2, 0.5, (1 + interval) / 2]))
    return table, {
        "budget": budget,
        "params_median": middle,
        "params_lower": low,
        "params_upper": high,
        "loss": float(np.interp(np.log(middle), np.log(sizes), mean)),
        "p_at_end": float(np.mean((place == 0) | (place == sizes.size - 1))),
    }


def _vertex(x: np.ndarray, loss: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Minimum of the parabola through each draw's least point and its neighbours, (draws,)."""
    middle = np.clip(place, 1, x.size - 2)
    rows = np.arange(len(loss))
    left, here, right = (loss[rows, middle + k] for k in (-1, 0, 1))
    bend = left - 2 * here + right
    step = x[1] - x[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(bend > 0, 0.5 * (left - right) / bend, 0.0)
    minimum: np.ndarray = x[middle] + step * np.clip(shift, -1, 1)
    ends = (place == 0) | (place == x.size - 1)
    return np.where(ends, x[place], minimum)


def _runs_near(
    runs: pd.DataFrame | None, budgets: np.ndarray, teacher: float | None, flops: ForwardFlops
) -> pd.DataFrame:
    """Runs that lie near a budget and had this teacher, or none."""
    empty = pd.DataFrame(columns=["budget", "params", "tokens", "loss"], dtype=float)
    if runs is None:
        return empty
    losses = runs.get("teacher_loss", pd.Series(np.nan, runs.index))
    if teacher is None:
        runs = runs[losses.isna()]
    else:
        runs = runs[(losses - teacher).abs() <= SAME_TEACHER * teacher]
    if runs.empty:
        return empty
    sizes = runs["params"].to_numpy(float)
    spent = (
        TRAINING_PASSES * np.asarray(flops.forward_flops(sizes)) * runs["tokens"].to_numpy(float)
    )
    off = np.abs(np.log(spent[:, None] / budgets))
    place = off.argmin(axis=1)
    close = off[np.arange(len(runs)), place] <= np.log1p(NEAR)
    near: pd.DataFrame = runs.loc[close, ["params", "tokens", "loss"]].reset_index(drop=True)
    near.insert(0, "budget", budgets[place[close]])
    return near
