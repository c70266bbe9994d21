"""Plans along a range of budgets, for the plots that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_distill.plots.drawing import LIMITS
from bayes_distill.plots.registry import Request
from bayes_distill.predict.points import quantities

if TYPE_CHECKING:
    from bayes_distill.planning.plan import Plan

BUDGETS = 17  # on a range between two ends
RANGE = (1e20, 1e24)
DRAWS = 200


def plan_along_budgets(request: Request, scenario: str) -> Plan:
    """Plan for the options of a request; `scenario` where it names none.

    Raises
    ------
    InputError
        As `plan` does.
    """
    from bayes_distill.planning.plan import plan

    options = dict(request.options)
    budgets = np.unique(quantities(options.pop("budget", RANGE)))
    if budgets.size == 2:
        budgets = np.geomspace(budgets[0], budgets[1], BUDGETS)
    if "utility" in options:
        options["criterion"] = options.pop("utility")
    limits: dict[str, Any] = {
        name: quantities(options.pop(name))[0] for name in LIMITS if name in options
    }
    return plan(
        request.subject,
        budget=budgets,
        limits=limits,
        crossovers=False,
        **{"scenario": scenario, "draws": DRAWS, **options},
        interval=request.interval,
        seed=request.seed,
        allow_failed=True,
    )
