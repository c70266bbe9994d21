"""How far the runs moved each coefficient, and what they say about combinations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.intervals import equal_tailed, interval_fault, number
from bayes_distill.identify.combinations import combinations, correlations
from bayes_distill.identify.variables import Variables, on_real_line, variables_of
from bayes_distill.inference.fitted_model import FittedModel
from bayes_distill.inference.identification import CONTRACTION, KNOWN_WITHIN, contraction
from bayes_distill.laws.base import Support
from bayes_distill.posterior import Posterior
from bayes_distill.predict.arguments import load_beside


@dataclass(frozen=True)
class Identifiability:
    """What the runs tell about coefficients.

    Parameters
    ----------
    table
        One row a coefficient, published ones first: ``name``, ``meaning``, ``kind``, medians and
        intervals (``prior_*`` and ``*``), ``contraction`` (share of the prior's variance that the
        runs removed, on the log or logit scale; below 0 if they widened it), ``shift`` (of the
        mean, in prior sd), ``identified``.
    combinations
        The products of powers that the runs tell most and least about; see
        `bayes_distill.identify.combinations`.
    correlations
        Pairs of published coefficients that the runs tie together: ``first``, ``second``,
        ``correlation`` (of ranks, 0.9 or more in size).
    variables
        Draws, ``published`` and ``sampled``.
    interval
        Probability inside the intervals.
    notes
        What people should be told first.
    """

    table: pd.DataFrame
    combinations: pd.DataFrame
    correlations: pd.DataFrame
    variables: dict[str, Variables]
    interval: float
    notes: tuple[str, ...]

    @property
    def unidentified(self) -> tuple[str, ...]:
        """Published coefficients that the runs do not identify."""
        mine = self.table[(self.table["kind"] == "published") & ~self.table["identified"]]
        return tuple(mine["name"])

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rows = []
        for r in self.table.to_dict("records"):
            rows.append(
                {
                    **{k: r[k] for k in ("name", "meaning", "kind")},
                    **{k: number(r[k]) for k in ("median", "lower", "upper")},
                    "prior": {k: number(r[f"prior_{k}"]) for k in ("median", "lower", "upper")},
                    "contraction": number(r["contraction"]),
                    "shift": number(r["shift"]),
                    "identified": r["identified"],
                }
            )
        return {
            "interval": self.interval,
            "coefficients": rows,
            "combinations": self.combinations.to_dict("records"),
            "correlations": self.correlations.to_dict("records"),
        }


def identifiability(
    posterior: Posterior | str | Path,
    *,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
) -> Identifiability:
    """Report how far the runs moved every coefficient, and which combinations they know.

    A coefficient is identified if the runs cut its prior's variance by three quarters and it is
    known to within a factor of 1.6, both on the log or logit scale.

    Parameters
    ----------
    posterior
        A fit with its runs, a file written by `fit`, or the name of a card that ships with one.
    interval
        Probability inside the intervals.
    seed
        Seed of the prior draws.
    allow_failed
        Whether a posterior whose fit failed its checks may be used.

    Raises
    ------
    InputError
        If the interval is no probability, or the posterior cannot be used or holds no runs.
    FailedFitError
        If the fit failed its checks and that is not allowed.
    """
    faults = [f for f in [interval_fault(interval)] if f is not None]
    posterior = load_beside(faults, posterior, allow_failed)
    fitted = FittedModel.of(posterior)
    variables = variables_of(posterior, fitted, seed)
    law = posterior.law
    meanings = {c.name: c.meaning for c in law.coordinates}
    meanings |= {c.name: c.meaning for c in law.coefficients}
    rows = [
        _row(name, meanings, kind, support, group, interval)
        for kind, group in variables.items()
        for name, support in group.supports.items()
    ]
    # c0, f1 and gamma may be sampled and published: they count as published, once
    table = pd.DataFrame(rows).drop_duplicates("name", ignore_index=True)
    # what the fit said of its own prior draws stands: two answers would only confuse
    said = {c["name"]: c for c in posterior.info.get("coefficients", [])}
    for key in ("contraction", "identified"):
        own = zip(table["name"], table[key], strict=True)
        table[key] = [said[name][key] if name in said else value for name, value in own]
    both = [combinations(group).assign(of=kind) for kind, group in variables.items()]
    return Identifiability(
        table,
        pd.concat(both, ignore_index=True),
        correlations(variables["published"]),
        variables,
        interval,
        posterior.warnings,
    )


def _row(
    name: str,
    meanings: dict[str, str],
    kind: str,
    support: Support,
    group: Variables,
    interval: float,
) -> dict[str, Any]:
    before, after = group.prior[name], group.posterior[name]
    real_before, real_after = on_real_line(before, support), on_real_line(after, support)
    shrunk = contraction(after, before, support)
    known = support != "positive" or float(real_after.std()) <= KNOWN_WITHIN
    row: dict[str, Any] = {
        "name": name,
        "meaning": meanings.get(name.split("[")[0], ""),
        "kind": kind,
    }
    for prefix, draws in (("", after), ("prior_", before)):
        lower, upper = equal_tailed(draws, interval)
        row |= {f"{prefix}median": float(np.median(draws))}
        row |= {f"{prefix}lower": float(lower), f"{prefix}upper": float(upper)}
    return row | {
        "contraction": shrunk,
        "shift": float((real_after.mean() - real_before.mean()) / real_before.std()),
        "identified": bool(shrunk >= CONTRACTION and known),
    }
