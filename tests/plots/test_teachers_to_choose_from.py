"""The picture of given teachers: whose losses, in which order, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayes_distill as bd
from bayes_distill._input.numbers import format_probability
from bayes_distill.errors import InputError
from bayes_distill.plots.entry import Request
from bayes_distill.plots.teachers import compare_teachers, teachers

SHELF = pd.DataFrame(
    {"name": ["weak", "medium", "strong"], "loss": [2.6, 2.2, 1.9], "params": [2e8, 1e9, 7e9]}
)
STUDENT = {"params": "500M", "tokens": "10B", "teachers": SHELF}


def request(posterior, **options):
    return Request(posterior, options, 0.8, 0, "nats per token")


def marks(ax):
    """Name -> (lower, mean, upper) of what is drawn in each row."""
    names = [label.get_text().split(" ")[0] for label in ax.get_yticklabels()]
    found = {}
    for name, drawn in zip(names, ax.containers, strict=True):
        (bar,) = drawn.lines[2][0].get_segments()
        found[name] = (bar[0, 0], float(drawn.lines[0].get_xdata()[0]), bar[1, 0])
    return found


def test_it_draws_what_risk_says(scattered):
    compared = compare_teachers(request(scattered, **STUDENT))
    ax = teachers(compared, unit="bits per byte")
    risk = bd.risk(scattered, "500M", "10B", teachers=SHELF, interval=0.8)
    wanted = risk.teachers.set_index("name")
    drawn = marks(ax)
    assert list(drawn) == list(wanted.index)  # best first
    for name, row in wanted.iterrows():
        ends = row[["loss_lower", "loss_mean", "loss_upper"]].astype(float)
        np.testing.assert_allclose(drawn[name], ends)
    alone = risk.table.iloc[0]
    assert ax.lines[0].get_xdata()[0] == pytest.approx(alone["supervised_mean"])
    assert compared.supervised[1:] == (alone["supervised_lower"], alone["supervised_upper"])
    written = {text.get_text() for text in ax.texts}
    assert set(wanted["p_best"].map(format_probability)) <= written
    assert ax.get_xlabel() == "student loss (bits per byte)"
    stars = [each.lines[0].get_marker() for each in ax.containers]
    assert stars.index("*") == int(wanted["p_best"].to_numpy().argmax())


def test_teachers_that_are_far_worse_do_not_squeeze_the_others(scattered):
    shelf = pd.concat([SHELF, pd.DataFrame([{"name": "tiny", "loss": 6.0}])])
    compared = compare_teachers(request(scattered, **{**STUDENT, "teachers": shelf}))
    ax = teachers(compared)
    assert compared.table["name"].iloc[-1] == "tiny"
    worst = compared.table["loss_mean"].iloc[-1]
    assert ax.get_xlim()[1] < worst
    assert f"{worst:.3f}" in {text.get_text() for text in ax.texts}
    assert len(ax.containers) == 3


def test_with_a_budget_each_teacher_has_the_tokens_that_it_leaves(scattered):
    student = {"params": "500M", "budget": "1e20", "teachers": SHELF, "draws": 8}
    compared = compare_teachers(request(scattered, **student, scenario="teacher-inference"))
    plan = bd.plan(
        scattered,
        "500M",
        1e20,
        scenario="teacher-inference",
        teachers=SHELF,
        crossovers=False,
        teacher_range=False,
        draws=8,
        interval=0.8,
    )
    pd.testing.assert_frame_equal(compared.table, plan.teachers)
    assert compared.supervised[0] == plan.table["supervised_mean"].iloc[0]
    assert "1e20 FLOPs" in compared.about
    assert not any("recipes" in note for note in compared.notes)


def test_a_teacher_that_the_budget_does_not_pay_for_is_left_out(scattered):
    shelf = pd.concat([SHELF, pd.DataFrame([{"name": "huge", "loss": 1.8, "params": 1e15}])])
    student = {"params": "500M", "budget": "1e18", "teachers": shelf, "draws": 8}
    compared = compare_teachers(request(scattered, **student))
    assert "huge" not in set(compared.table["name"])
    assert any("does not pay for huge" in note for note in compared.notes)


@pytest.mark.parametrize(
    ("options", "columns"),
    [
        ({"params": "1B"}, {"tokens", "teachers"}),
        ({**STUDENT, "params": "1B,2B", "tokens": "1B,2B"}, {"params", "tokens"}),
        ({**STUDENT, "budget": "1e20"}, {"budget"}),
        (
            {"params": "1B", "budget": "1e20", "teachers": SHELF, "scenario": "supervised"},
            {"scenario"},
        ),
    ],
)
def test_faults_come_together(scattered, options, columns):
    with pytest.raises(InputError) as refused:
        bd.plot("teachers", scattered, **options)
    assert {fault.column for fault in refused.value.faults} == columns


def test_from_the_command_line(scattered, tmp_path, capsys):
    from bayes_distill.cli.main import run

    table, out = tmp_path / "mine.csv", tmp_path / "mine.png"
    SHELF.to_csv(table, index=False)
    fit = str(scattered.save(tmp_path / "fit.nc"))
    student = ["--params", "500M", "--tokens", "10B", "--teachers", str(table)]
    assert run(["plot", "teachers", fit, *student, "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")
    assert run(["plot", "teachers", fit, *student, "--out", str(table), "--overwrite"]) == 2
    assert "ends in .csv" in capsys.readouterr().err
