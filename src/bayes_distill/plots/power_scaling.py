"""How answers move as prior and likelihood are scaled by powers.

Their numbers are those of `checking.power_scaling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import arviz_plots

from bayes_distill.checking.power_scaling import Sensitivity, sensitivity
from bayes_distill.plots import style
from bayes_distill.plots.figures import figure_of_collection
from bayes_distill.plots.registry import Drawing, Request, register

# hundreds of runs: reweighting draws for a power further from 1 leaves a handful of them
POWERS = (0.95, 1.05)
MOST_SENSITIVE = 3


@register(
    "power-scaling",
    order=150,
    title="Sensitivity by power-scaling",
    shows="how the answers most sensitive to the prior move as prior and likelihood are scaled. "
    "Needs runs.",
    takes=("params", "tokens", "teacher_loss", "teacher_params", "teacher_tokens", "at"),
)
def _draw(request: Request) -> Drawing:
    scaled = sensitivity(request.subject, **request.options, allow_failed=True)
    return Drawing(figure_of_collection(power_scaling(scaled)), scaled.notes)


def power_scaling(scaled: Sensitivity, names: Sequence[str] | None = None) -> Any:
    """Draw how answers move as prior and likelihood are scaled (`plot_psense_dist`).

    Parameters
    ----------
    scaled
        Sensitivities of a fit's answers.
    names
        Names of the answers to show; by default the three most sensitive to the prior.

    Returns
    -------
    arviz_plots.PlotCollection
        Its figure is ``.viz["figure"].item()``.
    """
    table = scaled.table
    shown = table.nlargest(MOST_SENSITIVE, "prior")["name"] if names is None else names
    variables = list(table.set_index("name").loc[list(shown), "variable"])
    with style.house_style():
        return arviz_plots.plot_psense_dist(
            scaled.tree,
            alphas=POWERS,
            var_names=variables,
            prior_var_names=list(scaled.sites),
            backend="matplotlib",
            figure_kwargs={"figsize": (9.6, 2.8 * len(variables)), "layout": "constrained"},
        )
