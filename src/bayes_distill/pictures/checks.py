"""Drawers of the pictures of checks: of a fit against its runs, and of what other commands wrote.

Everything is imported where it is drawn, so that a command's help need not wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayes_distill.pictures.answers import figure_of, runs_in
from bayes_distill.pictures.kind import Drawn, Request

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TARGET = {"params": "target_params", "tokens": "target_tokens"}  # what `next_run` calls them


def prior_predictive(asked: Request) -> Drawn:
    """Draw losses that the prior foresaw, over the real ones."""
    from bayes_distill.checking.predictive import prior_predictive as check
    from bayes_distill.plots.predictive_checks import predictive_distribution

    checked = check(asked.of, interval=asked.interval, seed=asked.seed)
    return _of_collection(predictive_distribution(checked, unit=asked.unit)), asked.of.warnings


def posterior_predictive(asked: Request) -> Drawn:
    """Draw losses of replicated tables of runs, over the real ones."""
    from bayes_distill.checking.predictive import posterior_predictive as check
    from bayes_distill.plots.predictive_checks import predictive_distribution

    checked = check(asked.of, interval=asked.interval, seed=asked.seed)
    return _of_collection(predictive_distribution(checked, unit=asked.unit)), asked.of.warnings


def predictive_quantities(asked: Request) -> Drawn:
    """Draw test quantities of replicated tables of runs, and of the real one."""
    from bayes_distill.checking.predictive import posterior_predictive as check
    from bayes_distill.plots.predictive_checks import predictive_quantities as picture

    checked = check(asked.of, interval=asked.interval, seed=asked.seed)
    return figure_of(picture(checked)), asked.of.warnings


def loo_pit(asked: Request) -> Drawn:
    """Draw LOO-PITs of the runs against uniform ones."""
    from bayes_distill.checking.pit import leave_one_out_pit
    from bayes_distill.plots.predictive_checks import loo_pit as picture

    return _of_collection(picture(leave_one_out_pit(asked.of, seed=asked.seed))), asked.of.warnings


def power_scaling(asked: Request) -> Drawn:
    """Draw answers as prior and likelihood are scaled."""
    from bayes_distill.checking.power_scaling import sensitivity
    from bayes_distill.plots.predictive_checks import power_scaling as picture

    found = sensitivity(asked.of, **asked.given, allow_failed=True)
    return _of_collection(picture(found)), found.notes


def prior_against_posterior(asked: Request) -> Drawn:
    """Draw every sampled coordinate before and after the runs."""
    from bayes_distill.identification.identifiability import identifiability
    from bayes_distill.plots.prior_against_posterior import prior_against_posterior as picture

    found = identifiability(asked.of, interval=asked.interval, seed=asked.seed, allow_failed=True)
    return figure_of(picture(found)), found.notes


def next_run_map(asked: Request) -> Drawn:
    """Draw gain of one more run over its size and tokens."""
    from bayes_distill.identification.next_run import next_run
    from bayes_distill.plots.next_run_map import next_run_map as picture

    given = {TARGET.get(name, name): value for name, value in asked.given.items()}
    found = next_run(asked.of, **given, seed=asked.seed, allow_failed=True)
    return figure_of(picture(found, runs_in(asked.of))), found.notes


def coverage(asked: Request) -> Drawn:
    """Draw coverage of left-out runs against the level of the band."""
    from bayes_distill.plots.coverage import coverage as picture

    return figure_of(picture(asked.of)), asked.of.notes


def reliability(asked: Request) -> Drawn:
    """Draw gap risk of left-out pairs against what happened."""
    from bayes_distill.plots.reliability import reliability as picture

    return figure_of(picture(asked.of)), asked.of.notes


def ranks(asked: Request) -> Drawn:
    """Draw rank ECDFs of a calibration study."""
    from bayes_distill.plots.ranks import ranks as picture

    return figure_of(picture(asked.of)), asked.of.notes


def _of_collection(collection: Any) -> Figure:
    """The figure of one of ArviZ's collections of plots."""
    figure: Figure = collection.viz["figure"].item()
    return figure
