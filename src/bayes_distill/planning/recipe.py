"""The one allocation that is best for a utility over the whole posterior.

A recipe fixes N_T, D_T and D_S (or, with a free teacher, its loss) before the truth is known, so
each draw gives it another loss. Its search starts from the best recipes of single draws, which
surround it, and moves a shrinking pattern of trial recipes (see `pattern`), which needs no smooth
utility.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_distill._input.intervals import mean_of
from bayes_distill.compute import TRAINING_PASSES, ForwardFlops, Scenario
from bayes_distill.planning.criteria import Utility, mean
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.planning.solver.optimise import Optimum
from bayes_distill.planning.solver.pattern_search import SMALL_STEP, minimise
from bayes_distill.posterior import Posterior

Floats = NDArray[np.float64]

CANDIDATES = 64  # recipes of single draws that are tried first
FINALISTS = 8  # of them, tried with all draws
SEARCH_DRAWS = 256  # draws that the pattern is first moved by; its last moves are by all of them
PATTERN = np.linspace(-1, 1, 5)  # steps along each unknown; for the mean every other will do
SMALLEST_STEP = 1e-4  # of a natural logarithm of sizes and tokens; for a loss, a hundredth of it
LARGEST_STEP = 1.0
ROUGH = 16.0  # smallest steps at which the first search stops: the last has all draws to go by


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
        if thin.n_draws == setting.posterior.n_draws:  # there are no more draws to settle it by
            return complete(setting, budget, _search(setting, budget, starts, utility)[0])
        found, scores = _search(small, budget, starts, utility, rough=ROUGH)
        found = found[None]
    else:  # every size of the menu has a search of its own
        spread = np.tile(starts, (1, menu.size, 1))
        spread[..., 0] = np.repeat(menu, budget.size)
        found, _ = _search(small, np.tile(budget, menu.size), spread, utility, rough=ROUGH)
        found = found.reshape(menu.size, budget.size, -1)
        scores = _score(small, budget, starts, utility)
    order = scores.argsort(axis=0)[:FINALISTS]
    ends = np.concatenate([found, starts[order, np.arange(budget.size)]])
    return complete(setting, budget, _search(setting, budget, ends, utility, SMALL_STEP)[0])


def _search(
    setting: Setting,
    budget: Floats,
    starts: Floats,
    utility: Utility,
    widest: float = LARGEST_STEP,
    rough: float = 1.0,
) -> tuple[Floats, Floats]:
    """Unknowns (budgets, unknowns) of the best recipe, from starts that surround it.

    And the scores of the starts, (candidates, budgets). Steps shrink to `rough` times the
    smallest one.
    """
    unknowns = starts.shape[-1]
    return minimise(
        lambda which, trials: _score(setting, budget[which], trials, utility),
        starts,
        _pattern(unknowns, setting, utility),
        rough * (SMALLEST_STEP if unknowns > 1 else SMALLEST_STEP / 100),
        widest,
    )


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


def _pattern(unknowns: int, setting: Setting, utility: Utility) -> Floats:
    """Trial directions (trials, unknowns), in steps."""
    ends = PATTERN[::2] if unknowns > 1 and utility is mean else PATTERN
    if unknowns == 1:
        return ends[:, None]
    first = np.zeros(1) if setting.limits.menu else ends
    return np.stack(np.meshgrid(first, ends), axis=-1).reshape(-1, 2)


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
