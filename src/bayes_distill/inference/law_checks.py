"""The verdict on the law: whether the runs look like what the model would make.

It stands beside the verdict on the sampling (`diagnostics`), which says whether the draws are those
of the posterior. Two kinds of check: posterior predictive p-values of test quantities of the
residuals (`quantities`; Gelman, Meng and Stern 1996), and the forward check (`forward_check`). All
p-values are adjusted for their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import jax
import numpy as np
import pandas as pd
from scipy.special import ndtr

from bayes_distill._input.numbers import format_quantity
from bayes_distill.cards import Card
from bayes_distill.inference.density import Hyper, constrainer, pointwise
from bayes_distill.inference.diagnostics import RANK, Check, Verdict
from bayes_distill.inference.forward_check import Forward, forward, halves
from bayes_distill.inference.masked_refit import masked_refit
from bayes_distill.inference.model import Data, ModelSpec, likelihood_of, sites_of_mean
from bayes_distill.inference.p_values import holm
from bayes_distill.inference.quantities import (
    Quantity,
    below_teacher,
    quantities_for,
    tails_of_count,
    tails_of_residuals,
)
from bayes_distill.inference.sampler import Sample
from bayes_distill.inference.settings import SamplerSettings

REVIEW, FAIL = 0.05, 0.001  # adjusted p-values below which a law is in doubt, and wrong
MOST_DRAWS = 500  # of the residuals
NOT_CHECKED: Verdict = "not checked"
WITHOUT_DISCREPANCY = ("joint", "distillation")  # default cards
GAIN = "distillation-gain"  # card and law of students that may beat their teachers
FORWARD = ("forward_bias", "forward_distance")

Draws = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Fitted:
    """What the checks take of a fit.

    Parameters
    ----------
    card, frame
        The card, and the runs that were fitted.
    spec, data
        The model of them; `data` is padded.
    sample, settings
        Of NUTS.
    unit
        The reference loss, in the unit of the runs.
    cut
        Whether supervised coordinates are cut off from the runs.
    """

    card: Card
    frame: pd.DataFrame
    spec: ModelSpec
    data: Data
    sample: Sample
    settings: SamplerSettings
    unit: float
    cut: bool = False


def law_checks(
    fitted: Fitted,
    seed: int,
    hyper: Hyper,
    values: Draws,
    mean: np.ndarray,
    scale: np.ndarray,
    sampling: str,
) -> dict[str, Any]:
    """Verdict on the law, as plain data: ``verdict`` and ``checks``.

    Parameters
    ----------
    fitted
        The fit.
    seed
        Seed of refit and replicated runs.
    hyper
        Hyperparameters that the draws are to be read with.
    values
        Its draws, of every site: name -> (draws, ...).
    mean, scale
        What they say of the runs, (draws, runs), in units of the reference loss.
    sampling
        Verdict on the draws: from those that failed nothing is refitted.
    """
    found = _of_residuals(fitted, hyper, values, mean, scale)
    why_not = halves(fitted.frame).why_not
    if fitted.cut:
        why_not = "a cut fit has no posterior that fewer runs would give"
    elif sampling == "fail":
        why_not = "the sampling failed, and the refit of the cheaper half begins with its draws"
    not_made = []
    if why_not:
        not_made = [Check(n, np.nan, REVIEW, NOT_CHECKED, why_not, "law") for n in FORWARD]
    else:
        found |= _of_forecasts(_forward(fitted, hyper, seed), fitted)
    adjusted = holm(np.array([p for p, _ in found.values()]))
    checks = [
        _check(name, float(p), advice)
        for (name, (_, advice)), p in zip(found.items(), adjusted, strict=True)
    ]
    return law_json([asdict(check) for check in [*checks, *not_made]])


def law_json(checks: list[dict[str, Any]]) -> dict[str, Any]:
    """Checks with the worst of their verdicts; none count as not checked."""
    return {"verdict": worst_verdict(c["verdict"] for c in checks), "checks": checks}


def worst_verdict(verdicts: Iterable[str]) -> str:
    """The worst of ``pass``, ``review`` and ``fail``; ``not checked`` if none is among them."""
    ranked: list[Any] = [verdict for verdict in verdicts if verdict in RANK]
    return max(ranked, key=lambda v: RANK[v]) if ranked else NOT_CHECKED


def law_of_members(diagnostics: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Verdict on the law of a stack, from the diagnostics of its members by their names.

    It is the worst of theirs, and not checked if one is not and the others pass.
    """
    laws = {name: d.get("law") or law_json([]) for name, d in diagnostics.items()}
    checks = [
        {**check, "name": f"{check['name']} of {name}"}
        for name, law in laws.items()
        for check in law["checks"]
    ]
    verdict = worst_verdict(law["verdict"] for law in laws.values())
    if verdict == "pass" and any(law["verdict"] == NOT_CHECKED for law in laws.values()):
        verdict = NOT_CHECKED
    return {"verdict": verdict, "checks": checks}


def _check(name: str, adjusted: float, advice: str) -> Check:
    verdict: Verdict = "pass" if adjusted >= REVIEW else "review" if adjusted >= FAIL else "fail"
    return Check(name, adjusted, REVIEW, verdict, "" if verdict == "pass" else advice, "law")


def _of_residuals(
    fitted: Fitted, hyper: Hyper, values: Draws, mean: np.ndarray, scale: np.ndarray
) -> dict[str, tuple[float, str]]:
    """P-value (of both sides) and advice of every test quantity, by its name."""
    thin = slice(None, None, max(1, -(-len(mean) // MOST_DRAWS)))
    mean, scale = mean[thin], scale[thin]
    some = {name: value[thin] for name, value in values.items()}
    likelihood = likelihood_of(fitted.spec, some, hyper).map_parameters(
        lambda v: np.asarray(v)[:, None]
    )
    loss = fitted.frame["loss"].to_numpy(float) / fitted.unit
    residuals = likelihood.normal_scores((loss - mean) / scale)
    found = {}
    for quantity in quantities_for(fitted.frame):
        tails = tails_of_residuals(quantity, residuals)
        more = "" if quantity.name == "largest_residual" else _remedy(fitted)
        found[quantity.name] = _both_sides(quantity, tails, more)
    if (below := below_teacher(fitted.frame)) is not None:
        teacher = fitted.frame["teacher_loss"].to_numpy(float) / fitted.unit
        known = np.isfinite(teacher)
        place = likelihood.normal_scores((np.where(known, teacher, 1.0) - mean) / scale)
        count = int((loss[known] < teacher[known]).sum())
        tails = tails_of_count(ndtr(place)[:, known], count)
        found[below.name] = _both_sides(below, tails, _remedy_for_students(fitted, tails))
    return found


def _remedy_for_students(fitted: Fitted, tails: tuple[float, float]) -> str:
    """What to do where more students than the law has, or fewer, are better than their teachers."""
    less, more = tails
    if more < less and not fitted.spec.law_name.startswith(GAIN):
        return f"use the card {GAIN}, whose students may beat their teachers"
    return _remedy(fitted)


def _both_sides(quantity: Quantity, tails: tuple[float, float], remedy: str) -> tuple[float, str]:
    """P-value of both sides of a test quantity, and advice."""
    less, more = tails
    words = quantity.if_larger if more < less else quantity.if_smaller
    return min(1.0, 2 * less, 2 * more), "; ".join(part for part in (words, remedy) if part)


def _forward(fitted: Fitted, hyper: Hyper, seed: int) -> Forward:
    """The forward check of a fit."""
    parts, n = halves(fitted.frame), len(fitted.frame)
    mask = np.zeros(np.shape(fitted.data.mask), bool)
    mask[:n] = parts.fitted
    spec, data = fitted.spec, fitted.data
    refit = masked_refit(spec, data, hyper, mask, fitted.sample, fitted.settings, seed)
    sites: Any = refit.sites
    values = jax.device_get(constrainer(spec)(sites, refit.data, refit.hyper))
    by_run = jax.device_get(pointwise(spec)(sites_of_mean(spec, values), data, hyper))
    likelihood = likelihood_of(spec, values, hyper).map_parameters(lambda v: np.asarray(v)[:, None])
    mean, scale = (by_run[name][:, :n] * fitted.unit for name in ("mean", "scale"))
    return forward(fitted.frame, parts, mean, scale, likelihood, seed)


def _of_forecasts(found: Forward, fitted: Fitted) -> dict[str, tuple[float, str]]:
    """P-value and advice of both statistics of the forward check."""
    low = found.error > 0
    off = f"{abs(found.error):.2%} too {'low' if low else 'high'}"
    spoken = (
        "fitted to the cheaper half, the model forecasts the dearer runs (up to "
        f"{format_quantity(found.factor)} times its compute)"
    )
    return {
        FORWARD[0]: (
            found.p_signed,
            f"{spoken} {off} on average: expect forecasts beyond these runs to be too "
            f"{'low' if low else 'high'} as well; {_remedy(fitted)}",
        ),
        FORWARD[1]: (
            found.p_absolute,
            f"{spoken} {found.absolute:.1f} standard deviations off on average: bands beyond these "
            f"runs are too narrow; {_remedy(fitted)}",
        ),
    }


def _remedy(fitted: Fitted) -> str:
    """What to do about a law that is wrong."""
    card = fitted.card
    if card.discrepancy is None:
        name = _allowing(card.name, fitted.spec.kind)
        slow = (
            ""
            if fitted.spec.kind == "supervised"
            else " (its fits take ten times as long, or more where the law is far off)"
        )
        return (
            f"use the card {name}{slow}, whose bands allow for a law "
            "that is wrong, or leave out runs that something else sets apart"
        )
    return (
        "the discrepancy of the card does not take this up: leave out runs that something else "
        "sets apart (the smallest models, the shortest runs, another recipe), or give it a wider "
        "prior"
    )


def _allowing(name: str, kind: str) -> str:
    """The card with a discrepancy that stands in for a card without."""
    if name.endswith("-plain") and name.removesuffix("-plain") not in WITHOUT_DISCREPANCY:
        return name.removesuffix("-plain")
    return {"mixed": "joint-discrepancy", "distillation": "distillation-discrepancy"}.get(
        kind, kind
    )
