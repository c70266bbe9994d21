"""Which combinations of coefficients the runs identify, and which they leave to the prior.

With S0 and S1 the prior's and the posterior's covariance of the coefficients on the real line, the
combinations a'u whose variance the runs cut most and least are the generalised eigenvectors of
S1 a = r S0 a, and r is the variance that is left. On the natural scale such a combination is a
product of powers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import linalg, stats

from bayes_distill.identification.variables import Variables
from bayes_distill.laws.base import Support

MOST_TERMS = 4
AS_GOOD = 2.0  # a combination with fewer terms will do if it leaves at most twice the variance
LEAST_SHARE = 0.1  # of the largest term: what moves the product by less is not shown


def combinations(variables: Variables, count: int = 3) -> pd.DataFrame:
    """The combinations that the runs identify best and least, `count` of each.

    Returns
    -------
    DataFrame
        ``learnt`` (``most`` or ``least``), ``combination`` (a readable product of powers, each
        figure below being of exactly what is written), ``variance_left`` (posterior over prior
        variance of its logarithm), ``sd`` (posterior sd of its logarithm), ``prior_sd``.
    """
    before, after = (np.cov(variables.matrix(w), rowvar=False) for w in ("prior", "posterior"))
    before, after = np.atleast_2d(before), np.atleast_2d(after)
    left, vectors = linalg.eigh(after, before)
    k = len(left)
    half = max(1, k // 2)
    rows: list[dict[str, Any]] = []
    for learnt, order in (("most", range(half)), ("least", range(k - 1, k - 1 - half, -1))):
        seen: set[str] = {row["combination"] for row in rows}
        mine = 0
        for i in order:
            a = _sparse(vectors[:, i], before, after, left[i])
            written = product(a, variables)
            if written in seen or mine == count:  # small terms dropped, two may be the same
                continue
            seen.add(written)
            mine += 1
            spread, prior = (float(np.sqrt(a @ s @ a)) for s in (after, before))
            rows.append(
                {
                    "learnt": learnt,
                    "combination": written,
                    "variance_left": (spread / prior) ** 2,
                    "sd": spread,
                    "prior_sd": prior,
                }
            )
    return pd.DataFrame(rows)


def correlations(variables: Variables, least: float = 0.9) -> pd.DataFrame:
    """Pairs whose posterior rank correlation is at least `least` in size, strongest first."""
    names = variables.names
    ranks = np.column_stack([stats.rankdata(variables.posterior[name]) for name in names])
    found = np.corrcoef(ranks, rowvar=False)
    rows = [
        {"first": names[i], "second": names[j], "correlation": float(found[i, j])}
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if abs(found[i, j]) >= least
    ]
    table = pd.DataFrame(rows, columns=["first", "second", "correlation"])
    order = table["correlation"].abs().sort_values(ascending=False).index
    return table.loc[order].reset_index(drop=True)


def product(exponents: np.ndarray, variables: Variables) -> str:
    """``A' * alpha'^2.1``: factors with their exponents, those of 0 left out."""
    factors = []
    for name, support, power in zip(
        variables.names, variables.supports.values(), exponents, strict=True
    ):
        if power == 0:
            continue
        base = _base(name, support)
        factors.append(base if power == 1 else f"{base}^{power:.2g}")
    return " * ".join(factors)


def _base(name: str, support: Support) -> str:
    return {"positive": name, "unit": f"odds({name})", "real": f"exp({name})"}[support]


def _sparse(a: np.ndarray, before: np.ndarray, after: np.ndarray, left: float) -> np.ndarray:
    """Fewest terms that serve as well, scaled so that the largest has exponent 1, rounded."""
    weight = np.abs(a) * np.sqrt(np.diag(before))
    order = np.argsort(-weight)
    found = np.zeros_like(a)
    for terms in range(1, min(MOST_TERMS, len(a)) + 1):
        largest = order[:terms]
        if terms > 1 and weight[largest[-1]] < LEAST_SHARE * weight[largest[0]]:
            break
        # the combination of these alone that is nearest to the full one under the prior
        inner = before[np.ix_(largest, largest)]
        found = np.zeros_like(a)
        found[largest] = np.linalg.solve(inner, before[largest] @ a)
        ratio = (found @ after @ found) / (found @ before @ found)
        if left / AS_GOOD <= ratio <= left * AS_GOOD:
            break
    lead = int(np.argmax(np.abs(found) * np.sqrt(np.diag(before))))
    scaled = found / found[lead]
    return np.array([float(f"{x:.2g}") for x in scaled])
