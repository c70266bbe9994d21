"""Writing a table of runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from bayes_distill._input.files import atomic_path
from bayes_distill._input.outputs import TABLE
from bayes_distill._input.text import spreadsheet_cell
from bayes_distill.errors import Fault, InputError
from bayes_distill.runs.column_names import ALIASES
from bayes_distill.runs.formats import cells_of, places_of
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
        An input, a file that is no table of runs, or one of other runs with losses is replaced
        only with `overwrite`.

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
        if not overwrite:
            keep_losses(path, temporary)


def keep_losses(target: str | Path, new: Path | None = None) -> None:
    """Refuse to replace a table whose runs have losses, but by the same bytes.

    Raises
    ------
    InputError
        Then.
    """
    place = Path(target)
    if not place.is_file() or not _has_losses(place):
        return
    if new is None or place.read_bytes() != new.read_bytes():
        raise InputError(
            Fault(
                f"{target} exists and holds runs with losses: name another file, or give "
                "`overwrite=True` to replace it",
                column="out",
            )
        )


def _has_losses(path: Path) -> bool:
    try:
        cells = cells_of(path)
    except InputError:  # no table that can be read
        return False
    place = places_of(cells.header, {"loss": ("loss", *ALIASES["loss"])}).get("loss")
    return place is not None and any(
        cell is not None and str(cell).strip() not in ("", "nan") for cell in cells.columns[place]
    )


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
