"""Writing a table of runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from bayes_distill._input.files import atomic_path
from bayes_distill._input.outputs import TABLE
from bayes_distill._input.text import spreadsheet_cell
from bayes_distill.runs.table import LABELS, Runs


def write_runs(
    runs: Runs, path: str | Path, *, inputs: Iterable[object] = (), overwrite: bool = False
) -> None:
    """Write a table of runs as CSV, Parquet or JSON lines, whole or not at all.

    Parameters
    ----------
    runs
        What is written.
    path
        Where: ``.csv``, ``.parquet`` or ``.jsonl``.
    inputs, overwrite
        An input, or a file that is no table of runs, is replaced only with `overwrite`.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    suffix = Path(path).suffix
    with atomic_path(path, TABLE, inputs=inputs, overwrite=overwrite) as temporary:
        if suffix == ".parquet":
            runs.frame.to_parquet(temporary, index=False)
        elif suffix == ".jsonl":
            runs.frame.to_json(temporary, orient="records", lines=True)
        else:
            _guarded(runs.frame).to_csv(temporary, index=False)


def _guarded(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame whose text a spreadsheet takes for text, and not for formulas."""
    labels = [name for name in LABELS if name in frame]
    return frame.assign(
        **{
            name: [
                spreadsheet_cell(cell) if isinstance(cell, str) else cell for cell in frame[name]
            ]
            for name in labels
        }
    )
