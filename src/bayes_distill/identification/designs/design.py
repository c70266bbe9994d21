"""Which runs to do next for a budget."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import seed_faults
from bayes_distill._input.progress import Progress, steps
from bayes_distill._input.types import SOURCE, WHOLE, check_types
from bayes_distill.cards import Card
from bayes_distill.compute import FLOPS, Device, parse_flops, read_hardware, shape_of
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.identification.designs.costs import costs
from bayes_distill.identification.designs.criteria import NAMES, TargetCriterion
from bayes_distill.identification.designs.decision import decision_of, read_decision
from bayes_distill.identification.designs.greedy import MOST_RUNS, POWERS, Picked
from bayes_distill.identification.designs.outcomes import outcomes_of, wanted_of
from bayes_distill.identification.designs.pool import default_target, grid_pool, read_pool
from bayes_distill.identification.designs.problem import DesignProblem
from bayes_distill.identification.designs.result import Design
from bayes_distill.identification.designs.source import posterior_or_prior, source_and_law
from bayes_distill.posterior import Posterior
from bayes_distill.predict.arguments import check_repeats, check_teachers
from bayes_distill.predict.extrapolation import extrapolation, thinning_notes
from bayes_distill.predict.points import Points, from_table
from bayes_distill.predict.verdicts import fit_verdicts, law_notes

DRAWS = 2000
NUMBERS = 2**25
"""Most draws times candidates: 256 MB an array."""
LEAST_DRAWS = 200


def design(
    posterior: Posterior | Card | str | Path,
    budget: float | str,
    *,
    pool: pd.DataFrame | str | Path | None = None,
    target: pd.DataFrame | str | Path | None = None,
    decide: str | Mapping[str, Any] | None = None,
    criterion: str = "variance",
    about: str = "loss",
    cost: str = "eq69",
    batch: int | None = None,
    spend_all: bool = False,
    reach: float = 2.0,
    draws: int = DRAWS,
    seed: int = 0,
    allow_failed: bool = False,
    progress: Progress | None = None,
    device: str | Device | None = None,
    utilisation: float | None = None,
) -> Design:
    """Choose runs for a budget: for forecasts of targets, or for a decision.

    Parameters
    ----------
    posterior
        A fit, a file written by `fit`, or a card: one with a posterior, or else its prior, before
        any run.
    budget
        Of all runs together, in the unit of the cost: FLOPs, or text in other units, as in `plan`.
    pool
        Candidates: a table with the columns of a table of runs, less the loss. By default a grid
        around the runs, or of what the budget pays for.
    target
        A table of runs whose losses are wanted. By default one that costs ten times the budget.
    decide
        A plan that is to be made after the runs, instead of a target: the arguments ``params``,
        ``budget``, ``scenario``, ``flops`` and limits of `plan`, as a mapping, or as they are
        typed, ``"plan --params 7B --budget 1e22"``. Gains are falls of its expected regret.
    criterion
        For targets: ``variance``, the share of their variance that is removed (the mean over
        targets); ``width``, the same of the width of their predictive intervals; ``information``,
        mutual information in nats.
    about
        ``loss`` of the targets, or ``gap``: dL_S/dL_T there, whose sign says whether their
        teachers are too strong.
    cost
        ``eq69`` or ``6nd`` FLOPs of the student's training, or a column of `pool`; ``name**0.5`` is
        a cost to a power. A teacher is taken to exist, with its logits.
    batch
        Number of runs at most.
    spend_all
        Whether runs of a decision are chosen that are not worth their cost: whose value is less
        than what the same compute would gain in the plan's own budget.
    reach
        How many times beyond the runs a grid of candidates goes.
    draws
        Most draws to use.
    seed
        Seed of the prior, of simulated outcomes, and of what new runs share.
    allow_failed
        Whether a fit that failed its checks may be used.
    progress
        Called with (phase, designs made, designs in all).
    device, utilisation
        What GPU-hours of the budget are hours of, as in `plan`.

    Raises
    ------
    InputError, FailedFitError
        As `forecast`.
    """
    check_types(
        posterior=(posterior, (Posterior, Card, *SOURCE)),
        pool=(pool, (pd.DataFrame, *SOURCE, type(None))),
        target=(target, (pd.DataFrame, *SOURCE, type(None))),
        decide=(decide, (str, Mapping, type(None))),
        batch=(batch, (*WHOLE, type(None))),
        draws=(draws, WHOLE),
        seed=(seed, WHOLE),
    )
    faults = seed_faults(seed)
    limit = _budget(budget, device, utilisation, faults)
    posterior, law = source_and_law(posterior)
    read = points = asked = None
    with collected(faults):
        read = None if pool is None else read_pool(pool, law)
    with collected(faults):
        points = None if target is None else from_table(target, law)
    with collected(faults):
        asked = None if decide is None else read_decision(decide)
    if target is not None and decide is not None:
        faults.append(Fault("give either targets or a decision", column="decide"))
    faults += [
        Fault(f"{said!r} is not known: use {' or '.join(known)}", None, name)
        for name, said, known in (
            ("criterion", criterion, NAMES),
            ("about", about, ("loss", "gap")),
        )
        if said not in known
    ]
    faults += [
        Fault(f"{count} is less than 1", column=name)
        for name, count in (("batch", batch), ("draws", draws))
        if count is not None and count < 1
    ]
    if not 1 <= reach <= 100:
        faults.append(Fault(f"{reach:g} is not between 1 and 100", column="reach"))
    flops = FLOPS.get(cost.partition("**")[0].strip(), FLOPS["eq69"])
    middle = None if read is None else read.candidates.points
    whole = posterior_or_prior(posterior, middle, limit, flops, draws, seed, allow_failed, faults)
    there = read or grid_pool(whole, limit, flops, reach)
    candidates = there.candidates.points
    check_teachers(whole, candidates)
    check_repeats(whole, candidates)
    price = costs(candidates, cost, there.columns)
    if not (price <= limit).any():
        raise InputError(Fault(f"the cheapest candidate costs {price.min():.3g}", None, "budget"))
    notes = [*whole.warnings, *law_notes(whole), *there.notes]
    if asked is None and points is None:
        points, note = default_target(whole, limit, flops)
        notes.append(note)
    number = max(LEAST_DRAWS, min(draws, NUMBERS // max(len(candidates), 1)))
    thin = whole if whole.n_draws <= number else whole.thin(number)
    if thin.n_draws < 4:
        raise InputError(
            f"{whole.card.name} has {thin.n_draws} draws: nothing is unknown that a run could tell"
        )
    notes += thinning_notes(whole, thin)
    runs, noise = outcomes_of(thin, candidates, seed)
    step = steps(progress, "designs", len(POWERS))
    most = MOST_RUNS if batch is None else min(batch, MOST_RUNS)
    problem = DesignProblem(runs, noise, price, limit, most, seed)
    if asked is not None:
        decision = decision_of(thin, asked, seed)
        notes += decision.notes
        in_flops = cost.strip() in FLOPS
        picked, value, worth, more = problem.for_decision(decision, spend_all, in_flops, step)
        notes += more
        targets = pd.DataFrame(columns=["name", "sd", "sd_after"])
        regret = {
            "now": decision.regret,
            "after": float(np.clip(decision.regret - value.mean, 0.0, decision.regret)),
        }
        criterion = "value"
    else:
        assert points is not None
        check_teachers(whole, points)
        check_repeats(whole, points)
        wanted, spread = wanted_of(thin, points, about, seed)
        rule = TargetCriterion(criterion, wanted.var(axis=0, ddof=1), spread)  # type: ignore[arg-type]
        picked, value, after = problem.for_targets(wanted, rule, step)
        names = points.names if about == "loss" else [f"gap slope, {n}" for n in points.names]
        targets = pd.DataFrame({"name": names, "sd": np.sqrt(rule.before), "sd_after": after})
        regret, worth = {}, [np.nan] * len(picked)
    table = _table(thin, there.candidates.names, candidates, price, picked, worth)
    spent = float(table["cost"].sum())
    notes += _outside_notes(table)
    return Design(
        table, targets, criterion, value, regret, limit, spent, tuple(notes), fit_verdicts(whole)
    )


def _budget(
    budget: float | str, device: Any, utilisation: float | None, faults: list[Fault]
) -> float:
    hardware = None
    with collected(faults):
        hardware = read_hardware(device, utilisation)
    try:
        value = parse_flops(budget, hardware)
    except (TypeError, ValueError) as error:
        faults.append(Fault(str(error), column="budget"))
        return 1.0
    if not 0 < value < np.inf:
        faults.append(Fault(f"{value:g} is not a positive number", column="budget"))
        return 1.0
    return float(value)


def _table(
    posterior: Posterior,
    names: tuple[str, ...],
    points: Points,
    cost: np.ndarray,
    picked: list[Picked],
    worth: list[float],
) -> pd.DataFrame:
    places = np.array([each.candidate for each in picked], int)
    chosen = points.subset(places)
    shapes = [shape_of(float(params)) for params in chosen.params]
    teacher = chosen.teacher_loss
    if len(places):
        drawn = chosen.teacher_draws(posterior)
        teacher = np.where(np.isnan(teacher) & chosen.distilled, drawn.mean(axis=0), teacher)
    table = pd.DataFrame(
        {
            "row": places,
            "name": [names[place] if names else "" for place in places],
            "params": chosen.params,
            "tokens": chosen.tokens,
            "teacher_loss": teacher,
            "teacher_params": chosen.teacher_params,
            "teacher_tokens": chosen.teacher_tokens,
            "unique_tokens": np.where(chosen.repeated, chosen.columns()["unique_tokens"], np.nan),
            "cost": cost[places],
            "gain": [each.gain for each in picked],
            "worth": worth,
            **{
                f"shape_{name}": [getattr(shape, name) for shape in shapes]
                for name in ("layers", "width", "heads", "params")
            },
        }
    )
    outside = np.zeros(0, bool)
    if len(places):
        outside = extrapolation(posterior, chosen, teacher)["outside"].to_numpy(bool)
    return table.assign(outside=outside)


def _outside_notes(table: pd.DataFrame) -> list[str]:
    count = int(table["outside"].sum())
    if not count or count == len(table):
        return []
    return [f"{count} of {len(table)} runs lie outside those done: their gains rest on the law"]
