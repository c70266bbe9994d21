"""What probabilities of a register came to: what two later runs of one point can show.

| probability | happened if |
|---|---|
| a stronger teacher hurts | the student of the next stronger teacher has the higher loss |
| distillation beats supervised training | it has the lower loss, on as many tokens |
| arm a is better than arm b | its run has the lower loss |

The probabilities are of mean curves, and runs have noise: of curves that are nearly equal, what
happened is nearly a toss of a coin. Where one point has several runs their mean counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill.validation.registered.later_runs import TEACHER_PART, LaterRuns

HURTS, BEATS, BETTER = "p_stronger_teacher_hurts", "p_beats_supervised", "p_a_better"
STRONGER = 0.15
"""Largest difference of the log losses of a teacher and of the next stronger one."""
MEANINGS = {
    HURTS: "a stronger teacher hurts",
    BEATS: "distillation beats supervised training",
    BETTER: "arm a is better",
}
NEEDED = {
    HURTS: "students of one size and tokens with two teachers, of which the weaker is that of the "
    f"question and the other at most {100 * STRONGER:.0f}% better",
    BEATS: "a distilled and a supervised run of one size and tokens",
    BETTER: "a run of either arm of one size and tokens",
}
COLUMNS = ("line", "kind", "time", "model", "event", "probability", "params", "tokens")
CAME = ("happened", "difference", "runs", "brier")


def happened(events: pd.DataFrame, runs: LaterRuns) -> pd.DataFrame:
    """The probabilities that later runs can score, with what came.

    Parameters
    ----------
    events
        As from `entries.read_forecasts`.
    runs
        Runs that came.

    Returns
    -------
    DataFrame
        The columns of `events`, with ``happened`` (1 or 0), ``difference`` (of the losses that
        were compared; positive where it happened), ``runs`` (how many) and ``brier``, the squared
        difference of ``happened`` and the probability.
    """
    found = []
    for event in events.to_dict("records"):
        less, more = _sides(event, runs)
        known = runs.known(event["known_runs"])
        if not ((less | more) & ~known).any():
            continue  # nothing, or nothing that the fit did not have
        sides = [side & ~known if (side & ~known).any() else side for side in (less, more)]
        if not all(side.any() for side in sides):
            continue
        difference = float(runs.loss[sides[1]].mean() - runs.loss[sides[0]].mean())
        came = float(difference > 0)
        count = int(sum(side.sum() for side in sides))
        brier = (event["probability"] - came) ** 2
        told: dict[Any, Any] = {k: v for k, v in event.items() if k != "known_runs"}
        told |= zip(CAME, (came, difference, count, brier), strict=True)
        found.append(told)
    columns = [name for name in events if name != "known_runs"]
    return pd.DataFrame(found, columns=[*columns, *CAME])


def _sides(event: Mapping[Any, Any], runs: LaterRuns) -> tuple[np.ndarray, np.ndarray]:
    """Runs that have the lower loss if it happens, and runs that have the higher, (runs,) each."""
    here = runs.of_size(event)
    if event["event"] == BETTER:
        of_arms = [runs.of_arm(event["by"], event[side]) for side in ("arm_a", "arm_b")]
        return here & of_arms[0], here & of_arms[1]
    mine = here & runs.of_teacher(event) & runs.taught
    if event["event"] == BEATS:
        return mine, here & ~runs.taught
    near = runs.tolerance * TEACHER_PART
    closer = np.log(float(event["teacher_loss"]) / runs.teachers["teacher_loss"])
    stronger = here & (closer > near) & (closer <= STRONGER)
    if stronger.any():
        stronger &= closer <= closer[stronger].min() + near
    return mine, stronger
