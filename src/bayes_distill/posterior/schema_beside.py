"""What the groups of a posterior's file beside its draws must hold.

These are its runs, draws from the prior, densities, effects of groups of runs, and where the
sampler was. `schema` holds the draws themselves and the attributes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import xarray as xr

from bayes_distill.cards import Card
from bayes_distill.runs.schema import MOST_LOSS, MOST_PARAMS, MOST_TOKENS

MOST = {
    "params": MOST_PARAMS,
    "tokens": MOST_TOKENS,
    "loss": MOST_LOSS,
    "teacher_loss": MOST_LOSS,
    "teacher_params": MOST_PARAMS,
    "teacher_tokens": MOST_TOKENS,
    "unique_tokens": np.inf,
}
"""Most that a stored run may have, as in a table of runs."""
NEEDED = ("params", "tokens", "loss")
FARTHEST = 1e15
"""Sampling coordinates beyond it are refused."""
DEVIATIONS = 1000.0
"""A chain's last draw is closer to the mean of all draws, in standard deviations of these."""
ROUNDING = 1e-9
"""An eigenvalue may be negative by that part of the largest."""


def beside_problem(
    tree: xr.DataTree, group: xr.Dataset, card: Card, info: dict[str, Any]
) -> str | None:
    """What is wrong with the groups beside the draws, or ``None``; `group` are the draws."""
    groups = {str(name): node.to_dataset(inherit=False) for name, node in tree.children.items()}
    if "runs" in groups and (found := _runs_problem(groups["runs"], info)) is not None:
        return found
    if "prior" in groups and (found := _prior_problem(groups["prior"], card)) is not None:
        return found
    for name in ("log_likelihood", "effects", "log_prior", "sample_stats"):
        if name in groups and (found := _density_problem(name, groups[name], group)) is not None:
            return found
    if "log_likelihood" in groups and "runs" in groups:
        stored = groups["log_likelihood"]
        number = groups["runs"].sizes["run"]
        for each, variable in stored.data_vars.items():
            if variable.dims != ("chain", "draw", "run"):
                return f"log_likelihood.{each}: it is not by chain, draw and run"
        if stored.sizes.get("run") != number:
            return f"log_likelihood: it is of {stored.sizes.get('run')} runs, and there are others"
    return _sampler_problem(groups["sampler"]) if "sampler" in groups else None


def support_problem(
    group: xr.Dataset, card: Card, where: str, positive: Collection[str] = ()
) -> str | None:
    """Say which coordinate is outside its support, or which scale is negative.

    Scales of the names `positive` may not be zero either. Draws from a prior may be at the ends of
    their support, where numbers end.
    """
    open_end = where != "prior"
    for coordinate in card.scaling_law.coordinates:
        if coordinate.name not in group or coordinate.support not in ("positive", "unit"):
            continue
        values = group[coordinate.name].to_numpy()
        least, most = values.min(), values.max()
        low = least < 0 or (open_end and least == 0)
        high = most > 1 or (open_end and most == 1)
        if low or (coordinate.support == "unit" and high):
            right = "between 0 and 1" if coordinate.support == "unit" else "positive"
            return f"{where}.{coordinate.name}: some draws are not {right}"
    for name in map(str, group.data_vars):
        least = group[name].to_numpy().min() if name.endswith(("_sd", "scale")) else 1.0
        if least < 0:
            return f"{where}.{name}: some draws are negative"
        if least == 0 and name in positive:
            return f"{where}.{name}: some draws are not positive"
    return None


def _runs_problem(runs: xr.Dataset, info: dict[str, Any]) -> str | None:
    """Runs that are stored are runs, and as many as the attributes say."""
    if "run" not in runs.sizes:
        return "runs: it holds no runs"
    for name in NEEDED:
        if name not in runs:
            return f"runs: it lacks {name}"
    for column in runs.data_vars:
        if runs[column].dims != ("run",):
            return f"runs.{column}: it is not one value a run"
    for name, most in MOST.items():
        if name not in runs:
            continue
        values = runs[name].to_numpy()
        if values.dtype.kind not in "fiu":
            return f"runs.{name}: some are not positive numbers"
        empty = np.isnan(values) & (name not in NEEDED)
        if not (empty | (values > 0)).all() or (np.isinf(values) & (name in NEEDED)).any():
            return f"runs.{name}: some are not positive numbers"
        if (values > most).any():
            return f"runs.{name}: some are above {most:g}"
    stated = info.get("n_runs")
    if stated is not None and stated != runs.sizes["run"]:
        return f"runs: there are {runs.sizes['run']}, and info.n_runs is {stated}"
    return None


def _prior_problem(prior: xr.Dataset, card: Card) -> str | None:
    """Draws from the prior are finite numbers by chain and draw, inside their supports."""
    for name, variable in prior.data_vars.items():
        if variable.dims[:2] != ("chain", "draw") or not variable.size:
            return f"prior.{name}: its draws are not by chain and draw"
        if variable.dtype.kind not in "fiu" or not np.isfinite(variable.to_numpy()).all():
            return f"prior.{name}: some draws are not finite numbers"
    return support_problem(prior, card, "prior")


def _density_problem(name: str, other: xr.Dataset, group: xr.Dataset) -> str | None:
    """Groups beside the draws have as many chains and draws, and densities that are numbers."""
    for dim in ("chain", "draw"):
        if other.data_vars and other.sizes.get(dim) != group.sizes[dim]:
            return f"{name}: it has not as many of {dim} as the draws"
    for each, variable in other.data_vars.items():
        if variable.dims[:2] != ("chain", "draw"):
            return f"{name}.{each}: it is not by chain and draw"
        if name == "log_prior" and variable.ndim != 2:
            return f"{name}.{each}: it is not one number a draw"
        if name == "sample_stats":
            continue
        values = variable.to_numpy()
        if values.dtype.kind not in "fiu" or np.isnan(values).any() or (values == np.inf).any():
            return f"{name}: some are no numbers"
    return None


def _sampler_problem(sampler: xr.Dataset) -> str | None:
    """The sampler was at a place, with a spread: a covariance, and last draws within reach."""
    number = sampler.sizes.get("site")
    wanted = {
        "mean": ("site",),
        "covariance": ("site", "other_site"),
        "last": ("of_chain", "site"),
    }
    for name, dims in wanted.items():
        if name not in sampler or sampler[name].dims != dims:
            return f"sampler.{name}: it is missing, or not by {' and '.join(dims)}"
        values = sampler[name].to_numpy()
        if values.dtype.kind != "f" or not np.isfinite(values).all():
            return f"sampler.{name}: some are no numbers"
    if "site" not in sampler.coords or sampler.sizes["other_site"] != number:
        return "sampler.covariance: it does not go with site"
    mean, covariance, last = (sampler[name].to_numpy() for name in wanted)
    largest = float(np.abs(covariance).max(initial=0.0))
    if largest > FARTHEST**2 or not np.allclose(
        covariance, covariance.T, rtol=1e-6, atol=ROUNDING * largest
    ):
        return "sampler.covariance: it is no covariance"
    if number and np.linalg.eigvalsh(covariance).min() < -ROUNDING * largest:
        return "sampler.covariance: it is not positive definite"
    spread = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    far = DEVIATIONS * spread + 1e-6 * (1 + np.abs(mean))
    if (np.abs(mean) > FARTHEST).any() or (np.abs(last - mean) > far).any():
        return "sampler.last: it is far from where the draws are"
    return None
