"""Bayesian scaling laws for supervised training and distillation.

The front door: `read_runs`, `check_runs`, `simulate`, `load_card`, `fit`, `load_posterior`,
`forecast`, `capacity_gap`, `plan`, `plot` and `write_report`, the checks of a fit (`validate`,
`calibrate`, `predictive_checks`, `sensitivity`, `identifiability`, `next_run`), `compare` and
`stack` for several fits, and the types that they hand on. Deeper tools are reached through their
modules. Nothing heavy is imported before it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bayes_distill._version import __version__
from bayes_distill.errors import BayesDistillError, FailedFitError, InputError

if TYPE_CHECKING:
    from bayes_distill.calibration.study import calibrate
    from bayes_distill.cards import load_card
    from bayes_distill.checking.checks import predictive_checks
    from bayes_distill.checking.power_scaling import sensitivity
    from bayes_distill.comparison.ranking import compare
    from bayes_distill.comparison.stacking import stack
    from bayes_distill.identify.next_run import next_run
    from bayes_distill.identify.report import identifiability
    from bayes_distill.inference.fit import fit
    from bayes_distill.pictures import plot
    from bayes_distill.planning.plan import plan
    from bayes_distill.posterior import Posterior, load_posterior
    from bayes_distill.predict.capacity_gap import capacity_gap
    from bayes_distill.predict.forecast import forecast
    from bayes_distill.report.write import write_report
    from bayes_distill.runs import check_runs, read_runs, simulate
    from bayes_distill.validation.leave_out import validate

_HOMES = {
    "Posterior": "bayes_distill.posterior",
    "calibrate": "bayes_distill.calibration.study",
    "capacity_gap": "bayes_distill.predict.capacity_gap",
    "check_runs": "bayes_distill.runs",
    "compare": "bayes_distill.comparison.ranking",
    "fit": "bayes_distill.inference.fit",
    "forecast": "bayes_distill.predict.forecast",
    "identifiability": "bayes_distill.identify.report",
    "load_card": "bayes_distill.cards",
    "load_posterior": "bayes_distill.posterior",
    "next_run": "bayes_distill.identify.next_run",
    "plan": "bayes_distill.planning.plan",
    "plot": "bayes_distill.pictures",
    "predictive_checks": "bayes_distill.checking.checks",
    "read_runs": "bayes_distill.runs",
    "sensitivity": "bayes_distill.checking.power_scaling",
    "simulate": "bayes_distill.runs",
    "stack": "bayes_distill.comparison.stacking",
    "validate": "bayes_distill.validation.leave_out",
    "write_report": "bayes_distill.report.write",
}

__all__ = [
    "BayesDistillError",
    "FailedFitError",
    "InputError",
    "Posterior",
    "__version__",
    "calibrate",
    "capacity_gap",
    "check_runs",
    "compare",
    "fit",
    "forecast",
    "identifiability",
    "load_card",
    "load_posterior",
    "next_run",
    "plan",
    "plot",
    "predictive_checks",
    "read_runs",
    "sensitivity",
    "simulate",
    "stack",
    "validate",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # the function, not the module of the same name
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
