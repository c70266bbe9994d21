"""Runs whose loss is far above a smooth surface through the others; no law is needed."""

from __future__ import annotations

import numpy as np
import pandas as pd

ROBUST_DEVIATIONS = 8.0
EXCESS = 0.04
RUNS_A_TERM = 3


def suspected_outliers(frame: pd.DataFrame) -> list[int]:
    """Rows whose loss is far above a smooth surface through the others.

    The surface is a quadratic in log params, log tokens and log teacher loss, fitted to log loss
    by least absolute deviations, so that the runs it should expose do not bend it. A run is
    suspect if it lies above it by 4% and by eight robust standard deviations. With fewer than
    three runs for each term of the surface nothing is suspected.

    Parameters
    ----------
    frame
        Canonical frame, all rows with a teacher or all without.

    Returns
    -------
    list of int
        Index labels, ascending.
    """
    residual = surface_residuals(frame)
    if residual is None:
        return []
    deviation = 1.4826 * float(residual.abs().median())
    suspect = (residual > ROBUST_DEVIATIONS * deviation) & (residual > np.log1p(EXCESS))
    return sorted(int(row) for row in residual.index[suspect])


def surface_residuals(frame: pd.DataFrame, robust: bool = True) -> pd.Series[float] | None:
    """Log loss less the surface of `suspected_outliers`, for every run whose numbers are known.

    It is fitted by least absolute deviations, or by least squares if it need not be `robust`.
    ``None`` with fewer than three runs for each term of the surface.
    """
    names = [n for n in ("params", "tokens", "teacher_loss") if n in frame]
    known = frame[[*names, "loss"]]
    known = known.loc[:, known.notna().any() | (known.columns == "loss")].dropna()
    if len(known) == 0:
        return None
    logs = np.log(known.drop(columns="loss").to_numpy())
    varied = logs[:, np.ptp(logs, axis=0) > 0]
    count = varied.shape[1]
    pairs = [(i, j) for i in range(count) for j in range(i, count)]
    if len(known) < RUNS_A_TERM * (1 + count + len(pairs)):
        return None
    x = (varied - varied.mean(axis=0)) / varied.std(axis=0)
    terms = np.column_stack([np.ones(len(x)), x, *(x[:, i] * x[:, j] for i, j in pairs)])
    y = np.log(known["loss"].to_numpy())
    if robust:
        residual = _least_absolute_residuals(terms, y)
    else:
        residual = y - terms @ np.linalg.lstsq(terms, y, rcond=None)[0]
    return pd.Series(residual, index=known.index)


def _least_absolute_residuals(terms: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Residuals of a fit by least absolute deviations, by reweighted least squares."""
    residual = y - y.mean()
    for _ in range(100):
        root = 1 / np.sqrt(np.maximum(np.abs(residual), 1e-4))
        solution = np.linalg.lstsq(terms * root[:, None], y * root, rcond=None)[0]
        last, residual = residual, y - terms @ solution
        if np.max(np.abs(residual - last)) < 1e-7:
            break
    return residual
