"""What a report leads with: the answer in sentences, and one picture of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.numbers import format_quantity
from bayes_distill.errors import InputError
from bayes_distill.planning.words import (
    sentences_of_any_teacher,
    teacher_sentences,
    teachers_by_scenario,
)
from bayes_distill.plots import plot
from bayes_distill.plots.drawing import LOSS_UNIT
from bayes_distill.plots.teachers import ComparedTeachers, teachers
from bayes_distill.posterior import Posterior
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.forecast import forecast
from bayes_distill.predict.words import forecast_sentence, risk_sentence
from bayes_distill.reporting.plots_as_svg import ReportFigure, svg_of
from bayes_distill.reporting.ranges import Ranges

MOST_SENTENCES = 4  # of a plan; its table has the others
GAP = "student-against-teacher"
SHOWN_DRAWS = 1000  # of the picture


@dataclass(frozen=True)
class Decision:
    """Heading, sentences, and the picture that shows them; ``None`` where there is none."""

    heading: str
    sentences: list[str]
    figure: ReportFigure | None


def decision_of(
    posterior: Posterior,
    planned: Mapping[str, Any] | None,
    ranges: Ranges,
    figures: list[ReportFigure],
    interval: float,
    seed: int,
) -> tuple[Decision, list[ReportFigure]]:
    """The decision, and the `figures` that are left for further down.

    It is that of the plan if there is one; else it is about the student and the teacher that the
    explorer starts with.
    """
    rest = list(figures)
    figure = None if planned is None else _of_teachers(planned)
    if figure is None and rest:
        figure = rest.pop(0)
    elif figure is None:
        figure = _without_runs(posterior, interval, seed)
    if planned is not None and (said := [*teacher_sentences(planned), *_of_plan(planned)]):
        return Decision("What to do", said, figure), rest
    return Decision("In short", _at_start(posterior, ranges, interval, seed), figure), rest


def _of_plan(planned: Mapping[str, Any]) -> list[str]:
    """The sentences of a plan; none for one of an earlier version, which had fewer keys."""
    try:
        said = sentences_of_any_teacher(planned)
    except KeyError:
        return []
    more = len(said) - MOST_SENTENCES
    return [*said[:MOST_SENTENCES], *([f"{more} more are under The plan."] if more > 0 else [])]


def _of_teachers(planned: Mapping[str, Any]) -> ReportFigure | None:
    """The picture of the teachers that a plan ranked, under its first scenario with any."""
    lists = teachers_by_scenario(planned)
    rows = [r for r in planned["rows"] if lists and r.get("supervised")]
    if not lists or not rows:
        return None
    first = lists[0][0]
    same = [r for r in rows if (r["budget"], r["params"]) == (first["budget"], first["params"])]
    alone = (same or rows)[0]["supervised"]
    table = pd.DataFrame(
        [
            {
                **{k: t[k] for k in ("name", "teacher_loss", "p_best", "p_beats_supervised")},
                **{f"loss_{k}": t["loss"][k] for k in ("mean", "lower", "upper")},
            }
            for t in lists[0]
        ]
    )
    about = (
        f"student of {format_quantity(first['params'])}, {format_quantity(first['budget'])} FLOPs, "
        f"{first['scenario']}"
    )
    ends = (alone["mean"], alone["lower"], alone["upper"])
    compared = ComparedTeachers(table, ends, about, planned["interval"])
    ax = teachers(compared, unit=LOSS_UNIT)
    caption = (
        "Bars left of the upright band beat training without a teacher; those that overlap with "
        "it, or with each other, are not told apart."
    )
    return ReportFigure("Your teachers.", caption, _closed(ax.figure, "decision"))


def _without_runs(posterior: Posterior, interval: float, seed: int) -> ReportFigure | None:
    """The capacity gap by draws whose runs did not come with them."""
    if not posterior.law.has_teacher or posterior.n_draws == 1:
        return None
    try:
        figure = plot(GAP, posterior.thin(SHOWN_DRAWS), interval=interval, seed=seed)
    except InputError:
        return None
    caption = "Left of its star a stronger teacher makes the student worse: the capacity gap."
    return ReportFigure("Students against their teachers.", caption, svg_of(figure, "decision"))


def _closed(figure: Any, name: str) -> str:
    """A figure as SVG, after which pyplot need not keep it."""
    import matplotlib.pyplot as plt

    svg = svg_of(figure, name)
    plt.close(figure)
    return svg


def _at_start(posterior: Posterior, ranges: Ranges, interval: float, seed: int) -> list[str]:
    """A forecast, and the risk of a gap, of what the explorer starts with."""
    percent = f"{100 * interval:g}%"
    taught = posterior.law.has_teacher
    names = ["params", "tokens", *(["teacher_loss"] if taught else [])]
    at = pd.DataFrame([{name: np.float64(ranges.start[name]) for name in names}])
    row = forecast(posterior, at=at, interval=interval, seed=seed, allow_failed=True)
    said = [forecast_sentence(row.to_json()["rows"][0], percent)]
    if taught:
        gap = risk(posterior, at=at, interval=interval, allow_failed=True).to_json()["rows"][0]
        said.append(risk_sentence(gap, percent))
    return [*said, "The explorer below answers it for other students, teachers and budgets."]
