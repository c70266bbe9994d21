"""From the draws of the sampler to the groups of a posterior: natural scale, checks, summaries."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import arviz_base
import jax
import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill.cards import Card
from bayes_distill.inference import identification
from bayes_distill.inference.density import constrainer, pointwise, prior_sampler
from bayes_distill.inference.diagnostics import diagnose
from bayes_distill.inference.leave_one_out import leave_one_out
from bayes_distill.inference.log_prior import log_prior
from bayes_distill.inference.model import Data, ModelSpec, likelihood_of, sites_of_mean
from bayes_distill.inference.smooth_rows import all_weights
from bayes_distill.inference.two_stage import FirstStageResults
from bayes_distill.inference.within_chain import diagnose_within
from bayes_distill.laws import Reference
from bayes_distill.laws.smooth_discrepancy import SMOOTH, STUDENT_SMOOTH, UPWARD, WEIGHTS
from bayes_distill.posterior.hull import Hull, Hulls
from bayes_distill.posterior.size_offsets import OFFSET, OFFSET_SIZE
from bayes_distill.runs.grouping import condition_groups, size_groups
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

    size, log_sizes = size_groups(table.frame["params"].to_numpy(float))
    sizes = np.exp(log_sizes)
    generator = np.random.default_rng([seed, 2])
    stored = {name: value for name, value in values.items() if value.ndim == 1}
    for name in spec.discrepancies:
        stored[name] = values[name][:, : len(sizes)]
        stored[f"{name}_new"] = generator.standard_normal(chains * draws)
    smooth = _weights(spec, values, hyper, generator)
    stored |= smooth
    of_sizes = {}
    if spec.size_offset:
        several = np.asarray(data.has_offset[:n]) > 0
        place, first = np.unique(np.asarray(data.offset_size[:n])[several], return_index=True)
        of_sizes[OFFSET_SIZE] = table.frame["params"].to_numpy(float)[several][first]
        stored[OFFSET] = values[f"{OFFSET}_z"][:, place]
        stored[f"{OFFSET}_key"] = generator.random(chains * draws)
    conditions = _conditions(table.frame)
    special = [f"condition_{name}" for name in spec.condition_discrepancies]
    for name in special:
        stored[name] = values[f"{name}_effect"][:, : len(conditions)]
        stored[f"{name}_new"] = generator.standard_normal(chains * draws)
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
            coords={"run": rows, "size": sizes},
            dims={
                "loss": ["run"],
                **{name: [f"{name}_weight"] for name in smooth},
                OFFSET: ["size_with_offset"],
                **{name: ["size"] for name in spec.discrepancies},
                **{name: ["condition"] for name in special},
            },
        )
    if special:
        tree["posterior"] = tree["posterior"].dataset.assign_coords(
            condition_params=("condition", conditions[:, 0]),
            condition_tokens=("condition", conditions[:, 1]),
        )
    if of_sizes:
        tree["posterior"] = tree["posterior"].dataset.assign_coords(
            {name: ("size_with_offset", sizes) for name, sizes in of_sizes.items()}
        )
    likelihood = likelihood_of(spec, values, hyper).map_parameters(lambda v: np.asarray(v)[:, None])
    loo = leave_one_out(
        tree, by_run["mean"], by_run["scale"], np.asarray(data.loss)[:n], likelihood
    )
    tree["runs"] = _runs_group(table, loo)
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


def _weights(
    spec: ModelSpec,
    values: dict[str, np.ndarray],
    hyper: dict[str, Any],
    generator: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Weights of smooth discrepancies (draws, weights) as laws take them."""

    def of_site(name: str) -> np.ndarray:
        directions = hyper["groups"][f"{name}_directions"]
        return all_weights(values[f"{name}_z"], directions, values[f"{name}_sd"], generator)

    weights = {}
    if "smooth_up" in spec.smooth:
        both = np.empty((len(values["smooth_up_sd"]), WEIGHTS))
        both[:, UPWARD], both[:, ~UPWARD] = of_site("smooth_up"), of_site("smooth_down")
        weights[SMOOTH] = both
    if STUDENT_SMOOTH in spec.smooth:
        weights[STUDENT_SMOOTH] = of_site(STUDENT_SMOOTH)
    return weights


def _conditions(frame: pd.DataFrame) -> np.ndarray:
    """Size and tokens (conditions, 2) of every condition, in the order of its group."""
    pairs = frame[["params", "tokens"]].to_numpy(float)
    group = condition_groups(pairs[:, 0], pairs[:, 1])
    return np.array([np.median(pairs[group == i], axis=0) for i in range(group.max() + 1)])


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
