"""A calibration study that costs nothing: ranks drawn at random, one quantity's not uniform."""

from __future__ import annotations

import numpy as np

from bayes_distill.calibration.quantities import Quantity
from bayes_distill.calibration.result import LEVELS, Calibration, Study, summarise

NAMES = ("floor", "level", "share", "c0", "teacher_slope")


def random_study() -> Calibration:
    """Sixty sweeps of five quantities; the truths of `c0` rank too low."""
    generator = np.random.default_rng(2)
    sweeps = []
    for i in range(60):
        pits = generator.uniform(size=5)
        pits[3] **= 3
        quantities = {
            name: {
                "rank": int(50 * pit), "draws": 49, "pit": float(pit), "truth": 0.0, "mean": 0.0,
                "sd": 1.0, "inside": [True] * len(LEVELS),
            }
            for name, pit in zip(NAMES, pits, strict=True)
        }  # fmt: skip
        fit = {"verdict": "pass", "fits": 1, "rhat_max": 1.0, "ess_bulk_min": 400.0}
        sweeps.append(
            {"sweep": i, **fit, "divergences": 0, "seconds": 1.0, "quantities": quantities}
        )
    described = [Quantity(name, "coordinate", "") for name in NAMES]
    return summarise(sweeps, described, Study("a", "a", "l", "d", 9, {}, {}))
