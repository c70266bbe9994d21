"""Posteriors of every law that cost no sampling: draws about published coefficients, with runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill.cards import Card, load_card
from bayes_distill.comparison.stacking import stack
from bayes_distill.laws import MUENNIGHOFF, TABLE_6, Law, Reference
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.hull import Hull
from bayes_distill.runs import Runs, chinchilla_design, paper_design, simulate

REFERENCE = Reference(params=5.46e8, tokens=1.94e10, loss=2.4)
CHINCHILLA = {"E": 1.817, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}
NOISE = 0.002  # of the reference loss

SINGLE_LAWS = {
    "supervised": ("hoffmann2022-gamma", TABLE_6),
    "chinchilla": ("supervised-plain", CHINCHILLA),
    "data-limited": ("data-limited-plain", MUENNIGHOFF),
    "distillation": ("busbridge2025-plain", TABLE_6),
    "distillation-gain": ("distillation-gain", {**TABLE_6, "G": 0.02, "X_G": 0.08}),
    "distillation-no-gap": ("distillation-no-gap", TABLE_6),
    "distillation-own-gap": ("distillation", {**TABLE_6, "rN": 1.1, "rD": 0.9}),
    "distillation-gain-own-gap": (
        "busbridge2025",
        {**TABLE_6, "G": 0.02, "X_G": 0.08, "rN": 1.1, "rD": 0.9},
    ),
}
"""A card of each law and the coefficients that its draws lie about, by the law's name."""

STACKS = {
    "stacked": ("chinchilla", "supervised"),
    "stacked with repeats": ("chinchilla", "data-limited"),
    "stacked with teachers": ("distillation", "distillation-no-gap"),
}
"""Laws of the two members of each stack."""

EVERY_LAW = (*SINGLE_LAWS, *STACKS)


@cache
def posterior_of_law(name: str, draws: int = 80) -> Posterior:
    """Posterior of a law, or of a stack, by its name in `EVERY_LAW`, with its runs and their hull.

    The members of a stack are taken to be fits of the runs of the first.
    """
    if name not in STACKS:
        card, coefficients = SINGLE_LAWS[name]
        return synthetic_posterior(load_card(card), coefficients, draws=draws)
    members = [posterior_of_law(law, draws) for law in STACKS[name]]
    runs = {key: members[0].info[key] for key in ("fingerprint", "source", "kind", "n_runs")}
    same_runs = [Posterior(m.tree, m.card, m.reference, {**m.info, **runs}) for m in members]
    return stack(same_runs, [0.5, 0.5])


def synthetic_posterior(
    card: Card,
    coefficients: Mapping[str, float],
    *,
    draws: int = 80,
    spread: float = 0.01,
    seed: int = 0,
) -> Posterior:
    """Draws of a law's coordinates, scattered about published coefficients in two chains.

    Parameters
    ----------
    card
        Whose law, likelihood and name the posterior has.
    coefficients
        Published coefficients at the centre; those that the law lacks are ignored,
        and where one is missing the law is that without it.
    draws
        Number of draws, of both chains together.
    spread
        Standard deviation of the logarithm, or logit, of each coordinate.
    seed
        Seed of the draws and of the runs.
    """
    law, generator = card.scaling_law, np.random.default_rng(seed)
    stated = {**law.neutral, **coefficients}
    coefficients = {name: stated[name] for name in law.coefficient_names}
    centre = law.from_published(coefficients, REFERENCE)
    values = {}
    for coordinate in law.coordinates:
        noise = spread * generator.standard_normal((2, draws // 2))
        middle = float(centre[coordinate.name])
        if coordinate.support == "unit":
            values[coordinate.name] = 1 / (1 + (1 / middle - 1) * np.exp(-noise))
        else:
            values[coordinate.name] = middle * np.exp(noise)
    values["scale"] = np.full((2, draws // 2), NOISE)
    group = xr.Dataset({name: (("chain", "draw"), value) for name, value in values.items()})
    runs = runs_of_law(law, coefficients, seed)
    tree = xr.DataTree.from_dict({"posterior": group, "runs": _as_dataset(runs.frame)})
    return Posterior(tree, card, REFERENCE, _info(runs))


def runs_of_law(law: Law, coefficients: Mapping[str, float], seed: int = 0) -> Runs:
    """A simulated table of runs of the kind that a law is for."""
    design = paper_design().iloc[::3] if law.has_teacher else chinchilla_design().iloc[::5]
    design = design.drop(columns="group", errors="ignore").reset_index(drop=True)
    if law.knows_repeats:
        design["unique_tokens"] = design["tokens"] / np.resize([1.0, 1.0, 4.0, 16.0], len(design))
    return simulate(law, coefficients, design, noise=NOISE * REFERENCE.loss, seed=seed)


def _as_dataset(frame: pd.DataFrame) -> xr.Dataset:
    columns = {str(name): ("run", frame[name].to_numpy()) for name in frame}
    return xr.Dataset(columns, coords={"run": frame.index.to_numpy()})


def _info(runs: Runs) -> dict[str, object]:
    frame = runs.frame
    teacher_loss = frame.get("teacher_loss", pd.Series(np.nan, index=frame.index))
    columns = (frame["params"], frame["tokens"], teacher_loss)
    hull = Hull.of(*(column.to_numpy() for column in columns))
    return {
        "fingerprint": runs.fingerprint,
        "hull": {"points": hull.points, "teacher_loss": hull.teacher_loss},
        "interval": 0.9,
        "kind": runs.kind,
        "n_runs": len(runs),
        "source": runs.source,
    }
