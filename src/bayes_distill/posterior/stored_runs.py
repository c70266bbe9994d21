"""The runs that a posterior was fitted to, as they are stored in it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill.posterior import Posterior

RUN_NAME = "run_name"
"""Names of the runs, where rows are checkpoints of one."""
COLUMNS = (
    "params",
    "tokens",
    "loss",
    "teacher_loss",
    "teacher_params",
    "teacher_tokens",
    "unique_tokens",
)


def runs_of(posterior: Posterior) -> pd.DataFrame | None:
    """The runs, one a row, with the columns of a table of runs; ``None`` if there were none."""
    if "runs" not in posterior.tree.children:
        return None
    stored = posterior.tree["runs"].dataset
    names = (*COLUMNS, *(each.name for each in posterior.law.extra_inputs))
    frame = pd.DataFrame({n: stored[n].to_numpy() for n in names if n in stored})
    frame.index = pd.Index(stored["run"].to_numpy(), name="run")
    return frame


def as_table(stored: xr.Dataset, names: Iterable[str]) -> pd.DataFrame:
    """Columns of the stored runs as they were read, those of `names` that there are.

    Labels that a run does not have are ``None``.
    """
    frame = stored.to_dataframe()
    if RUN_NAME in frame:
        frame["run"] = frame[RUN_NAME]
    frame = frame[[name for name in names if name in frame]].copy()
    for name in ("run", "group"):
        if name in frame:
            frame[name] = frame[name].astype(object).replace("", None)
    return frame


def rows_in(frame: pd.DataFrame, fitted: pd.DataFrame | None) -> np.ndarray:
    """Which rows of `frame` are among the `fitted` runs, (rows,)."""
    if fitted is None:
        return np.zeros(len(frame), bool)
    names = ["params", "tokens", "loss", "teacher_loss"]

    def keys(table: pd.DataFrame) -> list[tuple[float, ...]]:
        numbers = table.reindex(columns=names).astype(float).fillna(-1.0)
        return [tuple(float(f"{v:.9g}") for v in row) for row in numbers.to_numpy()]

    present = set(keys(fitted))
    return np.array([key in present for key in keys(frame)], bool)
