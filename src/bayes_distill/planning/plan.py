"""From a posterior, a student and a budget to recipes, with how sure each answer is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill._input.types import NUMBER, SOURCE, WHOLE, check_types
from bayes_distill.compute import ForwardFlops, Scenario
from bayes_distill.planning.arguments import read_asked, refuse_supervised, refuse_unaffordable
from bayes_distill.planning.criteria import Utility
from bayes_distill.planning.extra_tables import (
    crossover_table,
    plan_notes,
    ranked_teachers,
    target_table,
)
from bayes_distill.planning.recipe import Setting
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.planning.student_size import StudentSize, best_student_size
from bayes_distill.planning.tables import UNKNOWNS, solve_rows
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.predict.points import Quantity
from bayes_distill.predict.teachers import Teachers

DRAWS = 500
SHARES = ("student", "logits", "teacher", "serving", "unspent")
SPREAD = ("median", "lower", "upper")


@dataclass(frozen=True)
class Plan:
    """How to spend budgets.

    Parameters
    ----------
    table
        One row a student, scenario and budget. ``recipe_*`` is the one allocation that is best for
        the utility over the whole posterior; ``optimum_*_median|lower|upper`` is the spread of each
        draw's own best allocation, ``optimum_fraction_*`` that of its parts of the budget;
        ``supervised_*`` is supervised training on the same budget and ``gain_*`` by how much the
        recipe's loss is lower; ``outside`` says that the recipe lies outside the runs, and
        ``supervised_outside`` that supervised training does (all of it, if no run was supervised);
        ``regret_*`` is what the recipe loses against knowing the truth (``regret_upper`` is the
        95th percentile).
    draws
        ``recipe_loss``, ``optimum_loss``, ``supervised_loss`` and the optima's allocations,
        (sample, row).
    crossovers
        Budgets at which distillation stops being better, one row a student and scenario.
    targets
        Least compute and least data for a target loss; empty without one.
    teachers
        A list of teachers, ranked for every budget; empty without one.
    interval
        Probability inside every interval.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    draws: xr.Dataset
    crossovers: pd.DataFrame
    targets: pd.DataFrame
    teachers: pd.DataFrame
    interval: float
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; what is not determined or not finite is null."""
        return {
            "interval": self.interval,
            "rows": [_row(r) for r in self.table.to_dict("records")],
            "crossovers": [
                {
                    "scenario": r["scenario"],
                    "params": r["params"],
                    "budget": _pick(r, "budget", SPREAD),
                    **{k: r[k] for k in ("p_none", "p_never_better", "p_always_better")},
                }
                for r in self.crossovers.to_dict("records")
            ],
            "targets": [
                {
                    **{k: r[k] for k in ("scenario", "params", "target_loss")},
                    **{
                        name: _pick(r, name, (*SPREAD, "p_unreachable"))
                        for name in ("budget", "student_tokens")
                    },
                }
                for r in self.targets.to_dict("records")
            ],
            "teachers": [
                {
                    **{
                        k: _plain(r[k])
                        for k in (
                            "name",
                            "budget",
                            "scenario",
                            "params",
                            "teacher_loss",
                            "student_tokens",
                            "p_best",
                            "p_beats_supervised",
                            "affordable",
                        )
                    },
                    "loss": _pick(r, "loss", ("mean", "lower", "upper")),
                    "regret": _pick(r, "regret", ("mean", "upper")),
                }
                for r in self.teachers.to_dict("records")
            ],
            "notes": list(self.notes),
        }


def plan(
    posterior: Posterior | str | Path,
    params: Quantity | None = None,
    budget: Quantity | None = None,
    *,
    scenario: str | Scenario | Sequence[str | Scenario] | None = None,
    teachers: Teachers | pd.DataFrame | str | Path | None = None,
    utility: str | Utility = "mean",
    limits: Limits | None = None,
    flops: str | ForwardFlops = "eq69",
    target_loss: str | float | None = None,
    served_tokens: str | float | None = None,
    crossovers: bool = True,
    teacher_range: bool = True,
    draws: int = DRAWS,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
) -> Plan:
    """Plan how to spend budgets, for every draw of the posterior.

    Parameters
    ----------
    posterior
        A `Posterior`, a file written by `fit`, or a card's name.
    params
        Student sizes N_S. Left out with `served_tokens`: then the size is chosen too.
    budget
        Budgets C in FLOPs (eq. 9).
    scenario
        Who pays for the teacher: names of `compute.SCENARIOS`, or `Scenario`; default all five.
    teachers
        Teachers that exist already, to be ranked for every budget: ``name``, ``loss`` and/or
        ``params`` and ``tokens``.
    utility
        ``mean``, ``quantile:0.9``, ``cvar:0.9``, ``target:2.2``, or a function of the losses
        (draws,) of one recipe that returns a number to be minimised.
    limits
        What a recipe may use.
    flops
        ``eq69``, ``6nd``, or an object with ``forward_flops``.
    target_loss
        Loss for which the least compute and the least data are wanted.
    served_tokens
        Tokens that the student will serve; their inference, F(N_S) each, is charged to the budget.
    crossovers
        Whether crossover budgets are wanted.
    teacher_range
        Whether the range of teacher sizes that do nearly as well is wanted; NaN without.
    draws
        Most draws to plan with; more are thinned evenly.
    interval
        Probability inside every interval.
    seed
        Seed of the scatter of new runs and of candidates' losses.
    allow_failed
        Whether a posterior whose fit failed its checks may be used.

    Raises
    ------
    InputError
        Naming every argument at fault, and what would be feasible.
    FailedFitError
        If the fit failed its checks and that is not allowed.
    TypeError
        Naming every argument of a wrong type.
    """
    check_types(
        posterior=(posterior, (Posterior, *SOURCE)),
        teachers=(teachers, (Teachers, pd.DataFrame, *SOURCE, type(None))),
        limits=(limits, (Limits, type(None))),
        draws=(draws, WHOLE),
        interval=(interval, NUMBER),
        seed=(seed, WHOLE),
    )
    asked = read_asked(
        params,
        budget,
        scenario,
        teachers,
        utility,
        flops,
        served_tokens,
        target_loss,
        draws,
        interval,
        seed,
    )
    limits = limits or Limits()
    refuse_unaffordable(asked, limits)
    loaded = load_posterior(posterior, allow_failed=allow_failed)
    refuse_supervised(loaded, asked)
    thin = loaded.thin(draws)
    generator = np.random.default_rng(seed)
    lower = (1 - interval) / 2
    rows: list[pd.DataFrame] = []
    pieces: list[xr.Dataset] = []
    for who in asked.scenarios:
        given = [(StudentSize(size, np.full(1, size)), asked.budgets) for size in asked.sizes]
        cases = given or [
            (
                best_student_size(thin, one, who, limits, asked.flops, asked.served, asked.utility),
                np.array([one]),
            )
            for one in asked.budgets
        ]
        for student, budgets in cases:
            setting = Setting(thin, float(student.size), who, limits, asked.flops)
            table, piece = solve_rows(
                setting, budgets, asked.served, asked.utility, generator, interval, teacher_range
            )
            for name, level in (("median", 0.5), ("lower", lower), ("upper", 1 - lower)):
                table[f"optimum_params_{name}"] = np.quantile(student.own, level)
            rows.append(table)
            pieces.append(piece)
    table = pd.concat(rows, ignore_index=True)
    return Plan(
        table=table,
        draws=xr.concat(pieces, dim="row"),
        crossovers=crossover_table(thin, asked, limits, interval) if crossovers else pd.DataFrame(),
        targets=target_table(thin, asked, limits, interval),
        teachers=ranked_teachers(thin, asked, limits, seed, interval),
        interval=interval,
        notes=plan_notes(loaded, thin, table),
    )


def _row(r: dict[Any, Any]) -> dict[str, Any]:
    return {
        "budget": r["budget"],
        "scenario": r["scenario"],
        "params": r["params"],
        "served_tokens": r["served_tokens"],
        "recipe": _pick(r, "recipe", UNKNOWNS),
        "shares": _pick(r, "share", SHARES),
        "loss": {
            **_pick(r, "loss", ("mean", "lower", "upper")),
            "predictive": _pick(r, "predictive", ("lower", "upper")),
        },
        "supervised": _pick(r, "supervised", ("mean", "lower", "upper")),
        "gain": _pick(r, "gain", ("mean", "lower", "upper")),
        "optimum": {name: _pick(r, f"optimum_{name}", SPREAD) for name in ("params", *UNKNOWNS)},
        "optimum_shares": {
            name: _pick(r, f"optimum_fraction_{name}", SPREAD)
            for name in SHARES
            if f"optimum_fraction_{name}_median" in r
        },
        "regret": _pick(r, "regret", ("mean", "upper")),
        "outside": bool(r["outside"]),
        "p_beats_supervised": _plain(r["p_beats_supervised"]),
        "flat_teacher_params": _pick(r, "flat_teacher_params", ("lower", "upper")),
        "p_at_bound": {k.removeprefix("p_at_"): _plain(v) for k, v in r.items() if "p_at_" in k},
    }


def _pick(r: dict[Any, Any], prefix: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(r[f"{prefix}_{name}"]) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
