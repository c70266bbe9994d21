"""A design: the runs in order, what each adds, and what the whole leaves unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from bayes_distill._input.files import atomic_path
from bayes_distill._input.intervals import number
from bayes_distill._input.outputs import TABLE
from bayes_distill._input.text import spreadsheet_cell
from bayes_distill.identification.designs.value import Value
from bayes_distill.predict.results.display import Result
from bayes_distill.predict.verdicts import UNKNOWN
from bayes_distill.runs.writing import keep_losses


@dataclass(frozen=True, eq=False, repr=False)
class Design(Result):
    """Runs to do for a budget.

    Parameters
    ----------
    table
        One row a run, in order: ``row`` of the candidates from 0, ``name``, ``params``,
        ``tokens``, ``teacher_loss``, ``teacher_params``, ``teacher_tokens``, ``unique_tokens``;
        ``cost``; ``gain``, what it adds beside those before; ``worth``, for a decision: its gain
        over what its cost would gain in the plan's budget; ``outside`` the runs; and a model of
        that size to train, ``shape_{layers|width|heads|params}``.
    targets
        What is wanted: ``name``, ``sd`` now and ``sd_after`` all runs (expected). Empty for a
        decision.
    criterion
        ``variance``, ``width``, ``information`` or ``value``; the unit of gains, see `design`.
    value
        Gain of the whole, and its Monte Carlo error.
    regret
        For a decision, its expected regret ``now`` and ``after``; else empty.
    budget, spent
        In the unit of the cost.
    notes
        Sentences for people.
    fit
        Verdicts on the fit, ``sampling`` and ``law``.
    """

    shown: ClassVar[Mapping[str, str]] = {"table": "Runs, in order", "targets": "Targets"}

    table: pd.DataFrame
    targets: pd.DataFrame
    criterion: str
    value: Value
    regret: Mapping[str, float]
    budget: float
    spent: float
    notes: tuple[str, ...]
    fit: Mapping[str, str] = field(default_factory=lambda: UNKNOWN)

    @property
    def left(self) -> float:
        """What of the budget is not spent."""
        return max(self.budget - self.spent, 0.0)

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "criterion": self.criterion,
            "chosen": [_chosen(row) for row in self.table.to_dict("records")],
            "spent": self.spent,
            "left": self.left,
            "value": {"mean": self.value.mean, "error": self.value.error},
            "targets": self.targets.to_dict("records"),
            "regret": dict(self.regret),
            "notes": list(self.notes),
            "fit": dict(self.fit),
        }

    def launch(self) -> pd.DataFrame:
        """A table ready to launch: names, shapes, tokens, teachers and costs, a run a row.

        It can be completed with a column ``loss`` and read as runs.
        """
        table = self.table
        names = [
            spreadsheet_cell(str(name)) if name else f"design-{place}"
            for place, name in enumerate(table["name"])
        ]
        columns = {"run": names, "params": table["shape_params"], "tokens": table["tokens"]}
        for name in ("teacher_loss", "teacher_params", "teacher_tokens", "unique_tokens"):
            if name == "teacher_loss" or table[name].notna().any():
                columns[name] = table[name]
        columns |= {name: table[f"shape_{name}"] for name in ("layers", "width", "heads")}
        return pd.DataFrame({**columns, "cost": table["cost"]})

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write `launch` as CSV, whole or not at all.

        Raises
        ------
        InputError
            If it cannot be written, or would replace a table of runs with losses without
            `overwrite`.
        """
        if not overwrite:
            keep_losses(path)
        with atomic_path(path, TABLE, overwrite=overwrite) as temporary:
            self.launch().to_csv(temporary, index=False)
        return Path(path)


def _chosen(row: dict[Any, Any]) -> dict[str, Any]:
    numbers = ("params", "tokens", "teacher_loss", "teacher_params", "teacher_tokens")
    found = {"row": int(row["row"]), "name": str(row["name"])}
    found |= {
        name: number(float(row[name])) for name in (*numbers, "unique_tokens", "cost", "gain")
    }
    shape = {n: float(row[f"shape_{n}"]) for n in ("layers", "width", "heads", "params")}
    worth = float(row["worth"])
    return {
        **found,
        "worth": None if np.isnan(worth) else worth,
        "outside": bool(row["outside"]),
        "shape": shape,
    }
