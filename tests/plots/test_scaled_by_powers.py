"""Power-scaling: what is on its plot."""

from __future__ import annotations

from bayes_distill.checking.power_scaling import sensitivity
from bayes_distill.plots.power_scaling import power_scaling


def test_power_scaling_draws_the_answers_named(chinchilla):
    found = sensitivity(chinchilla.posterior)
    collection = power_scaling(found, ["alpha", "beta"])
    assert set(collection.viz["plot"].data_vars) == {"log alpha", "log beta"}
