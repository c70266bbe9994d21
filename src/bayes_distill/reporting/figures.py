"""The plots of a fit, as SVG whose text is text and whose colours follow the page."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayes_distill.errors import InputError
from bayes_distill.pictures import plot
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.stored_runs import runs_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWS = 1000
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
class Picture:
    """A plot with its title, caption and SVG."""

    title: str
    caption: str
    svg: str


@dataclass(frozen=True)
class Shown:
    """A kind of picture that the page shows.

    Parameters
    ----------
    kind, title, caption
        Its name among the kinds that `plot` knows; what the page says above it.
    teacher
        Whether it needs a law and runs with teachers.
    draws
        Most draws that it needs: bands of curves are as the explorer's tables have them.
    """

    kind: str
    title: str
    caption: str
    teacher: bool = False
    draws: int | None = None


def pictures_of(posterior: Posterior, interval: float, seed: int) -> list[Picture]:
    """All pictures that there is something to show in; none for a posterior without runs."""
    runs = runs_of(posterior)
    if runs is None:
        return []
    taught = posterior.law.has_teacher and "teacher_loss" in runs
    taught = taught and bool(runs["teacher_loss"].notna().any())
    found = []
    for shown in SHOWN:
        if shown.teacher and not taught:
            continue
        enough = posterior
        if shown.draws is not None and posterior.n_draws > shown.draws:
            enough = posterior.thin(shown.draws)
        try:
            figure = plot(shown.kind, enough, interval=interval, seed=seed, allow_failed=True)
        except InputError:  # too few runs for it, such as students that saw a single teacher
            continue
        found.append(Picture(shown.title, shown.caption, svg_of(figure, shown.kind)))
    return found


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
    for drawn, ours in COLOURS.items():
        text = re.sub(drawn, ours, text, flags=re.IGNORECASE)
    # matplotlib leaves black unsaid: it is what SVG fills with
    return text.replace("<svg ", '<svg fill="var(--ink)" ', 1)


SHOWN = (
    Shown(
        "student-against-teacher",
        "Students against their teachers.",
        "Left of its star a stronger teacher makes the student worse: the capacity gap.",
        teacher=True,
        draws=DRAWS,
    ),
    Shown(
        "observed-against-predicted",
        "Runs against what the fit predicts for them.",
        "Points beyond their bands, above all in rows, are what the law misses.",
        draws=DRAWS,
    ),
    Shown(
        "coefficients-against-published",
        "Coefficients against published values.",
        "A posterior as wide as its prior has learnt nothing from these runs.",
        teacher=True,
    ),
)
"""What the page shows, in this order."""
