"""What a plan adds to its recipes: crossovers, targets, a ranked list of teachers, notes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill.planning.arguments import Asked
from bayes_distill.planning.crossover import Crossover, crossover
from bayes_distill.planning.recipe import Setting
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.planning.targets import least_compute, least_tokens
from bayes_distill.planning.teacher_list import rank_teachers
from bayes_distill.posterior import Posterior
from bayes_distill.predict.extrapolation import by_factors

Floats = NDArray[np.float64]
CROSSOVER_DRAWS = 100


def crossover_table(
    posterior: Posterior, asked: Asked, limits: Limits, interval: float
) -> pd.DataFrame:
    """Crossover budgets, one row a student and scenario with a teacher."""
    thin = posterior.thin(CROSSOVER_DRAWS)
    rows = []
    for size in asked.sizes:
        for who in asked.scenarios:
            if not who.distils:
                continue
            found = crossover(
                thin.law, thin.student(size), thin.reference, size, who, limits, asked.flops
            )
            rows.append(_crossover_row(found, _serving(asked, size), interval))
    return pd.DataFrame(rows)


def _serving(asked: Asked, size: float) -> float:
    """FLOPs that serving takes, which every budget of a plan contains."""
    return float(asked.flops.forward_flops(size)) * asked.served


def _crossover_row(found: Crossover, serving: float, interval: float) -> dict[str, Any]:
    budgets = found.budget[np.isfinite(found.budget)] + serving
    lower, median, upper = (
        np.quantile(budgets, [(1 - interval) / 2, 0.5, (1 + interval) / 2])
        if budgets.size
        else (np.nan,) * 3
    )
    return {
        "scenario": found.scenario.name,
        "params": found.params,
        "budget_median": median,
        "budget_lower": lower,
        "budget_upper": upper,
        "p_none": found.p_none,
        "p_never_better": found.p_never_better,
        "p_always_better": found.p_always_better,
    }


def target_table(
    posterior: Posterior, asked: Asked, limits: Limits, interval: float
) -> pd.DataFrame:
    """Least compute and least data for a target loss; empty without one."""
    target = asked.target
    if target is None:
        return pd.DataFrame()
    thin = posterior.thin(CROSSOVER_DRAWS)
    rows = []
    for size in asked.sizes:
        for who in asked.scenarios:
            law = (thin.law, thin.student(size), thin.reference, size, target)
            compute = least_compute(*law, who, limits, asked.flops) + _serving(asked, size)
            data = least_tokens(*law, limits, distils=who.distils)
            rows.append(
                {
                    "scenario": who.name,
                    "params": size,
                    "target_loss": target,
                    **_reach("budget", compute, interval),
                    **_reach("student_tokens", data, interval),
                }
            )
    return pd.DataFrame(rows)


def _reach(name: str, values: Floats, interval: float) -> dict[str, float]:
    """Quantiles over all draws (infinite where a draw never gets there) and that probability."""
    lower, median, upper = np.quantile(
        values, [(1 - interval) / 2, 0.5, (1 + interval) / 2], method="nearest"
    )
    return {
        f"{name}_median": float(median),
        f"{name}_lower": float(lower),
        f"{name}_upper": float(upper),
        f"{name}_p_unreachable": float(np.isinf(values).mean()),
    }


def ranked_teachers(
    posterior: Posterior, asked: Asked, limits: Limits, seed: int, interval: float
) -> pd.DataFrame:
    """A list of teachers ranked for every student, scenario and budget; empty without one."""
    if asked.teachers is None:
        return pd.DataFrame()
    parts = [
        rank_teachers(
            Setting(posterior, size, who, limits, asked.flops),
            asked.budgets,
            asked.teachers,
            seed,
            interval,
            _serving(asked, size),
        )
        for size in asked.sizes
        for who in asked.scenarios
        if who.distils
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def plan_notes(posterior: Posterior, thin: Posterior, table: pd.DataFrame) -> tuple[str, ...]:
    """What a reader of the plan should know: thinning, point values, recipes outside the runs."""
    notes = list(posterior.warnings)
    if thin.n_draws < posterior.n_draws:
        notes.append(f"planned with {thin.n_draws} of {posterior.n_draws} draws")
    if posterior.n_draws == 1:
        notes.append("point coefficients: every interval is a single value, not a certainty")
    hull = posterior.hull
    if hull is not None:
        beyond = [
            hull.factors(n, d)
            for n, d in zip(table["params"], table["recipe_student_tokens"], strict=True)
            if np.isfinite(d)
        ]
        outside = [pair for pair in beyond if max(pair) > 1]
        if outside:
            most = {
                name: max(pair[i] for pair in outside)
                for i, name in enumerate(("the student's size", "its tokens"))
            }
            notes.append(
                f"{len(outside)} of {len(table)} recipes lie outside the runs, {by_factors(most)}: "
                "they rest on the law"
            )
        teachers = sum(hull.teacher_outside(loss) for loss in table["recipe_teacher_loss"])
        if teachers:
            notes.append(
                f"{teachers} of {len(table)} recipes want a teacher better or worse than any in "
                "the runs"
            )
    return tuple(notes)
