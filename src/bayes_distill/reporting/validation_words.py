"""A validation, one that ships with a card or a caller's, in a table and a picture."""

from __future__ import annotations

from dataclasses import dataclass

from bayes_distill.errors import InputError
from bayes_distill.plots import plot
from bayes_distill.posterior import Posterior
from bayes_distill.reporting.plots_as_svg import ReportFigure, svg_of
from bayes_distill.reporting.words import Section, TextTable
from bayes_distill.validation.read import read_validation
from bayes_distill.validation.result import Validation
from bayes_distill.validation.rows import percent

LEVEL = 0.9


@dataclass(frozen=True)
class Validated:
    """What was said of runs that had been left out."""

    section: Section
    figure: ReportFigure


def validation_of(posterior: Posterior, given: Validation | None = None) -> Validated | None:
    """The validation that a caller gives, or that ships with a posterior; ``None`` without one."""
    if given is not None and given.factors:
        return _by_factor(given)
    if given is not None:
        return _by_group(given, shipped=False)
    if not posterior.info.get("shipped"):
        return None
    try:
        validation = read_validation(posterior.card.name)
    except InputError:
        return None
    return _by_group(validation, shipped=True)


def _by_factor(validation: Validation) -> Validated:
    """How forecasts of dearer runs did, by the factor of extrapolation."""
    level = percent(validation.interval)
    rows = [
        (
            f"{r['above']:g} to {r['factor']:g}",
            f"{r['runs']}",
            f"{r[f'coverage_{level}']:.0%}",
            f"{r['width']:.2%}",
            f"{r['error']:.2%}",
            str(r["verdict"]),
        )
        for r in validation.by_factor.to_dict("records")
    ]
    header = ("times as dear", "forecasts", f"inside {level}%", "width", "error", "intervals")
    text = (
        f"The card {validation.model} was fitted to the runs below several budgets, and the dearer "
        "ones were then forecast: by how many times as dear as the dearest fitted run they were."
    )
    figure = plot("coverage-by-factor", validation)
    caption = "Where coverage falls below its level, intervals are too narrow that far away."
    return Validated(
        Section([text], [TextTable(header, rows)]),
        ReportFigure("Forecasts of dearer runs.", caption, svg_of(figure, "validation")),
    )


def _by_group(validation: Validation, *, shipped: bool) -> Validated | None:
    """How forecasts of groups that were left out did."""
    column = f"coverage_{100 * LEVEL:g}"
    table = validation.table
    if column not in table or "mae" not in table:
        return None
    rows = [
        (str(r["group"]), f"{r['runs']:.0f}", f"{r[column]:.0%}", f"{r['mae']:.4f}")
        for r in table.to_dict("records")
    ]
    header = ("left out", "runs", f"inside their {LEVEL:.0%} bands", "mean absolute error")
    text = (
        f"The card was fitted again without each of these ({validation.leave_out}), and the runs "
        "left out were then forecast."
        + (" These are refits of the card, made when it was shipped." if shipped else "")
    )
    figure = plot("coverage", validation)
    caption = "Above the diagonal bands are too wide, below it too narrow."
    return Validated(
        Section([text], [TextTable(header, rows)]),
        ReportFigure("Coverage of left-out runs.", caption, svg_of(figure, "validation")),
    )
