"""The models of three cards written in PyMC, by hand, and a check that they are the same models.

`same_density` holds the log density of each against that which NUTS samples here, at random
points: they agree to rounding, so the benchmark compares samplers and libraries, not models.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_distill.inference import reparameterisation
from bayes_distill.inference.density import potential
from bayes_distill.inference.model import Data, ModelSpec
from bayes_distill.laws.discrepancy import STRETCH_REACH, TILT_REACH

TAIL = -37.0


def pymc_model(spec: ModelSpec, data: Data, hyper: dict[str, Any]) -> pm.Model:
    """The model of `spec` on the real rows of `data`, with real groups only."""
    rows = np.asarray(data.mask)
    column = {name: np.asarray(values)[rows] for name, values in data._asdict().items()}
    log_n, log_d = np.log(column["params"]), np.log(column["tokens"])
    with pm.Model() as model:
        c = _coordinates(spec, hyper)
        scale = _lognormal(spec.noise_sites[0], hyper[spec.noise_sites[0]])
        log_alone = pm.math.logaddexp(
            pt.log(c["floor"]),
            _log_bracket(
                c["level"],
                c["share"],
                c["slope_params"],
                c["slope_tokens"],
                c.get("gamma", 1.0),
                log_n,
                log_d,
            ),
        )
        if spec.kind == "supervised":
            mean = pt.exp(log_alone)
        else:
            mean = _distilled(spec, hyper, c, column, log_alone, log_n, log_d)
        sigma = scale * mean if spec.relative else scale
        pm.StudentT(
            "loss",
            nu=float(hyper["likelihood"]["degrees_of_freedom"]),
            mu=mean,
            sigma=sigma,
            observed=column["loss"],
        )
    return model


def _coordinates(spec: ModelSpec, hyper: dict[str, Any]) -> dict[str, Any]:
    c: dict[str, Any] = {}
    if spec.joint_supervised:
        joint = hyper["supervised"]
        z = pm.Normal("supervised_z", shape=6)
        u = np.asarray(joint["centre"]) + pt.dot(np.asarray(joint["factor"]), z)
        below, above = _log_sigmoid(u[1]), _log_sigmoid(-u[1])
        c = {
            "floor": pt.exp(u[0] + below),
            "level": pt.exp(u[0] + above),
            "share": pm.math.sigmoid(u[2]),
            "slope_params": pt.exp(u[3] - above - _log_sigmoid(u[2])),
            "slope_tokens": pt.exp(u[4] - above - _log_sigmoid(-u[2])),
            "gamma": pt.exp(u[5]),
        }
    for name, family in spec.families:
        first, second = (float(v) for v in hyper["priors"][name])
        c[name] = (
            pm.math.sigmoid(pm.Normal(f"{name}_logit", mu=first, sigma=second))
            if family == "logitnormal"
            else pm.LogNormal(name, mu=first, sigma=second)
        )
    return c


def _distilled(
    spec: ModelSpec,
    hyper: dict[str, Any],
    c: dict[str, Any],
    column: dict[str, np.ndarray],
    log_alone: Any,
    log_n: np.ndarray,
    log_d: np.ndarray,
) -> Any:
    """Eq. 8, with the gain and the discrepancies of the spec."""
    shared = {name: _shared(spec, hyper, name, column) for name in spec.shared}
    if "condition_place" in shared:
        log_alone = log_alone + shared["condition_place"]
    log_teacher = np.log(column["teacher_loss"])
    r = c["bend"] + pt.log(-pt.expm1(-c["bend"]))
    f1 = pt.exp(pt.log(c["width"]) - c["bend"] - _log_softplus(-r))
    suppression = pt.exp(
        pt.log(c["kappa"]) + _log_softplus((log_teacher - log_alone) / f1 - r) - _log_softplus(-r)
    )
    log_capacity = _log_bracket(
        c["student_level"],
        c["student_share"],
        c["student_slope_params"],
        c["student_slope_tokens"],
        c["student_gamma"],
        log_n,
        log_d,
    )
    excess = pt.exp(-c["c0"] * log_teacher - suppression + log_capacity)
    loss = column["teacher_loss"] + excess
    if "gain" in c:
        loss = loss - c["gain"] / (1 + excess / c["gain_reach"])
    if "shift" in shared:
        loss = loss + shared["shift"]
    for name, reach in (("tilt", TILT_REACH), ("condition_stretch", STRETCH_REACH)):
        if name in shared:
            loss = loss + shared[name] * excess / (excess + reach)
    for name in spec.effects:
        loss = loss + shared[name]
    return loss


def _shared(spec: ModelSpec, hyper: dict[str, Any], name: str, column: dict[str, Any]) -> Any:
    """What runs share under `name`, one number a run."""
    scale = _lognormal(f"{name}_sd", hyper[f"{name}_sd"])
    unit = float(np.exp(hyper[f"{name}_sd"][0]))
    of_size = name in spec.discrepancies
    level = column["size" if of_size else "condition" if "condition" in name else name]
    count = int(level.max()) + 1
    z = pm.Normal(f"{name}_z", sigma=scale / unit, shape=count)
    if of_size:
        z = pt.dot(np.asarray(hyper["groups"][name])[:count, :count], z)
    return unit * z[level]


def _lognormal(name: str, hyper: Any) -> Any:
    return pm.LogNormal(name, mu=float(hyper[0]), sigma=float(hyper[1]))


def _log_bracket(
    level: Any, share: Any, by_n: Any, by_d: Any, gamma: Any, log_n: Any, log_d: Any
) -> Any:
    inner = pm.math.logaddexp(
        pt.log(share) - by_n / gamma * log_n, pt.log1p(-share) - by_d / gamma * log_d
    )
    return pt.log(level) + gamma * inner


def _log_sigmoid(x: Any) -> Any:
    return -pt.softplus(-x)


def _log_softplus(x: Any) -> Any:
    return pt.switch(x < TAIL, x, pt.log(pt.softplus(pt.maximum(x, TAIL))))


def same_density(
    spec: ModelSpec, data: Data, hyper: dict[str, Any], model: pm.Model, points: int = 5
) -> float:
    """Largest difference of the two log densities over random points near the prior's centre."""
    generator = np.random.default_rng(0)
    mine = model.compile_logp()
    theirs = potential(spec, data, hyper)
    worst = 0.0
    for _ in range(points):
        point = {
            name: np.asarray(value) + 0.3 * generator.standard_normal(np.shape(value))
            for name, value in model.initial_point().items()
        }
        sites, padding = {}, 0.0
        for name, value in point.items():
            plain = name.removesuffix("_log__").removesuffix("_logit")
            sites[plain] = value
        for name in spec.shared:
            z = sites[f"{name}_z"]
            of = "condition" if name.startswith("condition") else name
            extra = hyper["groups"][of].shape[0] - len(z)
            padding -= extra * 0.5 * np.log(2 * np.pi)
            sites[f"{name}_z"] = np.append(z, np.zeros(extra))
        density = -float(theirs(reparameterisation.inverse(spec, sites, hyper))) - float(padding)
        density -= float(
            reparameterisation.log_volume(spec, sites)
        )  # theirs is of the coordinates it samples
        worst = max(worst, abs(float(mine(point)) - density))
    return worst
