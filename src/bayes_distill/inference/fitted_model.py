"""The model that a posterior was fitted with, rebuilt on the runs that the posterior stores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from numpyro.infer.inspect import get_dependencies

from bayes_distill.errors import InputError
from bayes_distill.inference.density import pointwise, prior_values
from bayes_distill.inference.log_prior import log_prior
from bayes_distill.inference.model import (
    OBSERVED,
    Data,
    ModelSpec,
    likelihood_of,
    scaling_law_model,
)
from bayes_distill.inference.model_inputs import model_inputs
from bayes_distill.laws.discrepancy import OF_CONDITIONS
from bayes_distill.likelihoods import Likelihood
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.shipped import no_runs
from bayes_distill.posterior.stored_runs import as_table
from bayes_distill.runs.table import CANONICAL, Runs
from bayes_distill.runs.teachers_as_runs import teachers_as_runs

Draws = dict[str, np.ndarray]


@dataclass(frozen=True)
class ByRun:
    """Mean, noise scale and log likelihood of each run, (draws, runs), in the unit of the runs.

    `log_likelihood` is of losses in units of the reference loss: a constant off, as stored.
    `likelihood` is that of standardised residuals (draws, runs).
    """

    mean: np.ndarray
    scale: np.ndarray
    log_likelihood: np.ndarray
    likelihood: Likelihood


@dataclass(frozen=True)
class FittedModel:
    """Model, data and hyperparameters of a fit.

    Parameters
    ----------
    frame
        The runs that were fitted, canonical columns.
    spec, data, hyper
        See `bayes_distill.inference.model`; `data` is padded.
    unit
        The reference loss, in the unit of the runs.
    """

    frame: pd.DataFrame
    spec: ModelSpec
    data: Data
    hyper: dict[str, Any]
    unit: float

    @classmethod
    def of(cls, posterior: Posterior) -> FittedModel:
        """Rebuild the model of a posterior.

        Raises
        ------
        InputError
            If the posterior holds no runs: point coefficients, or one that was thinned; or if
            it is a stack of fits.
        """
        if posterior.card.members:
            raise InputError(
                f"{posterior.card.name} is a stack, not a fit: check the fits that it is made of"
            )
        if "runs" not in posterior.tree:
            raise no_runs(posterior, "this checks a fit against its own runs")
        own = tuple(each.name for each in posterior.law.extra_inputs)
        frame = as_table(posterior.tree["runs"].dataset, (*CANONICAL, *own))
        table = Runs(frame, str(posterior.info.get("source", "runs")), inputs=own)
        teachers = teachers_as_runs(table) if posterior.info.get("teachers_as_runs") else None
        spec, data, hyper, _ = model_inputs(posterior.card, table, posterior.reference, teachers)
        return cls(frame, spec, data, hyper, posterior.reference.loss)

    def by_run(self, draws: Draws) -> ByRun:
        """Evaluate draws of every site (draws, ...) at the runs."""
        by_run = jax.device_get(pointwise(self.spec)(_jax(draws), self.data, self.hyper))
        n = len(self.frame)
        return ByRun(
            by_run["mean"][:, :n] * self.unit,
            by_run["scale"][:, :n] * self.unit,
            by_run["log_likelihood"][:, :n],
            likelihood_of(self.spec, draws, self.hyper).map_parameters(lambda v: v[:, None]),
        )

    def replicate(self, at: ByRun, seed: int) -> np.ndarray:
        """Replicated losses of the runs, (draws, runs), in their unit."""
        generator = np.random.default_rng(seed)  # some ten times as fast as JAX's Student t
        losses: np.ndarray = at.mean + at.scale * at.likelihood.sample(generator, at.mean.shape)
        return losses

    def log_prior(self, draws: Draws) -> Draws:
        """Log prior density of every sampled site: name -> (draws,).

        `draws` must hold them all, as those of `prior_draws` do.
        """
        densities = log_prior(self.spec)(_jax(draws), self.data, self.hyper)
        return {name: np.asarray(value) for name, value in densities.items()}

    def prior_draws(self, number: int, seed: int) -> Draws:
        """Fresh draws of every site and coordinate from the prior: name -> (number, ...)."""
        keys = jax.random.split(jax.random.key(seed), number)
        return dict(jax.device_get(prior_values(self.spec)(keys, self.data, self.hyper)))

    @cached_property
    def stated_sites(self) -> tuple[str, ...]:
        """Sampled sites whose prior a card states in numbers.

        Left out are sites whose prior depends on another site, and vectors of effects (one a
        student size, say): these are part of the model, and scaling their prior would change the
        meaning of the scale above them.
        """
        one = self.prior_draws(1, 0)
        return tuple(
            name
            for name, on in self._dependencies.items()
            if on <= {name} and (one[name].ndim == 1 or name == "supervised_z")
        )

    @property
    def sampled_sites(self) -> tuple[str, ...]:
        """All sites that the model samples."""
        return tuple(self._dependencies)

    @cached_property
    def _dependencies(self) -> dict[str, set[str]]:
        """The sites that the prior of each sampled site depends on."""
        model = partial(scaling_law_model, self.spec)
        by_site: Any = get_dependencies(model, (self.data, self.hyper))["prior_dependencies"]
        return {name: set(on) for name, on in by_site.items() if name not in OBSERVED}


def fitted_draws(posterior: Posterior, most: int | None = None) -> Draws:
    """Draws of a fit with the effects of its runs, chains joined, evenly thinned to `most`."""
    draws = joined(posterior.tree["posterior"].dataset, most)
    if "effects" in posterior.tree:
        draws |= joined(posterior.tree["effects"].dataset, most)
    for name in OF_CONDITIONS:  # stored under the name that forecasts know it by
        if f"condition_{name}" in draws:
            draws[f"condition_{name}_effect"] = draws.pop(f"condition_{name}")
    return draws


def stored_log_prior(posterior: Posterior, fitted: FittedModel, most: int | None = None) -> Draws:
    """Log prior density of every sampled site (draws,), as stored, or computed for old files.

    Raises
    ------
    InputError
        If it is stored for some of the sites only, or not at all and the file does not hold every
        sampled site.
    """
    if "log_prior" in posterior.tree:
        stored = joined(posterior.tree["log_prior"].dataset, most)
        if lacking := set(fitted.stated_sites) - set(stored):
            raise InputError(
                f"the posterior of {posterior.card.name} is damaged: its log_prior lacks "
                f"{', '.join(sorted(lacking))}; fit again"
            )
        return stored
    draws = joined(posterior.tree["posterior"].dataset, most)
    lacking = set(fitted.sampled_sites) - set(draws)
    if lacking:
        raise InputError(
            f"the posterior of {posterior.card.name} lacks draws of {', '.join(sorted(lacking))}, "
            "and its log prior was not stored: fit again"
        )
    return fitted.log_prior(draws)


def joined(group: xr.Dataset, most: int | None = None) -> Draws:
    """Draws of a group with its chains joined, name -> (draws, ...); evenly thinned to `most`."""
    stride = 1 if most is None else max(1, -(-group.sizes["chain"] * group.sizes["draw"] // most))
    return {
        str(name): variable.transpose("chain", "draw", ...)
        .to_numpy()
        .reshape(-1, *variable.shape[2:])[::stride]
        for name, variable in group.data_vars.items()
    }


def _jax(draws: Draws) -> dict[str, jax.Array]:
    return {name: jnp.asarray(value) for name, value in draws.items()}
