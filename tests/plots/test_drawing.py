"""Plots by name: what each takes, what is refused, and what is written."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

import bayes_distill as bd
from bayes_distill.errors import InputError
from bayes_distill.plots import PLOTS, style

SMALL = {
    "student-against-teacher": {"params": "1B", "tokens": "20B"},
    "capacity-gap-map": {"teacher_loss": 2.0, "params": "300M,3B"},
    "isoflop-profiles": {"budget": "1e21", "draws": 50},
    "coefficients-against-published": {},
    "trade-off-pairs": {},
}


@pytest.mark.parametrize("kind", SMALL)
def test_a_kind_gives_a_figure_that_pyplot_does_not_keep(scattered, kind):
    figure = bd.plot(kind, scattered, **SMALL[kind])
    assert isinstance(figure, Figure)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("kind", ["recipe-against-budget", "distillation-against-supervised"])
def test_plans_are_drawn_over_a_range_of_budgets(scattered, kind):
    asked = {"params": "1B", "budget": "1e21,1e22", "scenario": "best-case", "draws": 8}
    figure = bd.plot(kind, scattered, **asked)
    lines = [len(line.get_xdata()) for ax in figure.axes for line in ax.lines]
    assert max(lines) > 5


def test_runs_of_a_table_are_held_against_a_fit(sweep):
    figure = bd.plot("observed-against-predicted", sweep.posterior, runs=str(sweep.table))
    said = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
    assert said[0].startswith(f"fitted: {len(sweep.runs)} runs")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_the_same_picture_is_the_same_file(scattered, tmp_path, suffix):
    files = [tmp_path / f"{name}{suffix}" for name in ("one", "two")]
    for file in files:
        bd.plot("isoflop", scattered, budget="1e21", draws=20, out=file)
    one, two = (file.read_bytes() for file in files)
    assert one == two
    start = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix.lower()]
    assert one.startswith(start)


def test_a_dark_page_sees_a_white_face(scattered, tmp_path):
    from matplotlib.image import imread

    out = tmp_path / "x.png"
    with plt.rc_context({"savefig.transparent": True, "figure.facecolor": "black"}):
        bd.plot("trade-off-pairs", scattered, out=out)
    assert (imread(out)[0, 0] == 1).all()


def test_all_faults_come_in_one_error_and_nothing_is_written(scattered, tmp_path):
    with pytest.raises(InputError) as refused:
        bd.plot(
            "capacity-gap-map",
            scattered,
            out=tmp_path / "no" / "x.gif",
            interval=2,
            params="many",
            budget="1e21",
        )
    text = str(refused.value)
    for part in (
        "out: x.gif ends in .gif",
        "does not exist",
        "interval: 2 is not",
        "params: 'many'",
        "budget: means nothing to capacity-gap-map",
        "teacher_loss: is needed (or `teacher_params`)",
    ):
        assert part in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("capacty-gap-map", "did you mean capacity-gap-map"),
        ("zzz", "there are student-against"),
        ("", "is needed: one of"),
        ("c", "did you mean capacity-gap-map or coefficients-against"),
    ],
)
def test_an_unknown_kind_is_answered_with_a_hint(scattered, kind, hint):
    with pytest.raises(InputError, match=hint):
        bd.plot(kind, scattered)


def test_a_fault_found_while_drawing_leaves_no_file_and_no_figure(scattered, tmp_path):
    with pytest.raises(InputError, match="give the two ends"):
        bd.plot(
            "student-against-teacher",
            scattered,
            params="1B",
            tokens="20B",
            teacher_loss="2",
            out=tmp_path / "x.png",
        )
    assert list(tmp_path.iterdir()) == []
    assert plt.get_fignums() == []


def test_every_kind_explains_itself():
    for name, kind in PLOTS.items():
        assert kind.name == name
        assert kind.shows.endswith(".")
        assert {way for ways in kind.needs for way in ways} <= set(kind.takes)


def test_more_students_than_looks_are_drawn_all_the_same(scattered):
    many = ",".join(f"{i}B" for i in range(1, style.MOST_SERIES + 3))
    figure = bd.plot("student-against-teacher", scattered, params=many, tokens="20B")
    texts = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
    assert sum(text.endswith("on 20B tokens") for text in texts) == style.MOST_SERIES + 2


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("recipe-against-budget", {"params": "1B", "budget": "1e21,1e23", "draws": 8}),
        ("trade-off-pairs", {}),
        ("coefficients-against-published", {}),
    ],
)
def test_powers_of_ten_are_written_out(scattered, kind, options, tmp_path):
    out = tmp_path / "drawn.svg"
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure = bd.plot(kind, scattered, out=out, **options)
    figure.draw_without_rendering()
    labels = [
        text.get_text()
        for ax in figure.axes
        for text in [*ax.get_xticklabels(), *ax.get_yticklabels()]
    ]
    assert labels
    assert not [text for text in labels if "$" in text]
    if kind.startswith("recipe"):
        assert {"1e21", "1e22", "1e23"} <= set(labels)
