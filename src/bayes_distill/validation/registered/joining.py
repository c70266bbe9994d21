"""Which runs came of which registered forecasts."""

from __future__ import annotations

import numpy as np
import pandas as pd

TEACHER_PART = 0.25
"""Tolerance of a teacher's log loss, over that of log sizes: losses move in a power of sizes."""
SAME_LOSS = 1e-6


def joined(forecasts: pd.DataFrame, runs: pd.DataFrame, tolerance: float) -> pd.DataFrame:
    """Pairs of a forecast and a run that it was of, one row a pair.

    A run is of a forecast if log params and log tokens differ by at most `tolerance`, both have a
    teacher or neither has, and the teachers agree: in log loss to a quarter of the tolerance, or
    else in size and tokens. Runs that the fit already had, by their losses, are left out.

    Returns
    -------
    DataFrame
        The columns of `forecasts`, with ``forecast`` (its place), ``row`` (index of the run) and
        ``loss``.
    """
    sizes = np.log(runs[["params", "tokens"]].to_numpy(float))
    losses = runs["loss"].to_numpy(float)
    names = runs.index.to_numpy()
    unique = _column(runs, "unique_tokens")
    teachers = {
        name: _column(runs, name) for name in ("teacher_loss", "teacher_params", "teacher_tokens")
    }
    pairs = []
    for place, (index, forecast) in enumerate(forecasts.iterrows()):
        point = np.log([forecast["params"], forecast["tokens"]])
        same = (np.abs(sizes - point) <= tolerance).all(axis=1)
        same &= _same_teacher(forecast, teachers, tolerance)
        same &= _same_data(forecast, unique, runs["tokens"].to_numpy(float), tolerance)
        known = np.asarray(forecast["known_runs"], float)
        if known.size:
            same &= (np.abs(losses[:, None] / known - 1) > SAME_LOSS).all(axis=1)
        for run in np.flatnonzero(same):
            pairs.append((index, place, names[run], losses[run]))
    found = pd.DataFrame(pairs, columns=["index", "forecast", "row", "loss"])
    return found.join(forecasts, on="index").drop(columns="index")


def _column(runs: pd.DataFrame, name: str) -> np.ndarray:
    return runs[name].to_numpy(float) if name in runs else np.full(len(runs), np.nan)


def _same_teacher(
    forecast: pd.Series, teachers: dict[str, np.ndarray], tolerance: float
) -> np.ndarray:
    """Which runs have the teacher of a forecast, or none where it has none, (runs,)."""
    named = {name: float(forecast[name]) for name in teachers}
    taught = ~np.isnan(teachers["teacher_loss"]) | ~np.isnan(teachers["teacher_params"])
    if all(np.isnan(value) for value in named.values()):
        return np.asarray(~taught)
    close = {
        name: np.abs(np.log(values / named[name]))
        <= tolerance * (TEACHER_PART if name == "teacher_loss" else 1)
        for name, values in teachers.items()
    }
    by_size = close["teacher_params"] & close["teacher_tokens"]
    return np.asarray(taught & (close["teacher_loss"] | by_size))


def _same_data(
    forecast: pd.Series, unique: np.ndarray, tokens: np.ndarray, tolerance: float
) -> np.ndarray:
    """Which runs have as many different tokens as a forecast, (runs,)."""
    asked = float(forecast["unique_tokens"])
    wanted = forecast["tokens"] if np.isnan(asked) else min(asked, forecast["tokens"])
    had = np.where(np.isnan(unique), tokens, np.minimum(unique, tokens))
    return np.asarray(np.abs(np.log(had / wanted)) <= tolerance)
