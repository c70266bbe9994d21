"""Rows of crossovers and of targets: budgets over draws, as quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_distill.planning.crossover import crossover
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.targets import least_compute, least_tokens

Floats = NDArray[np.float64]


def crossover_row(setting: Setting, interval: float) -> dict[str, Any]:
    """Where distillation stops being better, for one student and scenario with a teacher.

    Budgets include the tokens served. Quantiles are over all draws: one in which distillation is
    still better at the largest budget looked at has an infinite crossover, one in which it never is
    has minus infinity. So a median that is infinite says that most draws have none on that side.
    """
    thin = setting.thin(setting.draw_counts.crossover)
    offsets = thin.posterior.size_offsets
    offset = None if offsets is None else offsets.at(np.array([setting.params]))[:, 0]
    result = crossover(thin.problem, offset=offset)
    budgets = np.where(np.isnan(result.budget), -np.inf, result.budget) + setting.serving_flops
    lower, median, upper = _quantiles(budgets, interval)
    return {
        "scenario": setting.scenario.name,
        "params": float(setting.params),
        "budget_median": float(median),
        "budget_lower": float(lower),
        "budget_upper": float(upper),
        "p_none": result.p_none,
        "p_never_better": result.p_never_better,
        "p_always_better": result.p_always_better,
    }


def target_row(setting: Setting, target_loss: float, interval: float) -> dict[str, Any]:
    """Least compute and least data for a target loss, for one student and scenario."""
    problem = setting.thin(setting.draw_counts.crossover).problem
    compute = least_compute(problem, target_loss) + setting.serving_flops
    return {
        "scenario": setting.scenario.name,
        "params": float(setting.params),
        "target_loss": target_loss,
        **_reach("budget", compute, interval),
        **_reach("student_tokens", least_tokens(problem, target_loss), interval),
    }


def _reach(name: str, values: Floats, interval: float) -> dict[str, float]:
    """Quantiles over all draws (infinite where a draw never gets there) and that probability."""
    lower, median, upper = _quantiles(values, interval)
    return {
        f"{name}_median": float(median),
        f"{name}_lower": float(lower),
        f"{name}_upper": float(upper),
        f"{name}_p_unreachable": float(np.isinf(values).mean()),
    }


def _quantiles(values: Floats, interval: float) -> Floats:
    """Lower end, median and upper end; of draws, for infinite ones have nothing between them."""
    levels = [(1 - interval) / 2, 0.5, (1 + interval) / 2]
    return np.asarray(np.quantile(values, levels, method="nearest"))
