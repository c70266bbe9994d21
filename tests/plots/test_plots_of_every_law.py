"""Every named plot of a fit, under every law, stacks of laws and point coefficients."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import bayes_distill as bd
from bayes_distill.errors import InputError
from bayes_distill.laws import LAWS
from bayes_distill.plots import PLOTS
from studies import STACKS, posterior_of

POINTS = ("busbridge2025-table6", "muennighoff2023")
SUBJECTS = (*LAWS, *STACKS, *POINTS)
OF_FITS = tuple(name for name, entry in PLOTS.items() if entry.source == "fit")
SHELF = pd.DataFrame({"name": ["a", "b"], "loss": [2.1, 2.3]})
OPTIONS: dict[str, dict[str, Any]] = {
    "student-against-teacher": {"params": "1B", "tokens": "20B"},
    "capacity-gap-map": {"teacher_loss": 2.1},
    "teachers": {"params": "1B", "tokens": "20B", "teachers": SHELF},
    "recipe-against-budget": {"params": "1B", "budget": "1e21,1e22", "draws": 8},
    "distillation-against-supervised": {"params": "1B", "budget": "1e21,1e22", "draws": 8},
    "isoflop-profiles": {"budget": "1e21"},
    "next-run-map": {"coefficient": "alpha"},
    "arms-along-compute": {"params": "1B", "tokens": "20B"},
}
OF_RUNS = {
    "prior-against-posterior",
    "next-run-map",
    "prior-predictive",
    "posterior-predictive",
    "predictive-quantities",
    "loo-pit",
    "power-scaling",
}


def refusal(plot: str, subject: str, posterior: bd.Posterior) -> str | None:
    """What the one fault of a plot that does not apply says; ``None`` if the plot applies."""
    if plot == "arms-along-compute":
        return "is no fit of arms"
    if PLOTS[plot].needs_teacher and not posterior.law.has_teacher:
        return f"posterior: {plot} is about teachers"
    if plot in OF_RUNS and subject in STACKS:
        return "is a stack"
    if plot in OF_RUNS | {"observed-against-predicted"} and subject in POINTS:
        return "holds published point coefficients and no runs"
    if plot == "trade-off-pairs" and subject in POINTS:
        return "holds point coefficients: there is nothing to trade off"
    return None


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("plot", OF_FITS)
def test_a_plot_is_drawn_or_refused_in_one_sentence(plot, subject):
    posterior = bd.load_posterior(subject) if subject in POINTS else posterior_of(subject)
    options = dict(OPTIONS.get(plot, {}))
    if plot == "recipe-against-budget" and not posterior.law.has_teacher:
        options["scenario"] = "supervised"
    says = refusal(plot, subject, posterior)
    if says is not None:
        with pytest.raises(InputError) as refused:
            bd.plot(plot, posterior, **options)
        assert says in str(refused.value)
        assert len(refused.value.faults) == 1
        return
    figure = bd.plot(plot, posterior, **options)
    assert any(ax.has_data() for ax in figure.axes)
    figure.canvas.draw()  # labels and legends too


def test_all_plots_and_laws_are_in_the_matrix():
    assert set(OPTIONS) | OF_RUNS <= set(OF_FITS)
    assert {law for laws in STACKS.values() for law in laws} == set(LAWS)
