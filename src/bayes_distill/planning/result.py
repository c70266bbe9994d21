"""A plan: tables, draws, and plain data for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_distill.planning.tables import SPREAD, UNKNOWNS
from bayes_distill.planning.to_train import shapes_of
from bayes_distill.predict.extrapolation import rests_on
from bayes_distill.predict.results.display import Result
from bayes_distill.predict.results.draws import Samples
from bayes_distill.predict.verdicts import UNKNOWN

if TYPE_CHECKING:
    import xarray as xr

    from bayes_distill.compute import Hardware

SHARES = ("student", "logits", "teacher", "serving", "unspent")
ENDS = ("lower", "upper")
AVERAGE = ("mean", "lower", "upper")
AXES = ("scenario", "params", "budget")
SHOWN = (
    *AXES,
    "problem",
    "recipe",
    "loss",
    "supervised",
    "regret",
    "p_beats_supervised",
    "outside",
)
"""What a notebook shows of the table: columns, and beginnings of their names."""


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Result):
    """How to spend budgets.

    Parameters
    ----------
    table
        One row a scenario, student and budget. ``recipe_*`` is the one allocation that is best for
        the criterion over the whole posterior, ``at_limit`` names the upper limits that it lies on,
        joined by commas. ``{quantity}_{mean|median|sd|lower|upper}``
        summarise its ``loss``, that of a single ``new_run``, the loss of ``supervised`` training on
        the same budget (of ``supervised_params`` on ``supervised_tokens``; its size is chosen
        where that of the student is) and the ``improvement`` on it;
        ``optimum_*_median|lower|upper`` is the spread of each draw's best allocation,
        ``optimum_share_*`` that of its parts of the budget;
        ``near_optimal_teacher_params_*`` is the range of teachers that do nearly as well;
        ``outside`` says that the recipe lies outside the runs, and ``supervised_outside`` that
        supervised training does (all of it, if no run was supervised), each among runs of its
        kind; ``rests_on_*`` and ``supervised_rests_on_*`` are what their losses rest on (see
        `predict.extrapolation.grounds`); ``regret_*`` is what the
        recipe loses against knowing the truth (``regret_upper`` is the 95th percentile). Losses of
        recipes and optima are those of a student of this size, by the law and the discrepancies of
        the size; what its condition has besides is in ``new_run`` alone.
        ``shape_{student|teacher}_{layers|width|heads|params}`` are models to train (see
        `compute.shape_of`), and ``budget_pf_days``, ``budget_gpu_hours`` and ``budget_cost`` the
        budget in other units, NaN where no device was named.
        Where a budget pays for no recipe, ``feasible`` is false, ``problem`` says what the least
        would be, and all else is NaN (`outside` and `supervised_outside` too, which are true or
        false elsewhere).
    crossovers
        Budgets at which distillation stops being better (``direction`` is ``better_below``), one
        row a student and scenario; and from which on it is better (``better_above``), where it is
        so in some draw. Quantiles are over all draws: ``better_below`` is infinite where
        distillation is still better at the largest budget, minus infinity where it never is;
        ``better_above`` minus infinity where it is better at all budgets, infinite where it is not
        at the largest. ``budget_if_any_*`` are quantiles over those draws alone that have such a
        budget, NaN without any.
    targets
        Least compute and least data for a target loss; empty without one.
    teachers
        A list of teachers, ranked for every budget; empty without one.
    interval
        Probability inside every interval.
    notes
        Sentences for people.
    samples
        Draws (draws, rows) that the table summarises: ``recipe_loss``, ``optimum_loss``,
        ``supervised_loss`` and the optima's sizes and allocations, ``optimum_*``.
    draw_counts
        How many draws each part of the plan was made with, by the names of `DrawCounts`.
    fit
        Verdicts on the fit, ``sampling`` and ``law``.
    hardware
        What GPU-hours are hours of; ``None`` where no device was named.
    """

    table: pd.DataFrame
    crossovers: pd.DataFrame
    targets: pd.DataFrame
    teachers: pd.DataFrame
    interval: float
    notes: tuple[str, ...]
    samples: Samples
    draw_counts: Mapping[str, int] = field(default_factory=dict)
    fit: Mapping[str, str] = field(default_factory=lambda: UNKNOWN)
    hardware: Hardware | None = None

    def shown_tables(self) -> dict[str, pd.DataFrame]:
        """Heading -> table, for a notebook: recipes with their losses, and what else there is."""
        told = (
            () if self.hardware is None else ("budget_pf_days", "budget_gpu_hours", "budget_cost")
        )
        columns = [
            name
            for name in map(str, self.table)
            if (not name.startswith("budget_") or name in told)
            and (
                name in (*SHOWN, *told)
                or name.rpartition("_")[0] in SHOWN
                or name.startswith("recipe_")
            )
        ]
        recipes = self.table[columns]
        if recipes["problem"].isna().all():
            recipes = recipes.drop(columns="problem")
        return {
            "": recipes,
            "Crossovers": self.crossovers,
            "Targets": self.targets,
            "Teachers": self.teachers,
        }

    @cached_property
    def draws(self) -> xr.Dataset:
        """`samples` over the dims ``sample``, ``scenario``, ``params`` and ``budget``.

        ``sample`` has the levels ``chain`` and ``draw``; `bayes_distill.by_chain` puts them apart
        for ArviZ. Combinations that are not in the table are NaN, so a long table of different
        students and budgets takes the memory of all their combinations; `samples` does not.
        """
        coordinates = {axis: self.table[axis].dropna().unique() for axis in AXES}
        rows = np.flatnonzero(self.table["params"].notna())
        places = tuple(
            pd.Index(coordinates[axis]).get_indexer(self.table[axis].iloc[rows]) for axis in AXES
        )
        sizes = [len(values) for values in coordinates.values()]
        return self.samples.subset(rows).on_grid(places, sizes).dataset(coordinates, AXES)

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; what is not determined or not finite is null."""
        return {
            "interval": self.interval,
            "rows": [_row(r) for r in self.table.to_dict("records")],
            "crossovers": [
                {
                    "scenario": r["scenario"],
                    "params": r["params"],
                    "direction": r["direction"],
                    "budget": _pick(r, "budget", SPREAD),
                    "budget_if_any": _pick(r, "budget_if_any", SPREAD),
                    "rests_on": rests_on(r, distilled=True),
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
            "teachers": [_teacher(r) for r in self.teachers.to_dict("records")],
            "notes": list(self.notes),
            "draw_counts": dict(self.draw_counts),
            "fit": dict(self.fit),
            "hardware": None if self.hardware is None else self.hardware.to_json(),
        }


def _row(r: dict[Any, Any]) -> dict[str, Any]:
    feasible = bool(r["feasible"])
    improvement = _pick(r, "improvement", AVERAGE)
    return {
        "budget": r["budget"],
        "budget_as": _pick(r, "budget", ("pf_days", "gpu_hours", "cost")),
        "scenario": r["scenario"],
        "params": _plain(r["params"]),
        "size_chosen": bool(r["size_chosen"]) if feasible else None,
        "served_tokens": r["served_tokens"],
        "problem": r["problem"],
        "recipe": _pick(r, "recipe", UNKNOWNS),
        "at_limit": [name for name in r["at_limit"].split(",") if name] if feasible else [],
        "shapes": shapes_of(r),
        "shares": _pick(r, "share", SHARES),
        "loss": {**_pick(r, "loss", AVERAGE), "predictive": _pick(r, "new_run", ENDS)},
        "supervised": _pick(r, "supervised", (*AVERAGE, "params", "tokens")),
        "improvement": improvement,
        "gain": improvement,  # what it was called before
        "optimum": {name: _pick(r, f"optimum_{name}", SPREAD) for name in ("params", *UNKNOWNS)},
        "optimum_shares": {
            name: _pick(r, f"optimum_share_{name}", SPREAD)
            for name in SHARES
            if f"optimum_share_{name}_median" in r
        },
        "regret": _pick(r, "regret", ("mean", "upper")),
        "outside": bool(r["outside"]) if feasible else None,
        "p_beats_supervised": _plain(r["p_beats_supervised"]),
        "rests_on": rests_on(r, distilled=r["recipe_teacher_loss"] > 0) if feasible else None,
        "flat_teacher_params": _pick(r, "near_optimal_teacher_params", ENDS),
        "p_at_bound": {k.removeprefix("p_at_"): _plain(v) for k, v in r.items() if "p_at_" in k},
    }


def _teacher(r: dict[Any, Any]) -> dict[str, Any]:
    names = (
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
    return {
        **{name: _plain(r[name]) for name in names},
        "loss": _pick(r, "loss", AVERAGE),
        "regret": _pick(r, "regret", ("mean", "upper")),
    }


def _pick(r: dict[Any, Any], prefix: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(r[f"{prefix}_{name}"]) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
