"""Quantities by which real runs and replicated ones are compared.

Each is a function of residuals (draws, runs) that are standard normal if the draw is right: how
many residual scales a loss lies above the curve, transformed from the likelihood's distribution to
the normal one (`Likelihood.normal_scores`), so that single outliers do not dominate. A law that is
wrong shows as residuals that depend on something. Residuals of replicated runs are independent
standard normal numbers whatever the draw, so the distribution of each quantity of theirs is known
in closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy import special, stats

from bayes_distill.runs.grouping import SAME_SIZE, clusters, size_groups

SAME_ORDER = 0.999  # correlation of two logarithms of which one says what the other does
BINS = 8
Statistic = Callable[[np.ndarray], np.ndarray]
Tails = tuple[np.ndarray, np.ndarray]

SPOKEN = {"tokens_per_param": "tokens per parameter"}


@dataclass(frozen=True)
class Quantity:
    """One test quantity: `statistic` maps residuals (draws, runs) to numbers (draws,).

    `if_larger` and `if_smaller` say what it means if the real runs have more or less of it than
    replicated ones. `tails` maps values (draws,) to the probabilities that a table of replicated
    runs has a smaller one, and a larger one; ``None`` where that takes more than residuals.
    """

    name: str
    meaning: str
    if_larger: str
    if_smaller: str
    statistic: Statistic
    tails: Callable[[np.ndarray], Tails] | None = None


def quantities_for(frame: pd.DataFrame) -> list[Quantity]:
    """Test quantities that these runs allow: a trend needs values that vary, and so on.

    Variables are size, tokens, compute, tokens per parameter and the teacher's loss, by their
    logarithms; one that says what another before it does is left out.
    """
    n = len(frame)
    found = [
        Quantity(
            "largest_residual",
            "largest residual, as a standard normal",
            "single runs lie further off than the noise allows: look at the flagged runs, and "
            "leave out those that something went wrong with",
            "the likelihood expects wilder runs than there are: its tails are heavy for these",
            lambda r: np.abs(r).max(axis=1),
            partial(_tails_of_largest, count=n),
        )
    ]
    sizes = size_groups(frame["params"].to_numpy(float))[0]
    if 1 < len(np.unique(sizes)) <= len(sizes) / 2:
        found.append(
            Quantity(
                "same_size",
                "share of squared residuals that runs of one student size have in common",
                "runs of one size are off together: bands for a new size are too narrow",
                "runs of one size differ less from the curve than noise would have it",
                partial(_explained, groups=sizes),
                partial(_tails_of_share, groups=sizes),
            )
        )
    logs = _logs(frame)
    for name, values in logs.items():
        known = np.isfinite(values)
        x, spoken = values[known], SPOKEN.get(name, name.replace("_", " "))
        found.append(
            Quantity(
                f"trend_{name}",
                f"correlation of residuals with log {spoken}",
                f"residuals rise with {spoken}: forecasts beyond the runs are too low",
                f"residuals fall with {spoken}: forecasts beyond the runs are too high",
                partial(_correlation, known=known, x=x),
                partial(_tails_of_cosine, freedom=len(x) - 2),
            )
        )
        bins = _bins(x)
        if len(np.unique(bins)) < len(x):
            found.append(
                Quantity(
                    f"pattern_{name}",
                    f"share of squared residuals that follows {spoken}, in bins",
                    f"the law bends otherwise than the runs along {spoken}",
                    f"residuals are more even along {spoken} than noise would be",
                    partial(_pattern, known=known, groups=bins),
                    partial(_tails_of_share, groups=bins),
                )
            )
    return [*found, *_bends(logs), *_interaction(logs)]


def below_teacher(frame: pd.DataFrame) -> Quantity | None:
    """Share of students below their measured teacher; a function of losses, not of residuals."""
    if "teacher_loss" not in frame:
        return None
    teacher = frame["teacher_loss"].to_numpy(float)
    known = np.isfinite(teacher)
    if not known.any():
        return None
    return Quantity(
        "below_teacher",
        "share of students that end below their teacher",
        "students beat (weak) teachers more often than the law allows",
        "students beat their teachers less often than the noise of this fit would have it",
        lambda losses: (losses[:, known] < teacher[known]).mean(axis=1),
    )


def tails_of_residuals(quantity: Quantity, residuals: np.ndarray) -> tuple[float, float]:
    """Posterior predictive p-values of the residuals (draws, runs) of the real runs.

    Probabilities that replicated runs have less of the quantity, and that they have more, averaged
    over draws.
    """
    assert quantity.tails is not None
    below, above = quantity.tails(quantity.statistic(residuals))
    return float(np.mean(below)), float(np.mean(above))


def tails_of_count(probabilities: np.ndarray, count: int) -> tuple[float, float]:
    """Probabilities that fewer of some independent events happen than did, and that more do.

    Averaged over draws; half of a tie counts in either.

    Parameters
    ----------
    probabilities
        Of each event, (draws, events); their number has a Poisson binomial distribution.
    count
        How many did.
    """
    draws, events = probabilities.shape
    mass = np.zeros((draws, events + 1))
    mass[:, 0] = 1.0
    for place in range(events):
        p = probabilities[:, place, None]
        mass[:, 1 : place + 2] = mass[:, 1 : place + 2] * (1 - p) + mass[:, : place + 1] * p
        mass[:, 0] *= 1 - p[:, 0]
    fewer, equal, more = mass[:, :count], mass[:, count], mass[:, count + 1 :]
    half = equal.mean() / 2
    return float(fewer.sum(axis=1).mean() + half), float(more.sum(axis=1).mean() + half)


def _logs(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Logarithms by which residuals may go wrong, (runs,) each; NaN where a run has none."""
    params, tokens = (np.log(frame[name].to_numpy(float)) for name in ("params", "tokens"))
    candidates = {
        "params": params,
        "tokens": tokens,
        "compute": params + tokens,
        "tokens_per_param": tokens - params,
    }
    if "teacher_loss" in frame:
        candidates["teacher_loss"] = np.log(frame["teacher_loss"].to_numpy(float))
    found: dict[str, np.ndarray] = {}
    for name, values in candidates.items():
        known = np.isfinite(values)
        if known.sum() < 3 or len(clusters(values[known], SAME_SIZE)[1]) < 3:
            continue
        if not any(_same_order(values, other) for other in found.values()):
            found[name] = values
    return found


def _same_order(x: np.ndarray, y: np.ndarray) -> bool:
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 3 or not both.all() or np.ptp(x) == 0 or np.ptp(y) == 0:
        return False
    return bool(abs(np.corrcoef(x, y)[0, 1]) > SAME_ORDER)


def _bends(logs: dict[str, np.ndarray]) -> list[Quantity]:
    """Residuals that follow the square of compute, or of tokens per parameter, and not only it."""
    found = []
    for name in ("compute", "tokens_per_param"):
        if name in logs and (cosine := _cosine([logs[name]], logs[name] ** 2)) is not None:
            spoken = SPOKEN.get(name, name)
            found.append(
                Quantity(
                    f"bend_{name}",
                    f"correlation of residuals with the square of log {spoken}, its trend removed",
                    f"runs at both ends of {spoken} end worse than the law has it, next to the "
                    "middle: forecasts beyond both ends are too low",
                    f"runs at both ends of {spoken} end better than the law has it, next to the "
                    "middle: forecasts beyond both ends are too high",
                    *cosine,
                )
            )
    return found


def _interaction(logs: dict[str, np.ndarray]) -> list[Quantity]:
    """Residuals that follow size times tokens, once they follow neither."""
    if not {"params", "tokens"} <= set(logs):
        return []
    x, y = (logs[name] - logs[name].mean() for name in ("params", "tokens"))
    if (cosine := _cosine([x, y], x * y)) is None:
        return []
    return [
        Quantity(
            "interaction",
            "correlation of residuals with log params times log tokens, both trends removed",
            "large models on much data end worse than the law has it: forecasts of both are too "
            "low",
            "large models on much data end better than the law has it: forecasts of both are too "
            "high",
            *cosine,
        )
    ]


def _cosine(
    trends: list[np.ndarray], values: np.ndarray
) -> tuple[Statistic, Callable[[np.ndarray], Tails]] | None:
    """Correlation of residuals with values (runs,) once both follow no constant and no trend.

    With the distribution of that; ``None`` if trends leave nothing of the values.
    """
    n = len(values)
    freedom = n - len(trends) - 2
    basis = np.linalg.qr(np.stack([np.ones(n), *trends], axis=1))[0]
    rest = values - basis @ (basis.T @ values)
    if freedom < 3 or np.linalg.norm(rest) < 1e-6 * max(np.linalg.norm(values), 1e-12):
        return None
    along = rest / np.linalg.norm(rest)

    def statistic(residuals: np.ndarray) -> np.ndarray:
        left = residuals - (residuals @ basis) @ basis.T
        return np.asarray(left @ along / np.linalg.norm(left, axis=1))

    return statistic, partial(_tails_of_cosine, freedom=freedom)


def _explained(residuals: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Share of the sum of squares that the groups' means make up, (draws,)."""
    member = (groups[:, None] == np.unique(groups)).astype(float)
    between = ((residuals @ member) ** 2 / member.sum(axis=0)).sum(axis=1)
    return np.asarray(between / (residuals**2).sum(axis=1))


def _pattern(residuals: np.ndarray, known: np.ndarray, groups: np.ndarray) -> np.ndarray:
    return _explained(residuals[:, known], groups)


def _correlation(residuals: np.ndarray, known: np.ndarray, x: np.ndarray) -> np.ndarray:
    mine = residuals[:, known]
    centred = mine - mine.mean(axis=1, keepdims=True)
    along = (x - x.mean()) / np.linalg.norm(x - x.mean())
    return np.asarray(centred @ along / np.linalg.norm(centred, axis=1))


def _tails_of_largest(largest: np.ndarray, count: int) -> Tails:
    """Of the largest of so many absolute standard normal numbers."""
    within = count * np.log1p(-2 * special.ndtr(-largest))
    return np.exp(within), -np.expm1(within)


def _tails_of_share(share: np.ndarray, groups: np.ndarray) -> Tails:
    """Of `_explained`: the squared length of a projection is a beta variable."""
    number = len(np.unique(groups))
    shape = number / 2, (len(groups) - number) / 2
    return stats.beta.cdf(share, *shape), stats.beta.sf(share, *shape)


def _tails_of_cosine(cosine: np.ndarray, freedom: int) -> Tails:
    """Of a correlation with numbers that do not depend on residuals."""
    t = cosine * np.sqrt(freedom / np.maximum(1 - np.square(cosine), 1e-300))
    return stats.t.cdf(t, freedom), stats.t.sf(t, freedom)


def _bins(x: np.ndarray) -> np.ndarray:
    """Labels of about equally full bins; equal values share a bin."""
    edges = np.unique(np.quantile(x, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, x, side="right")
