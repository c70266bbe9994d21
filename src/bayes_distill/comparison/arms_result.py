"""Arms compared: tables, and plain data for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from bayes_distill._input.intervals import number
from bayes_distill.posterior import Posterior
from bayes_distill.predict.results.display import Result
from bayes_distill.predict.verdicts import UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class Arms(Result):
    """Arms compared at one or more points.

    Parameters
    ----------
    table
        One row a pair and point: ``a``, ``b``, ``params``, ``tokens``, ``p_a_better``, the gap
        ``gap_{mean|lower|upper}`` (loss of a less that of b, in the unit of the runs), the compute
        multiplier ``multiplier_{median|lower|upper}`` (how many times the compute of the point b
        needs to reach the loss of a there; infinite where it never does), and where the two cross
        at as many tokens per parameter, ``crossing_{median|lower|upper}`` (FLOPs) with
        ``p_no_crossing``. What would change the answer is the run of at most a tenth of the
        point's compute that tells most about the gap: ``telling_arm``, ``telling_params``,
        ``telling_tokens``, ``telling_explained`` (share of the gap's variance that it is expected
        to take away) and ``telling_needed`` (by how many standard deviations of its own forecast
        it would have to come out otherwise for a and b to be equally good in expectation).
    arms
        One row an arm and point: ``name``, ``runs``, ``params``, ``tokens`` and its loss,
        ``loss_{mean|lower|upper}``.
    interval
        Probability inside every interval.
    notes
        Sentences for people.
    fit
        Verdicts on the fit, ``sampling`` and ``law``.
    posterior
        The fit of all arms, for further questions.
    """

    table: pd.DataFrame
    arms: pd.DataFrame
    interval: float
    notes: tuple[str, ...]
    posterior: Posterior
    fit: Mapping[str, str] = field(default_factory=lambda: UNKNOWN)

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        pairs = [
            {
                "a": r["a"],
                "b": r["b"],
                "at": {k: r[k] for k in ("params", "tokens")},
                "p_a_better": r["p_a_better"],
                "gap": {k: r[f"gap_{k}"] for k in ("mean", "lower", "upper")},
                "compute_multiplier": {
                    k: number(r[f"multiplier_{k}"]) for k in ("median", "lower", "upper")
                },
                "crossing": {
                    "flops": {k: number(r[f"crossing_{k}"]) for k in ("median", "lower", "upper")},
                    "p_none": r["p_no_crossing"],
                },
                "telling_run": {
                    "arm": r["telling_arm"],
                    **{
                        k: number(r[f"telling_{k}"])
                        for k in ("params", "tokens", "explained", "needed")
                    },
                },
            }
            for r in self.table.to_dict("records")
        ]
        arms = [
            {
                "name": r["name"],
                "runs": int(r["runs"]),
                "at": {k: r[k] for k in ("params", "tokens")},
                "loss": {k: r[f"loss_{k}"] for k in ("mean", "lower", "upper")},
            }
            for r in self.arms.to_dict("records")
        ]
        return {"interval": self.interval, "pairs": pairs, "arms": arms, "fit": dict(self.fit)}
