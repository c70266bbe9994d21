"""Fixtures of the plots: no screen, results that cost nothing, images to compare with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images

from bayes_distill.checking.checks import PredictiveChecks, predictive

BASELINES = Path(__file__).parent / "baselines"
TOLERANCE = 2.5  # root mean square of 255 grey levels; intervals left out make 10, a label 9


@pytest.fixture(autouse=True)
def headless() -> Iterator[None]:
    """Draw without a screen, and leave no figure behind."""
    plt.close("all")
    before = mpl.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


@pytest.fixture
def same_picture(tmp_path: Path) -> Callable[[Figure, str], None]:
    """Compare a figure with a stored image; BAYES_DISTILL_BASELINES=write stores it anew."""

    def check(figure: Figure, name: str) -> None:
        drawn = tmp_path / f"{name}.png"
        figure.savefig(drawn, dpi=50, metadata={"Software": None})
        stored = BASELINES / f"{name}.png"
        if os.environ.get("BAYES_DISTILL_BASELINES") == "write":
            stored.write_bytes(drawn.read_bytes())
        problem = compare_images(str(stored), str(drawn), tol=TOLERANCE)
        assert problem is None, problem

    return check


def curve(ax: Axes, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Points of a curve, its stretches within and beyond the runs together, by rising x."""
    pieces = [line for line in ax.lines if line.get_label() == f"_{label}"]
    assert pieces, [line.get_label() for line in ax.lines]
    x, y = (
        np.concatenate([np.asarray(v, float) for v in values])
        for values in zip(*((p.get_xdata(), p.get_ydata()) for p in pieces), strict=True)
    )
    x, first = np.unique(x, return_index=True)
    return x, y[first]


def interval(ax: Axes, label: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, lower and upper end of a curve's interval, its stretches together."""
    corners = np.concatenate(
        [
            path.vertices
            for piece in ax.collections
            if piece.get_label() == f"_{label}"
            for path in piece.get_paths()
        ]
    )
    edges = pd.Series(corners[:, 1]).groupby(corners[:, 0])
    return edges.min().index.to_numpy(), edges.min().to_numpy(), edges.max().to_numpy()


def legend_texts(figure: Figure) -> str:
    """All text of all legends and of the title of a figure."""
    legends = [*figure.legends]
    for ax in figure.axes:
        legends += [child for child in ax.get_children() if child.__class__.__name__ == "Legend"]
    texts = [text.get_text() for one in legends for text in one.get_texts()]
    texts += [one.get_title().get_text() for one in legends]
    return "\n".join([*texts, figure.get_suptitle()])


@pytest.fixture(scope="session")
def reads() -> SimpleNamespace:
    """Functions that read curves, intervals and legends off a figure."""
    return SimpleNamespace(curve=curve, interval=interval, legends=legend_texts)


@pytest.fixture(scope="session")
def made_up_curves():
    """A forecast in closed form: its plot changes with the drawing and with nothing else."""
    from bayes_distill.predict.forecast import Forecast

    teacher = np.linspace(1.8, 2.7, 31)
    parts = []
    for params, tokens, best, level in ((2e8, 5e9, 2.2, 2.6), (2e9, 4e10, 1.95, 2.2)):
        mean = level + 0.35 * (teacher - best) ** 2
        width = 0.01 + 0.03 * np.abs(teacher - 2.2)
        parts.append(
            pd.DataFrame(
                {
                    "params": params,
                    "tokens": tokens,
                    "teacher_loss": teacher,
                    "teacher_loss_mean": teacher,
                    "loss_mean": mean,
                    "loss_lower": mean - width,
                    "loss_upper": mean + 1.5 * width,
                    "outside": teacher < 1.9,
                }
            )
        )
    return Forecast(pd.concat(parts, ignore_index=True), None, 0.9, ())


@pytest.fixture(scope="session")
def made_up_plan():
    """A plan in closed form, two scenarios with a teacher, one student."""
    from bayes_distill.planning.plan import Plan
    from bayes_distill.predict.results.draws import Samples

    budget = np.geomspace(1e20, 1e24, 13)
    t = np.linspace(0, 1, budget.size)
    parts, samples = [], []
    for name, shift in (("best-case", 0.0), ("teacher-pretraining-and-inference", 0.12)):
        columns = {
            "budget": budget,
            "scenario": name,
            "params": 1e9,
            "served_tokens": 0.0,
            "outside": t > 0.7,
            "supervised_outside": t > 0.6,
            "share_student": 0.5 - 0.2 * t,
            "share_logits": 0.1 + 0.4 * t,
            "share_teacher": 0.4 - 0.2 * t,
            "share_serving": 0.0,
            "share_unspent": 0.0,
        }
        for what, middle in {
            "student_tokens": budget / 1e10,
            "teacher_params": 1e9 * (1 + 4 * t),
            "teacher_tokens": budget**0.7 * 1e-4,
            "teacher_loss": 2.4 - 0.5 * t,
        }.items():
            columns |= {f"recipe_{what}": middle, f"optimum_{what}_median": middle}
            columns |= {f"optimum_{what}_lower": middle * (1 - 0.1 * t)}
            columns |= {f"optimum_{what}_upper": middle * (1 + 0.2 * t)}
        for end in ("lower", "median", "upper"):
            columns[f"optimum_params_{end}"] = 1e9
        for what in ("student", "logits", "teacher"):
            columns[f"optimum_share_{what}_lower"] = columns[f"share_{what}"] - 0.05 * t
            columns[f"optimum_share_{what}_upper"] = columns[f"share_{what}"] + 0.08 * t
        gain = 0.05 - shift * (1 - t)
        alone = 2.6 - 0.5 * t
        for what, middle, width in (
            ("supervised", alone, 0.01),
            ("loss", alone - gain, 0.01),
            ("improvement", gain, 0.02),
        ):
            columns |= {f"{what}_mean": middle, f"{what}_lower": middle - width * (1 + t)}
            columns |= {f"{what}_upper": middle + width * (1 + t)}
        parts.append(pd.DataFrame(columns))
        spread = np.linspace(-0.03, 0.03, 101)[:, None]
        samples.append((alone + 0 * spread, alone - gain + spread))
    draws = {
        "supervised_loss": np.hstack([s[0] for s in samples]),
        "recipe_loss": np.hstack([s[1] for s in samples]),
    }
    empty = pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    return Plan(table, empty, empty, empty, 0.9, (), Samples(draws, np.zeros(101, int)))


@pytest.fixture(scope="session")
def checked(chinchilla: Any) -> PredictiveChecks:
    """Predictive checks of a fit to simulated runs."""
    return predictive(chinchilla.posterior)
