"""Names of others are shown as they are: no markup, no control characters, no formulas."""

from __future__ import annotations

import csv

import pandas as pd
import pytest
from hostile_files import NAMES

import bayes_distill as bd
from bayes_distill.cli.output import echo, error_line, print_table, say
from bayes_distill.errors import Fault
from bayes_distill.runs.writing import write_runs


@pytest.mark.parametrize("name", [*NAMES, "\ud800", "\u202e", "[link=x]y[/link]"], ids=ascii)
def test_a_name_reaches_the_terminal_as_it_is(capsys, name):
    print_table(name, [name], [[name]], caption=name)
    echo(name)
    out = capsys.readouterr().out
    assert all(c.isprintable() or c == "\n" for c in out)
    if name.isprintable():
        assert out.count(name) == 5
    say(name)
    error_line([Fault(name)])
    err = capsys.readouterr().err
    assert all(c.isprintable() or c == "\n" for c in err)


def test_names_of_teachers_are_shown_as_they_are(inside, say):
    said = say("risk", "fit.nc", "--params", "1e9", "--tokens", "2e10", "--teachers",
               "teachers.csv")  # fmt: skip
    assert said.status == 0, said.err
    for name in ("[/]", "[red]x", ":smile:", "=1+1", "a\\u202eb"):
        assert name in said.out


def test_faults_of_a_table_are_shown_as_they_are(inside, say):
    said = say("check", "control.csv")
    assert said.status == 2
    assert "\x1b" not in said.out + said.err
    assert "\x07" not in said.out + said.err


def test_a_name_that_no_encoding_has_is_read_and_stored(inside):
    runs = bd.read_runs("surrogate.jsonl")
    assert runs.frame["group"].tolist() == ["\\ud800"]


def test_text_cells_of_csv_files_are_no_formulas(tmp_path):
    frame = pd.DataFrame(
        {"params": [1e9] * 3, "tokens": [2e10] * 3, "loss": [2.5] * 3, "group": ["=1+1", None, "b"]}
    )
    write_runs(bd.Runs(frame, "frame"), tmp_path / "runs.csv")
    with (tmp_path / "runs.csv").open(newline="") as file:
        assert [row["group"] for row in csv.DictReader(file)] == ["'=1+1", "", "b"]


def test_names_with_dollars_are_drawn(tmp_path):
    import matplotlib as mpl

    from bayes_distill.plots.style import house_style

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with house_style():
        figure, axes = plt.subplots()
        axes.set_title("$\\frac{$")
        figure.savefig(tmp_path / "figure.png")
    plt.close(figure)


def test_messages_have_an_end(inside, say):
    said = say("check", "wide.csv", "--json")
    assert len(said.out) + len(said.err) < 20_000
