"""Pairs of teachers of the same student, and whether the worse one was foreseen."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill.validation.scores import base_rate_brier, brier

SAME_PARAMS, SAME_TOKENS = 0.01, 0.03  # relative: how far students of a pair may be apart
BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
BANDS = ("credible", "predictive")
MOST_PAIRS = 20_000  # of one refit; more are sampled
CHUNK = 500  # pairs at once: 16 MB an array at 4000 draws


def gap_pairs(
    frame: pd.DataFrame,
    mean: np.ndarray,
    new_run: np.ndarray,
    *,
    teacher_apart: float = 0.05,
    student_apart: float = 0.004,
    seed: int = 0,
) -> dict[str, Any]:
    """Pairs of runs of the same student under two teachers, with the forecast of each.

    The event is that the stronger teacher (of lower loss) gives the worse student. Both students
    are taken from the same draw, so that what they share, being of one size, cancels.

    Parameters
    ----------
    frame
        Left-out runs; those with a measured ``teacher_loss`` are paired. Students are the same if
        their sizes are within 1% and their tokens within 3% of each other.
    mean, new_run
        Draws (draws, runs) of the mean curve and of single new runs, in the order of `frame`.
    teacher_apart, student_apart
        Least distance of the two teachers' losses and of the two students' (same unit as the
        loss): closer ones say nothing about which is better.
    seed
        Seed of the choice of pairs, should there be more than 20,000.

    Returns
    -------
    dict
        Columns ``stronger``, ``weaker`` (row numbers), ``teacher_gap``, ``student_gap``
        (stronger minus weaker, negative where the stronger teacher helped), ``happened`` and the
        forecasts ``credible`` (of the mean curves) and ``predictive`` (of the runs as measured).
    """
    stronger, weaker = _pairs(frame, teacher_apart, student_apart)
    if len(stronger) > MOST_PAIRS:
        chosen = np.random.default_rng(seed).choice(len(stronger), MOST_PAIRS, replace=False)
        stronger, weaker = stronger[np.sort(chosen)], weaker[np.sort(chosen)]
    loss, rows = frame["loss"].to_numpy(float), frame.index.to_numpy()
    teacher = _teacher_loss(frame)
    gap = loss[stronger] - loss[weaker]
    return {
        "stronger": rows[stronger],
        "weaker": rows[weaker],
        "teacher_gap": teacher[stronger] - teacher[weaker],
        "student_gap": gap,
        "happened": gap > 0,
        "credible": _p_worse(mean, stronger, weaker),
        "predictive": _p_worse(new_run, stronger, weaker),
    }


def reliability(pairs: pd.DataFrame) -> pd.DataFrame:
    """Reliability table: forecast probabilities in bins against how often the event came true.

    One row a band and bin: ``lower``, ``upper``, ``pairs``, ``forecast`` (mean within the bin) and
    ``observed`` (frequency), both NaN in an empty bin. A bin holds its lower end.
    """
    rows = []
    for band in BANDS:
        place = np.clip(np.digitize(pairs[band].to_numpy(float), BINS) - 1, 0, len(BINS) - 2)
        for i, (lower, upper) in enumerate(pairwise(BINS)):
            inside = pairs[place == i]
            filled = len(inside) > 0
            rows.append(
                {
                    "band": band,
                    "lower": lower,
                    "upper": upper,
                    "pairs": len(inside),
                    "forecast": float(inside[band].mean()) if filled else np.nan,
                    "observed": float(inside["happened"].mean()) if filled else np.nan,
                }
            )
    return pd.DataFrame(rows)


def brier_scores(pairs: pd.DataFrame) -> dict[str, float]:
    """Brier scores of both forecasts and of the base rate; NaN without pairs."""
    if not len(pairs):
        return dict.fromkeys(("brier_predictive", "brier_credible", "brier_base_rate"), np.nan)
    happened = pairs["happened"].to_numpy(float)
    return {
        "brier_predictive": brier(pairs["predictive"].to_numpy(float), happened),
        "brier_credible": brier(pairs["credible"].to_numpy(float), happened),
        "brier_base_rate": base_rate_brier(happened),
    }


def _pairs(
    frame: pd.DataFrame, teacher_apart: float, student_apart: float
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the runs of each pair: stronger teacher, weaker teacher."""
    teacher, loss = _teacher_loss(frame), frame["loss"].to_numpy(float)
    size, data = np.log(frame["params"].to_numpy(float)), np.log(frame["tokens"].to_numpy(float))
    known = np.flatnonzero(~np.isnan(teacher))
    a, b = (known[side] for side in np.triu_indices(len(known), 1))
    paired = (
        (np.abs(size[a] - size[b]) <= np.log1p(SAME_PARAMS))
        & (np.abs(data[a] - data[b]) <= np.log1p(SAME_TOKENS))
        & (np.abs(teacher[a] - teacher[b]) >= teacher_apart)
        & (np.abs(loss[a] - loss[b]) >= student_apart)
    )
    a, b = a[paired], b[paired]
    swap = teacher[a] > teacher[b]
    return np.where(swap, b, a), np.where(swap, a, b)


def _teacher_loss(frame: pd.DataFrame) -> np.ndarray:
    if "teacher_loss" not in frame:
        return np.full(len(frame), np.nan)
    return frame["teacher_loss"].to_numpy(float)


def _p_worse(draws: np.ndarray, stronger: np.ndarray, weaker: np.ndarray) -> np.ndarray:
    """Share of draws in which the student of the stronger teacher has the higher loss."""
    found = np.empty(len(stronger))
    for start in range(0, len(stronger), CHUNK):
        piece = slice(start, start + CHUNK)
        found[piece] = (draws[:, stronger[piece]] > draws[:, weaker[piece]]).mean(axis=0)
    return found
