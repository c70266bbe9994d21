"""The runs of an experiment tracker, before anything is known about their columns."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass, field

import pandas as pd

from bayes_distill.runs.formats import Cells
from bayes_distill.runs.nesting import as_dictionary
from bayes_distill.runs.trackers.states import COLUMNS as STATE_COLUMNS
from bayes_distill.runs.trackers.states import is_state_column

SCHEME = "mlflow:"
WANDB = "wandb:"
SCHEMES = (SCHEME, WANDB)
"""Beginnings of addresses whose runs a client reads."""
KINDS = ("param", "metric", "tag")
NESTED = {
    "param": ("config.", "config/", "params.", "hparams.", "hyperparameters.", "args."),
    "metric": ("summary.", "summary/", "metrics.", "results."),
    "tag": ("tags.",),
}
"""Prefixes in a table for what a store separates by kind."""


NAMES = ("run", "run_name", "name", "display_name", "tags_mlflow_runname", "run_id", "id")
"""Names of a column of run names, in lower case and with underscores."""
CREATED = ("created", "created_at", "start_time", "started", "createdat")
"""Names of a column of the times at which runs began."""
ABOUT_RUNS = {*NAMES, *CREATED, *STATE_COLUMNS, "duration", "runtime", "end_time", "user"}


@dataclass(frozen=True)
class TrackerRuns:
    """What a tracker holds, one entry a run throughout.

    Parameters
    ----------
    cells
        By full name: ``param:n_params`` and so on in a store, the header in a table. A run that
        has no such value has ``None``.
    names, states, started
        Name of each run, its state in lower case, and when it began (any unit); ``None`` where
        the tracker does not say.
    notes
        What users should read about where the runs come from.
    extremes
        Smallest and largest values of metrics, by full name and ``min`` or ``max``.
    about_runs
        Full names of the values that are names, states and times of runs.
    """

    cells: dict[str, list[object]]
    names: list[str | None]
    states: list[str | None]
    started: list[float | None]
    notes: tuple[str, ...] = ()
    extremes: dict[tuple[str, str], list[object]] = field(default_factory=dict)
    about_runs: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.names)

    def find(self, name: str) -> list[str]:
        """Full names that `name` may stand for; more than one are ambiguous."""
        if name in self.cells:
            return [name]
        kind, _, rest = name.partition(":")
        if kind in KINDS:
            tried = [rest, *(prefix + rest for prefix in NESTED[kind])]
        else:
            tried = [f"{kind}:{name}" for kind in KINDS]
            tried += [prefix + name for prefixes in NESTED.values() for prefix in prefixes]
        return [full for full in tried if full in self.cells]

    def values(self, full: str, which: str) -> list[object] | None:
        """The ``last``, ``min`` or ``max`` of a value in each run; ``None`` if it is not recorded.

        Of an export it is the column itself that holds the last value; others are in a column
        with the suffix ``.min`` or ``.max``, or inside of its cells.
        """
        column = self.cells[full]
        if which != "last":
            extremes = self.extremes.get((full, which)) or self.cells.get(f"{full}.{which}")
            if extremes is not None:
                return extremes
            if not any(isinstance(cell, dict) and which in cell for cell in column):
                return None
        return [plain_value(cell, which) for cell in column]

    def suggest(self, name: str) -> str:
        """Say what there is instead of a name that is not there."""
        close = difflib.get_close_matches(name, self.cells, n=3, cutoff=0.6)
        if close:
            return f"did you mean {' or '.join(close)}?"
        names = list(self.cells)
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        return f"there are {', '.join(names[:20])}{more}" if names else "the runs have no values"


def is_store(source: object) -> bool:
    """Whether a source names an MLflow store, or a project of Weights & Biases."""
    return isinstance(source, str) and source.startswith(SCHEMES)


def without_password(source: str) -> str:
    """Address of a store less the name and password of its user, if it has them."""
    return re.sub(r"(?<=://)[^/@]*@", "", source)


def alias_of(full: str) -> str:
    """Name of a value less its kind and with plain separators, to try the aliases on."""
    kind, _, rest = full.partition(":")
    name = rest if kind in KINDS else full
    for prefixes in NESTED.values():
        for prefix in prefixes:
            name = name.removeprefix(prefix)
    return name.replace("/", "_")


def is_export(cells: Cells) -> bool:
    """Whether a table is an export of a tracker: it has a column of the states of runs."""
    columns: dict[str, list[object]] = {}
    for name, column in zip(cells.header, cells.columns, strict=True):
        columns.setdefault(name, column)
    return state_column(columns) is not None


def state_column(columns: dict[str, list[object]]) -> str | None:
    """Name of the column that holds the states of runs, if there is one."""
    plain = {_plain(name): name for name in reversed(columns)}
    there = [plain[name] for name in STATE_COLUMNS if name in plain]
    return next((name for name in there if is_state_column(columns[name])), None)


def from_cells(cells: Cells) -> TrackerRuns:
    """Take a table as the export of a tracker.

    Where a header is repeated, the first column of that name is taken.
    """
    columns: dict[str, list[object]] = {}
    for name, column in zip(cells.header, cells.columns, strict=True):
        columns.setdefault(name, [_unwrapped(cell) for cell in column])
    names = _first(columns, *NAMES)
    named = state_column(columns)
    states = columns[named] if named is not None else None
    created = _first(columns, *CREATED)
    n = len(cells)
    return TrackerRuns(
        columns,
        [_text(cell) for cell in names or [None] * n],
        [text.casefold() if (text := _text(cell)) else None for cell in states or [None] * n],
        [_seconds(cell) for cell in created or [None] * n],
        about_runs=frozenset(name for name in columns if _plain(name) in ABOUT_RUNS),
    )


def plain_value(cell: object, which: str) -> object:
    """One value of a cell: trackers write some as ``{'value': 1}`` or ``{'min': 2.1}``."""
    if not isinstance(cell, dict):
        return cell
    for key in ("value", "last") if which == "last" else (which,):
        if key in cell:
            return cell[key]
    only = list(cell.values())
    return only[0] if which == "last" and len(only) == 1 else str(cell)


def is_nan(cell: object) -> bool:
    """Whether a run logged NaN or an infinity, which is not the same as having logged nothing."""
    if isinstance(cell, str):
        return cell.strip().lstrip("+-").casefold() in {"nan", "inf", "infinity"}
    return isinstance(cell, float) and math.isinf(cell)


def _unwrapped(cell: object) -> object:
    dictionary = as_dictionary(cell)
    return cell if dictionary is None else dictionary


def _plain(name: str) -> str:
    return re.sub(r"[\s.]+", "_", name.strip().casefold())


def _first(columns: dict[str, list[object]], *names: str) -> list[object] | None:
    plain = {_plain(name): cells for name, cells in columns.items()}
    return next((plain[name] for name in names if name in plain), None)


def _text(cell: object) -> str | None:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    return str(cell).strip() or None


def _seconds(cell: object) -> float | None:
    if cell is None or cell == "":
        return None
    time = pd.to_datetime(str(cell), errors="coerce", utc=True)
    return None if pd.isna(time) else float(time.timestamp())
