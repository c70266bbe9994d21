"""Budgets that pay for no recipe, found before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bayes_distill.errors import Fault, InputError
from bayes_distill.planning.arguments import PlanRequest
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.student_size import RANGE, affordable_sizes
from bayes_distill.posterior import Posterior


def problems_of(posterior: Posterior, request: PlanRequest) -> list[str | None]:
    """Why each plan (rows,) has no recipe, and what the least would be; ``None`` where it has one.

    Raises
    ------
    InputError
        If no plan has a recipe.
    """
    cells = request.cells
    problems: list[str | None] = [None] * len(cells)
    for group in cells.groups(request.everything):
        setting = request.setting(posterior, group)
        for row, budget in zip(group.rows, group.budgets, strict=True):
            problems[row] = _problem(setting, float(budget))
    if all(problem is not None for problem in problems):
        raise InputError(list(_faults(posterior, request, problems)))
    return problems


def _problem(setting: Setting, budget: float) -> str | None:
    if np.isnan(setting.params):
        return None if affordable_sizes(setting, budget).size else _no_student(setting, budget)
    if budget - setting.serving_flops >= setting.least_budget:
        return None
    return _too_little([budget], setting)


def _faults(
    posterior: Posterior, request: PlanRequest, problems: list[str | None]
) -> Iterator[Fault]:
    """The faults of a request without any recipe: one a student, of its dearest scenario."""
    cells = request.cells
    groups = cells.groups(request.everything)
    for size in dict.fromkeys(group.params for group in groups if not np.isnan(group.params)):
        mine = [group for group in groups if group.params == size]
        settings = [request.setting(posterior, group) for group in mine]
        budgets = list(dict.fromkeys(float(c) for group in mine for c in group.budgets))
        dearest = max(settings, key=lambda setting: setting.least_budget)
        yield Fault(_too_little(budgets, dearest), column="budget")
    for problem in dict.fromkeys(problems[row] for row in np.flatnonzero(np.isnan(cells.params))):
        yield Fault(str(problem), column="budget")


def _too_little(budgets: list[float], setting: Setting) -> str:
    served = setting.served_tokens
    serving = f" and serve {served:.3g} tokens" if served else ""
    least = setting.least_budget + setting.serving_flops
    return (
        f"{', '.join(f'{budget:.4g}' for budget in budgets)} FLOPs cannot pay for a student of "
        f"{setting.params:.4g} parameters{serving} within the limits: the least that can is "
        f"{least:.4g} ({setting.scenario.name})"
    )


def _no_student(setting: Setting, budget: float) -> str:
    smallest = replace(setting, params=RANGE[0])
    least = smallest.least_budget + smallest.serving_flops
    served = setting.served_tokens
    serving = f" and serving {served:.3g} tokens" if served else ""
    return (
        f"{budget:.3g} FLOPs do not pay for training any student{serving} under "
        f"{setting.scenario.name}: with {RANGE[0]:.0e} parameters it takes {least:.3g}"
    )
