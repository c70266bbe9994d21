"""Results that cost no sampling: random ranks, random validations, posteriors with runs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm

from bayes_distill.calibration.quantities import Quantity
from bayes_distill.calibration.result import LEVELS, Calibration, Study, summarise
from bayes_distill.cards import load_card
from bayes_distill.cards.priors import LogNormal
from bayes_distill.comparison.stacking import stack
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.laws import LAWS, MUENNIGHOFF, TABLE_6, Reference
from bayes_distill.posterior import Posterior
from bayes_distill.predict.registered import PROBABILITIES
from bayes_distill.runs import chinchilla_design, paper_design, simulate
from bayes_distill.validation.gap_pairs import reliability
from bayes_distill.validation.registered.result import Scores
from bayes_distill.validation.registered.scoring import scores_of
from bayes_distill.validation.result import Validation
from bayes_distill.validation.update import Update

# keys of a row of a plan's JSON
PLAN_ROW = {
    "budget",
    "scenario",
    "params",
    "recipe",
    "shares",
    "loss",
    "optimum",
    "regret",
    "p_beats_supervised",
}
NAMES = ("floor", "level", "share", "c0", "teacher_slope")


def random_study() -> Calibration:
    """Sixty replicates of five quantities; the truths of `c0` rank too low."""
    generator = np.random.default_rng(2)
    replicates = []
    for i in range(60):
        pits = generator.uniform(size=5)
        pits[3] **= 3
        quantities = {
            name: {
                "rank": int(50 * pit),
                "draws": 49,
                "pit": float(pit),
                "truth": 0.0,
                "mean": 0.0,
                "sd": 1.0,
                "inside": [True] * len(LEVELS),
            }
            for name, pit in zip(NAMES, pits, strict=True)
        }
        fit = {"verdict": "pass", "fits": 1, "rhat_max": 1.0, "ess_bulk_min": 400.0}
        replicates.append(
            {"replicate": i, **fit, "divergences": 0, "seconds": 1.0, "quantities": quantities}
        )
    described = [Quantity(name, "coordinate", "") for name in NAMES]
    return summarise(replicates, described, Study("a", "a", "l", "d", 9, {}, {}))


def random_scores() -> Scores:
    """Forty made-up forecasts of two commands in two years, and the runs that came.

    The first year's intervals are half as wide as they should be.
    """
    generator = np.random.default_rng(3)
    days = np.sort(generator.integers(0, 730, 40))
    pairs = pd.DataFrame(
        {
            "forecast": np.arange(40),
            "row": np.arange(40),
            "line": np.arange(40),
            "kind": np.where(generator.uniform(size=40) < 0.7, "forecast", "plan"),
            "time": pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(days, unit="D"),
            "model": "supervised",
            "fit": "0" * 64,
            **dict.fromkeys(("params", "tokens"), 1e9),
            **dict.fromkeys(("teacher_loss", "teacher_params", "teacher_tokens"), np.nan),
            "outside": generator.uniform(size=40) < 0.5,
            "mean": 2.0,
        }
    )
    scale = np.where(days < 365, 0.01, 0.02)
    pairs["loss"] = 2 + 0.02 * generator.standard_normal(40)
    pairs["probabilities"] = [np.array(PROBABILITIES)] * 40
    pairs["quantiles"] = [2 + s * norm.ppf(PROBABILITIES) for s in scale]
    pairs["known_runs"] = [np.empty(0)] * 40
    return scores_of(pairs, 0.9)


def made_up_update(posterior: Posterior) -> Update:
    """An update of a fit in which nothing was fitted: one coefficient moved, one run surprises."""
    rows = [{"name": "E", "sd": 1.2, "before": 1.8, "after": 1.9}]
    odd = {"row": 3, "params": 1e9, "tokens": 2e10, "teacher_loss": np.nan, "loss": 2.9}
    odd |= {"forecast_median": 2.5, "forecast_lower": 2.4, "forecast_upper": 2.6, "p": 0.001}
    return Update(posterior, pd.DataFrame(rows), pd.DataFrame([odd]), 5)


def with_runs(posterior: Posterior) -> Posterior:
    """The same posterior, with the paper's design as its runs: a fit that costs no sampling."""
    frame = simulate_from_card("busbridge2025-plain", "paper", coefficients="table6")[0].frame
    columns = ["params", "tokens", "loss", "teacher_loss"]
    index = {"run": frame.index.to_numpy()}  # the index itself has a dimension "row": every pair
    runs = xr.Dataset({c: ("run", frame[c].to_numpy()) for c in columns}, index)
    groups = {"posterior": posterior.tree["posterior"].to_dataset(), "runs": runs}
    return replace(posterior, tree=xr.DataTree.from_dict(groups))


def with_table(posterior: Posterior, frame: pd.DataFrame) -> Posterior:
    """The same posterior, with the rows of a table as its runs, and the hull that it had."""
    tree = posterior.tree.copy()
    columns = {name: ("run", frame[name].to_numpy(float)) for name in frame}
    tree["runs"] = xr.Dataset(columns, coords={"run": np.arange(len(frame))})
    hulls = {"supervised": None, "distilled": posterior.info["hull"]}
    return replace(posterior, tree=tree, info={**posterior.info, "hulls": hulls})


def random_validation(groups: int = 3, pairs: int = 200) -> Validation:
    """A validation of made-up coverage, with so many made-up pairs of teachers."""
    generator = np.random.default_rng(0)
    levels = (0.5, 0.8, 0.9, 0.95)
    made_up = pd.DataFrame({"credible": generator.uniform(0, 1, pairs)})
    made_up["predictive"] = made_up["credible"] * 0.6 + 0.2
    made_up["happened"] = generator.uniform(0, 1, pairs) < made_up["predictive"]
    table = pd.DataFrame(
        {
            "group": [*(f"{i + 1}B" for i in range(groups)), "overall"],
            "runs": 20,
            "brier_predictive": 0.123,
            "brier_credible": 0.2,
            **{f"coverage_{100 * v:.6g}": np.linspace(v / 2, v, groups + 1) for v in levels},
        }
    )
    return Validation(
        table, pd.DataFrame(), made_up, reliability(made_up), "params", "x", levels, 0.9, {}
    )


# cards whose priors are on coordinates: their draws are those of the law and of the noise
CARDS = {
    "supervised": "hoffmann2022-gamma",
    "chinchilla": "supervised-plain",
    "data-limited": "data-limited-plain",
    "distillation": "joint-plain",
    "distillation-gain": "joint-plain",
    "distillation-no-gap": "joint-plain",
    "distillation-own-gap": "joint",
    "distillation-gain-own-gap": "joint",
}
STACKS = {
    "stack of gap and no gap": ("distillation", "distillation-no-gap"),
    "stack of plain and gain": ("distillation", "distillation-gain"),
    "stack of gaps of their own": ("distillation-own-gap", "distillation-gain-own-gap"),
    "stack of two supervised laws": ("supervised", "chinchilla"),
    "stack of new and repeated tokens": ("data-limited", "chinchilla"),
}


def box_around(frame: pd.DataFrame) -> dict[str, Any]:
    """A hull of runs as fits store it: their box, and the range of their teachers."""
    (left, right), (low, high) = (
        np.log([frame[side].min(), frame[side].max()]).tolist() for side in ("params", "tokens")
    )
    losses = frame.get("teacher_loss")
    return {
        "points": [[left, low], [right, low], [right, high], [left, high]],
        "teacher_loss": None if losses is None else [float(losses.min()), float(losses.max())],
    }


@cache
def posterior_of(name: str) -> Posterior:
    """Sixty made-up draws of a law, or of a stack of laws, with simulated runs and their hull."""
    if name in STACKS:
        return stack([posterior_of(member) for member in STACKS[name]], [0.5, 0.5])
    law, reference = LAWS[name], Reference(5.46e8, 1.94e10, 2.4)
    card, few = load_card(CARDS[name]), LogNormal(family="lognormal", median=0.05, sd=0.5)
    priors = {c: card.priors.get(c, few) for c in law.coordinate_names}
    card = card.model_copy(update={"name": name, "law": name, "priors": priors})
    table = {**MUENNIGHOFF, "G": 0.02, "X_G": 0.08, "rN": 1.1, "rD": 0.9}
    table |= TABLE_6 if "gamma" in law.coefficient_names else {}
    truth = {c: table[c] for c in law.coefficient_names}
    design = paper_design().iloc[::3].drop(columns="group")
    if not law.has_teacher:
        design = chinchilla_design().iloc[::2]
    if law.knows_repeats:
        design = design.assign(unique_tokens=design["tokens"] / np.resize([1, 4, 20], len(design)))
    frame = simulate(law, truth, design, noise=0.004, seed=1).frame
    generator = np.random.default_rng(0)
    noise = {"scale" if law.has_teacher else "supervised_scale": 0.002}
    draws = xr.Dataset(
        {
            site: (
                ("chain", "draw"),
                float(value) * np.exp(0.003 * generator.standard_normal((2, 30))),
            )
            for site, value in (law.from_published(truth, reference) | noise).items()
        }
    )
    plain = Posterior(
        xr.DataTree.from_dict({"posterior": draws}),
        card,
        reference,
        {"hull": box_around(frame), "fingerprint": "the same runs"},
    )
    columns = ("params", "tokens", "loss", "teacher_loss", "unique_tokens")
    return with_table(plain, frame[[column for column in columns if column in frame]])
