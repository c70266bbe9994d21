"""A search that needs no derivatives: a shrinking pattern of trials, led by a parabola.

Criteria may have steps (the probability of missing a target) and corners (the mean of the worst
draws), so a pattern of trials decides. Where the criterion is smooth, a parabola through the trials
says where it is least, and what would take a dozen halvings takes three or four rounds. The
parabola only proposes: no point is accepted that was not tried.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Score = Callable[[Places, Floats], Floats]
"""Takes problems (n,) and trials (trials, n, unknowns), returns (trials, n); infeasible is inf."""

SMALL_STEP = 0.02  # the pattern starts no narrower than this
SHRINK = 8.0  # by how much a step shrinks where parabolas predict well
FURTHEST = 2.0  # steps that a parabola may lead away
TINY = 1e-10  # relative; an improvement that is not worth another round
FLAT = 1e-12  # parabolas that bend less one way than this, relative to the other, lead nowhere
ROUNDS = 60


def minimise(
    score: Score, starts: Floats, pattern: Floats, smallest: float, widest: float
) -> tuple[Floats, Floats]:
    """Where a shrinking pattern around the best of the starts ends up.

    Parameters
    ----------
    score
        What is to be minimised, for all problems in one batch.
    starts
        Points that surround the answer, (candidates, problems, unknowns).
    pattern
        Trials around a point, in steps, (trials, unknowns); the point itself is one of them.
    smallest, widest
        The search ends once steps are no longer than `smallest`; none is longer than `widest`.

    Returns
    -------
    The best points (problems, unknowns), and the scores of the starts (candidates, problems).
    """
    everyone = np.arange(starts.shape[1])
    first = score(everyone, starts)
    centre, best = starts[first.argmin(axis=0), everyone], first.min(axis=0)
    step = np.clip(np.ptp(starts, axis=0) / 4, SMALL_STEP, widest)
    around, safe = centre.copy(), step.copy()  # where the pattern lies, and a step to fall back to
    predicted = np.zeros(best.size)  # by how much its middle should be better than the best so far
    middle = int(np.flatnonzero(~pattern.any(axis=1))[0])
    for _ in range(ROUNDS):
        moving = np.flatnonzero(step.max(axis=1) > smallest)
        if not moving.size:
            break
        there, length = around[moving], step[moving]
        scores = score(moving, there + pattern[:, None, :] * length)
        tiny = TINY * np.abs(np.where(np.isfinite(best[moving]), best[moving], 0.0))
        confirmed = scores[middle] <= best[moving] - predicted[moving] / 2 + tiny
        lower = scores.min(axis=0)
        better, clearly = lower < best[moving], lower < best[moving] - tiny
        # led to where everything is worse
        lost = (lower > best[moving] + tiny) & (there != centre[moving]).any(axis=1)
        won = moving[better]
        centre[won] = (there + pattern[scores.argmin(axis=0)] * length)[better]
        best[won] = lower[better]
        place, least, led = _lowest_of_parabola(pattern, scores, middle)
        led &= ~lost
        inside = np.abs(place).max(axis=1) < 1
        around[moving] = np.where(led[:, None], there + place * length, centre[moving])
        predicted[moving] = np.where(led, np.maximum(best[moving] - least, 0.0), 0.0)
        factor = np.select(
            [led & inside & confirmed, led & inside, led, clearly], [1 / SHRINK, 1, 2, 1], 0.5
        )
        safe[moving] = np.where(lost[:, None], safe[moving], length)
        step[moving] = np.minimum(safe[moving] * factor[:, None], widest)
    return centre, first


def _lowest_of_parabola(
    pattern: Floats, scores: Floats, middle: int
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Where parabolas through scores (trials, problems) are least, and which of them lead there.

    Places are in steps, (problems, unknowns), with the parabola's value there, (problems,).
    Parabolas without a least point, or through trials that are not feasible, lead nowhere.
    """
    free = pattern.any(axis=0)
    x, k, n = pattern[:, free], int(free.sum()), scores.shape[1]
    rows, columns = np.triu_indices(k)
    terms = np.column_stack([np.ones(len(x)), x, x[:, rows] * x[:, columns]])
    led = np.isfinite(scores).all(axis=0)
    values = np.where(led, scores, 0.0)
    coefficients = np.linalg.lstsq(terms, values - values[middle], rcond=None)[0]
    slope, bent = coefficients[1 : 1 + k].T, np.zeros((n, k, k))
    bent[:, rows, columns] = coefficients[1 + k :].T
    bent = bent + bent.transpose(0, 2, 1)
    lengths, axes = np.linalg.eigh(bent)
    led &= lengths[:, 0] > FLAT * np.abs(lengths).max(axis=1)
    along = np.einsum("nij,ni->nj", axes, slope) / np.where(led[:, None], lengths, 1.0)
    to = -np.einsum("nij,nj->ni", axes, along)
    to *= np.minimum(1, FURTHEST / np.maximum(np.abs(to).max(axis=1, keepdims=True), FURTHEST))
    place = np.zeros((n, pattern.shape[1]))
    place[:, free] = to
    curve = slope + np.einsum("nij,nj->ni", bent, to) / 2
    return place, values[middle] + coefficients[0] + np.einsum("ni,ni->n", curve, to), led
