"""The one allocation that is best for a utility over the whole posterior.

A recipe fixes N_T, D_T and D_S (or, with a free teacher, its loss) before the truth is known, so
each draw gives it another loss. Its search starts from the best recipes of single draws, which
surround it, and moves a shrinking pattern of trial recipes: that needs no smooth utility.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_distill.bands import mean_of
from bayes_distill.compute import TRAINING_PASSES, ForwardFlops, Scenario
from bayes_distill.planning.limits import Limits
from bayes_distill.planning.optimise import Optimum
from bayes_distill.planning.utilities import Utility
from bayes_distill.posterior import Posterior

Floats = NDArray[np.float64]

CANDIDATES = 64  # recipes of single draws that are tried first
FINALISTS = 8  # of them, tried with all draws
SEARCH_DRAWS = 256  # draws that the pattern is first moved by; its last moves are by all of them
PATTERN = np.linspace(-1, 1, 5)  # steps along each unknown
SMALLEST_STEP = 1e-4  # of a natural logarithm of sizes and tokens; for a loss, a hundredth of it
SMALL_STEP, LARGEST_STEP = 0.02, 1.0
ROUGH = 16.0  # smallest steps at which the first search stops: the last has all draws to go by
ROUNDS = 60


@dataclass(frozen=True)
class Recipe:
    """One allocation a budget; arrays (budgets,), NaN where something is not determined.

    `teacher_loss` is the expected loss of the teacher. A free one is not described but looked for
    by its loss, or the nearest that the limits allow. `losses` are the student's (draws, budgets).
    """

    student_tokens: Floats
    teacher_params: Floats
    teacher_tokens: Floats
    teacher_loss: Floats
    losses: Floats


@dataclass(frozen=True)
class Setting:
    """What all budgets of a search have in common."""

    posterior: Posterior
    params: float
    scenario: Scenario
    limits: Limits
    flops: ForwardFlops

    @property
    def student_flops(self) -> float:
        """Forward FLOPs of the student per token."""
        return float(self.flops.forward_flops(float(self.params)))


def best_recipe(setting: Setting, budget: Floats, optimum: Optimum, utility: Utility) -> Recipe:
    """Find the best recipe for every budget (budgets,), starting from each draw's own best."""
    if not setting.scenario.distils:
        return _supervised(setting, budget)
    draws = optimum.loss.shape[0]
    few = np.unique(np.linspace(0, draws - 1, CANDIDATES).astype(int))
    starts = _unknowns(setting, optimum)[few]  # (candidates, budgets, unknowns)
    thin = setting.posterior.thin(SEARCH_DRAWS)
    small = Setting(thin, setting.params, setting.scenario, setting.limits, setting.flops)
    menu = np.log(setting.limits.menu)
    if starts.shape[-1] == 1 or not menu.size:
        found = _search(small, budget, starts, utility, rough=ROUGH)[None]
    else:  # every size of the menu has a search of its own
        spread = np.tile(starts, (1, menu.size, 1))
        spread[..., 0] = np.repeat(menu, budget.size)
        found = _search(small, np.tile(budget, menu.size), spread, utility, rough=ROUGH)
        found = found.reshape(menu.size, budget.size, -1)
    order = _score(small, budget, starts, utility).argsort(axis=0)[:FINALISTS]
    ends = np.concatenate([found, starts[order, np.arange(budget.size)]])
    return complete(setting, budget, _search(setting, budget, ends, utility, SMALL_STEP))


def _search(
    setting: Setting,
    budget: Floats,
    starts: Floats,
    utility: Utility,
    widest: float = LARGEST_STEP,
    rough: float = 1.0,
) -> Floats:
    """Unknowns (budgets, unknowns) where a shrinking pattern around the best start ends up.

    It shrinks to `rough` times the smallest step.
    """
    scores = _score(setting, budget, starts, utility)  # (candidates, budgets)
    centre = starts[scores.argmin(axis=0), np.arange(budget.size)]
    best = scores.min(axis=0)
    step = np.clip(np.ptp(starts, axis=0) / 4, SMALL_STEP, widest)  # (budgets, unknowns)
    offsets = _offsets(starts.shape[-1], setting)
    smallest = rough * (SMALLEST_STEP if starts.shape[-1] > 1 else SMALLEST_STEP / 100)
    for _ in range(ROUNDS):
        moving = np.flatnonzero(step.max(axis=1) > smallest)
        if not moving.size:
            break
        trial = centre[moving] + offsets[:, None, :] * step[moving]
        scores = _score(setting, budget[moving], trial, utility)
        better = scores.min(axis=0) < best[moving]
        won = moving[better]
        centre[won] = trial[scores.argmin(axis=0)[better], better]
        best[won] = scores.min(axis=0)[better]
        step[moving[~better]] /= 2
    return centre


def plug_in_losses(setting: Setting, budget: Floats, optimum: Optimum) -> Floats:
    """Losses (draws, budgets), under the whole posterior, of the best recipe of a single draw.

    `optimum` has one draw: the posterior mean of the coefficients, say.
    """
    return complete(setting, budget, _unknowns(setting, optimum)[0]).losses


def _unknowns(setting: Setting, optimum: Optimum) -> Floats:
    """Logs of what a recipe decides (draws, budgets, unknowns): N_T and D_T, or the free L_T."""
    if setting.scenario.teacher_is_free and np.isnan(optimum.teacher_params).any():
        return np.log(optimum.teacher_loss)[..., None]
    return np.log(np.stack([optimum.teacher_params, optimum.teacher_tokens], axis=-1))


def _offsets(unknowns: int, setting: Setting) -> Floats:
    """Trial directions (trials, unknowns), in steps."""
    if unknowns == 1:
        return PATTERN[PATTERN != 0, None]
    first = np.zeros(1) if setting.limits.menu else PATTERN
    offsets = np.stack(np.meshgrid(first, PATTERN), axis=-1).reshape(-1, 2)
    return offsets[offsets.any(axis=1)]


def _score(setting: Setting, budget: Floats, unknowns: Floats, utility: Utility) -> Floats:
    """Utility (trials, budgets) of trial recipes (trials, budgets, unknowns); infeasible is inf."""
    trials, budgets = unknowns.shape[:2]
    flat = unknowns.reshape(trials * budgets, -1)
    recipe = complete(setting, np.tile(budget, trials), flat)
    scores = np.asarray(utility(recipe.losses), dtype=float)
    infeasible = np.isnan(recipe.student_tokens) | np.isnan(scores)
    return np.where(infeasible, np.inf, scores).reshape(trials, budgets)


def complete(setting: Setting, budget: Floats, unknowns: Floats) -> Recipe:
    """Complete recipes (recipes, unknowns) by the budget identity, within the limits."""
    posterior, limits = setting.posterior, setting.limits
    n = budget.size
    each = TRAINING_PASSES * setting.student_flops
    low, high = limits.teacher_params_range
    if unknowns.shape[1] == 1:
        tokens = np.minimum(budget / each, limits.max_tokens)
        ends = np.array([[high, low], [limits.max_teacher_tokens, limits.min_teacher_tokens]])
        strongest, weakest = posterior.supervised_loss(*ends).T[..., None]
        wanted = np.exp(unknowns[:, 0])
        teacher = np.clip(wanted, strongest, weakest)  # no teacher within the limits has another
        losses = posterior.distilled_loss(np.full(n, setting.params), tokens, teacher)
        known = [(teacher == strongest).all(axis=0), (teacher == weakest).all(axis=0)]
        sizes, taught = (np.select(known, list(end), np.nan) for end in ends)
        return Recipe(tokens, sizes, taught, mean_of(teacher), losses)
    size = np.clip(np.exp(unknowns[:, 0]), low, high)
    taught = np.clip(np.exp(unknowns[:, 1]), limits.min_teacher_tokens, limits.max_teacher_tokens)
    model = np.asarray(setting.flops.forward_flops(size))
    training = TRAINING_PASSES * setting.scenario.teacher_share * model * taught
    tokens = (budget - training) / (each + setting.scenario.logits_share * model)
    feasible = tokens >= limits.min_tokens * (1 - 1e-9)
    tokens = np.clip(tokens, limits.min_tokens, limits.max_tokens)
    teacher_draws = posterior.supervised_loss(size, taught)
    losses = posterior.distilled_loss(np.full(n, setting.params), tokens, teacher_draws)
    tokens = np.where(feasible, tokens, np.nan)
    return Recipe(tokens, size, taught, teacher_draws.mean(axis=0), losses)


def _supervised(setting: Setting, budget: Floats) -> Recipe:
    tokens = np.minimum(
        budget / (TRAINING_PASSES * setting.student_flops), setting.limits.max_tokens
    )
    losses = setting.posterior.supervised_loss(np.full(budget.size, setting.params), tokens)
    nothing = np.full(budget.size, np.nan)
    return Recipe(tokens, nothing, nothing, nothing, losses)
