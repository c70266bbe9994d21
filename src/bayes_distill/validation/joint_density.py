"""Joint density of left-out runs in every draw, with everything that they share integrated.

A new student size has discrepancies, new teachers and conditions have effects, which no draw of the
posterior knows. Given the draw's law they are normal, so the density of the runs is an integral
over them. Were they drawn instead, one set a draw, hardly a set would fit the runs: the density
would rest on a few draws and be far too low.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components

from bayes_distill.likelihoods import Normal, StudentT
from bayes_distill.posterior import Posterior, evaluate
from bayes_distill.posterior.discrepancy import Discrepancy
from bayes_distill.posterior.effects import OF_TAUGHT, RUN
from bayes_distill.posterior.size_offsets import SAME_SIZE
from bayes_distill.predict.points import Points
from bayes_distill.validation.marginal_likelihood import (
    normal_log_density,
    student_t_log_density,
)

BATCH = 2**21  # numbers of a batch of covariances: 16 MB
WORK = 2**33  # cubes of numbers of runs, over draws: with more, fewer draws are taken, evenly


@dataclass(frozen=True, eq=False)
class Shared:
    """Something normal that runs share, which moves their losses linearly.

    Parameters
    ----------
    moves
        Change of each loss (draws, runs) by one standard deviation.
    alike
        Correlations (runs, runs).
    """

    moves: np.ndarray
    alike: np.ndarray


def joint_log_density(
    posterior: Posterior,
    points: Points,
    loss: np.ndarray,
    teacher: np.ndarray,
    seed: int = 0,
    run: np.ndarray | None = None,
) -> np.ndarray:
    """Log density (draws,) of measured losses together, given each draw's law and scales.

    Discrepancies move the loss linearly but for the place of a gap, whose slope over two standard
    deviations is taken.

    Parameters
    ----------
    posterior
        Fitted without these runs; of a card whose likelihood is normal or Student t. With another
        likelihood, and for a stack, what runs share is drawn once in every draw.
    points, loss
        Left-out runs and their losses (runs,).
    teacher
        Losses of their teachers (draws, runs).
    seed
        Of the precisions of Student t noise.
    run
        Which runs are checkpoints of one, whole numbers (runs,); by default none are.

    Notes
    -----
    Where groups are so large that the integrals would take minutes, every k-th draw is taken.
    """
    distilled = points.distilled
    ((likelihood, _), *others) = posterior.likelihoods(distilled)
    if others or not isinstance(likelihood, (Normal, StudentT)):
        return _with_drawn_effects(posterior, points, loss, teacher, seed, run)
    middle, shared = expected(posterior, points, teacher, run)
    scale = posterior.noise_scale(middle, distilled)
    residual, generator = loss - middle, np.random.default_rng([seed, 5])
    together, alone = _components(shared, len(loss))
    work = len(residual) * sum(len(runs) ** 3 for runs in together)
    used = np.arange(0, len(residual), max(1, -(-work // WORK)))
    found = posterior.log_density(loss, middle, distilled)[np.ix_(used, alone)].sum(axis=1)
    for runs in together:
        step = max(1, BATCH // len(runs) ** 2)
        for start in range(0, len(used), step):
            rows = used[start : start + step]
            part = residual[np.ix_(rows, runs)], scale[np.ix_(rows, runs)]
            covariance = _covariance(shared, rows, runs)
            if isinstance(likelihood, Normal):
                density = normal_log_density(*part, covariance)
            else:
                nu = np.broadcast_to(likelihood.degrees_of_freedom, residual.shape)
                nu = nu[np.ix_(rows, runs)]
                density = student_t_log_density(*part, covariance, nu, generator)
            found[start : start + step] += density
    return np.asarray(found)


def _components(shared: list[Shared], count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Places of runs that share something, directly or through others, and of those that do not."""
    linked = np.zeros((count, count), bool)
    for each in shared:
        linked |= each.alike != 0
    alone = ~linked.any(axis=1)
    _, component = connected_components(linked)
    numbers = np.unique(component[~alone])
    return [np.flatnonzero(component == each) for each in numbers], np.flatnonzero(alone)


def expected(
    posterior: Posterior, points: Points, teacher: np.ndarray, run: np.ndarray | None = None
) -> tuple[np.ndarray, list[Shared]]:
    """Losses (draws, runs) where everything shared has its mean, and what is shared."""
    middle = points.supervised_draws(posterior)
    distilled, groups = points.distilled, points.groups
    shared = _offsets(posterior, middle, points.params, distilled)
    if f"{RUN}_sd" in posterior.draws:
        spread = posterior.draws[f"{RUN}_sd"][:, None] * posterior.reference.loss
        label = np.arange(len(points)) if run is None else run
        shared.append(Shared(spread + np.zeros_like(middle), (label[:, None] == label) * 1.0))
    if not distilled.any():
        return middle, shared
    some = np.flatnonzero(distilled)
    losses, of_students = _of_students(
        posterior, points.subset(some), teacher[:, some], groups["condition"][some]
    )
    middle[:, some] = losses
    for each in of_students:
        moves, alike = np.zeros_like(middle), np.zeros((len(points), len(points)))
        moves[:, some], alike[np.ix_(some, some)] = each.moves, each.alike
        shared.append(Shared(moves, alike))
    for name in OF_TAUGHT:
        if f"{name}_sd" in posterior.draws:
            spread = posterior.draws[f"{name}_sd"][:, None] * posterior.reference.loss
            same = (groups[name][:, None] == groups[name]) & np.outer(distilled, distilled)
            shared.append(Shared(spread * distilled, same.astype(float)))
    return middle, shared


def _of_students(
    posterior: Posterior, points: Points, teacher: np.ndarray, condition: np.ndarray
) -> tuple[np.ndarray, list[Shared]]:
    """Losses of distilled students with the means of their discrepancies, and these.

    The posterior is of one model, not of a stack.
    """
    parts, means = {}, {}
    for name, each in posterior.discrepancies.items():
        assert isinstance(each, Discrepancy)
        parts[name] = each.moments(points.params, points.tokens, condition)
        means[name] = np.zeros((posterior.n_draws, len(points)))
        for piece in parts[name]:
            means[name] += piece.mean

    def losses(of_students: dict[str, np.ndarray]) -> np.ndarray:
        return evaluate.distilled_loss(
            posterior.law,
            posterior.coordinates,
            points.params,
            points.tokens,
            teacher,
            posterior.reference,
            of_students,
            points.inputs,
        )

    shared = []
    for name, pieces in parts.items():
        step = np.full((posterior.n_draws, 1), 1e-12)
        for piece in pieces:
            step = np.hypot(step, piece.scale[:, None])
        ends = (losses({**means, name: means[name] + side * step}) for side in (1, -1))
        slope = (next(ends) - next(ends)) / (2 * step)
        shared += [Shared(slope * piece.scale[:, None], piece.alike) for piece in pieces]
    return losses(means), shared


def _offsets(
    posterior: Posterior, middle: np.ndarray, params: np.ndarray, distilled: np.ndarray
) -> list[Shared]:
    """Offsets of the sizes of supervised runs: those that are known are put into `middle`."""
    offsets = posterior.size_offsets
    if offsets is None:
        return []
    log_params = np.log(params)
    apart = np.abs(log_params[:, None] - offsets.log_sizes)
    known = ~distilled & (apart.min(axis=1, initial=np.inf) <= SAME_SIZE)
    middle[:, known] *= 1 + offsets.at(params[known])
    new = ~distilled & ~known
    cell = np.round(log_params / SAME_SIZE)
    alike = (cell[:, None] == cell) & np.outer(new, new)
    return [Shared(offsets.scale[:, None] * middle * new, alike.astype(float))]


def _covariance(shared: list[Shared], rows: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Covariance (draws, runs, runs) of what some runs share, in some draws."""
    total = np.zeros((len(rows), len(runs), len(runs)))
    for each in shared:
        moves = each.moves[np.ix_(rows, runs)]
        total += moves[:, :, None] * moves[:, None, :] * each.alike[np.ix_(runs, runs)]
    return total


def _with_drawn_effects(
    posterior: Posterior,
    points: Points,
    loss: np.ndarray,
    teacher: np.ndarray,
    seed: int,
    run: np.ndarray | None = None,
) -> np.ndarray:
    distilled = points.distilled
    mean = points.supervised_draws(posterior)
    if distilled.any():
        mean[:, distilled] = points.distilled_draws(posterior, teacher)
    mean += posterior.size_effects(mean, points.params, distilled)
    mean += posterior.shared_effects(distilled, seed, run=run, **points.groups)
    return np.asarray(posterior.log_density(loss, mean, distilled).sum(axis=1))
