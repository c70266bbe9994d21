"""The kinds of picture that have a name: what each shows, what it takes, and how it comes about.

Nothing heavy is imported here: the command line lists these in its help.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayes_distill.planning.plan import Plan
    from bayes_distill.posterior import Posterior

BUDGETS = 17  # on a range that is given by its two ends
DRAWS = 200  # of a plan behind a picture
BUDGET_RANGE = (1e20, 1e24)

Drawn = tuple["Figure", tuple[str, ...]]
"""A figure, and sentences for people."""


@dataclass(frozen=True)
class Request:
    """What a picture is asked for.

    Parameters
    ----------
    posterior
        The fit.
    given
        Options by their names, as given; those left out are not in it.
    interval, seed, unit
        Probability inside every band; seed of the scatter of new runs; unit of the losses.
    """

    posterior: Posterior
    given: Mapping[str, Any]
    interval: float
    seed: int
    unit: str


@dataclass(frozen=True)
class Kind:
    """One kind of picture.

    Parameters
    ----------
    name
        What it is called on the command line.
    shows
        One sentence for people.
    takes
        Names of the options that it understands.
    needs
        Of them, those without which it cannot be drawn; alternatives stand in one tuple.
    draw
        Draws it.
    """

    name: str
    shows: str
    takes: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    draw: Callable[[Request], Drawn]


def _student_against_teacher(asked: Request) -> Drawn:
    from bayes_distill.plots.student_against_teacher import student_against_teacher
    from bayes_distill.views import teacher_curves

    found = teacher_curves(
        asked.posterior, **asked.given, interval=asked.interval, seed=asked.seed, allow_failed=True
    )
    ax = student_against_teacher(
        found.curves, _runs(asked.posterior), best=found.best, unit=asked.unit
    )
    return _figure(ax), found.curves.notes


def _capacity_gap_map(asked: Request) -> Drawn:
    from bayes_distill.plots.capacity_gap_map import capacity_gap_map
    from bayes_distill.views import gap_map

    found = gap_map(asked.posterior, **asked.given, allow_failed=True)
    posterior = asked.posterior
    ax = capacity_gap_map(found, hull=posterior.hull, runs=_runs(posterior), unit=asked.unit)
    return _figure(ax), found.notes


def _recipe_against_budget(asked: Request) -> Drawn:
    from bayes_distill.plots.recipe_against_budget import recipe_against_budget

    found = _plan(asked, "teacher-pretraining-and-inference")
    return _figure(recipe_against_budget(found, unit=asked.unit)), found.notes


def _distillation_against_supervised(asked: Request) -> Drawn:
    from bayes_distill.plots.distillation_against_supervised import distillation_against_supervised
    from bayes_distill.views import against_supervised

    found = against_supervised(_plan(asked, "best-case,teacher-pretraining-and-inference"))
    return _figure(distillation_against_supervised(found, unit=asked.unit)), found.notes


def _isoflop_profiles(asked: Request) -> Drawn:
    from bayes_distill.plots.isoflop_profiles import isoflop_profiles
    from bayes_distill.views import isoflop

    found = isoflop(asked.posterior, **asked.given, interval=asked.interval, allow_failed=True)
    return _figure(isoflop_profiles(found, unit=asked.unit)), found.notes


def _observed_against_predicted(asked: Request) -> Drawn:
    from bayes_distill.plots.observed_against_predicted import observed_against_predicted
    from bayes_distill.views import observed

    found = observed(
        asked.posterior, **asked.given, interval=asked.interval, seed=asked.seed, allow_failed=True
    )
    return _figure(observed_against_predicted(found, unit=asked.unit)), found.notes


def _coefficients_against_published(asked: Request) -> Drawn:
    from bayes_distill.plots.coefficients_against_published import coefficients_against_published
    from bayes_distill.views import coefficients

    found = coefficients(asked.posterior, interval=asked.interval, allow_failed=True)
    return _figure(coefficients_against_published(found)), found.notes


def _trade_off_pairs(asked: Request) -> Drawn:
    from bayes_distill.plots.trade_off_pairs import trade_off_pairs
    from bayes_distill.views import trade_offs

    found = trade_offs(asked.posterior, allow_failed=True)
    return _figure(trade_off_pairs(found)), found.notes


def _plan(asked: Request, scenario: str) -> Plan:
    """Plan along a range of budgets."""
    import numpy as np

    from bayes_distill.planning.limits import Limits
    from bayes_distill.planning.plan import plan
    from bayes_distill.points import quantities

    given = dict(asked.given)
    budgets = np.unique(quantities(given.pop("budget", BUDGET_RANGE)))
    if budgets.size == 2:
        budgets = np.geomspace(budgets[0], budgets[1], BUDGETS)
    limits: dict[str, Any] = {
        name: quantities(given.pop(name))[0] for name in LIMITS if name in given
    }
    return plan(
        asked.posterior, budget=budgets, limits=Limits(**limits), crossovers=False,
        **{"scenario": scenario, "draws": DRAWS, **given},
        interval=asked.interval, seed=asked.seed, allow_failed=True,
    )  # fmt: skip


def _runs(posterior: Posterior) -> Any:
    """The posterior's runs as a table of runs; ``None`` if it holds none."""
    from bayes_distill.runs import Runs
    from bayes_distill.views.runs_of import runs_of

    frame = runs_of(posterior)
    return None if frame is None else Runs.from_frame(frame)


def _figure(axes: Any) -> Figure:
    import numpy as np

    figure: Figure = np.asarray(axes).reshape(-1)[0].figure
    return figure


LIMITS = ("max_tokens", "max_teacher_tokens", "max_teacher_params")
_PLAN = ("params", "budget", "scenario", "utility", "flops", "draws", *LIMITS)
_ALL = (
    Kind(
        "student-against-teacher",
        "the student's loss against its teacher's, one curve a student, with the best teacher: by "
        "default for students of the runs. --teacher-loss takes the two ends of the range.",
        ("params", "tokens", "teacher_loss", "at"),
        (),
        _student_against_teacher,
    ),
    Kind(
        "capacity-gap-map",
        "the probability that a slightly stronger teacher than this one makes the student worse, "
        "over student size and tokens. --params and --tokens take the two ends of a range.",
        ("params", "tokens", "teacher_loss", "teacher_params", "teacher_tokens"),
        (("teacher_loss", "teacher_params"),),
        _capacity_gap_map,
    ),
    Kind(
        "recipe-against-budget",
        "what to spend budgets on: sizes, tokens, losses and shares of the one recipe, and how "
        "each draw's own best spreads. --budget takes the two ends of a range.",
        _PLAN,
        (("params",),),
        _recipe_against_budget,
    ),
    Kind(
        "distillation-against-supervised",
        "the loss that budgets reach with and without a teacher, the difference, and where it "
        "changes sign. --budget takes the two ends of a range.",
        _PLAN,
        (("params",),),
        _distillation_against_supervised,
    ),
    Kind(
        "isoflop-profiles",
        "loss against student size when a budget goes to the student's training alone, with the "
        "best size; under a free teacher if --teacher-loss is given.",
        ("budget", "params", "teacher_loss", "flops", "draws"),
        (("budget",),),
        _isoflop_profiles,
    ),
    Kind(
        "observed-against-predicted",
        "runs against their predictions; those that were not fitted, and those outside the fitted "
        "ones, stand out. By default the fitted runs, or --runs.",
        ("runs",),
        (),
        _observed_against_predicted,
    ),
    Kind(
        "coefficients-against-published",
        "every coefficient's interval beside its prior and the value in print.",
        (),
        (),
        _coefficients_against_published,
    ),
    Kind(
        "trade-off-pairs",
        "the coefficients that the runs determine only together, as pairs of draws: A', alpha', "
        "gamma' and c1, d1.",
        (),
        (),
        _trade_off_pairs,
    ),
)
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _ALL})
"""The kinds of picture by name."""
