"""What a comparison found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from bayes_distill._input.intervals import number
from bayes_distill.predict.results.display import Result


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """Fits of the same runs, ranked.

    Parameters
    ----------
    table
        By PSIS-LOO, one row a fit, best first: see `loo.loo_table`, with ``card`` and ``law``.
    left_out
        By predictive density of what was left out: ``params``, ``group`` or ``tail`` (the
        extrapolation) -> a table as `left_out.left_out_table` gives it. Empty if nothing was.
    weights
        Label -> weight for a stack, in the order in which the fits were given.
    weighted_by
        Where the weights come from: ``loo``, ``params``, ``group``, or ``given`` for shares that
        the call states.
    notes
        Sentences for people.
    counts
        Of fits that count parameters differently: exponents and a forecast of each, see
        `counts.counts_table`. Empty where all count alike.
    """

    table: pd.DataFrame
    left_out: Mapping[str, pd.DataFrame]
    weights: Mapping[str, float]
    weighted_by: str
    notes: tuple[str, ...] = ()
    counts: pd.DataFrame = field(default_factory=pd.DataFrame)

    def shown_tables(self) -> dict[str, pd.DataFrame]:
        """Heading -> table, for a notebook."""
        left_out = {f"By {kind} left out": table for kind, table in self.left_out.items()}
        counts = {"By what N counts": self.counts} if len(self.counts) else {}
        return {"By PSIS-LOO": self.table, **left_out, **counts}

    @property
    def verdict(self) -> str:
        """Worst verdict of the refits, ``none`` without any."""
        found = {v for table in self.left_out.values() for v in table["verdict"]}
        return next((v for v in ("fail", "review", "pass") if v in found), "none")

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "fits": _records(self.table),
            "left_out": {kind: _records(table) for kind, table in self.left_out.items()},
            "weights": dict(self.weights),
            "weighted_by": self.weighted_by,
            "notes": list(self.notes),
            **({"counts": _records(self.counts)} if len(self.counts) else {}),
        }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(k): v if isinstance(v, (str, int)) else number(v) for k, v in record.items()}
        for record in table.to_dict("records")
    ]
