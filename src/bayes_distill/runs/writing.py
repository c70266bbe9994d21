"""Writing a table of runs."""

from __future__ import annotations

from pathlib import Path

from bayes_distill._input.files import atomic_path
from bayes_distill.runs.table import Runs


def write_runs(runs: Runs, path: str | Path) -> None:
    """Write a table of runs as CSV, Parquet or JSON lines, whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    suffix = Path(path).suffix
    with atomic_path(path) as temporary:
        if suffix == ".parquet":
            runs.frame.to_parquet(temporary, index=False)
        elif suffix == ".jsonl":
            runs.frame.to_json(temporary, orient="records", lines=True)
        else:
            runs.frame.to_csv(temporary, index=False)
