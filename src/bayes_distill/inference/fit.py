"""From runs and a card to a posterior."""

from __future__ import annotations

import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import arviz_base
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill._version import __version__
from bayes_distill.cards import Card, load_card, model_names
from bayes_distill.errors import InputError
from bayes_distill.hull import Hull
from bayes_distill.inference import identification
from bayes_distill.inference.density import constrainer, pointwise, prior_sampler
from bayes_distill.inference.diagnostics import diagnose
from bayes_distill.inference.joint_prior import joint_prior, loss_unit_ratio
from bayes_distill.inference.leave_one_out import leave_one_out
from bayes_distill.inference.model import Data, ModelSpec, hyperparameters, model_spec
from bayes_distill.inference.sampler import Progress, SamplerSettings, run_nuts
from bayes_distill.laws import Reference
from bayes_distill.posterior import Posterior

if TYPE_CHECKING:
    from bayes_distill.runs import Runs

PAD = 64  # rows are padded to a multiple: refits without some rows keep their shape
PRIOR_DRAWS = 1000
LOG_LIKELIHOOD_LIMIT = 4_000_000  # numbers; a larger pointwise log likelihood is not stored
DEFAULT_CARDS = {"supervised": "supervised", "distillation": "distillation", "mixed": "joint"}


def fit(
    runs: Runs | pd.DataFrame | str | Path,
    model: Card | str | Path | None = None,
    *,
    where: str | None = None,
    corrections: bool = True,
    chains: int = 4,
    warmup: int = 1000,
    draws: int = 1000,
    seed: int = 0,
    interval: float = 0.9,
    progress: Progress | None = None,
) -> Posterior:
    """Fit a scaling law to runs with NUTS.

    Parameters
    ----------
    runs
        A table of runs: `Runs`, a DataFrame, a path, or the name of a data set.
    model
        A card, its name or path. By default the card of the named data, or else the general
        card for this kind of runs (``supervised``, ``distillation`` or ``joint``).
    where
        A pandas query over the canonical columns that keeps some of the runs.
    corrections
        Whether documented corrections to named data are applied.
    chains, warmup, draws
        Numbers of chains, and of warm-up and kept transitions of each.
    seed
        Seed of everything random; the same seed gives the same draws.
    interval
        Probability inside the intervals of the coefficients.
    progress
        Called with (phase, done, all) as sampling goes on.

    Returns
    -------
    Posterior
        With draws, diagnostics and flagged runs. It is returned even if the checks fail; then
        its `verdict` says so.

    Raises
    ------
    InputError
        Naming everything that is wrong with the runs, the card or the settings.
    """
    from bayes_distill.runs import read_runs

    _check_settings(chains, warmup, draws)
    table = read_runs(runs, corrections=corrections)
    if where is not None:
        table = table.where(where)
    card = model if isinstance(model, Card) else load_card(model or default_card(table))
    _check_card(card, table)
    clock = time.perf_counter()
    reference = reference_point(card, table.frame)
    spec, data, hyper, notes = prepare(card, table, reference)
    settings = SamplerSettings(chains, warmup, draws, card.target_accept)
    sample = run_nuts(spec, data, hyper, settings, seed, progress)
    if progress:
        progress("checking", 0, 1)
    tree, info = _assemble(card, spec, data, hyper, table, sample, reference, seed, interval)
    info |= {
        "interval": interval,
        "seed": seed,
        "source": table.source,
        "where": where,
        "fingerprint": table.fingerprint,
        "kind": table.kind,
        "n_runs": len(table),
        "notes": [*table.notes, *notes],
        "settings": asdict(settings),
        "seconds": {
            **{k: round(v, 3) for k, v in sample.seconds.items()},
            "total": round(time.perf_counter() - clock, 3),
        },
        "versions": {
            "bayes-distill": __version__,
            **{name: version(name) for name in ("jax", "numpyro", "arviz-stats", "xarray")},
        },
    }
    return Posterior(tree, card, reference, info)


def default_card(table: Runs) -> str:
    """Name of the card that fits a table when none is given."""
    return table.source if table.source in model_names() else DEFAULT_CARDS[table.kind]


def reference_point(card: Card, frame: pd.DataFrame) -> Reference:
    """Where the law counts from: what the card says, else the median of the runs."""
    chosen = card.reference
    return Reference(
        chosen.params or float(frame["params"].median()),
        chosen.tokens or float(frame["tokens"].median()),
        chosen.loss or float(frame["loss"].median()),
    )


def prepare(
    card: Card, table: Runs, reference: Reference
) -> tuple[ModelSpec, Data, dict[str, Any], list[str]]:
    """Static model, padded data, hyperparameters, and notes on what was decided on the way."""
    frame, notes = table.frame, []
    data = padded_data(frame, reference)
    predicts = bool(
        (jnp.isnan(data.teacher_loss) & ~jnp.isnan(data.teacher_params) & data.mask).any()
    )
    spec = model_spec(card, table.kind, predicts)
    joint = None
    if card.supervised is not None:
        ratio = loss_unit_ratio(
            card.supervised, *(frame[c].to_numpy(float) for c in ("params", "tokens", "loss"))
        )
        joint = joint_prior(card.supervised, reference, ratio)
        if joint.unit_ratio != 1 and abs(ratio - 1) > 0.15:
            notes.append(
                f"losses are {ratio:.3g} times those of the supervised prior's centre, as in "
                "another unit or tokenizer: the centre was multiplied by that"
            )
    return spec, data, hyperparameters(card, joint), notes


def padded_data(frame: pd.DataFrame, reference: Reference) -> Data:
    """Runs relative to the reference, padded with copies of the first run and masked."""
    n = len(frame)
    size = -(-n // PAD) * PAD
    rows = np.r_[np.arange(n), np.zeros(size - n, int)]

    def column(name: str, unit: float) -> jax.Array:
        if name not in frame:
            return jnp.full(size, jnp.nan)
        return jnp.asarray(frame[name].to_numpy(float)[rows] / unit)

    return Data(
        params=column("params", reference.params),
        tokens=column("tokens", reference.tokens),
        loss=column("loss", reference.loss),
        teacher_loss=column("teacher_loss", reference.loss),
        teacher_params=column("teacher_params", reference.params),
        teacher_tokens=column("teacher_tokens", reference.tokens),
        mask=jnp.arange(size) < n,
    )


def _assemble(
    card: Card,
    spec: ModelSpec,
    data: Data,
    hyper: dict[str, Any],
    table: Runs,
    sample: Any,
    reference: Reference,
    seed: int,
    interval: float,
) -> tuple[xr.DataTree, dict[str, Any]]:
    """Draws on the natural scale, diagnostics, leave-one-out and summaries."""
    chains, draws = sample.stats["diverging"].shape
    n = len(table)
    joined = {k: v.reshape(chains * draws, *v.shape[2:]) for k, v in sample.unconstrained.items()}
    values = jax.device_get(constrainer(spec)(joined, data, hyper))
    before_raw = prior_sampler(spec)(
        jax.random.split(jax.random.key(seed + 1), PRIOR_DRAWS), data, hyper
    )
    before = jax.device_get(constrainer(spec)(before_raw, data, hyper))
    by_run = jax.device_get(
        pointwise(spec)({k: v for k, v in values.items() if v.ndim == 1}, data, hyper)
    )
    by_run = {name: array[:, :n] for name, array in by_run.items()}

    def grid(array: np.ndarray) -> np.ndarray:
        return array.reshape(chains, draws, *array.shape[1:])

    stats = {
        name: sample.stats[name] for name in ("diverging", "energy", "n_steps", "step_size", "lp")
    }
    stats["tree_depth"] = np.floor(np.log2(sample.stats["n_steps"])).astype(int) + 1
    rows = table.frame.index.to_numpy()
    tree = arviz_base.from_dict(
        {
            "posterior": {name: grid(value) for name, value in values.items()},
            "prior": {name: value[None] for name, value in before.items()},
            "sample_stats": stats,
            "log_likelihood": {"loss": grid(by_run["log_likelihood"]).astype(np.float32)},
        },
        coords={"run": rows},
        dims={"loss": ["run"]},
    )
    out = leave_one_out(tree, by_run["mean"], by_run["scale"], np.asarray(data.loss)[:n])
    tree["runs"] = _runs_group(table, out)
    if by_run["mean"].size > LOG_LIKELIHOOD_LIMIT:
        del tree["log_likelihood"]

    law = card.scaling_law
    after_all = values | _arrays(law.to_published(values, reference))
    before_all = before | _arrays(law.to_published(before, reference))
    coefficients = identification.summarise(law, after_all, before_all, spec.noise_sites, interval)
    shrink, pull = _against_prior(sample.unconstrained, jax.device_get(before_raw))
    sampled = arviz_base.dict_to_dataset(
        sample.unconstrained
        | {name: grid(values[name]) for name in law.coordinate_names if spec.joint_supervised}
    )
    found = diagnose(sampled, tree["sample_stats"].dataset, shrink, pull)
    frame = table.frame
    teacher = (
        frame["teacher_loss"].to_numpy(float) if "teacher_loss" in frame else np.full(n, np.nan)
    )
    hull = Hull.of(frame["params"].to_numpy(float), frame["tokens"].to_numpy(float), teacher)
    return tree, {
        "verdict": found.verdict,
        "diagnostics": found.to_json(),
        "coefficients": [c.to_json() for c in coefficients],
        "flagged_runs": [asdict(run) for run in out.flagged(rows)],
        "loo": {"elpd": out.elpd, "se": out.se},
        "hull": {"points": hull.points, "teacher_loss": hull.teacher_loss},
    }


def _runs_group(table: Runs, out: Any) -> xr.Dataset:
    """Runs as fitted, with their leave-one-out figures; text columns as strings."""
    frame = table.frame
    columns: dict[str, Any] = {
        name: ("run", frame[name].to_numpy(float))
        for name in ("params", "tokens", "loss", "teacher_loss", "teacher_params", "teacher_tokens")
        if name in frame
    }
    for name in ("elpd_i", "pareto_k", "residual"):
        columns[name] = ("run", getattr(out, name))
    return xr.Dataset(columns, coords={"run": frame.index.to_numpy()})


def _against_prior(
    after: dict[str, np.ndarray], before: dict[str, np.ndarray]
) -> tuple[dict[str, float], dict[str, float]]:
    """Contraction and pull of every sampled number, on the unconstrained scale."""
    shrink, pull = {}, {}
    for name, value in after.items():
        flat = value.reshape(value.shape[0] * value.shape[1], -1)
        prior = np.reshape(before[name], (len(before[name]), -1))
        for i in range(flat.shape[1]):
            label = f"{name}[{i}]" if value.ndim > 2 else name
            shrink[label] = float(1 - flat[:, i].var() / prior[:, i].var())
            pull[label] = float((flat[:, i].mean() - prior[:, i].mean()) / prior[:, i].std())
    return shrink, pull


def _arrays(values: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.asarray(value) for name, value in values.items()}


def _check_settings(chains: int, warmup: int, draws: int) -> None:
    faults = []
    if chains < 2:
        faults.append(f"--chains is {chains}: at least 2 are needed to tell whether they agree")
    if warmup < 100:
        faults.append(f"--warmup is {warmup}: at least 100 are needed to adapt")
    if draws < 50:
        faults.append(f"--draws is {draws}: at least 50 are needed for any interval")
    if faults:
        raise InputError(faults)


def _check_card(card: Card, table: Runs) -> None:
    law = card.scaling_law
    if card.coefficients is not None:
        raise InputError(
            f"the card {card.name} holds published coefficients, which are used as they are; "
            "to fit, name a card with priors"
        )
    if not law.has_teacher and table.kind != "supervised":
        raise InputError(
            f"the card {card.name} holds a supervised law, and {table.source} has runs with a "
            "teacher: leave them out (--where 'teacher_loss.isna()') or use --model distillation"
        )
    if law.has_teacher and table.kind == "supervised":
        raise InputError(
            f"the card {card.name} holds a distillation law, and no run of {table.source} has a "
            "teacher_loss: add it, or use --model supervised"
        )
    free = len(card.priors)
    needed = free + 3
    if len(table) < needed:
        raise InputError(
            f"{table.source} has {len(table)} usable runs; the {card.law} law has {free} "
            f"coefficients of its own to learn, so give it at least {needed}"
        )
