"""From a posterior, students and budgets to recipes, with how sure each answer is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.progress import Progress
from bayes_distill._input.types import NUMBER, SOURCE, WHOLE, check_types
from bayes_distill.compute import Device, ForwardFlops, Scenario
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.planning.arguments import PlanRequest, read_request, refuse_supervised
from bayes_distill.planning.cells import Group
from bayes_distill.planning.criteria import Criterion
from bayes_distill.planning.draw_counts import DRAW_COUNTS, DrawCounts
from bayes_distill.planning.feasibility import problems_of
from bayes_distill.planning.notes import plan_notes
from bayes_distill.planning.parts import Part, Places, blocks, compute_all
from bayes_distill.planning.registered import register_plan
from bayes_distill.planning.result import Plan
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.planning.tables import RUN_LOSS
from bayes_distill.planning.teacher_list import rank_all
from bayes_distill.planning.to_train import compute_columns, shape_columns
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.posterior.at_inputs import at_inputs
from bayes_distill.predict.arguments import check_reads_sizes
from bayes_distill.predict.points import Quantity
from bayes_distill.predict.registered import register_faults, size_faults
from bayes_distill.predict.results.columns import summary
from bayes_distill.predict.results.draws import Samples
from bayes_distill.predict.teachers import Teachers
from bayes_distill.predict.verdicts import fit_verdicts

__all__ = ["Plan", "plan"]


def plan(
    posterior: Posterior | str | Path,
    params: Quantity | None = None,
    budget: Quantity | None = None,
    *,
    at: pd.DataFrame | str | Path | None = None,
    scenario: str | Scenario | Sequence[str | Scenario] | None = None,
    teachers: Teachers | pd.DataFrame | str | Path | None = None,
    criterion: str | Criterion | Callable[[np.ndarray], float] = "mean",
    utility: str | Callable[[np.ndarray], float] | None = None,
    limits: Limits | Mapping[str, Any] | None = None,
    flops: str | ForwardFlops = "eq69",
    target_loss: str | float | None = None,
    served_tokens: str | float | None = None,
    inputs: Mapping[str, Any] | None = None,
    crossovers: bool = True,
    teacher_range: bool = True,
    draws: int | DrawCounts = DRAW_COUNTS,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
    workers: int | None = None,
    scheduler: Any = None,
    resume: str | Path | None = None,
    progress: Progress | None = None,
    device: str | Device | None = None,
    utilisation: float | None = None,
    price: float | None = None,
    register: str | Path | None = None,
) -> Plan:
    """Plan how to spend budgets, for every draw of the posterior.

    Parameters
    ----------
    posterior
        A `Posterior`, a file written by `fit`, or a card's name.
    params
        Student sizes N_S. Where they are left out the size is chosen too, for every budget.
    budget
        Budgets C in FLOPs (eq. 9), or as text in PF-days (``"40 PF-days"``, ``"10PFd"``: 8.64e19
        FLOPs each) or hours of a `device` (``"10000 GPU-hours"``). Every combination of scenarios,
        students and budgets is planned; one that no recipe can be had for is a row that says so.
    at
        A table with the columns ``params`` and ``budget`` instead, a plan a row, and with
        ``scenario`` where that differs.
    scenario
        Who pays for the teacher: names of `compute.SCENARIOS`, or `Scenario`; default all five, or
        supervised training alone where the law knows no teachers.
    teachers
        Teachers that exist already, to be ranked for every budget: ``name``, ``loss`` and/or
        ``params`` and ``tokens``.
    criterion
        Risk measure that is minimised: ``mean``, ``quantile:0.9``, ``cvar:0.9``, ``target:2.2``,
        or a function of the losses (draws,) of runs of one recipe that returns a number. All but
        the mean are of the loss that a single run measures, with its noise; see `Criterion`.
    utility
        What `criterion` was called before; deprecated.
    limits
        What a recipe may use: all `Limits`, or a mapping with some of them. Others are what exists:
        3e14 tokens, and teachers to 100 times the largest model in the runs (`realistic_limits`).
    flops
        ``eq69``, ``6nd``, or an object with ``forward_flops``.
    target_loss
        Loss for which the least compute and the least data are wanted.
    served_tokens
        Tokens that the student will serve; their inference, F(N_S) each, is charged to the budget.
    inputs
        A value of each other column that the law reads, by name: what is left out is in the middle
        of the runs.
    crossovers
        Whether crossover budgets are wanted.
    teacher_range
        Whether the range of teacher sizes that do nearly as well is wanted; NaN without.
    draws
        Most draws to plan with (500); more are thinned evenly. `DrawCounts` sets those of every
        part of a plan.
    interval
        Probability inside every interval.
    seed
        Seed of the noise of new runs and of candidates' losses.
    allow_failed
        Whether a posterior whose fit failed its checks may be used.
    workers, scheduler, resume
        Where the plans are computed, and the folder that stores finished ones, as `workers`,
        `scheduler` and `store` of `bayes_distill.parallel.map_tasks`. The result does not depend
        on them.
    progress
        Called with (phase, parts done, parts in all); a part is up to 32 budgets of one student
        and scenario.
    device
        Accelerator whose hours budgets may be given in and are told in: a name of
        `compute.DEVICES`, or a `compute.Device`.
    utilisation
        Share of its peak that training reaches, 0.4 by default.
    price
        Of an hour of one device, in any currency: budgets are then told in it too.
    register
        A register that the answer is appended to, as in `forecast`: the loss of a run of each
        recipe.

    Raises
    ------
    InputError
        Naming every argument at fault, and what would be feasible if nothing is.
    FailedFitError, TypeError
        As `forecast`.
    """
    check_types(
        posterior=(posterior, (Posterior, *SOURCE)),
        at=(at, (pd.DataFrame, *SOURCE, type(None))),
        teachers=(teachers, (Teachers, pd.DataFrame, *SOURCE, type(None))),
        limits=(limits, (Limits, Mapping, type(None))),
        draws=(draws, (*WHOLE, DrawCounts)),
        interval=(interval, NUMBER),
        seed=(seed, WHOLE),
        workers=(workers, (*WHOLE, type(None))),
        resume=(resume, (*SOURCE, type(None))),
        device=(device, (str, Device, type(None))),
        utilisation=(utilisation, (*NUMBER, type(None))),
        price=(price, (*NUMBER, type(None))),
        register=(register, (*SOURCE, type(None))),
    )
    if utility is not None:
        warnings.warn("`utility` is now called `criterion`", DeprecationWarning, stacklevel=2)
        if criterion != "mean":
            raise InputError(Fault("give either criterion or utility", column="criterion"))
        criterion = utility
    faults = register_faults(register)
    request = None
    with collected(faults):
        request = read_request(
            params,
            budget,
            at=at,
            scenario=scenario,
            teachers=teachers,
            criterion=criterion,
            limits=limits,
            flops=flops,
            target_loss=target_loss,
            served_tokens=served_tokens,
            draws=draws,
            interval=interval,
            seed=seed,
            workers=workers,
            scheduler=scheduler,
            resume=resume,
            device=device,
            utilisation=utilisation,
            price=price,
        )
    faults += size_faults(register, 0 if request is None else len(request.cells))
    if faults or request is None:
        raise InputError(faults)
    whole = at_inputs(load_posterior(posterior, allow_failed=allow_failed), inputs)
    check_reads_sizes(whole, "a plan")
    request = request.of(whole)
    assert isinstance(request.limits, Limits)  # `of` has made them whole
    refuse_supervised(whole, request)
    problems = problems_of(whole, request)
    thin = whole.thin(request.draw_counts.plan)
    groups = request.cells.groups(np.array([problem is None for problem in problems]))
    settings = [request.setting(thin, group) for group in groups]
    ranked = pd.DataFrame()
    if request.teachers is not None:
        with_budgets = [
            (setting, group.budgets)
            for setting, group in zip(settings, groups, strict=True)
            if setting.scenario.distils
        ]
        ranked = rank_all(with_budgets, request.teachers, seed, interval)
    none = np.empty(0)
    fixed = [setting for setting in settings if not np.isnan(setting.params)]
    parts = [
        Part("rows", setting, interval, group.budgets[block], teacher_range)
        for setting, group in zip(settings, groups, strict=True)
        for block in blocks(group)
    ]
    if crossovers:
        parts += [Part("crossover", s, interval, none) for s in fixed if s.scenario.distils]
    if (target := request.target_loss) is not None:
        parts += [Part("target", s, interval, none, target_loss=target) for s in fixed]
    results: dict[str, list[dict[str, Any]]] = {part.kind: [] for part in parts}
    computed = compute_all(parts, Places(workers, scheduler, resume, progress))
    for part, result in zip(parts, computed, strict=True):
        results[part.kind].append(result)
    table, samples = _table(request, groups, results["rows"], problems, thin)
    new_runs = _add_new_runs(table, samples, groups, thin, seed, interval)
    table = table.assign(
        **shape_columns(table, request.flops),
        **compute_columns(request.cells.budgets, request.hardware),
    )
    if register is not None:
        register_plan(register, whole, table, new_runs, request, interval)
    return Plan(
        table=table,
        crossovers=pd.DataFrame([r for each in results.get("crossover", []) for r in each["rows"]]),
        targets=pd.DataFrame(results.get("target", [])),
        teachers=ranked,
        interval=interval,
        notes=plan_notes(whole, thin.n_draws, table, request.limits),
        samples=Samples(samples, thin.chains),
        draw_counts=request.draw_counts.of(whole.n_draws),
        fit=fit_verdicts(whole),
        hardware=request.hardware,
    )


def _table(
    request: PlanRequest,
    groups: list[Group],
    results: list[dict[str, Any]],
    problems: list[str | None],
    posterior: Posterior,
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Rows and draws of all plans, in the order of the request; NaN where there is no recipe."""
    cells = request.cells
    columns: dict[str, Any] = {
        "budget": cells.budgets,
        "scenario": [scenario.name for scenario in cells.scenarios],
        "params": cells.params.copy(),
        "served_tokens": np.full(len(cells), request.served_tokens),
        "feasible": [problem is None for problem in problems],
        "problem": pd.Series(problems, dtype=object),
    }
    samples: dict[str, np.ndarray] = {}
    everywhere = all(problem is None for problem in problems)
    pieces = [group.rows[block] for group in groups for block in blocks(group)]
    for rows, result in zip(pieces, results, strict=True):
        for name, column in result["columns"].items():
            values = np.asarray(column)  # words come as a list from other processes
            if name not in columns:
                words = values.dtype.kind not in "bif"
                unknown = values.dtype == bool and not everywhere
                dtype = object if words or unknown else values.dtype
                columns[name] = np.full(len(cells), np.nan, dtype)
            columns[name][rows] = values
        for name, values in result["samples"].items():
            if name not in samples:
                samples[name] = np.full((posterior.n_draws, len(cells)), np.nan)
            samples[name][:, rows] = values
    return pd.DataFrame(columns), samples


def _add_new_runs(
    table: pd.DataFrame,
    samples: dict[str, np.ndarray],
    groups: list[Group],
    posterior: Posterior,
    seed: int,
    interval: float,
) -> np.ndarray:
    """Add the losses of a single new run of each recipe; one generator serves all in turn.

    Returns their draws (draws, rows), NaN where there is no recipe.
    """
    generator = np.random.default_rng(seed)
    columns: dict[str, np.ndarray] = {}
    drawn = np.full((posterior.n_draws, len(table)), np.nan)
    middle = samples.pop(RUN_LOSS)
    for group in groups:
        losses = middle[:, group.rows]
        distils = np.full(group.rows.size, group.scenario.distils)
        new_runs = posterior.new_run(
            losses, distils, generator, params=table["params"].to_numpy(float)[group.rows]
        )
        drawn[:, group.rows] = new_runs
        for name, values in summary("new_run", new_runs, interval).items():
            columns.setdefault(name, np.full(len(table), np.nan))[group.rows] = values
    place = list(table.columns).index("improvement_upper") + 1
    for offset, (name, values) in enumerate(columns.items()):
        table.insert(place + offset, name, values)
    return drawn
