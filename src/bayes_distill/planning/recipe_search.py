"""The one allocation that is best for a criterion over the whole posterior.

A recipe fixes N_T, D_T and D_S (or, with a free teacher, its loss) before the truth is known, so
each draw gives it another loss. Its search starts from the best recipes of single draws, which
surround it, and moves a shrinking pattern of trial recipes (see `pattern_search`), which needs no
smooth criterion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_distill._input.intervals import mean_of
from bayes_distill.compute import TRAINING_PASSES
from bayes_distill.planning.criteria import mean
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.solver.optimise import Optimum
from bayes_distill.planning.solver.pattern_search import SMALL_STEP, minimise
from bayes_distill.posterior.posterior import Conditions

Floats = NDArray[np.float64]

CANDIDATES = 64  # recipes of single draws that are tried first
FINALISTS = 8  # of them, tried with all draws
PATTERN = np.linspace(-1, 1, 5)  # steps along each unknown; for the mean every other will do
SMALLEST_STEP = 1e-4  # of a natural logarithm of sizes and tokens; for a loss, a hundredth of it
LARGEST_STEP = 1.0
NEAR = 1e-4  # of the reference loss: recipes that differ by less are as good
SLACK = 0.01  # of a natural logarithm: so near the spread a recipe counts as in it
WAY = 33  # places between a recipe and the middle of the draws' own best
ROUGH = 16.0  # smallest steps at which the first search stops: the last has all draws to go by


@dataclass(frozen=True, eq=False)
class Recipe:
    """One allocation a budget; arrays (budgets,), NaN where something is not determined.

    `teacher_loss` is the expected loss of the teacher. A free one is not described but looked for
    by its loss, or the nearest that the limits allow. `losses` are the student's (draws, budgets),
    by the law and the discrepancies of its size, as those of each draw's optimum: what a condition
    has besides is scatter of a run. `run_losses` (draws, budgets) have it too, and `score`
    (budgets,) is the criterion.
    """

    student_tokens: Floats
    teacher_params: Floats
    teacher_tokens: Floats
    teacher_loss: Floats
    losses: Floats
    run_losses: Floats | None = None
    score: Floats | None = None


def best_recipe(setting: Setting, budget: Floats, optimum: Optimum) -> Recipe:
    """Find the best recipe for every budget (budgets,), starting from each draw's optimum."""
    if not setting.scenario.distils:
        return _supervised(setting, budget)
    draws = optimum.loss.shape[0]
    few = np.unique(np.linspace(0, draws - 1, CANDIDATES).astype(int))
    own = _unknowns(setting, optimum)  # (draws, budgets, unknowns)
    found = _searched(setting, budget, own[few])
    return _final(setting, budget, into_spread(setting, budget, found, own))


def _searched(setting: Setting, budget: Floats, starts: Floats) -> Floats:
    """Unknowns (budgets, unknowns) of the best recipe, from starts (candidates, budgets, ...)."""
    thin = setting.thin(setting.draw_counts.recipe_search)
    menu = np.log(setting.limits.menu)
    if starts.shape[-1] == 1 or not menu.size:
        if thin.posterior.n_draws == setting.posterior.n_draws:  # no more draws to end with
            return _search(setting, budget, starts)[0]
        ends, scores = _search(thin, budget, starts, rough=ROUGH)
        ends = ends[None]
    else:  # every size of the menu is searched separately
        spread = np.tile(starts, (1, menu.size, 1))
        spread[..., 0] = np.repeat(menu, budget.size)
        ends, _ = _search(thin, np.tile(budget, menu.size), spread, rough=ROUGH)
        ends = ends.reshape(menu.size, budget.size, -1)
        scores = _score(thin, budget, starts)
    order = scores.argsort(axis=0)[:FINALISTS]
    finalists = np.concatenate([ends, starts[order, np.arange(budget.size)]])
    return _search(setting, budget, finalists, SMALL_STEP)[0]


def into_spread(setting: Setting, budget: Floats, found: Floats, own: Floats) -> Floats:
    """Recipes (budgets, unknowns) that lie among the draws' own best, where near-equal ones do.

    In a flat valley the least of a criterion may lie far from what any draw thinks best. A recipe
    outside the central 90% of `own` (draws, budgets, unknowns) is moved towards their median, as
    far as its criterion stays within `NEAR` of the best. A menu of sizes leaves it where it is, and
    so does a free teacher, which has its loss for a single unknown and may be the strongest.
    """
    low, middle, high = np.quantile(own, [0.05, 0.5, 0.95], axis=0)
    outside = ((found < low - SLACK) | (found > high + SLACK)).any(axis=-1)
    if setting.limits.menu or own.shape[-1] == 1 or not outside.any():
        return found
    parts = np.linspace(0, 1, WAY)[:, None, None]
    trials = found + parts * (middle - found)  # (parts, budgets, unknowns)
    scores = _score(setting, budget, trials)
    near = scores <= scores[0] + NEAR * setting.posterior.reference.loss
    last = WAY - 1 - near[::-1].argmax(axis=0)
    return np.where(outside[:, None], trials[last, np.arange(budget.size)], found)


def _final(setting: Setting, budget: Floats, unknowns: Floats) -> Recipe:
    """Recipes that were chosen (budgets, unknowns), with all that is said of them."""
    return replace(
        complete(setting, budget, unknowns),
        run_losses=complete(setting, budget, unknowns, conditions="own").losses,
        score=_score(setting, budget, unknowns[None])[0],
    )


def _search(
    setting: Setting,
    budget: Floats,
    starts: Floats,
    widest: float = LARGEST_STEP,
    rough: float = 1.0,
) -> tuple[Floats, Floats]:
    """Unknowns (budgets, unknowns) of the best recipe, from starts that surround it.

    And the scores of the starts, (candidates, budgets). Steps shrink to `rough` times the
    smallest one.
    """
    unknowns = starts.shape[-1]
    return minimise(
        lambda which, trials: _score(setting, budget[which], trials),
        starts,
        _pattern(setting, unknowns),
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


def _pattern(setting: Setting, unknowns: int) -> Floats:
    """Trial directions (trials, unknowns), in steps."""
    steps = PATTERN[::2] if unknowns > 1 and setting.criterion is mean else PATTERN
    if unknowns == 1:
        return steps[:, None]
    first = np.zeros(1) if setting.limits.menu else steps
    return np.stack(np.meshgrid(first, steps), axis=-1).reshape(-1, 2)


def _score(setting: Setting, budget: Floats, unknowns: Floats) -> Floats:
    """Criterion (trials, budgets) of trial recipes (trials, budgets, unknowns); inf: infeasible."""
    trials, budgets = unknowns.shape[:2]
    flat = unknowns.reshape(trials * budgets, -1)
    # runs of all recipes have one condition's discrepancies, as they have one noise
    conditions: Conditions = "new" if setting.criterion.of_run else "none"
    recipe = complete(setting, np.tile(budget, trials), flat, conditions=conditions)
    scores = setting.score(recipe.losses)
    infeasible = np.isnan(recipe.student_tokens) | np.isnan(scores)
    return np.where(infeasible, np.inf, scores).reshape(trials, budgets)


def complete(
    setting: Setting, budget: Floats, unknowns: Floats, *, conditions: Conditions = "none"
) -> Recipe:
    """Complete recipes (recipes, unknowns) by the budget identity, within the limits.

    `conditions` are as in `Posterior.distilled_loss`.
    """
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
        losses = posterior.distilled_loss(
            np.full(n, setting.params), tokens, teacher, conditions=conditions
        )
        known = [(teacher == strongest).all(axis=0), (teacher == weakest).all(axis=0)]
        sizes, teacher_tokens = (np.select(known, list(end), np.nan) for end in ends)
        return Recipe(tokens, sizes, teacher_tokens, mean_of(teacher), losses)
    size = np.clip(np.exp(unknowns[:, 0]), low, high)
    teacher_tokens = np.clip(
        np.exp(unknowns[:, 1]), limits.min_teacher_tokens, limits.max_teacher_tokens
    )
    model = np.asarray(setting.flops.forward_flops(size))
    training = TRAINING_PASSES * setting.scenario.teacher_share * model * teacher_tokens
    tokens = (budget - training) / (each + setting.scenario.logits_share * model)
    feasible = tokens >= limits.min_tokens * (1 - 1e-9)
    tokens = np.clip(tokens, limits.min_tokens, limits.max_tokens)
    teacher_draws = posterior.supervised_loss(size, teacher_tokens)
    losses = posterior.distilled_loss(
        np.full(n, setting.params), tokens, teacher_draws, conditions=conditions
    )
    tokens = np.where(feasible, tokens, np.nan)
    return Recipe(tokens, size, teacher_tokens, teacher_draws.mean(axis=0), losses)


def _supervised(setting: Setting, budget: Floats) -> Recipe:
    tokens = np.minimum(
        budget / (TRAINING_PASSES * setting.student_flops), setting.limits.max_tokens
    )
    losses = setting.posterior.supervised_loss(np.full(budget.size, setting.params), tokens)
    nothing = np.full(budget.size, np.nan)
    return Recipe(tokens, nothing, nothing, nothing, losses, losses, setting.score(losses))
