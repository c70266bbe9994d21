"""Prior and posterior predictive checks of a fit, against its own runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import arviz_base
import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill._input.intervals import number
from bayes_distill.compute import Architecture
from bayes_distill.inference.fitted_model import ByRun, Draws, FittedModel, fitted_draws
from bayes_distill.inference.quantities import (
    Quantity,
    below_teacher,
    quantities_for,
)
from bayes_distill.posterior import Posterior
from bayes_distill.predict.results.columns import summary
from bayes_distill.predict.results.display import Result
from bayes_distill.predict.results.draws import Samples

MOST_NUMBERS = 4_000_000  # draws times runs; of more, draws are thinned evenly
PRIOR_DRAWS = 1000
FAR = 5.0  # reference losses
TAIL = 0.01  # a p-value this near 0 or 1 asks for review
SURPRISING = 0.01  # runs beyond the prior's central 99% are named
SPREAD = ("median", "lower", "upper")
VOCABULARY = Architecture().vocabulary


@dataclass(frozen=True, eq=False, repr=False)
class PriorPredictive(Result):
    """The prior predictive distribution of the runs of a fit.

    Parameters
    ----------
    table
        One row a run: its sizes and loss, ``new_run_{median|lower|upper}`` of the prior predictive,
        and ``pit``, the share of it below the measured loss.
    ranges
        Share of the curves and of the new runs that no run could have: ``range``, ``limit``,
        ``share_of_curves``, ``share_of_runs``.
    tree
        Groups ``prior``, ``prior_predictive`` and ``observed_data``, as ArviZ takes them.
    interval
        Probability inside the intervals.
    """

    table: pd.DataFrame
    ranges: pd.DataFrame
    tree: xr.DataTree
    interval: float

    @property
    def surprising(self) -> list[int]:
        """Rows of the runs outside the central 99% of the prior predictive."""
        pit = self.table["pit"]
        beyond = (pit < SURPRISING / 2) | (pit > 1 - SURPRISING / 2)
        return [int(row) for row in self.table.index[beyond]]

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "ranges": self.ranges.to_dict("records"),
            "surprising_runs": self.surprising,
        }


@dataclass(frozen=True, eq=False, repr=False)
class PosteriorPredictive(Result):
    """How runs replicated from the fit compare with the real ones.

    Parameters
    ----------
    table
        One row a test quantity: ``name``, ``meaning``, ``{mean|median|sd|lower|upper}`` of it for
        the real runs (``observed_*``, which depends on the draw) and for replicated ones
        (``replicated_*``), ``p_larger`` (probability that a replicated one is larger),
        ``verdict`` (``pass`` or ``review``) and ``advice``.
    by_run
        One row a run: ``new_run_{median|lower|upper}`` of its replications.
    samples
        What `draws` labels.
    tree
        Groups ``posterior``, ``posterior_predictive``, ``observed_data`` and ``log_likelihood``.
    interval
        Probability inside the intervals.
    """

    table: pd.DataFrame
    by_run: pd.DataFrame
    samples: Samples
    tree: xr.DataTree
    interval: float

    @cached_property
    def draws(self) -> xr.Dataset:
        """``observed`` and ``replicated`` (sample, quantity); `sample` as in `Forecast.draws`."""
        names = self.table["name"].to_list()
        return self.samples.dataset({"quantity": names}, dims=("quantity",))

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rows = [
            {
                "name": r["name"],
                "meaning": r["meaning"],
                "observed": number(r["observed_mean"]),
                "replicated": number(r["replicated_mean"]),
                "lower": number(r["replicated_lower"]),
                "upper": number(r["replicated_upper"]),
                "p": number(r["p_larger"]),
                "verdict": r["verdict"],
                "advice": r["advice"],
            }
            for r in self.table.to_dict("records")
        ]
        return {"quantities": rows}


def prior_predictive(
    posterior: Posterior,
    *,
    interval: float = 0.9,
    vocabulary: float = VOCABULARY,
    seed: int = 0,
) -> PriorPredictive:
    """Prior predictive distribution of the losses of a fit's runs.

    Parameters
    ----------
    posterior
        A fit, with its runs.
    interval
        Probability inside the intervals.
    vocabulary
        Entries of the tokenizer: its logarithm is the loss, in nats per token, of a uniform
        distribution over them. For losses in another unit read the other two ranges.
    seed
        Seed of the prior draws and of the observation noise.

    Raises
    ------
    InputError
        If the posterior holds no runs.
    """
    fitted = FittedModel.of(posterior)
    draws = fitted.prior_draws(min(PRIOR_DRAWS, _most(fitted)), seed)
    at = fitted.by_run(draws)
    losses = fitted.replicate(at, seed)
    measured = fitted.frame["loss"].to_numpy(float)
    limits = (
        ("below zero", 0.0, at.mean < 0, losses < 0),
        (
            f"above log({vocabulary:g}), a model that knows nothing",
            math.log(vocabulary),
            at.mean > math.log(vocabulary),
            losses > math.log(vocabulary),
        ),
        (
            f"above {FAR:g} times the runs' median loss",
            FAR * fitted.unit,
            at.mean > FAR * fitted.unit,
            losses > FAR * fitted.unit,
        ),
    )
    ranges = pd.DataFrame(
        [
            {
                "range": name,
                "limit": limit,
                "share_of_curves": float(curves.mean()),
                "share_of_runs": float(runs.mean()),
            }
            for name, limit, curves, runs in limits
        ]
    )
    table = _by_run(fitted, losses, interval).assign(pit=(losses < measured).mean(axis=0))
    tree = _tree({"prior": draws, "prior_predictive": {"loss": losses}}, fitted)
    return PriorPredictive(table, ranges, tree, interval)


def posterior_predictive(
    posterior: Posterior, *, interval: float = 0.9, seed: int = 0
) -> PosteriorPredictive:
    """Replicate the runs from the posterior and compare test quantities.

    A test quantity may depend on the draw as well as on the losses (a discrepancy measure,
    Gelman, Meng and Stern 1996): each draw's own residuals, real and replicated, are compared.

    Raises
    ------
    InputError
        If the posterior holds no runs.
    """
    fitted = FittedModel.of(posterior)
    draws, at = posterior_by_run(posterior, fitted)
    losses = fitted.replicate(at, seed)
    measured = np.broadcast_to(fitted.frame["loss"].to_numpy(float), losses.shape)
    real, new = (at.likelihood.normal_scores((y - at.mean) / at.scale) for y in (measured, losses))
    pairs = [(q, real, new) for q in quantities_for(fitted.frame)]
    if (below := below_teacher(fitted.frame)) is not None:
        pairs.append((below, measured, losses))
    compared = [(q, q.statistic(real), q.statistic(new)) for q, real, new in pairs]
    table = pd.DataFrame([_row(*c, interval) for c in compared])
    stride = max(1, -(-posterior.n_draws // _most(fitted)))
    samples = Samples(
        {
            "observed": np.column_stack([c[1] for c in compared]),
            "replicated": np.column_stack([c[2] for c in compared]),
        },
        posterior.chains[::stride],
    )
    groups = {
        "posterior": draws,
        "posterior_predictive": {"loss": losses},
        "log_likelihood": {"loss": at.log_likelihood},
    }
    chains = posterior.tree["posterior"].sizes["chain"]
    tree = _tree(groups, fitted, chains if len(losses) % chains == 0 else 1)
    return PosteriorPredictive(table, _by_run(fitted, losses, interval), samples, tree, interval)


def posterior_by_run(posterior: Posterior, fitted: FittedModel) -> tuple[Draws, ByRun]:
    """Posterior draws, thinned where there would be too many numbers, and what they say by run."""
    draws = fitted_draws(posterior, _most(fitted))
    return draws, fitted.by_run(draws)


def _most(fitted: FittedModel) -> int:
    return max(100, MOST_NUMBERS // len(fitted.frame))


def _row(q: Quantity, real: np.ndarray, new: np.ndarray, interval: float) -> dict[str, Any]:
    p = float((new > real).mean() + (new == real).mean() / 2)
    passed = TAIL <= p <= 1 - TAIL
    return {
        "name": q.name,
        "meaning": q.meaning,
        **{k: float(v) for k, v in summary("observed", real, interval).items()},
        **{k: float(v) for k, v in summary("replicated", new, interval).items()},
        "p_larger": p,
        "verdict": "pass" if passed else "review",
        "advice": "" if passed else q.if_larger if p < TAIL else q.if_smaller,
    }


def _by_run(fitted: FittedModel, losses: np.ndarray, interval: float) -> pd.DataFrame:
    shown = [n for n in ("params", "tokens", "teacher_loss", "loss") if n in fitted.frame]
    return fitted.frame[shown].assign(**summary("new_run", losses, interval, SPREAD))


def _tree(groups: Mapping[str, Draws], fitted: FittedModel, chains: int = 1) -> xr.DataTree:
    """A DataTree as ArviZ takes it, from draws (draws, ...) by group and name."""
    content: dict[str, Any] = {
        group: {name: value.reshape(chains, -1, *value.shape[1:]) for name, value in draws.items()}
        for group, draws in groups.items()
    }
    content["observed_data"] = {"loss": fitted.frame["loss"].to_numpy(float)}
    return arviz_base.from_dict(
        content, coords={"run": fitted.frame.index.to_numpy()}, dims={"loss": ["run"]}
    )
