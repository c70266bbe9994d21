"""What a report leads with: the answer in sentences, and one picture of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.numbers import format_quantity
from bayes_distill.errors import InputError
from bayes_distill.planning.words import plan_sentences
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
    if planned is not None and (said := [*_ranked(planned), *_of_plan(planned)]):
        return Decision("What to do", said, figure), rest
    return Decision("In short", _at_start(posterior, ranges, interval, seed), figure), rest


def _of_plan(planned: Mapping[str, Any]) -> list[str]:
    """The sentences of a plan; none for one of an earlier version, which had fewer keys."""
    try:
        said = plan_sentences(planned)
    except KeyError:
        return []
    more = len(said) - MOST_SENTENCES
    if planned.get("teachers"):
        said = tuple(f"Were any teacher to be had: {each}" for each in said)
    return [*said[:MOST_SENTENCES], *([f"{more} more are under The plan."] if more > 0 else [])]


def _ranked(planned: Mapping[str, Any]) -> list[str]:
    """Which of the listed teachers is best, a sentence for each scenario of the first student."""
    said = []
    for rows in _lists(planned):
        best = rows[0]
        better = best["p_beats_supervised"]
        verdict = "beats" if better >= 0.9 else "does not beat" if better <= 0.1 else "may beat"
        student = f"{format_quantity(best['params'])} student and {best['budget']:.3g} FLOPs"
        sentence = (
            f"Of your {len(rows)} teachers, {best['name']} is best for a {student} under "
            f"{best['scenario']} (P(best) {best['p_best']:.2f}): {best['loss']['mean']:.3f} "
            f"({best['loss']['lower']:.3f} to {best['loss']['upper']:.3f}). It {verdict} training "
            f"without a teacher (probability {better:.2f})."
        ).replace("e+", "e")
        if len(rows) > 1 and rows[1]["regret"]["mean"] is not None:
            sentence += f" The next, {rows[1]['name']}, costs {rows[1]['regret']['mean']:.4f} more."
        said.append(sentence)
    return said


def _lists(planned: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    """Affordable teachers, best first, of the first student and budget, by scenario."""
    ranked = [t for t in planned.get("teachers", []) if t["affordable"]]
    first = ranked[0] if ranked else {}
    mine = [t for t in ranked if (t["budget"], t["params"]) == (first["budget"], first["params"])]
    return [
        [t for t in mine if t["scenario"] == name]
        for name in dict.fromkeys(t["scenario"] for t in mine)
    ]


def _of_teachers(planned: Mapping[str, Any]) -> ReportFigure | None:
    """The picture of the teachers that a plan ranked, under its first scenario with any."""
    lists = _lists(planned)
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
