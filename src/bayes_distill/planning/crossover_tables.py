"""Rows of crossovers and of targets: budgets over draws, as quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_distill.planning.crossover import Crossover, crossovers
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.targets import least_compute, least_tokens
from bayes_distill.predict.extrapolation import grounds

Floats = NDArray[np.float64]


def crossover_rows(setting: Setting, interval: float) -> list[dict[str, Any]]:
    """Where distillation stops being better, and starts, for one student and scenario.

    The second row is left out where no draw has such a budget. Budgets include the tokens served.
    Quantiles are over all draws: where distillation stops, a draw in which it is still better at
    the largest budget looked at has an infinite crossover, one in which it never is minus infinity.
    Where it starts, minus infinity stands for better at all budgets, infinity for not at the
    largest. So a median that is infinite says that most draws have none on that side.
    ``budget_if_any`` has the quantiles over the draws alone that have such a budget.
    """
    thin = setting.thin(setting.draw_counts.crossover)
    offsets = thin.posterior.size_offsets
    offset = None if offsets is None else offsets.at(np.array([setting.params]))[:, 0]
    stops, starts = crossovers(thin.problem, offset=offset)
    shown = [stops] if starts.p_none == 1 else [stops, starts]
    return [_row(setting, result, interval) for result in shown]


def _row(setting: Setting, result: Crossover, interval: float) -> dict[str, Any]:
    below = result.direction == "better_below"
    never = -np.inf if below else np.inf
    budgets = np.where(np.isnan(result.budget), never, result.budget) + setting.serving_flops
    lower, median, upper = _quantiles(budgets, interval)
    place = int(np.abs(budgets - median).argmin()) if np.isfinite(median) else 0
    tokens = result.student_tokens[place] if np.isfinite(median) else np.nan
    there = budgets[np.isfinite(budgets)]
    if_any = _quantiles(there, interval) if there.size else np.full(3, np.nan)
    return {
        "scenario": setting.scenario.name,
        "params": float(setting.params),
        "direction": result.direction,
        "budget_median": float(median),
        "budget_lower": float(lower),
        "budget_upper": float(upper),
        **{
            f"budget_if_any_{name}": float(value)
            for name, value in zip(("lower", "median", "upper"), if_any, strict=True)
        },
        "p_none": result.p_none,
        "p_never_better": result.p_never_better,
        "p_always_better": result.p_always_better,
        **_grounds(setting, float(tokens)),
    }


def _grounds(setting: Setting, tokens: float) -> dict[str, Any]:
    """What both sides rest on at a median crossover; factors are NaN where there is none."""
    known = np.isfinite(tokens)
    one = np.array([float(setting.params)])
    columns = grounds(
        setting.posterior,
        one,
        np.array([tokens if known else setting.posterior.reference.tokens]),
        np.full(1, np.nan),
        np.ones(1, bool),
    )
    return {
        name: np.nan if name.endswith("factor") and not known else column[0]
        for name, column in columns.items()
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
