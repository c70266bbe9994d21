"""What the count of parameters does to exponents and forecasts, between fits of the same runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill.posterior import Posterior
from bayes_distill.runs.counts import NON_EMBEDDING, TOTAL

FARTHER = 10.0
"""Factor of compute beyond the dearest run at which forecasts are compared."""
EXPONENTS = ("alpha", "beta")


def counts_table(fits: Mapping[str, Posterior], interval: float) -> pd.DataFrame:
    """One row a fit: what it counts, its exponents, and a forecast; empty where all count alike.

    The forecast, ``loss_{mean|lower|upper}``, is of supervised training on 10 times the compute of
    the dearest run, at as many tokens a parameter. There the parameters without the embedding are
    sqrt(10) times as many, and the embedding, whose width grows with their cube root, 10^(1/6)
    times as large; where no fit counts without the embedding every count grows by sqrt(10).
    """
    if len({fit.card.counts for fit in fits.values()}) < 2:
        return pd.DataFrame()
    growth = np.sqrt(FARTHER)
    rows = {name: fit.tree["runs"].dataset for name, fit in fits.items()}
    first = next(iter(rows.values()))
    dearest = int(np.argmax(first["params"].to_numpy() * first["tokens"].to_numpy()))
    sizes = {name: float(each["params"][dearest]) for name, each in rows.items()}
    tokens = float(first["tokens"][dearest]) * growth
    without = next((sizes[n] for n, fit in fits.items() if fit.card.counts == NON_EMBEDDING), None)
    table = []
    for name, fit in fits.items():
        params = sizes[name] * growth
        if without is not None and fit.card.counts == TOTAL:
            params = without * growth + (sizes[name] - without) * growth ** (1 / 3)
        loss = fit.supervised_loss(np.array([params]), np.array([tokens]))[:, 0]
        row: dict[str, Any] = {"fit": name, "counts": fit.card.counts}
        for exponent in EXPONENTS:
            row |= _summary(exponent, fit.published.get(exponent), interval)
        table.append(row | {"params": params, "tokens": tokens} | _summary("loss", loss, interval))
    return pd.DataFrame(table)


def counts_note(table: pd.DataFrame) -> str:
    """By how much exponents and forecasts differ with the count."""
    moved = [
        f"{name} by {np.ptp(table[f'{name}_mean']):.2g}"
        for name in EXPONENTS
        if table[f"{name}_mean"].notna().all()
    ]
    moved.append(f"the loss at {FARTHER:g} times the compute by {np.ptp(table['loss_mean']):.3g}")
    return f"what N counts moves {', '.join(moved)}"


def _summary(name: str, draws: np.ndarray | None, interval: float) -> dict[str, float]:
    if draws is None:
        return {f"{name}_{part}": np.nan for part in ("mean", "lower", "upper")}
    lower, upper = np.quantile(draws, [(1 - interval) / 2, (1 + interval) / 2])
    return {
        f"{name}_mean": float(draws.mean()),
        f"{name}_lower": float(lower),
        f"{name}_upper": float(upper),
    }
