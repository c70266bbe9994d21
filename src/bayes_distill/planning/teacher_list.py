"""Teachers that exist already, ranked for a student and a budget."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill.compute import TRAINING_PASSES
from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.setting import Setting
from bayes_distill.predict.results.columns import summary
from bayes_distill.predict.teachers import Teachers

Floats = NDArray[np.float64]


def rank_all(
    settings: Sequence[tuple[Setting, Floats]], teachers: Teachers, seed: int, interval: float
) -> pd.DataFrame:
    """Rank teachers for several students and scenarios, each with its budgets (budgets,).

    Raises
    ------
    InputError
        If a charge needs a size or tokens that the list does not give; if no teacher is
        affordable at any budget.
    """
    for setting, _ in settings:
        _refuse_missing(setting, teachers)
    tables = [
        rank_teachers(setting, budgets, teachers, seed, interval) for setting, budgets in settings
    ]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if len(table) and not table["affordable"].any():
        raise InputError(
            [
                Fault(
                    f"{', '.join(f'{c:.3g}' for c in budgets)} FLOPs pay for none of these "
                    f"teachers under {setting.scenario.name}: the cheapest takes "
                    f"{_least_budget(setting, teachers):.3g}",
                    column="budget",
                )
                for setting, budgets in settings
            ]
        )
    return table


def rank_teachers(
    setting: Setting, budgets: Floats, teachers: Teachers, seed: int, interval: float
) -> pd.DataFrame:
    """Rank teachers by expected student loss, for every budget (budgets,).

    The student gets the tokens that the budget leaves after the scenario's charges for the
    teacher (eq. 9) and the FLOPs for the tokens served. A teacher that leaves nothing is not
    affordable, and comes last. All columns are of a student's mean curve under these very
    teachers, with the effect that each has on all its students, and the scatter of a teacher that
    is known by size and tokens (`Teachers.effects`, `Teachers.run_losses`).
    """
    scenario, posterior, limits = setting.scenario, setting.posterior, setting.limits
    losses, effects = teachers.run_losses(posterior, seed), teachers.effects(posterior)
    n = len(teachers)
    training, per_token = _charges(setting, teachers)
    parts = []
    for budget in budgets:
        left = budget - setting.serving_flops
        tokens = np.minimum((left - training) / per_token, limits.max_tokens)
        affordable = tokens >= limits.min_tokens
        feasible_tokens = np.where(affordable, tokens, limits.min_tokens)
        student = effects + posterior.distilled_loss(
            np.full(n, setting.params), feasible_tokens, losses, conditions="none"
        )
        reachable = np.where(affordable, student, np.inf)
        supervised_tokens = min(left / (TRAINING_PASSES * setting.student_flops), limits.max_tokens)
        size = np.array([setting.params])
        supervised = posterior.of_its_size(
            posterior.supervised_loss(size, np.array([supervised_tokens])), size
        )
        best = reachable.min(axis=1, keepdims=True)
        regret = student - np.where(np.isfinite(best), best, np.nan)
        wins = np.bincount(reachable.argmin(axis=1), minlength=n) / len(student)
        table = pd.DataFrame(
            {
                "name": teachers.names,
                "budget": budget,
                "scenario": scenario.name,
                "params": setting.params,
                "teacher_loss": losses.mean(axis=0),
                "student_tokens": np.where(affordable, tokens, np.nan),
                "affordable": affordable,
                "p_best": np.where(affordable, wins, 0.0),
                **summary("loss", student, interval, ("mean", "lower", "upper")),
                "regret_mean": regret.mean(axis=0),
                "regret_upper": np.quantile(regret, 0.95, axis=0),
                "p_beats_supervised": (student < supervised).mean(axis=0),
            }
        )
        numbers = [c for c in table if str(c).startswith(("loss_", "regret_", "p_beats"))]
        table.loc[~affordable, numbers] = np.nan
        parts.append(table.sort_values("loss_mean", kind="stable", na_position="last"))
    return pd.concat(parts, ignore_index=True)


def _charges(setting: Setting, teachers: Teachers) -> tuple[Floats, Floats]:
    """FLOPs (teachers,) for each one's training, and for each token of the student."""
    scenario = setting.scenario
    model = np.asarray(setting.flops.forward_flops(np.nan_to_num(teachers.params, nan=1.0)))
    training = TRAINING_PASSES * scenario.teacher_share * model * np.nan_to_num(teachers.tokens)
    return training, TRAINING_PASSES * setting.student_flops + scenario.logits_share * model


def _least_budget(setting: Setting, teachers: Teachers) -> float:
    """FLOPs of the cheapest run with one of these teachers, tokens served included."""
    training, per_token = _charges(setting, teachers)
    return float((training + per_token * setting.limits.min_tokens).min() + setting.serving_flops)


def _refuse_missing(setting: Setting, teachers: Teachers) -> None:
    scenario = setting.scenario
    needed = {
        "params": scenario.logits_share > 0 or scenario.teacher_share > 0,
        "tokens": scenario.teacher_share > 0,
    }
    faults = [
        Fault(f"{scenario.name} charges for {what}, which teacher {name} lacks", row, what)
        for what, wanted in needed.items()
        if wanted
        for row, (name, value) in enumerate(
            zip(teachers.names, getattr(teachers, what), strict=True)
        )
        if np.isnan(value)
    ]
    if faults:
        raise InputError(faults)
