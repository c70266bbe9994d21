"""The kinds of picture that have a name: what each shows, what it takes, and how it comes about.

Nothing heavy is imported here: the command line lists these in its help.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bayes_distill.pictures import answers, checks
from bayes_distill.pictures.kind import Kind

_ALL = (
    Kind(
        "student-against-teacher",
        "the student's loss against its teacher's, one curve a student, with the best teacher: by "
        "default for students of the runs. --teacher-loss takes the two ends of the range.",
        ("params", "tokens", "teacher_loss", "at"),
        (),
        answers.student_against_teacher,
    ),
    Kind(
        "capacity-gap-map",
        "the probability that a slightly stronger teacher than this one makes the student worse, "
        "over student size and tokens. --params and --tokens take the two ends of a range.",
        ("params", "tokens", "teacher_loss", "teacher_params", "teacher_tokens"),
        (("teacher_loss", "teacher_params"),),
        answers.capacity_gap_map,
    ),
    Kind(
        "recipe-against-budget",
        "what to spend budgets on: sizes, tokens, losses and shares of the one recipe, and how "
        "the splits that are best in single draws spread. --budget takes the two ends of a range.",
        answers.PLAN,
        (("params",),),
        answers.recipe_against_budget,
    ),
    Kind(
        "distillation-against-supervised",
        "the loss that budgets reach with and without a teacher, the difference, and where it "
        "changes sign. --budget takes the two ends of a range.",
        answers.PLAN,
        (("params",),),
        answers.distillation_against_supervised,
    ),
    Kind(
        "isoflop-profiles",
        "loss against student size when a budget goes to the student's training alone, with the "
        "best size; under a free teacher if --teacher-loss is given.",
        ("budget", "params", "teacher_loss", "flops", "draws"),
        (("budget",),),
        answers.isoflop_profiles,
    ),
    Kind(
        "observed-against-predicted",
        "runs against their predictions; those that were not fitted, and those outside the fitted "
        "ones, stand out. By default the fitted runs, or --runs.",
        ("runs",),
        (),
        answers.observed_against_predicted,
    ),
    Kind(
        "coefficients-against-published",
        "every coefficient's interval beside its prior and the value in print.",
        (),
        (),
        answers.coefficients_against_published,
    ),
    Kind(
        "trade-off-pairs",
        "the coefficients that the runs determine only together, as pairs of draws: A', alpha', "
        "gamma' and c1, d1.",
        (),
        (),
        answers.trade_off_pairs,
    ),
    Kind(
        "prior-against-posterior",
        "how far the runs moved every sampled coordinate, in standard deviations of its prior.",
        (),
        (),
        checks.prior_against_posterior,
    ),
    Kind(
        "next-run-map",
        "what one more run would tell, over its size and tokens: about --coefficient, or about "
        "the forecast of a student of --params on --tokens.",
        ("coefficient", "params", "tokens", "teacher_loss", "budget", "flops"),
        (("coefficient", "params"),),
        checks.next_run_map,
    ),
    Kind(
        "prior-predictive",
        "losses that the prior foresaw for these runs, and the real ones. Needs a fit with runs.",
        (),
        (),
        checks.prior_predictive,
    ),
    Kind(
        "posterior-predictive",
        "losses of tables of runs replicated from the fit, and the real ones. Needs runs.",
        (),
        (),
        checks.posterior_predictive,
    ),
    Kind(
        "predictive-quantities",
        "what could give a wrong law away (trends, spread, best teachers), in replicated tables "
        "of runs and in the real one. Needs runs.",
        (),
        (),
        checks.predictive_quantities,
    ),
    Kind(
        "loo-pit",
        "where each run falls in what the others lead to expect. Needs runs.",
        (),
        (),
        checks.loo_pit,
    ),
    Kind(
        "power-scaling",
        "how the answers most sensitive to the prior move as prior and likelihood are scaled. "
        "Needs runs.",
        ("params", "tokens", "teacher_loss", "teacher_params", "teacher_tokens", "at"),
        (),
        checks.power_scaling,
    ),
    Kind(
        "coverage",
        "share of left-out runs inside predictive bands, against their level. FIT is a file of "
        "validate --out, or a card that ships with a validation.",
        (),
        (),
        checks.coverage,
        "validation",
    ),
    Kind(
        "reliability",
        "forecast gap risk of left-out pairs of teachers against how often it came true. FIT is "
        "a file of validate --out, or a card that ships with a validation.",
        (),
        (),
        checks.reliability,
        "validation",
    ),
    Kind(
        "ranks",
        "rank ECDFs of simulation-based calibration. FIT is a file of calibrate --out.",
        (),
        (),
        checks.ranks,
        "calibration",
    ),
)
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _ALL})
"""The kinds of picture by name."""
