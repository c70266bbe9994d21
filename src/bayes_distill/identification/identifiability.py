"""Identifiability: how far the runs moved each coefficient, and which combinations they fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from bayes_distill._input.intervals import interval_fault, number, seed_faults
from bayes_distill.identification.combinations import combinations, correlations
from bayes_distill.identification.variables import Variables, on_real_line, variables_of
from bayes_distill.inference.fitted_model import FittedModel
from bayes_distill.inference.identification import CONTRACTION, KNOWN_WITHIN, contraction
from bayes_distill.laws.base import Support
from bayes_distill.posterior import Posterior
from bayes_distill.predict.arguments import load_beside
from bayes_distill.predict.results.columns import summary
from bayes_distill.predict.results.display import Result

SPREAD = ("median", "lower", "upper")


@dataclass(frozen=True, eq=False, repr=False)
class Identifiability(Result):
    """What the runs identify of the coefficients.

    Parameters
    ----------
    table
        One row a coefficient, published ones first: ``name``, ``meaning``, ``kind``;
        ``posterior_{median|lower|upper}`` and ``prior_{median|lower|upper}``; ``contraction``
        (share of the prior's variance that the runs removed, on the log or logit scale; below 0 if
        they widened it), ``shift`` (of the mean, in prior sd), ``identified``.
    combinations
        The products of powers that the runs identify best and least; see
        `bayes_distill.identification.combinations`.
    correlations
        Pairs of published coefficients that the runs tie together: ``first``, ``second``,
        ``correlation`` (of ranks, 0.9 or more in size).
    variables
        Draws, ``published`` and ``sampled``.
    notes
        Sentences for people.
    """

    shown: ClassVar[Mapping[str, str]] = {
        "table": "",
        "combinations": "Combinations identified best and least",
        "correlations": "Pairs of which only the trade-off is identified",
    }

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
                    **{k: number(r[f"posterior_{k}"]) for k in SPREAD},
                    "prior": {k: number(r[f"prior_{k}"]) for k in SPREAD},
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
    """Report how far the runs moved every coefficient, and which combinations they identify.

    A coefficient is identified if the runs cut its prior's variance by three quarters and it is
    known to within a factor of 1.6, both on the log or logit scale.

    Parameters
    ----------
    posterior, interval, allow_failed
        As in `forecast`; the posterior holds its runs.
    interval
        Probability inside the intervals.
    seed
        Seed of the prior draws.

    Raises
    ------
    InputError
        If the interval is no probability, or the posterior cannot be used or holds no runs.
    FailedFitError
        If the fit failed its checks and that is not allowed.
    """
    faults = [f for f in [interval_fault(interval)] if f is not None] + seed_faults(seed)
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
    # figures that the fit stored, from other prior draws, take precedence: one answer for each
    stored = {c["name"]: c for c in posterior.info.get("coefficients", [])}
    for key in ("contraction", "identified"):
        here = zip(table["name"], table[key], strict=True)
        table[key] = [stored[name][key] if name in stored else value for name, value in here]
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
    sharp = support != "positive" or float(real_after.std()) <= KNOWN_WITHIN
    row: dict[str, Any] = {
        "name": name,
        "meaning": meanings.get(name.split("[")[0], ""),
        "kind": kind,
    }
    for quantity, draws in (("posterior", after), ("prior", before)):
        row |= {k: float(v) for k, v in summary(quantity, draws, interval, SPREAD).items()}
    return row | {
        "contraction": shrunk,
        "shift": float((real_after.mean() - real_before.mean()) / real_before.std()),
        "identified": bool(shrunk >= CONTRACTION and sharp),
    }
