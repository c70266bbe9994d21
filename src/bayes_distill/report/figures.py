"""Matplotlib's plots of a fit, as SVG whose text is text and whose colours follow the page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayes_distill.forecasting import forecast
from bayes_distill.plots.student_against_teacher import student_against_teacher
from bayes_distill.posterior import Posterior

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayes_distill.runs import Runs

GROUPS = (
    "figure|patch|axes|matplotlib|text|line2d|legend|xtick|ytick|PolyCollection|"
    "FillBetweenPolyCollection|LineCollection|PathCollection"
)
"""How matplotlib begins the ids of its groups."""
STUDENTS = 4  # curves in a plot
CURVE = 60  # points of a curve
# drawn for white paper; the page's own variables turn it for the dark
COLOURS = {
    "#000000": "var(--ink)", "#ffffff": "var(--paper)", "#22223b": "var(--ink)",
    "#17173a": "var(--ink)", "#666666": "var(--muted)", "#5c5c66": "var(--muted)",
    "#0072b2": "var(--distilled)", "#0067a8": "var(--distilled)", "#e6e6ea": "var(--line)",
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A plot with its title, caption and SVG."""

    title: str
    caption: str
    svg: str


Drawn = tuple[str, str, "Figure"]


def pictures_of(posterior: Posterior, interval: float, seed: int) -> list[Picture]:
    """All plots that the posterior has runs for."""
    runs = runs_of(posterior)
    if runs is None:
        return []
    import matplotlib as mpl
    from matplotlib.figure import Figure

    found = []
    with mpl.rc_context({"svg.fonttype": "none"}):
        for place, draw in enumerate(PICTURES):
            made = draw(posterior, runs, interval, seed)
            if made is None:
                continue
            title, caption, figure = made
            assert isinstance(figure, Figure)
            found.append(Picture(title, caption, svg_of(figure, f"picture-{place}")))
    return found


def runs_of(posterior: Posterior) -> Runs | None:
    """The runs that are stored with a fit."""
    if "runs" not in posterior.tree:
        return None
    from bayes_distill.runs import Runs

    frame = posterior.tree["runs"].to_dataset().to_dataframe()
    known = [n for n in ("params", "tokens", "loss", "teacher_loss") if n in frame]
    return Runs.from_frame(frame[known].reset_index(drop=True))


def svg_of(figure: Figure, name: str) -> str:
    """SVG element of a figure; `name` keeps its ids apart from those of other figures."""
    import matplotlib as mpl

    written = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.id": name}):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    text = written.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # matplotlib numbers its groups anew in each figure
    text = re.sub(rf'\bid="({GROUPS})(\w*)"', rf'id="{name}-\1\2"', text)
    for drawn, ours in COLOURS.items():
        text = re.sub(drawn, ours, text, flags=re.IGNORECASE)
    # matplotlib leaves black unsaid: it is what SVG fills with
    return text.replace("<svg ", '<svg fill="var(--ink)" ', 1)


def _gap(posterior: Posterior, runs: Runs, interval: float, seed: int) -> Drawn | None:
    if not posterior.law.has_teacher:
        return None
    frame = runs.frame
    taught = frame[frame["teacher_loss"].notna()]
    if taught.empty:
        return None
    students = list(_students(taught))
    low, high = taught["teacher_loss"].min(), taught["teacher_loss"].max()
    losses = np.linspace(low / 1.05, high * 1.03, CURVE)
    at = pd.DataFrame(
        [{"params": n, "tokens": d, "teacher_loss": t} for n, d in students for t in losses]
    )
    curves = forecast(posterior, at=at, interval=interval, seed=seed, allow_failed=True)
    figure = _figure(7.2, 4.8)
    student_against_teacher(curves, runs, figure.subplots())
    return (
        "Students against their teachers.",
        "Left of its star a stronger teacher makes the student worse: the capacity gap.",
        figure,
    )


def _students(frame: pd.DataFrame) -> Iterator[tuple[float, float]]:
    """Students (params, tokens) with the most runs, at most one a size, spread over the sizes."""
    counts = frame.groupby(["params", "tokens"]).size().reset_index(name="runs")
    counts = counts.sort_values("runs", ascending=False).drop_duplicates("params")
    counts = counts[counts["runs"] >= 3].sort_values("params")
    chosen = np.unique(np.linspace(0, len(counts) - 1, STUDENTS).round().astype(int))
    for place in chosen[: len(counts)]:
        row = counts.iloc[place]
        yield float(row["params"]), float(row["tokens"])


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


PICTURES: tuple[Callable[..., Drawn | None], ...] = (_gap,)
"""What is drawn, in this order; each gives a title, a caption and a figure, or ``None``."""
