"""Diagnostics as data: each check with its value, threshold, verdict and advice."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import arviz_stats
import numpy as np
import xarray as xr

from bayes_distill.inference.kernel import MAX_TREE_DEPTH

Verdict = Literal["pass", "review", "fail", "not checked"]
LARGEST_RHAT, LEAST_ESS = 1.01, 400
RANK: dict[Verdict, int] = {"pass": 0, "review": 1, "fail": 2}


@dataclass(frozen=True)
class Check:
    """One check.

    `scope` is ``sampling`` for checks of the draws, which decide the verdict of the fit, ``model``
    for comparisons of data and prior, which do not, and ``law`` for those of `law_checks`, which
    have a verdict of their own.
    """

    name: str
    value: float
    threshold: float
    verdict: Verdict
    advice: str
    scope: Literal["sampling", "model", "law"] = "sampling"


@dataclass(frozen=True)
class Diagnostics:
    """All checks of one fit, and the one verdict that follows from them."""

    verdict: Verdict
    rhat_max: float
    ess_bulk_min: float
    ess_tail_min: float
    divergences: int
    chains: int
    draws: int
    checks: tuple[Check, ...]

    def after(self, first: str) -> Diagnostics:
        """Diagnostics of a second stage, with the verdict `first` of the fit before it added."""
        verdict: Verdict = first if first in RANK else "pass"
        advice = "" if verdict == "pass" else "see to the supervised fit first: this rests on it"
        check = Check("first_stage", RANK[verdict], 0, verdict, advice)
        worse = max(self.verdict, verdict, key=lambda v: RANK[v])
        return replace(self, verdict=worse, checks=(check, *self.checks))

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self) | {"checks": [asdict(check) for check in self.checks]}


def diagnose(
    sampled: xr.Dataset,
    stats: xr.Dataset,
    contraction: dict[str, float] | None = None,
    pull: dict[str, float] | None = None,
) -> Diagnostics:
    """Check a fit; without `contraction` and `pull` only its sampling.

    Parameters
    ----------
    sampled
        Every sampled coordinate, (chain, draw).
    stats
        ``diverging``, ``tree_depth``, ``energy``, (chain, draw).
    contraction
        Per coordinate, 1 - (posterior sd / prior sd)^2 on the unconstrained scale.
    pull
        Per coordinate, distance of the posterior mean from the prior mean in prior sd.
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # chains that never moved give NaN
        rhat, rhat_name = worst(arviz_stats.rhat(sampled), largest=True)
        bulk, bulk_name = worst(arviz_stats.ess(sampled), largest=False)
        tail, tail_name = worst(arviz_stats.ess(sampled, method="tail"), largest=False)
        bfmi = float(np.min(np.asarray(_bfmi(stats["energy"].to_numpy()))))
    more = "double `warmup` and `draws`"
    checks: tuple[Check, ...] = (
        Check(
            "rhat_max",
            rhat,
            LARGEST_RHAT,
            grade(rhat, LARGEST_RHAT, 1.05),
            f"chains disagree most on {rhat_name}: {more}, then look for two modes",
        ),
        Check(
            "ess_bulk_min",
            bulk,
            LEAST_ESS,
            grade(-bulk, -LEAST_ESS, -100),
            f"few effective draws of {bulk_name}: {more}",
        ),
        Check(
            "ess_tail_min",
            tail,
            LEAST_ESS,
            grade(-tail, -LEAST_ESS, -100),
            f"interval ends of {tail_name} are rough: {more}",
        ),
        divergences(stats),
        Check(
            "bfmi_min",
            bfmi,
            0.3,
            grade(-bfmi, -0.3, -0.2),
            "energies are explored slowly: heavy tails; give vague coordinates tighter priors",
        ),
        tree_depth_hits(stats),
    )
    overall = max((c.verdict for c in checks), key=lambda v: RANK[v])
    chains, draws = stats["diverging"].shape
    if contraction and pull:
        checks += _model_checks(contraction, pull)
    diverging = int(stats["diverging"].sum())
    return Diagnostics(
        overall, rhat, bulk, tail, diverging, chains, draws, tuple(quiet(c) for c in checks)
    )


def divergences(stats: xr.Dataset) -> Check:
    """Check of ``diverging`` (chain, draw): one in a thousand transitions at most."""
    count, n = int(stats["diverging"].sum()), int(stats["diverging"].size)
    return Check(
        "divergences",
        count,
        n // 1000,
        grade(count, n / 1000, n / 100),
        "raise target_accept in the card (0.95, 0.99) or give vague coordinates tighter priors",
    )


def tree_depth_hits(stats: xr.Dataset) -> Check:
    """Check of ``tree_depth`` (chain, draw): one in a hundred at the maximum at most."""
    count = int((stats["tree_depth"] >= MAX_TREE_DEPTH).sum())
    n = int(stats["tree_depth"].size)
    return Check(
        "tree_depth_hits",
        count,
        n // 100,
        grade(count, n / 100, n),
        "trajectories are cut off: slow, not wrong; more warm-up, or tighter priors",
    )


def _model_checks(contraction: dict[str, float], pull: dict[str, float]) -> tuple[Check, ...]:
    most = max(contraction.values())
    vague = [name for name, value in contraction.items() if value < 0.5]
    pulled = max(pull, key=lambda name: abs(pull[name]))
    distance = abs(pull[pulled])
    listed = ", ".join(vague)
    return (
        Check(
            "contraction_max",
            most,
            0.5,
            grade(-most, -0.5, -0.5),
            "the data say next to nothing: the posterior is the prior",
            "model",
        ),
        Check(
            "coordinates_left_to_prior",
            len(vague),
            0,
            "review" if vague else "pass",
            f"the data hardly move {listed}: their intervals are the prior's",
            "model",
        ),
        Check(
            "prior_pull_max",
            distance,
            3,
            grade(distance, 3, np.inf),
            f"data and prior disagree on {pulled}: widen that prior, or read it as a sign that the "
            "law is slightly wrong there",
            "model",
        ),
    )


def worst(values: xr.Dataset, *, largest: bool) -> tuple[float, str]:
    """Worst number of a dataset, the largest or the smallest, and its name; NaN is worst of all."""
    numbers = {
        f"{name}[{i}]" if variable.ndim else str(name): float(value)
        for name, variable in values.data_vars.items()
        for i, value in enumerate(np.atleast_1d(variable.to_numpy()))
    }
    unknown = [name for name, value in numbers.items() if np.isnan(value)]
    if unknown:  # as of a coordinate that never moved
        return float("nan"), unknown[0]
    name = (max if largest else min)(numbers, key=lambda key: numbers[key])
    return numbers[name], name


def _bfmi(energy: np.ndarray) -> Any:
    return arviz_stats.bfmi(xr.Dataset({"energy": (("chain", "draw"), energy)}))["energy"]


def grade(value: float, good: float, tolerable: float) -> Verdict:
    """Verdict on a value of which smaller is better; NaN is a failure."""
    if value <= good:
        return "pass"
    return "review" if value <= tolerable else "fail"


def quiet(check: Check) -> Check:
    """The check, without advice if it passed."""
    return check if check.verdict != "pass" else Check(**{**asdict(check), "advice": ""})
