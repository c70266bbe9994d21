"""Two arms along a ray of compute: their gap, the compute multiplier, and where they cross."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd


def pair_of(
    a: np.ndarray, b: np.ndarray, factors: np.ndarray, flops: float, levels: list[float]
) -> dict[str, float]:
    """Gap, compute multiplier and crossing of two arms; curves are (draws, factors of compute)."""
    here = len(factors) // 2
    gap = a[:, here] - b[:, here]
    needed = factor_at(b, a[:, here], factors)
    crossing = crossing_factor(a - b, factors) * flops
    none = np.isnan(crossing)
    found: dict[str, float] = {
        "p_a_better": float((gap < 0).mean()),
        "gap_mean": float(gap.mean()),
    }
    found |= dict(
        zip(("gap_lower", "gap_upper"), map(float, np.quantile(gap, levels)), strict=True)
    )
    three = [0.5, *levels]
    # of infinite ones among the draws a quantile is an order statistic: nothing lies between
    multipliers = np.quantile(needed, three, method="inverted_cdf")
    places = np.quantile(crossing[~none], three) if not none.all() else np.full(3, np.nan)
    for name, values in (("multiplier", multipliers), ("crossing", places)):
        found |= {
            f"{name}_{k}": float(v)
            for k, v in zip(("median", "lower", "upper"), values, strict=True)
        }
    return found | {"p_no_crossing": float(none.mean())}


def factor_at(curve: np.ndarray, loss: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Factor of compute (draws,) at which a falling curve (draws, factors) reaches a loss.

    Infinite where it does not, and 0 where it is below already at the smallest.
    """
    below = curve <= loss[:, None]
    first = below.argmax(axis=1)
    rows, logs = np.arange(len(curve)), np.log(factors)
    before = np.maximum(first - 1, 0)
    high, low = curve[rows, before], curve[rows, first]
    share = np.where(high > low, (high - loss) / np.where(high > low, high - low, 1.0), 0.0)
    found = np.exp(logs[before] + share * (logs[first] - logs[before]))
    found = np.where(first == 0, 0.0, found)
    return np.asarray(np.where(below.any(axis=1), found, np.inf))


def crossing_factor(gap: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Factor of compute (draws,) nearest to 1 at which a gap (draws, factors) changes its sign."""
    logs = np.log(factors)
    changes = np.sign(gap[:, 1:]) != np.sign(gap[:, :-1])
    away = np.where(changes, np.abs((logs[1:] + logs[:-1]) / 2), np.inf)
    place = away.argmin(axis=1)
    rows = np.arange(len(gap))
    left, right = gap[rows, place], gap[rows, place + 1]
    share = np.clip(left / np.where(left == right, 1.0, left - right), 0.0, 1.0)
    found = np.exp(logs[place] + share * (logs[place + 1] - logs[place]))
    return np.asarray(np.where(changes.any(axis=1), found, np.nan))


def paired_runs(
    frame: pd.DataFrame, arms: pd.Series[str], seeds: Iterable[object] | None = None
) -> pd.Series[str]:
    """Labels (rows,) of runs of different arms with one size, tokens and seed; ``None`` for others.

    The second run of an arm in one place, as where there are no seeds, is in no pair.
    """
    keys = pd.DataFrame({"params": frame["params"], "tokens": frame["tokens"]})
    keys["seed"] = "" if seeds is None else pd.Series(list(seeds), index=frame.index).astype(str)
    place = keys.groupby(list(keys), sort=False).ngroup()
    again = pd.DataFrame({"place": place, "arm": arms}).duplicated()
    alone = ~place.where(~again).duplicated(keep=False)
    return ("pair " + place.astype(str)).astype(object).where(~again & ~alone, None)
