"""Drawers of the pictures of answers: forecasts, risks, plans and coefficients.

Everything is imported where it is drawn, so that a command's help need not wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayes_distill.pictures.kind import LIMITS, Drawn, Request

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayes_distill.planning.plan import Plan
    from bayes_distill.posterior import Posterior

BUDGETS = 17  # on a range that is given by its two ends
PLAN = ("params", "budget", "scenario", "utility", "flops", "draws", *LIMITS)
DRAWS = 200  # of a plan behind a picture
BUDGET_RANGE = (1e20, 1e24)


def student_against_teacher(asked: Request) -> Drawn:
    """Draw student loss against teacher loss."""
    from bayes_distill.plots.student_against_teacher import student_against_teacher
    from bayes_distill.views import teacher_curves

    found = teacher_curves(
        asked.of, **asked.given, interval=asked.interval, seed=asked.seed, allow_failed=True
    )
    ax = student_against_teacher(found.curves, runs_in(asked.of), best=found.best, unit=asked.unit)
    return figure_of(ax), found.curves.notes


def capacity_gap_map(asked: Request) -> Drawn:
    """Draw gap risk over student size and tokens."""
    from bayes_distill.plots.capacity_gap_map import capacity_gap_map
    from bayes_distill.views import gap_map

    found = gap_map(asked.of, **asked.given, allow_failed=True)
    posterior = asked.of
    ax = capacity_gap_map(found, hull=posterior.hull, runs=runs_in(posterior), unit=asked.unit)
    return figure_of(ax), found.notes


def recipe_against_budget(asked: Request) -> Drawn:
    """Draw recipes over budgets."""
    from bayes_distill.plots.recipe_against_budget import recipe_against_budget

    found = _plan(asked, "teacher-pretraining-and-inference")
    return figure_of(recipe_against_budget(found, unit=asked.unit)), found.notes


def distillation_against_supervised(asked: Request) -> Drawn:
    """Draw both ways of training over budgets."""
    from bayes_distill.plots.distillation_against_supervised import distillation_against_supervised
    from bayes_distill.views import against_supervised

    found = against_supervised(_plan(asked, "best-case,teacher-pretraining-and-inference"))
    return figure_of(distillation_against_supervised(found, unit=asked.unit)), found.notes


def isoflop_profiles(asked: Request) -> Drawn:
    """Draw loss over student size at fixed budgets."""
    from bayes_distill.plots.isoflop_profiles import isoflop_profiles
    from bayes_distill.views import isoflop

    found = isoflop(asked.of, **asked.given, interval=asked.interval, allow_failed=True)
    return figure_of(isoflop_profiles(found, unit=asked.unit)), found.notes


def observed_against_predicted(asked: Request) -> Drawn:
    """Draw runs against their predictions."""
    from bayes_distill.plots.observed_against_predicted import observed_against_predicted
    from bayes_distill.views import observed

    found = observed(
        asked.of, **asked.given, interval=asked.interval, seed=asked.seed, allow_failed=True
    )
    return figure_of(observed_against_predicted(found, unit=asked.unit)), found.notes


def coefficients_against_published(asked: Request) -> Drawn:
    """Draw coefficients against the values in print."""
    from bayes_distill.plots.coefficients_against_published import coefficients_against_published
    from bayes_distill.views import coefficients

    found = coefficients(asked.of, interval=asked.interval, allow_failed=True)
    return figure_of(coefficients_against_published(found)), found.notes


def trade_off_pairs(asked: Request) -> Drawn:
    """Draw pairs of coefficients that trade off."""
    from bayes_distill.plots.trade_off_pairs import trade_off_pairs
    from bayes_distill.views import trade_offs

    found = trade_offs(asked.of, allow_failed=True)
    return figure_of(trade_off_pairs(found)), found.notes


def _plan(asked: Request, scenario: str) -> Plan:
    """Plan along a range of budgets."""
    import numpy as np

    from bayes_distill.planning.plan import plan
    from bayes_distill.planning.solver.limits import Limits
    from bayes_distill.predict.points import quantities

    given = dict(asked.given)
    budgets = np.unique(quantities(given.pop("budget", BUDGET_RANGE)))
    if budgets.size == 2:
        budgets = np.geomspace(budgets[0], budgets[1], BUDGETS)
    if "utility" in given:
        given["criterion"] = given.pop("utility")
    limits: dict[str, Any] = {
        name: quantities(given.pop(name))[0] for name in LIMITS if name in given
    }
    return plan(
        asked.of,
        budget=budgets,
        limits=Limits(**limits),
        crossovers=False,
        **{"scenario": scenario, "draws": DRAWS, **given},
        interval=asked.interval,
        seed=asked.seed,
        allow_failed=True,
    )


def runs_in(posterior: Posterior) -> Any:
    """The posterior's runs as a table of runs; ``None`` if it holds none."""
    from bayes_distill.posterior.stored_runs import runs_of
    from bayes_distill.runs import read_runs

    frame = runs_of(posterior)
    return None if frame is None else read_runs(frame)


def figure_of(axes: Any) -> Figure:
    """The figure of one or several axes."""
    import numpy as np

    figure: Figure = np.asarray(axes).reshape(-1)[0].figure
    return figure
