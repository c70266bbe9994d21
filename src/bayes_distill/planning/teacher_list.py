"""Teachers that exist already, ranked for a student and a budget."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill._input.intervals import equal_tailed
from bayes_distill.compute import TRAINING_PASSES
from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.recipe import Setting
from bayes_distill.predict.teachers import Teachers

Floats = NDArray[np.float64]


def rank_teachers(
    setting: Setting,
    budgets: Floats,
    teachers: Teachers,
    seed: int,
    interval: float,
    serving: float = 0.0,
) -> pd.DataFrame:
    """Rank teachers by expected student loss, for every budget (budgets,).

    The student gets the tokens that the budget leaves after the scenario's charges for the
    teacher (eq. 9) and the FLOPs for `serving`. A teacher that leaves nothing is not affordable,
    and comes last.

    Raises
    ------
    InputError
        If a charge needs a size or tokens that the list does not give; if no teacher is
        affordable at some budget.
    """
    scenario, posterior = setting.scenario, setting.posterior
    _refuse_missing(setting, teachers)
    losses = teachers.loss_draws(posterior, seed)
    n = len(teachers)
    model = np.asarray(setting.flops.forward_flops(np.nan_to_num(teachers.params, nan=1.0)))
    training = TRAINING_PASSES * scenario.teacher_share * model * np.nan_to_num(teachers.tokens)
    each = TRAINING_PASSES * setting.student_flops + scenario.logits_share * model
    parts = []
    for budget in budgets:
        left = budget - serving
        tokens = np.minimum((left - training) / each, setting.limits.max_tokens)
        affordable = tokens >= setting.limits.min_tokens
        if not affordable.any():
            least = float((training + each * setting.limits.min_tokens).min() + serving)
            raise InputError(
                Fault(
                    f"{budget:.3g} FLOPs pay for none of these teachers under {scenario.name}: "
                    f"the cheapest takes {least:.3g}",
                    column="budget",
                )
            )
        given = np.where(affordable, tokens, setting.limits.min_tokens)
        student = posterior.distilled_loss(np.full(n, setting.params), given, losses)
        reachable = np.where(affordable, student, np.inf)
        alone_tokens = min(
            left / (TRAINING_PASSES * setting.student_flops), setting.limits.max_tokens
        )
        alone = posterior.supervised_loss(np.array([setting.params]), np.array([alone_tokens]))
        regret = student - reachable.min(axis=1, keepdims=True)
        lower, upper = equal_tailed(student, interval)
        table = pd.DataFrame(
            {
                "name": teachers.names,
                "budget": budget,
                "scenario": scenario.name,
                "params": setting.params,
                "teacher_loss": losses.mean(axis=0),
                "student_tokens": np.where(affordable, tokens, np.nan),
                "affordable": affordable,
                "p_best": np.bincount(reachable.argmin(axis=1), minlength=n) / len(student),
                "loss_mean": student.mean(axis=0),
                "loss_lower": lower,
                "loss_upper": upper,
                "regret_mean": regret.mean(axis=0),
                "regret_upper": np.quantile(regret, 0.95, axis=0),
                "p_beats_supervised": (student < alone).mean(axis=0),
            }
        )
        numbers = [c for c in table if str(c).startswith(("loss_", "regret_", "p_beats"))]
        table.loc[~affordable, numbers] = np.nan
        parts.append(table.sort_values("loss_mean", kind="stable", na_position="last"))
    return pd.concat(parts, ignore_index=True)


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
