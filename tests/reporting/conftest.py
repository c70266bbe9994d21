"""A report of made-up draws, built once, with what was said while building."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayes_distill.cli.main import run
from bayes_distill.posterior import Posterior


@dataclass(frozen=True)
class Built:
    """A report with the posterior that it is about, and what ``--json`` said."""

    posterior: Posterior
    path: Path
    said: dict[str, Any]
    text: str


def with_runs(posterior: Posterior) -> Posterior:
    """The draws, with runs near them and what a fit would have found."""
    students = [(2e8, 4e9), (5e8, 1e10), (1e9, 2e10), (1.8e9, 5e10)]
    teachers = np.linspace(1.95, 2.7, 9)
    rows = np.array([(n, d, t) for n, d in students for t in teachers])
    loss = posterior.thin(1).distilled_loss(*rows.T)[0]
    names = ("params", "tokens", "teacher_loss")
    columns = {name: ("run", column) for name, column in zip(names, rows.T, strict=True)}
    group = xr.Dataset({**columns, "loss": ("run", loss)}, coords={"run": np.arange(len(rows))})
    tree = posterior.tree.copy()
    tree["runs"] = xr.DataTree(group)
    check = {"value": 1.02, "threshold": 1.01, "verdict": "review", "scope": "sampling"}
    coefficient = {"meaning": "exponent", "mean": 0.3, "sd": 0.1, "median": 0.3, "lower": 0.2}
    coefficient |= {"upper": 0.4, "contraction": 0.5, "sampled": True, "identified": False}
    info = {
        "verdict": "review",
        "diagnostics": {
            "verdict": "review",
            "chains": 4,
            "draws": 500,
            "checks": [{"name": "rhat_max", "advice": "double --warmup <now> & wait", **check}],
        },
        "interval": 0.9,
        "n_runs": len(rows),
        "kind": "distillation",
        "source": "runs <b>of</b> ours.csv",
        "coefficients": [
            {"name": "alpha'", **coefficient},
            {"name": "kappa", **coefficient, "identified": True},
        ],
        "flagged_runs": [{"row": 3, "pareto_k": 0.81, "residual": -4.0, "reason": "loss better"}],
        "notes": ["Near-duplicates: rows 1 and 2."],
    }
    return replace(posterior, tree=tree, info={**posterior.info, **info})


@pytest.fixture(scope="session")
def built(scattered, fits_folder) -> Built:
    posterior = with_runs(scattered)
    fit, path = posterior.save(fits_folder / "with-runs.nc"), fits_folder / "report.html"
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        assert run(["report", str(fit), "--out", str(path), "--json", "--seed", "3"]) == 0
    return Built(posterior, path, json.loads(said.getvalue()), path.read_text(encoding="utf-8"))
