"""The validation that ships with a card, in a table and a picture."""

from __future__ import annotations

from dataclasses import dataclass

from bayes_distill.errors import InputError
from bayes_distill.plots import plot
from bayes_distill.posterior import Posterior
from bayes_distill.reporting.plots_as_svg import ReportFigure, svg_of
from bayes_distill.reporting.words import Section, TextTable
from bayes_distill.validation.read import read_validation

LEVEL = 0.9


@dataclass(frozen=True)
class Validated:
    """What was said of runs that had been left out."""

    section: Section
    figure: ReportFigure


def validation_of(posterior: Posterior) -> Validated | None:
    """The validation that ships with a posterior; ``None`` where none does."""
    if not posterior.info.get("shipped"):
        return None
    try:
        validation = read_validation(posterior.card.name)
    except InputError:
        return None
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
        "left out were then forecast. These are refits of the card, made when it was shipped."
    )
    figure = plot("coverage", validation)
    caption = "Above the diagonal bands are too wide, below it too narrow."
    return Validated(
        Section([text], [TextTable(header, rows)]),
        ReportFigure("Coverage of left-out runs.", caption, svg_of(figure, "validation")),
    )
