"""Answers as lines of a register: what was asked, the answer as quantiles, and of which fit it is.

`score` in `validation.registered` reads them again.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import number
from bayes_distill._input.register import append_line, register_problem
from bayes_distill._input.text import storable, without_folders
from bayes_distill._input.version import __version__
from bayes_distill.errors import Fault
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.stored_runs import runs_of
from bayes_distill.predict.points import NAMES

PROBABILITIES = (0.005, 0.01, *(round(i / 40, 3) for i in range(1, 40)), 0.99, 0.995)
"""Of the quantiles of a line; they hold the ends of the intervals of 50, 80, 90, 95, 98 and 99%."""
MOST_ROWS = 1000
"""Rows of one line at most."""
NEAR = 0.05
"""Runs of the fit that differ by less, in log parameters and log tokens, are noted with a row."""
MOST_NEAR = 100
DIGITS = 8


def register_faults(register: str | Path | None) -> list[Fault]:
    """What is wrong with a register that an answer is to be appended to, before it is computed."""
    if register is None:
        return []
    problem = register_problem(register)
    return [] if problem is None else [Fault(problem, column="register")]


def size_faults(register: str | Path | None, rows: int) -> list[Fault]:
    """A fault if an answer has more rows than a line of a register."""
    if register is None or rows <= MOST_ROWS:
        return []
    problem = f"a line holds {MOST_ROWS:,} rows at most, and these are {rows:,}: ask for fewer"
    return [Fault(problem, column="register")]


def register_answer(
    register: str | Path | None,
    kind: str,
    posterior: Posterior,
    table: pd.DataFrame,
    new_runs: np.ndarray,
    asked: Mapping[str, Any],
    more: Sequence[Mapping[Hashable, Any]] | None = None,
    pairs: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Append an answer to a register, if there is one.

    Parameters
    ----------
    register
        Its file; ``None`` does nothing.
    kind
        The command: ``forecast``, ``risk``, ``plan`` or another.
    posterior
        The fit, before it was thinned.
    table
        One row a point: ``params``, ``tokens``, and where there are such ``teacher_loss``,
        ``teacher_params``, ``teacher_tokens``, ``unique_tokens``; ``outside`` says which are
        extrapolations.
    new_runs
        Predictive draws of one new run each, (draws, rows).
    asked
        Settings of the question, as plain data.
    more
        What the answer says besides, a mapping a row.
    pairs
        What it says of two rows, their numbers under ``a`` and ``b``.

    Raises
    ------
    InputError
        If the line cannot be appended.
    """
    if register is None:
        return
    quantiles = np.quantile(new_runs, PROBABILITIES, axis=0).T
    near = _near(posterior, table)
    rows = []
    for place, row in enumerate(table.to_dict("records")):
        rows.append(
            {
                **{name: number(row[name]) for name in NAMES if name in row},
                "outside": None if pd.isna(row["outside"]) else bool(row["outside"]),
                "mean": _rounded(new_runs[:, place].mean()),
                "quantiles": [_rounded(value) for value in quantiles[place]],
                "known_runs": near[place],
                **({} if more is None else _plain(more[place])),
            }
        )
    line = {
        "kind": kind,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "fit": {
            "model": posterior.card.name,
            "fingerprint": posterior.fingerprint,
            "runs": posterior.info.get("fingerprint"),
            "source": storable(without_folders(str(posterior.info.get("source", "")))),
            "verdict": posterior.verdict,
        },
        "asked": _plain(asked),
        "probabilities": list(PROBABILITIES),
        "rows": rows,
    }
    if pairs:
        line["pairs"] = [_plain(pair) for pair in pairs]
    append_line(register, line)


def _near(posterior: Posterior, table: pd.DataFrame) -> list[list[float]]:
    """Losses of the fit's own runs near each row: these are no news when forecasts are scored."""
    fitted = runs_of(posterior)
    if fitted is None:
        return [[] for _ in range(len(table))]
    sizes = np.log(fitted[["params", "tokens"]].to_numpy(float))
    losses = fitted["loss"].to_numpy(float)
    found = []
    for point in np.log(table[["params", "tokens"]].to_numpy(float)):
        apart = np.abs(sizes - point).max(axis=1)
        nearest = np.argsort(apart, kind="stable")[:MOST_NEAR]
        found.append([_rounded(losses[i]) for i in nearest if apart[i] <= NEAR])
    return found


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _plain(content: Mapping[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in content.items():
        value = value.item() if isinstance(value, np.generic) else value
        if isinstance(value, float):
            value = number(value)
        elif isinstance(value, str):
            value = storable(value)
        found[str(name)] = value
    return found
