"""Results that cost no sampling: a calibration study of random ranks, a posterior with runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from bayes_distill.calibration.quantities import Quantity
from bayes_distill.calibration.result import LEVELS, Calibration, Study, summarise
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.posterior import Posterior

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


def with_runs(posterior: Posterior) -> Posterior:
    """The same posterior, with the paper's design as its runs: a fit that costs no sampling."""
    frame = simulate_from_card("busbridge2025-plain", "paper", coefficients="table6")[0].frame
    columns = ["params", "tokens", "loss", "teacher_loss"]
    runs = xr.Dataset({c: ("run", frame[c].to_numpy()) for c in columns}, {"run": frame.index})
    groups = {"posterior": posterior.tree["posterior"].to_dataset(), "runs": runs}
    return replace(posterior, tree=xr.DataTree.from_dict(groups))
