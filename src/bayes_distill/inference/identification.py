"""Which coordinates and published coefficients the data identify: contraction against the prior."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bayes_distill.inference.model import ModelSpec
from bayes_distill.laws import Law
from bayes_distill.laws.base import Support

SCALES = {
    "smooth_up_sd": "drift of the law's exponents, towards large models and long runs",
    "smooth_down_sd": "the same towards small models and short runs",
    "student_smooth_sd": "the same of a distilled student's excess over its teacher",
    "size_offset_sd": "offset that supervised runs of one size share",
    "scale": "scale of the observation noise",
    "supervised_scale": "scale of the observation noise of supervised runs",
    "shift_sd": "how far the loss of one size lies off the law",
    "tilt_sd": "how far it does besides under strong teachers",
    "condition_stretch_sd": "how far the loss of one size on one number of tokens does, the "
    "farther the stronger the teacher",
    "condition_place_sd": "how far the loss at which the capacity gap opens for one size on one "
    "number of tokens lies off L~_S",
    "teacher_sd": "offset that students of one teacher share",
    "condition_sd": "offset that runs of one size on one number of tokens share",
    "run_sd": "offset that checkpoints of one run share",
}
"""What the scales that a fit samples are, without their unit."""
RELATIVE = ("smooth_up_sd", "smooth_down_sd", "student_smooth_sd", "size_offset_sd")
CONTRACTION = 0.75  # the posterior is at most half as wide as the prior
KNOWN_WITHIN = 0.5  # sd of the logarithm: known to within a factor of about 1.6


@dataclass(frozen=True)
class CoefficientSummary:
    """One coefficient, sampled or published.

    `identified` asks two things, both on the unconstrained (log or logit) scale: that the data
    cut the prior's variance by three quarters (`contraction`), and, for a positive coefficient,
    that it is known to within a factor of 1.6. A tight prior that the data merely agree with
    does not count as identified.
    """

    name: str
    meaning: str
    sampled: bool
    mean: float
    sd: float
    median: float
    lower: float
    upper: float
    contraction: float
    identified: bool

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def unconstrain(values: np.ndarray, support: Support) -> np.ndarray:
    """Map values to the real line as the sampler does: log, logit or as they are."""
    with np.errstate(over="ignore", divide="ignore"):
        if support == "positive":
            return np.log(values)
        return np.log(values) - np.log1p(-values) if support == "unit" else values


def published_supports(law: Law) -> dict[str, Support]:
    """Support of every published coefficient: positive, unless it is a coordinate that is not."""
    supports = {c.name: c.support for c in law.coordinates}
    return {c.name: supports.get(c.name, "positive") for c in law.coefficients}


def summarise(
    law: Law,
    posterior: dict[str, np.ndarray],
    prior: dict[str, np.ndarray],
    spec: ModelSpec,
    interval: float,
) -> list[CoefficientSummary]:
    """Summaries of published coefficients first, then of the sampled coordinates and noise.

    `posterior` and `prior` map names (coordinates, scales, parameters of the likelihood and
    published) to draws; `spec` says which scales and parameters there are.
    """
    supports = published_supports(law)
    described: list[tuple[str, str, bool, Support]] = [
        (c.name, c.meaning, False, supports[c.name]) for c in law.coefficients
    ]
    described += [(c.name, c.meaning, True, c.support) for c in law.coordinates]
    described += [
        (name, meaning_of_scale(name, spec.relative), True, "positive")
        for name in (*spec.noise_sites, *spec.spread_sites)
    ]
    sampled_too = dict(spec.parameters)
    described += [
        (each.name, each.meaning, True, each.support)
        for each in spec.likelihood.parameters()
        if each.name in sampled_too
    ]
    seen: set[str] = set()
    summaries = []
    for name, meaning, sampled, support in described:
        if name in seen:  # c0, f1 and gamma are both sampled and published
            continue
        seen.add(name)
        sampled = sampled or name in law.coordinate_names
        summaries.append(
            _summary(name, meaning, sampled, support, posterior[name], prior[name], interval)
        )
    return summaries


def meaning_of_scale(name: str, relative: bool) -> str:
    """What a sampled scale is, with its unit; noise may be `relative` to the loss of the run."""
    if name == "condition_place_sd":
        unit = "in its logarithm"
    elif name in RELATIVE or (relative and name.endswith("scale")):
        unit = "relative to the loss"
    else:
        unit = "in units of the reference loss"
    return f"{SCALES[name]}, {unit}"


def contraction(posterior: np.ndarray, prior: np.ndarray, support: Support) -> float:
    """1 - (posterior sd / prior sd)^2 on the unconstrained scale; at most 1, can be negative."""
    after, before = unconstrain(posterior, support), unconstrain(prior, support)
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if before.size < 2 or after.size < 2:
        return float("nan")
    return float(1 - after.var() / before.var())


def _summary(
    name: str,
    meaning: str,
    sampled: bool,
    support: Support,
    posterior: np.ndarray,
    prior: np.ndarray,
    interval: float,
) -> CoefficientSummary:
    shrunk = contraction(posterior, prior, support)
    spread = float(np.std(unconstrain(posterior, support)))
    known = spread <= KNOWN_WITHIN or support != "positive"
    # c1 runs off towards infinity on real runs; JSON has no infinity, and a mean needs a number
    finite = np.minimum(posterior, 1e300)
    lower, median, upper = np.quantile(finite, [(1 - interval) / 2, 0.5, (1 + interval) / 2])
    with np.errstate(over="ignore"):
        sd = float(min(finite.std(), 1e300))
    return CoefficientSummary(
        name,
        meaning,
        sampled,
        float(finite.mean()),
        sd,
        float(median),
        float(lower),
        float(upper),
        shrunk,
        bool(shrunk >= CONTRACTION and known),
    )
