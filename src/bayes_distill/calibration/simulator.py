"""Truths from the prior, and runs from the truths, by the model that is also fitted."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import jax
import numpy as np
import numpyro

from bayes_distill.calibration.setting import Setting
from bayes_distill.inference.model import Data, ModelSpec, scaling_law_model

Sites = dict[str, np.ndarray]


def simulate_replicate(setting: Setting, key: jax.Array) -> tuple[Sites, Data]:
    """Draw a truth from the simulator's prior, and the runs that it makes on the design.

    Returns
    -------
    truth
        Every sampled site, and every number derived from them, on the natural scale.
    data
        The design with the simulated losses, and whatever else the model observes.
    """
    truth, observed = jax.device_get(
        _program(setting.simulator.spec)(key, setting.data, setting.simulator.hyper)
    )
    unknown = sorted(set(observed) - set(Data._fields))
    if unknown:
        raise TypeError(f"the model observes {unknown}, which the table of runs does not hold")
    return truth, setting.data._replace(**observed)


@lru_cache(maxsize=16)
def _program(spec: ModelSpec) -> Callable[..., tuple[dict[str, Any], dict[str, Any]]]:
    """Compiled function of (key, data, hyper): sites that are not observed, and those that are."""
    model = partial(scaling_law_model, spec)

    def simulate(key: jax.Array, data: Data, hyper: dict[str, Any]) -> tuple[Any, Any]:
        # every observed site is drawn from its distribution, whatever the data say
        drawn = numpyro.handlers.uncondition(numpyro.handlers.seed(model, key))
        truth: dict[str, Any] = {}
        observed: dict[str, Any] = {}
        for name, site in numpyro.handlers.trace(drawn).get_trace(data, hyper).items():
            if site["type"] in ("sample", "deterministic"):
                measured = site["infer"].get("was_observed") if site["type"] == "sample" else False
                (observed if measured else truth)[name] = site["value"]
        return truth, observed

    return jax.jit(simulate)
