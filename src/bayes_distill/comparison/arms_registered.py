"""Arms that were compared, as a line of a register."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill.posterior import Posterior
from bayes_distill.predict.extrapolation import place_of
from bayes_distill.predict.registered import register_answer


def arm_losses_of_runs(
    posterior: Posterior, curves: np.ndarray, params: float, seed: int
) -> np.ndarray:
    """Losses of a run of every arm at one point, (draws, arms), around their curves.

    What runs of one size share is the same for all arms in a draw.
    """
    generator = np.random.default_rng(seed)
    supervised = np.zeros(curves.shape[1], bool)
    sizes = np.full(curves.shape[1], params)
    return posterior.new_run(curves, supervised, generator, params=sizes, effects_seed=seed)


def register_arms(
    register: str | Path,
    posterior: Posterior,
    arms: pd.DataFrame,
    pairs: pd.DataFrame,
    new_runs: np.ndarray,
    asked: dict[str, object],
) -> None:
    """Append the loss of a run of every arm, and which of two is better, to a register.

    Parameters
    ----------
    register
        Its file.
    posterior
        The fit of the arms.
    arms
        One row an arm and point: ``name``, ``params``, ``tokens``.
    pairs
        One row a pair of arms and point: ``a``, ``b``, ``params``, ``tokens``, ``p_a_better``.
    new_runs
        Predictive draws, (draws, rows of `arms`).
    asked
        Settings of the question; ``by`` is the column that names the arm of a run.

    Raises
    ------
    InputError
        If the line cannot be appended.
    """
    sizes = arms["params"].to_numpy(float), arms["tokens"].to_numpy(float)
    none = np.full(len(arms), np.nan)
    place = place_of(posterior, *sizes, none, np.zeros(len(arms), bool))
    keys = list(zip(arms["name"], *sizes, strict=True))
    row_of = {key: number for number, key in enumerate(keys)}
    told = [
        {
            "a": row_of[pair["a"], pair["params"], pair["tokens"]],
            "b": row_of[pair["b"], pair["params"], pair["tokens"]],
            **{name: pair[name] for name in ("p_a_better", "gap_mean", "gap_lower", "gap_upper")},
        }
        for pair in pairs.to_dict("records")
    ]
    register_answer(
        register,
        "arms",
        posterior,
        arms.assign(outside=place.outside),
        new_runs,
        asked,
        [{"arm": name} for name in arms["name"]],
        told,
    )
