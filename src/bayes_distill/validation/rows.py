"""What follows from the rows of a validation: coverage, interval scores, clusters."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_distill.runs.grouping import size_groups


def percent(level: float) -> str:
    """A level as it stands in the name of a column: 0.9 is 90, 0.975 is 97.5."""
    return f"{100 * level:.6g}"


def within(rows: pd.DataFrame, level: float) -> np.ndarray:
    """Whether the loss of each run lies inside its band of probability `level`, (runs,)."""
    lower, upper = (rows[f"new_run_{end}_{percent(level)}"] for end in ("lower", "upper"))
    return rows["loss"].between(lower, upper).to_numpy(bool)


def interval_score(rows: pd.DataFrame, level: float) -> pd.Series:
    """Interval score of each run's band (Gneiting and Raftery 2007, eq. 43), in units of the loss.

    The width, and for a loss outside it the distance times 2 / (1 - level); less is better.
    """
    lower, upper = (rows[f"new_run_{end}_{percent(level)}"] for end in ("lower", "upper"))
    outside = (lower - rows["loss"]).clip(lower=0) + (rows["loss"] - upper).clip(lower=0)
    return (upper - lower) + 2 / (1 - level) * outside


def clusters_of(rows: pd.DataFrame) -> np.ndarray:
    """What runs belong together, (runs,): by their labels, or else by student size."""
    if "label" in rows and rows["label"].notna().any():
        # a run without a label belongs to none
        own = pd.Series([f"row {row}" for row in rows["row"]], index=rows.index)
        return rows["label"].astype(object).where(rows["label"].notna(), own).astype(str).to_numpy()
    return size_groups(rows["params"].to_numpy(float))[0]
