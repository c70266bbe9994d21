"""One refit without a group of runs, and its forecast of that group, as plain data.

`refit` is what travels to other processes: it takes and returns what JSON can hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill.cards import Card
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.effects import RUN
from bayes_distill.predict.points import NAMES, of_frame
from bayes_distill.runs import Runs
from bayes_distill.runs.checkpoints import run_labels
from bayes_distill.runs.table import NUMERIC, input_names
from bayes_distill.validation.budgets import Group, compute_of
from bayes_distill.validation.gap_pairs import gap_pairs
from bayes_distill.validation.joint_density import joint_log_density
from bayes_distill.validation.rows import percent
from bayes_distill.validation.scores import (
    bands,
    crps,
    joint_log_predictive,
    log_predictive,
    pit,
)


def refit_task(
    table: Runs, card: Card, group: Group, settings: dict[str, Any], scoring: dict[str, Any]
) -> dict[str, Any]:
    """All that a refit needs, as plain data; see `refit`."""
    return {
        "card": card.model_dump(mode="json"),
        "source": table.source,
        "rows": table.frame.index.tolist(),
        "columns": {
            name: table.frame[name].tolist()
            for name in (*NUMERIC, *table.inputs)
            if name in table.frame
        },
        "names": [None if pd.isna(name) else name for name in table.frame["run"]]
        if "run" in table.frame
        else None,
        "labels": table.frame["group"].tolist() if "group" in table.frame else None,
        "group": group.name,
        "held": group.held,
        "settings": settings,
        "scoring": scoring,
    }


def refit(task: dict[str, Any]) -> dict[str, Any]:
    """Fit the runs that are not held out, and score the forecast of those that are.

    Rows have a ``factor`` besides: compute over that of the dearest fitted run.
    """
    from bayes_distill.cards import card_from_dict
    from bayes_distill.inference.fit import fit

    index = pd.Index(task["rows"], name="row")
    frame = pd.DataFrame(task["columns"], index=index, dtype=float)
    if task.get("names") is not None:
        frame["run"] = np.array(task["names"], object)
    held = np.array(task["held"], bool)
    card = card_from_dict(task["card"], "the card")
    runs = Runs(frame[~held], task["source"], inputs=input_names(frame))
    posterior = fit(runs, card, **task["settings"], check_law=False)
    diagnostics = posterior.info["diagnostics"]
    scored = score(posterior, frame[held], seed=task["settings"]["seed"], **task["scoring"])
    cost = compute_of(frame)
    scored["rows"]["factor"] = cost[held] / cost[~held].max()
    if task.get("labels") is not None:
        scored["rows"]["label"] = np.array(task["labels"], object)[held]
    return {
        "group": task["group"],
        "fitted": int((~held).sum()),
        "verdict": posterior.verdict,
        "rhat_max": diagnostics["rhat_max"],
        "divergences": diagnostics["divergences"],
        "seconds": posterior.info["seconds"]["total"],
        **scored,
    }


def score(
    posterior: Posterior,
    frame: pd.DataFrame,
    *,
    levels: Sequence[float],
    teacher_apart: float = 0.05,
    student_apart: float = 0.004,
    seed: int = 0,
) -> dict[str, Any]:
    """Hold a posterior's forecast against runs.

    Parameters
    ----------
    posterior
        Fitted without these runs, or else the scores flatter it.
    frame
        Runs with canonical columns; the index holds their row numbers.
    levels
        Probabilities of the predictive bands.
    teacher_apart, student_apart
        Which pairs of teachers count, see `gap_pairs`.
    seed
        Seed of the scatter of new runs.

    Returns
    -------
    dict
        ``rows`` and ``pairs`` (columns, one entry a run or pair), ``joint_lpd``, ``joint_draws``.
    """
    points = of_frame(frame)
    loss, distilled = frame["loss"].to_numpy(float), points.distilled
    # all at once: what runs of one size share within a draw must be shared
    teacher = points.teacher_draws(posterior, seed)
    mean = points.supervised_draws(posterior)
    if distilled.any():
        mean[:, distilled] = points.distilled_draws(posterior, teacher)
    groups = points.groups | {RUN: run_labels(frame)}
    generator = np.random.default_rng(seed)
    new_run = posterior.new_run(
        mean, distilled, generator, params=points.params, effects_seed=seed, **groups
    )
    shared = posterior.shared_effects(distilled, seed, **groups)
    shared += posterior.size_effects(mean, points.params, distilled)
    log_density = posterior.log_density(loss, mean + shared, distilled)
    together = joint_log_density(posterior, points, loss, teacher, seed, groups[RUN])
    joint, joint_draws = joint_log_predictive(together)
    columns: dict[str, Any] = {
        "row": frame.index.to_numpy(),
        **{name: frame[name].to_numpy(float) for name in NAMES if name in frame},
        "loss": loss,
        "mean": mean.mean(axis=0),
        "sd": new_run.std(axis=0),
        "pit": pit(new_run, loss),
        "crps": crps(new_run, loss),
        "lpd": log_predictive(log_density),
    }
    for level, (lower, upper) in bands(new_run, levels).items():
        columns |= {f"lower_{percent(level)}": lower, f"upper_{percent(level)}": upper}
    pairs = gap_pairs(
        frame,
        mean,
        new_run,
        teacher_apart=teacher_apart,
        student_apart=student_apart,
        seed=seed,
    )
    return {"rows": columns, "pairs": pairs, "joint_lpd": joint, "joint_draws": joint_draws}
