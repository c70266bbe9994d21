"""Validations of made-up runs, which cost no refits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_distill.posterior import Posterior
from bayes_distill.validation.refit import score
from bayes_distill.validation.result import Validation
from bayes_distill.validation.summaries import collect

LEVELS = (0.5, 0.8, 0.9, 0.95)


def made_up_validation(
    posterior: Posterior,
    share: float,
    *,
    leave_out: str = "tail",
    factors: tuple[float, ...] = (),
    runs: int = 40,
) -> Validation:
    """One refit that passed, of whose left-out runs this share lies in the bands of every level.

    The runs are supervised, and cost up to ten times as much as the dearest of the fitted.
    """
    frame = pd.DataFrame(
        {"params": np.geomspace(1e9, 1e10, runs), "tokens": np.geomspace(5e10, 2e11, runs)}
    )
    mean = posterior.supervised_loss(*frame.to_numpy(float).T).mean(axis=0)
    frame["loss"] = np.where(np.arange(runs) < round(share * runs), mean, 1.5 * mean)
    scored = score(posterior, frame, levels=LEVELS)
    scored["rows"]["factor"] = np.geomspace(1.5, 10, runs)
    refit = {"group": "from 1e22 FLOP", "verdict": "pass", "rhat_max": 1.001, "fitted": 20}
    return collect(
        [refit | scored],
        leave_out=leave_out,
        model="supervised",
        levels=LEVELS,
        interval=0.9,
        settings={},
        notes=(),
        factors=factors,
    )
