"""Runs of a project of Weights & Biases, read by its client."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from bayes_distill._input.text import shown
from bayes_distill.errors import InputError
from bayes_distill.runs.trackers.mlflow_store import quietly
from bayes_distill.runs.trackers.servers import check_server
from bayes_distill.runs.trackers.tracker_runs import WANDB, TrackerRuns, without_password

SERVER = "https://api.wandb.ai"
TIMEOUT = 20  # seconds for an answer
DEPTH = 8  # of dictionaries in a configuration
INSTEAD = "or export the table of runs as CSV and give that file"


def read_project(source: str, extremes: Iterable[tuple[str, str]] = ()) -> TrackerRuns:
    """Read the runs of ``wandb:ENTITY/PROJECT``, oldest first.

    The server is that of ``WANDB_BASE_URL``, and the key that of the client.

    Parameters
    ----------
    source
        Address of the project.
    extremes
        Names of metrics whose ``min`` or ``max`` is needed, and which.

    Raises
    ------
    InputError
        If the client is not installed, the server does not answer, or there are no such runs.
    """
    path = source.removeprefix(WANDB).strip("/")
    if not path or path.count("/") > 1:
        raise InputError(f"{shown(source)} names no project: write wandb:ENTITY/PROJECT")
    server = os.environ.get("WANDB_BASE_URL") or SERVER
    try:
        import wandb  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise InputError(
            f"reading {shown(source)} needs the client of Weights & Biases: pip install wandb, "
            f"{INSTEAD}"
        ) from None
    check_server(server, without_password(server))
    os.environ.setdefault("WANDB_SILENT", "true")
    with quietly():
        try:
            runs = list(wandb.Api(timeout=TIMEOUT).runs(path, order="+created_at"))
            if not runs:
                raise InputError(f"{shown(source)} holds no runs")
            return _tracker_runs(runs, extremes, path)
        except InputError:
            raise
        except Exception as error:  # the client and the network each have their own
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise InputError(f"{shown(source)} cannot be read: {reason}; {INSTEAD}") from None


def _tracker_runs(runs: list[Any], extremes: Iterable[tuple[str, str]], path: str) -> TrackerRuns:
    cells: dict[str, list[object]] = {}
    for place, run in enumerate(runs):
        summary = {key: run.summary[key] for key in run.summary.keys()}  # noqa: SIM118
        values = {**_flat("config", run.config), **_flat("summary", summary)}
        values |= {"Tags": ", ".join(run.tags)} if run.tags else {}
        for name, value in values.items():
            cells.setdefault(name, [None] * len(runs))[place] = value
    found: dict[tuple[str, str], list[object]] = {}
    for name, which in extremes:
        metric = name.removeprefix("metric:").removeprefix("summary.")
        full = f"summary.{metric}"
        if full in cells:
            found[full, which] = [_extreme(run, metric, which) for run in runs]
    count = f"{len(runs)} run{'s' if len(runs) > 1 else ''}"
    return TrackerRuns(
        cells,
        [run.name or None for run in runs],
        [str(run.state).casefold() if run.state else None for run in runs],
        [_seconds(run.created_at) for run in runs],
        (f"Read from Weights & Biases: {shown(path)} ({count}).",),
        found,
    )


def _flat(prefix: str, values: Mapping[Any, Any], depth: int = DEPTH) -> dict[str, object]:
    """Values by dotted names, of dictionaries in dictionaries; what begins with _ is left out."""
    found: dict[str, object] = {}
    for key, value in values.items():
        name = f"{prefix}.{key}"
        if str(key).startswith("_"):
            continue
        if isinstance(value, Mapping) and depth:
            found |= _flat(name, value, depth - 1)
        elif isinstance(value, float) and not math.isfinite(value):
            found[name] = str(value)  # as text, so that it is not taken for a gap
        elif isinstance(value, (str, bool, int, float)):
            found[name] = value
    return found


def _extreme(run: Any, metric: str, which: str) -> object:
    """Smallest or largest finite value that a run logged of a metric."""
    logged = [row.get(metric) for row in run.scan_history(keys=[metric])]
    numbers = [v for v in logged if isinstance(v, (int, float)) and math.isfinite(v)]
    if not numbers:
        return "NaN" if logged else None
    return min(numbers) if which == "min" else max(numbers)


def _seconds(created: object) -> float | None:
    time = pd.to_datetime(str(created), errors="coerce", utc=True)
    return None if pd.isna(time) else float(time.timestamp())
