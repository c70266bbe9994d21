"""The joint prior on the supervised coefficients, in units of the losses they imply.

A prior stated coefficient by coefficient says little about losses, because coefficients trade
off. Here the prior is a normal distribution on the unconstrained coordinates whose covariance is
chosen so that log losses over a grid of models vary by a stated amount: with J the Jacobian of
those log losses (models, coordinates), the precision is ``m J'J`` plus a weak diagonal, which
bounds the directions in which losses hardly move; m is solved for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from scipy.optimize import brentq

from bayes_distill.cards.joint_prior import SupervisedPrior
from bayes_distill.inference.padding import ROWS, padded
from bayes_distill.laws import Reference
from bayes_distill.laws.supervised import Supervised

LAW = Supervised()
NAMES = LAW.coordinate_names
# sd of each of the six numbers below, where losses do not identify it better
WEAK_SD = {"loss": 0.05, "floor": 0.25, "share": 0.35, "params": 0.3, "tokens": 0.3, "gamma": 0.15}
GRID = 7  # sizes and token ratios each; the grid only sets the range, its density hardly matters


@dataclass(frozen=True)
class JointPrior:
    """Centre (6,) and scale factor (6, 6) of the normal prior on unconstrained coordinates."""

    centre: np.ndarray
    factor: np.ndarray
    unit_ratio: float


def _log_losses(unconstrained: jax.Array, params: jax.Array, tokens: jax.Array) -> jax.Array:
    return LAW.log_supervised_loss(constrain(unconstrained), params, tokens, Reference(1, 1, 1))


_jacobian = jax.jit(jax.jacfwd(_log_losses))


@jax.jit
def _coordinates(published: dict[str, ArrayLike], reference: jax.Array) -> dict[str, jax.Array]:
    return LAW.from_published(published, Reference.traced(reference))


@jax.jit
def _losses(published: dict[str, ArrayLike], params: ArrayLike, tokens: ArrayLike) -> jax.Array:
    unit = Reference(1.0, 1.0, 1.0)
    return LAW.supervised_loss(LAW.from_published(published, unit), params, tokens, unit)


def constrain(unconstrained: jax.Array) -> dict[str, jax.Array]:
    """Coordinates from six real numbers that losses identify one by one.

    They are the log loss of the reference model, the log odds of its irreducible part, the log
    odds of the share of the parameter term, the logs of the fall of the log loss per log params
    and per log tokens there, and the log of gamma. The last of the bracket's slopes follow from
    these; taken as they are, slopes and share would trade off along a bent ridge.
    """
    log_loss, floor, share, params, tokens, gamma = (unconstrained[i] for i in range(6))
    log_level = log_loss + jax.nn.log_sigmoid(-floor)
    return {
        "floor": jnp.exp(log_loss + jax.nn.log_sigmoid(floor)),
        "level": jnp.exp(log_level),
        "share": jax.nn.sigmoid(share),
        "slope_params": jnp.exp(params - jax.nn.log_sigmoid(-floor) - jax.nn.log_sigmoid(share)),
        "slope_tokens": jnp.exp(tokens - jax.nn.log_sigmoid(-floor) - jax.nn.log_sigmoid(-share)),
        "gamma": jnp.exp(gamma),
    }


def unconstrain(coordinates: Mapping[str, ArrayLike]) -> np.ndarray:
    """Six real numbers (..., 6) from coordinates (...); inverse of `constrain`."""
    c = {name: np.asarray(coordinates[name], float) for name in NAMES}
    loss = c["floor"] + c["level"]
    level = c["level"] / loss
    return np.stack(
        [
            np.log(loss),
            np.log(c["floor"] / c["level"]),
            np.log(c["share"] / (1 - c["share"])),
            np.log(c["slope_params"] * c["share"] * level),
            np.log(c["slope_tokens"] * (1 - c["share"]) * level),
            np.log(c["gamma"]),
        ],
        axis=-1,
    )


def joint_prior(prior: SupervisedPrior, reference: Reference, unit_ratio: float) -> JointPrior:
    """The prior at a reference point.

    Parameters
    ----------
    prior
        As the card states it.
    reference
        Reference point of the coordinates.
    unit_ratio
        The runs' losses over those that the centre predicts. See `SupervisedPrior`.
    """
    if (fitted := prior.fitted) is not None:
        factor = np.linalg.cholesky(np.array(fitted.covariance))
        return JointPrior(np.array(fitted.centre), factor, 1.0)
    same_unit = abs(unit_ratio - 1) <= prior.same_unit_within
    ratio = 1.0 if same_unit else unit_ratio
    at = Reference(reference.params, reference.tokens, reference.loss / ratio)
    centre = unconstrain(_coordinates(dict(prior.centre), at.as_array()))
    params, ratios = np.meshgrid(
        np.geomspace(*prior.params_range, GRID), np.geomspace(*prior.tokens_per_param_range, GRID)
    )
    tokens = (params * ratios).ravel() / reference.tokens
    params = params.ravel() / reference.params
    jacobian = np.asarray(_jacobian(centre, params, tokens))
    covariance = _covariance(jacobian, prior.loss_sd)
    if not same_unit:
        unit = np.array([1.0, 0, 0, 0, 0, 0])  # the unit multiplies every loss
        covariance += prior.unit_sd**2 * np.outer(unit, unit)
    return JointPrior(centre, np.linalg.cholesky(covariance), ratio)


def _covariance(jacobian: np.ndarray, loss_sd: float) -> np.ndarray:
    """Covariance (k, k) under which log losses have, to first order, the sd `loss_sd`.

    Their mean variance falls as the multiplier grows: it has one root. Where the weak diagonal is
    enough to keep losses within `loss_sd`, the multiplier is next to zero.
    """
    gram, weak = jacobian.T @ jacobian, np.diag([sd**-2 for sd in WEAK_SD.values()])

    def excess(log_multiplier: float) -> float:
        covariance = np.linalg.inv(weak + np.exp(log_multiplier) * gram)
        spread = np.trace(jacobian @ covariance @ jacobian.T) / len(jacobian)
        return float(np.log(spread) - 2 * np.log(loss_sd))

    low, high = -20.0, 40.0  # a multiplier of next to nothing, and one that fixes every loss
    log_multiplier = low if excess(low) <= 0 else float(brentq(excess, low, high))
    return np.asarray(np.linalg.inv(weak + np.exp(log_multiplier) * gram))


def loss_unit_ratio(
    prior: SupervisedPrior, params: np.ndarray, tokens: np.ndarray, losses: np.ndarray
) -> float:
    """Median ratio of the runs' losses to those that the prior's centre predicts for them.

    A distilled student is within some ten percent of its supervised loss whatever its teacher,
    so the ratio shows the unit (nats or bits per byte, say) well enough to centre a prior.
    """
    rows = padded(len(losses), ROWS)
    predicted = _losses(dict(prior.centre), np.resize(params, rows), np.resize(tokens, rows))
    return float(np.exp(np.median(np.log(losses) - np.log(predicted[: len(losses)]))))
