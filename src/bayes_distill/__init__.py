"""Bayesian scaling laws for supervised training and distillation.

The front door. Commands and functions have the same names: `check`, `fit`, `forecast`, `risk`,
`plan`, `plot` and `report`; the checks of a fit `validate`, `calibrate`, `predictive`,
`sensitivity` and `identify`; `compare` and `stack` for several fits, `arms` for several
recipes, `fit_losses` for several losses, `accuracy` for what a test would measure; `design` and
`update` for the next runs; `score` and `verify` for registered forecasts; `models` and `datasets`
for what ships. `read_runs`, `load_card`, `load_posterior`,
`read_validation` and `read_calibration` read files. The types of arguments and of results are
here too. Deeper tools are in the modules. Nothing heavy is imported before its first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bayes_distill._input.version import __version__
from bayes_distill.errors import (
    BayesDistillError,
    FailedFitError,
    Fault,
    InputError,
    InterruptedFitError,
)

if TYPE_CHECKING:
    from bayes_distill.calibration.result import Calibration, read_calibration
    from bayes_distill.calibration.study import calibrate
    from bayes_distill.cards import Card, load_card
    from bayes_distill.cards.listing import models
    from bayes_distill.checking.checks import PredictiveChecks, predictive
    from bayes_distill.checking.power_scaling import Sensitivity, sensitivity
    from bayes_distill.comparison.accuracy import Accuracy, accuracy
    from bayes_distill.comparison.arms import arms
    from bayes_distill.comparison.arms_result import Arms
    from bayes_distill.comparison.ranking import compare
    from bayes_distill.comparison.result import Comparison
    from bayes_distill.comparison.stacking import stack
    from bayes_distill.compute import Device, ForwardFlops, Scenario
    from bayes_distill.identification.designs.design import design
    from bayes_distill.identification.designs.result import Design
    from bayes_distill.identification.identifiability import Identifiability
    from bayes_distill.identification.identify import Identification, identify
    from bayes_distill.identification.next_run import NextRun
    from bayes_distill.inference.fit import fit
    from bayes_distill.inference.fit_losses import FittedLosses, fit_losses
    from bayes_distill.laws import Law, Reference
    from bayes_distill.likelihoods import Likelihood
    from bayes_distill.planning.criteria import Criterion
    from bayes_distill.planning.draw_counts import DrawCounts
    from bayes_distill.planning.plan import Plan, plan
    from bayes_distill.planning.solver.limits import Limits
    from bayes_distill.plots import plot
    from bayes_distill.posterior import Posterior, load_posterior
    from bayes_distill.predict.capacity_gap import GapRisk, risk
    from bayes_distill.predict.forecast import Forecast, forecast
    from bayes_distill.predict.points import Points
    from bayes_distill.predict.results.draws import by_chain
    from bayes_distill.predict.teachers import Teachers
    from bayes_distill.reporting.write import Report, report
    from bayes_distill.runs import Runs, RunsReport, check, read_runs, simulate
    from bayes_distill.runs.listing import datasets
    from bayes_distill.runs.trackers.artefacts import log_to
    from bayes_distill.runs.trackers.mapping import RunsMapping
    from bayes_distill.validation.leave_out import validate
    from bayes_distill.validation.read import read_validation
    from bayes_distill.validation.registered.result import Scores, read_scores
    from bayes_distill.validation.registered.scoring import score
    from bayes_distill.validation.registered.verification import Verification, verify
    from bayes_distill.validation.result import Validation
    from bayes_distill.validation.update import Update, update

_HOMES = {
    "Accuracy": "bayes_distill.comparison.accuracy",
    "Arms": "bayes_distill.comparison.arms_result",
    "Calibration": "bayes_distill.calibration.result",
    "Card": "bayes_distill.cards",
    "Comparison": "bayes_distill.comparison.result",
    "Design": "bayes_distill.identification.designs.result",
    "Device": "bayes_distill.compute",
    "DrawCounts": "bayes_distill.planning.draw_counts",
    "FittedLosses": "bayes_distill.inference.fit_losses",
    "Forecast": "bayes_distill.predict.forecast",
    "ForwardFlops": "bayes_distill.compute",
    "GapRisk": "bayes_distill.predict.capacity_gap",
    "Identifiability": "bayes_distill.identification.identifiability",
    "Identification": "bayes_distill.identification.identify",
    "Law": "bayes_distill.laws",
    "Likelihood": "bayes_distill.likelihoods",
    "Limits": "bayes_distill.planning.solver.limits",
    "NextRun": "bayes_distill.identification.next_run",
    "Plan": "bayes_distill.planning.plan",
    "Points": "bayes_distill.predict.points",
    "Posterior": "bayes_distill.posterior",
    "PredictiveChecks": "bayes_distill.checking.checks",
    "Reference": "bayes_distill.laws",
    "Report": "bayes_distill.reporting.write",
    "Runs": "bayes_distill.runs",
    "RunsMapping": "bayes_distill.runs.trackers.mapping",
    "RunsReport": "bayes_distill.runs",
    "Scenario": "bayes_distill.compute",
    "Scores": "bayes_distill.validation.registered.result",
    "Sensitivity": "bayes_distill.checking.power_scaling",
    "Teachers": "bayes_distill.predict.teachers",
    "Criterion": "bayes_distill.planning.criteria",
    "Update": "bayes_distill.validation.update",
    "Validation": "bayes_distill.validation.result",
    "Verification": "bayes_distill.validation.registered.verification",
    "accuracy": "bayes_distill.comparison.accuracy",
    "arms": "bayes_distill.comparison.arms",
    "by_chain": "bayes_distill.predict.results.draws",
    "calibrate": "bayes_distill.calibration.study",
    "check": "bayes_distill.runs",
    "compare": "bayes_distill.comparison.ranking",
    "datasets": "bayes_distill.runs.listing",
    "design": "bayes_distill.identification.designs.design",
    "fit": "bayes_distill.inference.fit",
    "fit_losses": "bayes_distill.inference.fit_losses",
    "forecast": "bayes_distill.predict.forecast",
    "identify": "bayes_distill.identification.identify",
    "load_card": "bayes_distill.cards",
    "load_posterior": "bayes_distill.posterior",
    "log_to": "bayes_distill.runs.trackers.artefacts",
    "models": "bayes_distill.cards.listing",
    "plan": "bayes_distill.planning.plan",
    "plot": "bayes_distill.plots",
    "predictive": "bayes_distill.checking.checks",
    "read_calibration": "bayes_distill.calibration.result",
    "read_runs": "bayes_distill.runs",
    "read_scores": "bayes_distill.validation.registered.result",
    "read_validation": "bayes_distill.validation.read",
    "report": "bayes_distill.reporting.write",
    "risk": "bayes_distill.predict.capacity_gap",
    "score": "bayes_distill.validation.registered.scoring",
    "sensitivity": "bayes_distill.checking.power_scaling",
    "simulate": "bayes_distill.runs",
    "stack": "bayes_distill.comparison.stacking",
    "update": "bayes_distill.validation.update",
    "validate": "bayes_distill.validation.leave_out",
    "verify": "bayes_distill.validation.registered.verification",
}
"""Where each name is defined. No module of this folder may have the name of a function: importing
it would set an attribute that hides the function."""

_FORMER = {
    "capacity_gap": ("risk", "bayes_distill.predict.capacity_gap", "risk"),
    "check_runs": ("check", "bayes_distill.runs", "check"),
    "identifiability": (
        "identify",
        "bayes_distill.identification.identifiability",
        "identifiability",
    ),
    "next_run": ("identify", "bayes_distill.identification.next_run", "next_run"),
    "predictive_checks": ("predictive", "bayes_distill.checking.checks", "predictive"),
    "write_report": ("report", "bayes_distill.reporting.write", "report"),
}
"""Earlier name -> what to call instead, and the function that it still is."""

__all__ = [
    "Accuracy",
    "Arms",
    "BayesDistillError",
    "Calibration",
    "Card",
    "Comparison",
    "Criterion",
    "Design",
    "Device",
    "DrawCounts",
    "FailedFitError",
    "Fault",
    "FittedLosses",
    "Forecast",
    "ForwardFlops",
    "GapRisk",
    "Identifiability",
    "Identification",
    "InputError",
    "InterruptedFitError",
    "Law",
    "Likelihood",
    "Limits",
    "NextRun",
    "Plan",
    "Points",
    "Posterior",
    "PredictiveChecks",
    "Reference",
    "Report",
    "Runs",
    "RunsMapping",
    "RunsReport",
    "Scenario",
    "Scores",
    "Sensitivity",
    "Teachers",
    "Update",
    "Validation",
    "Verification",
    "__version__",
    "accuracy",
    "arms",
    "by_chain",
    "calibrate",
    "check",
    "compare",
    "datasets",
    "design",
    "fit",
    "fit_losses",
    "forecast",
    "identify",
    "load_card",
    "load_posterior",
    "log_to",
    "models",
    "plan",
    "plot",
    "predictive",
    "read_calibration",
    "read_runs",
    "read_scores",
    "read_validation",
    "report",
    "risk",
    "score",
    "sensitivity",
    "simulate",
    "stack",
    "update",
    "validate",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _FORMER:
        import warnings

        instead, module, function = _FORMER[name]
        warnings.warn(
            f"bayes_distill.{name} is deprecated: use bayes_distill.{instead}",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(import_module(module), function)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
