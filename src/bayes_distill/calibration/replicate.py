"""One replicate of a study: a truth, its runs, a fit, and the rank of the truth among the draws."""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import Any

import arviz_base
import arviz_stats
import jax
import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill.calibration.quantities import (
    Values,
    components,
    forecasts,
    sampled_names,
)
from bayes_distill.calibration.setting import Setting, make_setting
from bayes_distill.calibration.simulator import simulate_replicate
from bayes_distill.cards import card_from_dict
from bayes_distill.inference.density import constrainer
from bayes_distill.inference.diagnostics import Diagnostics, diagnose
from bayes_distill.inference.model import Data
from bayes_distill.inference.sampler import Sample, run_nuts
from bayes_distill.inference.settings import SamplerSettings

LEVELS = (0.5, 0.8, 0.9, 0.95)
LONGER = 2  # times as long is a fit that is run again
MOST_FITS = 3
LEAST_RANKS = 10  # thinned draws of a quantity, however strongly they depend on each other


def run_replicate(task: dict[str, Any]) -> dict[str, Any]:
    """Simulate and fit one replicate; task and result are plain data, see `study`.

    A fit that fails its checks is repeated as their advice says, from the start: twice as long and
    with smaller steps, and once more four times as long. That depends on the runs and on the
    chains, never on the truth, so ranks stay uniform.
    """
    clock = time.perf_counter()
    setting = _setting(json.dumps(task["study"], sort_keys=True))
    number, seed = int(task["replicate"]), int(task["seed"])
    truth, data = simulate_replicate(setting, jax.random.fold_in(jax.random.key(seed), number))
    chains, warmup, draws = (int(task[name]) for name in ("chains", "warmup", "draws"))
    streams = np.random.SeedSequence([seed, number]).spawn(2)
    seeds = streams[0].generate_state(MOST_FITS)
    model, card = setting.fitted, setting.fitted.card
    for fits, fit_seed in enumerate(seeds, start=1):
        more = LONGER ** (fits - 1)
        # half the rate of rejection, a quarter at the third fit
        target = 1 - (1 - card.target_accept) / more
        settings = SamplerSettings(
            chains, warmup * more, draws * more, target, card.transitions_per_draw
        )
        sample = run_nuts(model.spec, data, model.hyper, settings, int(fit_seed))
        diagnostics = _diagnose(sample, card.transitions_per_draw)
        if diagnostics.verdict != "fail":
            break
    generator = np.random.default_rng(streams[1])
    after, before = _quantities(setting, data, sample, draws, truth, generator)
    return {
        "replicate": number,
        "verdict": diagnostics.verdict,
        "fits": fits,
        "rhat_max": diagnostics.rhat_max,
        "ess_bulk_min": diagnostics.ess_bulk_min,
        "divergences": diagnostics.divergences,
        "seconds": round(time.perf_counter() - clock, 3),
        "quantities": _compare(before, after, generator),
    }


def rank(
    truth: float, draws: np.ndarray, ess: float, generator: np.random.Generator
) -> tuple[int, int, float]:
    """Rank of the truth among nearly independent draws.

    Parameters
    ----------
    truth
        The true value.
    draws
        (chains, draws).
    ess
        Effective number of these draws; they are thinned to about that many.
    generator
        Breaks ties, and spreads the rank over its share of the unit interval.

    Returns
    -------
    tuple
        Rank (0 to the number of thinned draws), that number, and the rank as a number between 0 and
        1, which is uniform if the posterior is right, whatever the number.
    """
    every = max(1, min(round(draws.size / LEAST_RANKS), int(np.ceil(draws.size / max(ess, 1.0)))))
    thinned = draws[:, ::every]
    below, same = int((thinned < truth).sum()), int((thinned == truth).sum())
    place = below + int(generator.integers(same + 1))
    return place, thinned.size, (place + float(generator.uniform())) / (thinned.size + 1)


@lru_cache(maxsize=4)
def _setting(study: str) -> Setting:
    """Setting of a task, made once in each process."""
    content = json.loads(study)
    card, simulator = (
        None if content[name] is None else card_from_dict(content[name], name)
        for name in ("card", "simulator")
    )
    assert card is not None
    return make_setting(card, simulator, pd.DataFrame(content["design"]))


def _diagnose(sample: Sample, transitions: int) -> Diagnostics:
    stats = {name: sample.stats[name] for name in ("diverging", "energy")}
    stats["tree_depth"] = np.floor(np.log2(sample.stats["n_steps"] / transitions)).astype(int) + 1
    return diagnose(
        arviz_base.dict_to_dataset(sample.unconstrained), arviz_base.dict_to_dataset(stats)
    )


def _quantities(
    setting: Setting,
    data: Data,
    sample: Sample,
    draws: int,
    truth: Values,
    generator: np.random.Generator,
) -> tuple[Values, dict[str, float]]:
    """Every quantity, of the fit (chains, draws) and of the truth; a long fit is thinned."""
    chains, length = sample.stats["diverging"].shape
    every = length // draws
    joined: Any = {
        name: value[:, every - 1 :: every].reshape(chains * draws, *value.shape[2:])
        for name, value in sample.unconstrained.items()
    }
    model = setting.fitted
    values = jax.device_get(constrainer(model.spec)(joined, data, sample.hyper or model.hyper))
    names = sampled_names(model, joined) & set(truth)
    true = {name: np.asarray(value)[None] for name, value in truth.items()}
    after = components({name: values[name] for name in sorted(names)}, data)
    before = components({name: true[name] for name in sorted(names)}, data)
    after |= forecasts(setting, model, values, generator)
    before |= forecasts(setting, setting.simulator, true, generator)
    return (
        {name: value.reshape(chains, draws) for name, value in after.items()},
        {name: float(value[0]) for name, value in before.items()},
    )


def _compare(
    truth: dict[str, float], after: Values, generator: np.random.Generator
) -> dict[str, dict[str, Any]]:
    """Rank, summary and intervals of every quantity."""
    ess = _effective(np.stack(list(after.values())))
    compared = {}
    for (name, draws), worth in zip(after.items(), ess, strict=True):
        place, count, pit = rank(truth[name], draws, worth, generator)
        ends = [((1 - level) / 2, (1 + level) / 2) for level in LEVELS]
        bounds = np.quantile(draws, ends)
        compared[name] = {
            "rank": place,
            "draws": count,
            "pit": pit,
            "truth": truth[name],
            "mean": float(draws.mean()),
            "sd": float(draws.std()),
            "inside": [bool(low <= truth[name] <= high) for low, high in bounds],
        }
    return compared


def _effective(draws: np.ndarray) -> np.ndarray:
    """Effective number (quantities,) of draws (quantities, chains, draws), middle and tails."""
    array = xr.DataArray(draws, dims=("quantity", "chain", "draw"))
    with np.errstate(divide="ignore", invalid="ignore"):
        both = [arviz_stats.ess(array, method=method).to_numpy() for method in ("bulk", "tail")]
    # a quantity that is the same in every draw has no autocorrelation
    worth: np.ndarray = np.nan_to_num(np.minimum(*both), nan=float(draws[0].size))
    return worth
