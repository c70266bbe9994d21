"""Sensitivity of answers to the prior and to the likelihood, by power-scaling.

The prior (or the likelihood) is raised to a power near one, the draws are reweighted, and how much
a marginal moves is its sensitivity (Kallioinen et al. 2024, as ArviZ computes it). What moves with
the prior as well as with the likelihood is pulled both ways; what moves with the prior alone is
known from the prior.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import arviz_base
import arviz_stats
import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill._input.intervals import number
from bayes_distill._input.progress import Progress, steps
from bayes_distill.errors import Fault, collected
from bayes_distill.inference.fitted_model import (
    Draws,
    FittedModel,
    fitted_draws,
    stored_log_prior,
)
from bayes_distill.inference.identification import published_supports, unconstrain
from bayes_distill.laws.base import Support
from bayes_distill.posterior import Posterior
from bayes_distill.predict.arguments import (
    check_repeats,
    check_teachers,
    double_faults,
    load_beside,
)
from bayes_distill.predict.points import Points, Quantity, from_table, grid
from bayes_distill.predict.results.display import Result

THRESHOLD = 0.05
MOST_NUMBERS = 4_000_000
AS_IN_CARDS = {"supervised_z": "supervised"}  # the joint prior goes by its heading in a card
LARGER = 10.0  # the second forecast by default: so many times the reference size and tokens


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity(Result):
    """How answers move with the prior and the likelihood.

    Parameters
    ----------
    table
        One row an answer: ``name``, ``kind`` (``published``, ``sampled`` or ``forecast``),
        ``variable`` (its name in `tree`),
        ``prior`` and ``likelihood`` (sensitivities: above 0.05 counts), ``moved_most_by`` (the
        prior site to whose power it is most sensitive) and ``diagnosis``.
    by_prior
        Sensitivity of every answer to each sampled site's prior alone, (answer, site).
    tree
        Groups ``posterior`` (the answers; coefficients on the log or logit scale), ``log_prior``
        and ``log_likelihood``, as ArviZ's plots take them.
    sites
        Sites whose priors are scaled, as the groups name them.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    by_prior: pd.DataFrame
    tree: xr.DataTree
    sites: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rows = self.table.to_dict("records")
        for row, by_prior in zip(rows, self.by_prior.to_dict("records"), strict=True):
            row |= {k: number(row[k]) for k in ("prior", "likelihood")}
            row["by_prior"] = {str(k): number(v) for k, v in by_prior.items()}
        return {"threshold": THRESHOLD, "rows": rows}


def sensitivity(
    posterior: Posterior | str | Path,
    params: Quantity | None = None,
    tokens: Quantity | None = None,
    *,
    teacher_loss: Quantity | None = None,
    teacher_params: Quantity | None = None,
    teacher_tokens: Quantity | None = None,
    at: pd.DataFrame | str | Path | None = None,
    allow_failed: bool = False,
    progress: Progress | None = None,
) -> Sensitivity:
    """Power-scaling sensitivity of coefficients, coordinates and forecasts.

    Parameters
    ----------
    posterior, allow_failed
        As in `forecast`; the posterior holds its runs.
    params, tokens, teacher_loss, teacher_params, teacher_tokens, at
        Forecasts to include, as in `forecast`. By default two: the middle of the runs, and a
        student ten times larger on ten times the tokens.
    progress
        Called with (phase, priors scaled, priors in all).

    Raises
    ------
    InputError, FailedFitError
        As `forecast`; or if the posterior holds no runs.
    """
    faults: list[Fault] = []
    single = (params, tokens, teacher_loss, teacher_params, teacher_tokens)
    points = None
    with collected(faults):
        if at is not None:
            points = from_table(at)
        elif any(value is not None for value in single):
            points = grid(*single)
    faults += double_faults(at, single)
    posterior = load_beside(faults, posterior, allow_failed)
    fitted = FittedModel.of(posterior)
    points = points or _default_points(posterior, fitted)
    check_teachers(posterior, points)
    check_repeats(posterior, points)
    answers, described = _answers(posterior, points)
    tree = _tree(posterior, fitted, answers)
    found = _sensitivity(tree, described, fitted.stated_sites, progress)
    return replace(found, notes=posterior.warnings)


def _sensitivity(
    tree: xr.DataTree,
    described: dict[str, tuple[str, str]],
    sites: Sequence[str],
    progress: Progress | None,
) -> Sensitivity:
    step = steps(progress, "scaling priors", len(sites) + 2)
    with warnings.catch_warnings():  # weights of a power of 0.99 or 1.01 are as good as even
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        likelihood = arviz_stats.psense(tree, group="likelihood")
        step()
        prior = arviz_stats.psense(tree, group="prior", group_var_names=list(sites))
        step()
        alone = {}
        for site in sites:
            alone[site] = arviz_stats.psense(tree, group="prior", group_var_names=[site])
            step()
    names, kinds = zip(*described.values(), strict=True)
    by_prior = pd.DataFrame(
        {site: [float(found[v]) for v in described] for site, found in alone.items()},
        index=pd.Index(names, name="name"),
    ).rename(columns=AS_IN_CARDS)
    table = pd.DataFrame(
        {
            "name": names,
            "kind": kinds,
            "variable": list(described),
            "prior": [float(prior[v]) for v in described],
            "likelihood": [float(likelihood[v]) for v in described],
            "moved_most_by": [str(name) for name in by_prior.idxmax(axis=1)],
        }
    )
    table["diagnosis"] = [
        _diagnosis(p, q) for p, q in zip(table["prior"], table["likelihood"], strict=True)
    ]
    return Sensitivity(table, by_prior, tree, tuple(sites))


def _diagnosis(prior: float, likelihood: float) -> str:
    if prior < THRESHOLD:
        return "rests on the runs" if likelihood >= THRESHOLD else "moves with neither"
    if likelihood >= THRESHOLD:
        return "prior and runs pull on it"
    return "rests on the prior"


def _default_points(posterior: Posterior, fitted: FittedModel) -> Points:
    reference, frame = posterior.reference, fitted.frame
    factors = np.array([1.0, LARGER])
    none, teacher = np.full(2, np.nan), np.full(2, np.nan)
    if posterior.law.has_teacher and "teacher_loss" in frame:
        teacher = np.full(2, float(frame["teacher_loss"].median()))
    return Points(reference.params * factors, reference.tokens * factors, teacher, none, none)


def _answers(posterior: Posterior, points: Points) -> tuple[Draws, dict[str, tuple[str, str]]]:
    """Draws (draws,) by variable, and of each variable what it is called and its kind."""
    law = posterior.law
    logs = {"positive": "log", "unit": "logit", "real": ""}
    found: dict[str, tuple[str, str, np.ndarray, Support]] = {}
    for name, support in published_supports(law).items():
        value = posterior.published[name]
        if value.ndim == 1 and np.isfinite(value).all():
            label = f"{logs[support]} {name}".strip()
            found[name] = (label, "published", value, support)
    for c in law.coordinates:
        drawn = posterior.draws.get(c.name)
        if drawn is not None and drawn.ndim == 1 and c.name not in found:
            label = f"{logs[c.support]} {c.name}".strip()
            found[c.name] = (label, "sampled", drawn, c.support)
    answers = {label: unconstrain(draws, s) for label, _, draws, s in found.values()}
    described = {label: (name, kind) for name, (label, kind, _, _) in found.items()}
    losses = points.loss_draws(posterior)
    for place, name in enumerate(points.names):
        answers[name], described[name] = losses[:, place], (name, "forecast")
    return answers, described


def _tree(posterior: Posterior, fitted: FittedModel, answers: Draws) -> xr.DataTree:
    """Answers, log prior and log likelihood, thinned alike where there would be too many numbers.

    The log likelihood is worked out anew: a stored one would do, but large ones are not stored.
    """
    most = max(400, MOST_NUMBERS // len(fitted.frame))
    stride = max(1, -(-posterior.n_draws // most))
    density = stored_log_prior(posterior, fitted, most)
    by_run = fitted.by_run(fitted_draws(posterior, most))
    chains = posterior.tree["posterior"].sizes["chain"]
    chains = chains if len(by_run.mean) % chains == 0 else 1

    def grid_of(value: np.ndarray) -> np.ndarray:
        return value.reshape(chains, -1, *value.shape[1:])

    return arviz_base.from_dict(
        {
            "posterior": {name: grid_of(value[::stride]) for name, value in answers.items()},
            "log_prior": {name: grid_of(value) for name, value in density.items()},
            "log_likelihood": {"loss": grid_of(by_run.log_likelihood)},
        },
        coords={"run": fitted.frame.index.to_numpy()},
        dims={"loss": ["run"]},
    )
