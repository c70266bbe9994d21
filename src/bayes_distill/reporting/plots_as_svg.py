"""The plots of a report, as SVG whose text is text and whose colours follow the page."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayes_distill.errors import InputError
from bayes_distill.plots import PLOTS, plot
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.stored_runs import runs_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# drawn for white paper; the page's own variables turn it for the dark
COLOURS = {
    "#000000": "var(--ink)",
    "#17173a": "var(--ink)",
    "#ffffff": "var(--paper)",
    "#5c5c66": "var(--muted)",
    "#b9b9c2": "var(--faint)",
    "#e6e6ea": "var(--line)",
    "#0067a8": "var(--distilled)",
    "#c8542b": "var(--alone)",
    "#7a1f6b": "var(--purple)",
    "#2f9c7c": "var(--third)",
    "#d3a23a": "var(--best)",
}


@dataclass(frozen=True)
class ReportFigure:
    """A plot with its title, caption and SVG."""

    title: str
    caption: str
    svg: str


def figures_of(posterior: Posterior, interval: float, seed: int) -> list[ReportFigure]:
    """The plots whose entries the report shows; none for a posterior without runs.

    A plot for which this posterior or its runs do not suffice is left out.
    """
    runs = runs_of(posterior)
    if runs is None:
        return []
    taught = posterior.law.has_teacher and "teacher_loss" in runs
    taught = taught and bool(runs["teacher_loss"].notna().any())
    figures = []
    for entry in PLOTS.values():
        shown = entry.report
        if shown is None or entry.source != "fit" or (shown.teachers and not taught):
            continue
        enough = posterior
        if shown.draws is not None and posterior.n_draws > shown.draws:
            enough = posterior.thin(shown.draws)
        try:
            figure = plot(entry.name, enough, interval=interval, seed=seed, allow_failed=True)
        except InputError:  # too few runs for it, such as students with a single teacher
            continue
        svg = svg_of(figure, entry.name)
        figures.append(ReportFigure(f"{entry.title}.", shown.caption, svg))
    return figures


def svg_of(figure: Figure, name: str) -> str:
    """SVG element of a figure; `name` keeps its ids apart from those of other figures."""
    import matplotlib as mpl

    written = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "svg.id": name}):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    text = written.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # matplotlib numbers its ids anew in each figure, and one page may have each only once
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    for colour, variable in COLOURS.items():
        text = re.sub(colour, variable, text, flags=re.IGNORECASE)
    # matplotlib writes no black: it is what SVG fills with by default
    return text.replace("<svg ", '<svg fill="var(--ink)" ', 1)
