"""From the draws of the sampler to the groups of a posterior: natural scale, checks, summaries."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import arviz_base
import jax
import numpy as np
import xarray as xr

from bayes_distill.cards import Card
from bayes_distill.inference import identification
from bayes_distill.inference.density import constrainer, pointwise, prior_sampler
from bayes_distill.inference.diagnostics import diagnose
from bayes_distill.inference.leave_one_out import leave_one_out
from bayes_distill.inference.log_prior import log_prior
from bayes_distill.inference.model import Data, ModelSpec, likelihood_of, sites_of_mean
from bayes_distill.inference.stored_draws import stored_draws
from bayes_distill.inference.two_stage import FirstStageResults
from bayes_distill.inference.warm_start import GROUP, WarmStart
from bayes_distill.inference.within_chain import diagnose_within
from bayes_distill.laws import Reference
from bayes_distill.posterior.hull import Hull, Hulls
from bayes_distill.posterior.stored_runs import RUN_NAME
from bayes_distill.runs.checkpoints import NO_RUN, PAIR, run_groups
from bayes_distill.runs.grouping import size_groups
from bayes_distill.runs.table import NUMERIC
from bayes_distill.runs.unique_tokens import unique_tokens

if TYPE_CHECKING:
    from bayes_distill.runs import Runs

PRIOR_DRAWS = 1000
LawChecks = Callable[[dict[str, Any], dict[str, Any], np.ndarray, np.ndarray, str], dict[str, Any]]
LOG_LIKELIHOOD_LIMIT = 4_000_000  # numbers; a larger pointwise log likelihood is not stored


def draws_to_posterior(
    card: Card,
    spec: ModelSpec,
    data: Data,
    hyper: dict[str, Any],
    table: Runs,
    sample: Any,
    reference: Reference,
    seed: int,
    interval: float,
    stages: FirstStageResults | None = None,
    law_checks: LawChecks | None = None,
) -> tuple[xr.DataTree, dict[str, Any]]:
    """Tree of a posterior, and its ``info``: diagnostics, leave-one-out and summaries.

    Parameters
    ----------
    card, table, reference
        The card, the runs that were fitted, and the reference point of both.
    spec, data, hyper
        The model of them, see `model_inputs`.
    sample
        A `Sample` of that model.
    seed, interval
        Seed of prior draws and of new discrepancies; probability inside intervals.
    stages
        Of a fit in two stages: what the first one adds.
    law_checks
        Makes the verdict on the law, see `law_checks.check_law`; by default there is none.

    Returns
    -------
    tree : xarray.DataTree
        Groups as `Posterior` stores them.
    info : dict
        Plain data: verdict, diagnostics, coefficients, flagged runs, LOO, hull and epochs.
    """
    chains, draws = sample.stats["diverging"].shape
    n = len(table)
    hyper = hyper if sample.hyper is None else sample.hyper
    joined = {k: v.reshape(chains * draws, *v.shape[2:]) for k, v in sample.unconstrained.items()}
    values = jax.device_get(constrainer(spec)(joined, data, hyper))
    before_raw = prior_sampler(spec)(
        jax.random.split(jax.random.key(seed + 1), PRIOR_DRAWS), data, hyper
    )
    before = jax.device_get(constrainer(spec)(before_raw, data, hyper))
    by_run = jax.device_get(pointwise(spec)(sites_of_mean(spec, values), data, hyper))
    by_run = {name: array[:, :n] for name, array in by_run.items()}
    density = jax.device_get(log_prior(spec)(values, data, hyper))

    def grid(array: np.ndarray) -> np.ndarray:
        return array.reshape(chains, draws, *array.shape[1:])

    size, _ = size_groups(table.frame["params"].to_numpy(float))
    generator = np.random.default_rng([seed, 2])
    kept = stored_draws(spec, data, hyper, table.frame, values, generator)
    stored = kept.sites
    # effects of teachers and conditions are of these runs: forecasts do not use them, checks do
    shared = {f"{name}_effect": np.asarray(getattr(data, name)) for name in spec.effects}
    shared |= {"teacher_error": np.asarray(data.teacher)} if spec.noisy_teachers else {}
    effects = {
        name: values[name][:, : group.max() + 1].astype(np.float32)
        for name, group in shared.items()
    }
    if stages is not None:
        stored |= {name: values for name, values in stages.noise.items() if name not in stored}
    stats = {
        name: sample.stats[name] for name in ("diverging", "energy", "n_steps", "step_size", "lp")
    }
    steps = sample.stats["n_steps"] / sample.transitions_per_draw
    stats["tree_depth"] = np.floor(np.log2(steps)).astype(int) + 1
    rows = table.frame.index.to_numpy()
    with warnings.catch_warnings():  # a cut posterior has many short chains
        warnings.filterwarnings("ignore", "Found chain dimension to be longer", UserWarning)
        tree = arviz_base.from_dict(
            {
                "posterior": {name: grid(value) for name, value in stored.items()},
                **({"effects": {n: grid(v) for n, v in effects.items()}} if effects else {}),
                "prior": {name: v[None] for name, v in before.items() if v.ndim == 1},
                "log_prior": {name: grid(value) for name, value in density.items()},
                "sample_stats": stats,
                "log_likelihood": {"loss": grid(by_run["log_likelihood"]).astype(np.float32)},
            },
            coords={"run": rows, **kept.coords},
            dims={"loss": ["run"], **kept.dims},
        )
    tree["posterior"] = kept.with_places(tree["posterior"].dataset)
    likelihood = likelihood_of(spec, values, hyper).map_parameters(lambda v: np.asarray(v)[:, None])
    loo = leave_one_out(
        tree, by_run["mean"], by_run["scale"], np.asarray(data.loss)[:n], likelihood
    )
    tree["runs"] = _runs_group(table, loo)
    if stages is None and (end := WarmStart.of_draws(sample.unconstrained)) is not None:
        tree[GROUP] = end.to_dataset()
    if by_run["mean"].size > LOG_LIKELIHOOD_LIMIT:
        del tree["log_likelihood"]

    law = card.scaling_law
    after_all = values | _arrays(law.to_published(values, reference))
    if stages is not None and stages.before:  # the prior before both stages
        some = generator.integers(len(next(iter(stages.before.values()))), size=PRIOR_DRAWS)
        before |= {name: value[some] for name, value in stages.before.items()}
    before_all = before | _arrays(law.to_published(before, reference))
    coefficients = identification.summarise(law, after_all, before_all, spec, interval)
    shrink, pull = _against_prior(sample.unconstrained, jax.device_get(before_raw))
    if stages is not None and stages.cut:
        rest = {k: v for k, v in sample.unconstrained.items() if k != "supervised_z"}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Found chain dimension to be longer", UserWarning)
            named = arviz_base.dict_to_dataset(rest)
        diagnostics = diagnose_within(named, tree["sample_stats"].dataset)
    else:
        sampled = arviz_base.dict_to_dataset(
            sample.unconstrained
            | {name: grid(values[name]) for name in law.coordinate_names if spec.joint_supervised}
        )
        diagnostics = diagnose(sampled, tree["sample_stats"].dataset, shrink, pull)
    if stages is not None:
        diagnostics = diagnostics.after(stages.verdict)
    frame = table.frame
    teacher = (
        frame["teacher_loss"].to_numpy(float) if "teacher_loss" in frame else np.full(n, np.nan)
    )
    places = (frame["params"].to_numpy(float), frame["tokens"].to_numpy(float), teacher)
    more = slice(n, int(np.asarray(data.mask).sum()))  # teachers, which are supervised runs
    sizes_of_teachers, tokens_of_teachers = (
        np.asarray(getattr(data, name))[more] * getattr(reference, name)
        for name in ("params", "tokens")
    )
    every = zip(
        places,
        (sizes_of_teachers, tokens_of_teachers, np.full(len(sizes_of_teachers), np.nan)),
        strict=True,
    )
    checked = diagnostics.to_json()
    if law_checks is not None:
        checked["law"] = law_checks(
            hyper, values, by_run["mean"], by_run["scale"], diagnostics.verdict
        )
    return tree, {
        "verdict": diagnostics.verdict,
        "diagnostics": checked,
        "coefficients": [c.to_json() for c in coefficients],
        "flagged_runs": [asdict(run) for run in loo.flagged(rows, size)],
        "loo": {"elpd": loo.elpd, "se": loo.se},
        "hull": Hull.of(*places).to_json(),
        "hulls": Hulls.of(*(np.concatenate(pair) for pair in every)).to_json(),
        **(
            {"input_ranges": {n: [float(f(frame[n])) for f in (min, max)] for n in table.inputs}}
            if table.inputs
            else {}
        ),
        "epochs": float((frame["tokens"].to_numpy(float) / unique_tokens(frame)).max()),
    }


def _runs_group(table: Runs, loo: Any) -> xr.Dataset:
    """The runs that were fitted, with leave-one-out results; text columns as strings."""
    frame = table.frame
    columns: dict[str, Any] = {
        name: ("run", frame[name].to_numpy(float))
        for name in (*NUMERIC, *table.inputs)
        if name in frame
    }
    if "group" in frame and frame["group"].notna().any():
        columns["group"] = ("run", frame["group"].fillna("").astype(str).to_numpy(object))
    if (run_groups(frame) != NO_RUN).any():
        names = frame[PAIR if PAIR in frame else "run"]
        columns[RUN_NAME] = ("run", names.fillna("").astype(str).to_numpy(object))
    for name in ("elpd_i", "pareto_k", "residual"):
        columns[name] = ("run", getattr(loo, name))
    return xr.Dataset(columns, coords={"run": frame.index.to_numpy()})


def _against_prior(
    after: dict[str, np.ndarray], before: dict[str, np.ndarray]
) -> tuple[dict[str, float], dict[str, float]]:
    """Contraction and pull of every sampled number, on the unconstrained scale."""
    shrink, pull = {}, {}
    for name, value in after.items():
        if name.endswith(("_z", "_error")) and name != "supervised_z":
            continue  # effects of single groups are no coordinates of the law
        flat = value.reshape(value.shape[0] * value.shape[1], -1)
        prior = np.reshape(before[name], (len(before[name]), -1))
        for i in range(flat.shape[1]):
            label = f"{name}[{i}]" if value.ndim > 2 else name
            shrink[label] = float(1 - flat[:, i].var() / prior[:, i].var())
            pull[label] = float((flat[:, i].mean() - prior[:, i].mean()) / prior[:, i].std())
    return shrink, pull


def _arrays(values: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.asarray(value) for name, value in values.items()}
