"""Which single additional run is expected to narrow the targets most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import draws_faults, mean_of, number, seed_faults
from bayes_distill._input.progress import Progress, steps
from bayes_distill.compute import (
    FLOPS,
    SCENARIOS,
    Device,
    Hardware,
    parse_flops,
    read_hardware,
    total_flops,
)
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.identification.candidates import Candidates, candidate_grid, read_candidates
from bayes_distill.identification.gain import HIGH_K, linear_gain, reweighted_gain
from bayes_distill.identification.targets import Targets, named, read_target, targets_of
from bayes_distill.likelihoods import Likelihood
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.shipped import no_runs
from bayes_distill.predict.arguments import check_repeats, check_teachers, load_beside
from bayes_distill.predict.extrapolation import extrapolation, thinning_notes
from bayes_distill.predict.forecast import DRAWS
from bayes_distill.predict.points import Points, Quantity
from bayes_distill.predict.results.display import Result

LEAST_DRAWS = 25  # a Pareto tail of fewer cannot be fitted
REFINED = 12  # candidates whose information gain is refined by reweighting
UNRELIABLE = 0.1  # share of outcomes with a high Pareto k, above which a gain is called rough
NEARLY = 0.8  # of the best gain: what the cheap alternative must reach
JSON_NAMES = {
    "information_gain": "gain",
    "linear_information_gain": "linear_gain",
    "refined_information_gain": "refined_gain",
    "information_gain_error": "error",
}
"""Columns of the table that JSON has under earlier names."""
COSTED = ("params", "tokens", "teacher_loss", "teacher_params", "teacher_tokens", "flops")


@dataclass(frozen=True, eq=False, repr=False)
class NextRun(Result):
    """Candidates for one more run, best first.

    Parameters
    ----------
    table
        One row a candidate: ``name``, ``params``, ``tokens``, ``teacher_loss``, ``flops`` of the
        student's training; ``information_gain``, the expected share of the targets' variance that
        the run removes (the mean over targets: refined where that was computed, else linear), with
        ``linear_information_gain``, ``refined_information_gain`` and its Monte Carlo error
        ``information_gain_error``; ``reliable``, ``outside`` the runs, ``recommended`` (``best``,
        ``cheap``, which gains at least 80% as much for the least compute, or empty).
    by_target
        Information gain for each target, (candidates, targets), in the order of `table`.
    targets
        One row a target: ``name``, ``scale`` on which its sd is, ``sd`` now, ``sd_after`` the best
        run (expected).
    notes
        Sentences for people.
    """

    shown: ClassVar[Mapping[str, str]] = {"table": "Candidates, best first", "targets": "Targets"}

    table: pd.DataFrame
    by_target: pd.DataFrame
    targets: pd.DataFrame
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        numbers = (*COSTED, *JSON_NAMES.values())
        rows = [
            {str(k): number(v) if k in numbers else v for k, v in row.items()}
            for row in self.table.rename(columns=JSON_NAMES).to_dict("records")
        ]
        for row, by_target in zip(rows, self.by_target.to_dict("records"), strict=True):
            row["by_target"] = by_target
        return {"targets": self.targets.to_dict("records"), "candidates": rows}


def next_run(
    posterior: Posterior | str | Path,
    *,
    coefficient: str | Sequence[str] | None = None,
    target_params: Quantity | None = None,
    target_tokens: Quantity | None = None,
    teacher_loss: Quantity | None = None,
    at: pd.DataFrame | str | Path | None = None,
    candidates: pd.DataFrame | str | Path | None = None,
    budget: float | str | None = None,
    flops: str = "eq69",
    reach: float = 2.0,
    draws: int = DRAWS,
    seed: int = 0,
    allow_failed: bool = False,
    progress: Progress | None = None,
    device: str | Device | None = None,
    utilisation: float | None = None,
) -> NextRun:
    """Rank candidates for one more run by how much they are expected to narrow the targets.

    Parameters
    ----------
    posterior, allow_failed
        As in `forecast`; the posterior holds its runs.
    coefficient
        Names of coefficients or coordinates to narrow, a sequence or separated by commas.
    target_params, target_tokens, teacher_loss
        Forecasts to narrow instead: the mean curve at every combination. Without any target, all
        published coefficients that the runs do not identify.
    at
        A table of these forecasts instead, as in `forecast`.
    candidates
        A table with ``params``, ``tokens`` and, for distillations, ``teacher_loss``, instead of
        a grid over the runs and moderately beyond.
    budget
        Most FLOPs that the run may take; or text in other units, as in `plan`.
    flops
        Way to count, ``eq69`` or ``6nd``.
    reach
        How many times beyond the runs the grid goes, in size and in tokens.
    draws
        Most draws to use; more are thinned evenly, and a note says what that costs.
    seed
        Seed of simulated outcomes and of prior draws.
    progress
        Called with (phase, candidates refined, candidates to be refined).
    device, utilisation
        What GPU-hours of a budget are hours of, as in `plan`.

    Raises
    ------
    InputError, FailedFitError
        As `forecast`.
    """
    faults: list[Fault] = seed_faults(seed)
    wanted = listed = None
    faults += draws_faults(draws, LEAST_DRAWS)
    with collected(faults):
        wanted = read_target(coefficient, target_params, target_tokens, teacher_loss, at)
    with collected(faults):
        listed = None if candidates is None else read_candidates(candidates)
    hardware = None
    with collected(faults):
        hardware = read_hardware(device, utilisation)
    limit = _limit(budget, hardware, faults)
    if flops not in FLOPS:
        known = " or ".join(FLOPS)
        faults.append(Fault(f"{flops!r} is not known: use {known}", column="flops"))
    if not 1 <= reach <= 100:
        faults.append(Fault(f"{reach:g} is not between 1 and 100", column="reach"))
    posterior = load_beside(faults, posterior, allow_failed)
    assert wanted is not None
    if posterior.card.members:
        raise InputError(
            f"{posterior.card.name} is a stack, whose fits may disagree on what a run tells: "
            "ask one of them"
        )
    hulls = posterior.hulls
    if listed is None and hulls is None:
        raise no_runs(posterior, "a grid of next runs lies around them (or give `candidates`)")
    if listed is not None:
        runs = listed
    else:
        assert hulls is not None
        runs = candidate_grid(posterior, hulls, reach)
    if posterior.n_draws < LEAST_DRAWS:
        raise InputError(
            f"{posterior.card.name} has {posterior.n_draws} draws, and {LEAST_DRAWS} are needed to "
            "tell what a run is worth"
        )
    check_teachers(posterior, runs.points)
    check_repeats(posterior, runs.points)
    wanted = named(posterior, wanted, seed)
    thin = posterior if posterior.n_draws <= draws else posterior.thin(draws)
    targets = targets_of(thin, wanted)
    cost = _cost(runs.points, flops)
    runs, cost = _affordable(runs, cost, limit)
    notes = thinning_notes(posterior, thin)
    return _ranked(thin, runs, cost, targets, seed, notes, progress)


def _ranked(
    posterior: Posterior,
    candidates: Candidates,
    cost: np.ndarray,
    targets: Targets,
    seed: int,
    more_notes: tuple[str, ...],
    progress: Progress | None,
) -> NextRun:
    points = candidates.points
    means, scales = targets.candidate_means(points, seed)
    # runs with and without a teacher may have different noise
    likelihoods = {kind: _likelihood(posterior, kind) for kind in (True, False)}
    linear = np.empty((len(points), len(targets.names)))
    for kind, likelihood in likelihoods.items():
        alike = points.distilled == kind
        linear[alike] = linear_gain(targets.values, means[:, alike], scales[:, alike], likelihood)
    table = pd.DataFrame(
        {
            "name": candidates.names or [""] * len(points),
            "params": points.params,
            "tokens": points.tokens,
            "teacher_loss": mean_of(points.teacher_draws(posterior)),
            "teacher_params": points.teacher_params,
            "teacher_tokens": points.teacher_tokens,
            "flops": cost,
            "linear_information_gain": linear.mean(axis=1),
        }
    )
    table["outside"] = extrapolation(posterior, points, table["teacher_loss"].to_numpy())["outside"]
    by_target, reliable = linear.copy(), np.zeros(len(points), bool)
    refined, error = np.full(len(points), np.nan), np.full(len(points), np.nan)
    generator = np.random.default_rng(seed)
    worth = _worth_refining(table)
    step = steps(progress, "next runs", len(worth))
    for i in worth:
        likelihood = likelihoods[bool(points.distilled[i])]
        one = reweighted_gain(targets.values, means[:, i], scales[:, i], likelihood, generator)
        by_target[i], reliable[i] = one.gain, one.unreliable <= UNRELIABLE
        refined[i], error[i] = one.gain.mean(), one.error.mean()
        step()
    is_refined = ~np.isnan(refined)
    gain = np.where(is_refined, refined, table["linear_information_gain"])
    best = int(np.where(is_refined, gain, -np.inf).argmax())
    nearly = is_refined & (gain >= NEARLY * gain[best])
    nearly[best] = True
    cheap = int(np.where(nearly, cost, np.inf).argmin())
    cheap = cheap if cost[cheap] < cost[best] else best
    recommended = np.full(len(points), "", dtype=object)
    recommended[cheap], recommended[best] = "cheap", "best"
    table = table.assign(
        information_gain=gain,
        refined_information_gain=refined,
        information_gain_error=error,
        reliable=reliable,
        recommended=recommended,
    )
    order = (
        table.assign(is_refined=is_refined)
        .sort_values(["is_refined", "information_gain"], ascending=False)
        .index
    )
    gains = pd.DataFrame(by_target, columns=list(targets.names))
    after = np.sqrt(np.clip(1 - by_target[best], 0, 1)) * targets.sd
    described = pd.DataFrame(
        {"name": targets.names, "scale": targets.scales, "sd": targets.sd, "sd_after": after}
    )
    notes = [*posterior.warnings, *more_notes]
    if not reliable[best]:
        notes.append(
            "the best run's information gain rests on few draws (Pareto k above "
            f"{HIGH_K} for more than {UNRELIABLE:.0%} of its outcomes): it is a rough estimate"
        )
    if table.loc[best, "outside"]:
        notes.append(
            "the best run lies outside the runs: its expected information gain rests on the law "
            "being right there"
        )
    if not points.distilled[best] and posterior.info.get("kind") == "distillation":
        notes.append(
            "the best run has no teacher: with it the table is mixed, and the joint card (or this "
            "one, which takes mixed tables) fits it"
        )
    columns = [
        "name",
        *COSTED,
        *JSON_NAMES,
        "reliable",
        "outside",
        "recommended",
    ]
    return NextRun(
        table.loc[order, columns].reset_index(drop=True),
        gains.loc[order].reset_index(drop=True),
        described,
        tuple(notes),
    )


def _likelihood(posterior: Posterior, distilled: bool) -> Likelihood:
    """Likelihood of a single run; parameters that are sampled are (draws,)."""
    ((likelihood, _),) = posterior.likelihoods(np.array([distilled]))
    return likelihood.map_parameters(np.ravel)


def _worth_refining(table: pd.DataFrame) -> list[int]:
    """The best of each size, the best over all, and the cheapest that are nearly as good."""
    linear = table["linear_information_gain"]
    by_gain = table.loc[linear.sort_values(ascending=False).index]
    chosen = [int(i) for i in by_gain.index[:3]]
    chosen += [int(i) for i in by_gain.drop_duplicates("params").index[:REFINED]]
    nearly = table[linear >= NEARLY * linear.max()]
    chosen += [int(i) for i in nearly.sort_values("flops").index[:3]]
    return list(dict.fromkeys(chosen))


def _cost(points: Points, flops: str) -> np.ndarray:
    """FLOPs of the student's training; its teacher is taken to exist, with its logits."""
    scenario = SCENARIOS["best-case"]
    return np.asarray(total_flops(points.params, points.tokens, scenario, FLOPS[flops]).total)


def _affordable(
    candidates: Candidates, cost: np.ndarray, limit: float
) -> tuple[Candidates, np.ndarray]:
    within = cost <= limit
    if not within.any():
        raise InputError(
            Fault(f"the cheapest candidate takes {cost.min():.3g} FLOPs", column="budget")
        )
    points = candidates.points.subset(within)
    names = tuple(n for n, k in zip(candidates.names, within, strict=bool(candidates.names)) if k)
    return Candidates(points, names), cost[within]


def _limit(budget: float | str | None, hardware: Hardware | None, faults: list[Fault]) -> float:
    if budget is None:
        return np.inf
    try:
        value = parse_flops(budget, hardware)
    except (TypeError, ValueError) as error:
        faults.append(Fault(str(error), column="budget"))
        return np.inf
    if not value > 0:
        faults.append(Fault(f"{value:g} is not a positive number of FLOPs", column="budget"))
    return value
