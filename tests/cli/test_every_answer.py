"""Every command: a sentence first, 80 columns, and its tables as Markdown and CSV."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
import typer

from bayes_distill.cli import arms, calibrate, demo, fit, update, validate
from bayes_distill.cli import tables as tables_of_the_package
from bayes_distill.cli.demo_ready import Ready
from bayes_distill.cli.main import app
from bayes_distill.cli.shared_options import Common
from bayes_distill.cli.tables import _width, tables_as
from bayes_distill.comparison.arms import arms as compared
from made_arms import made_up_arms
from studies import made_up_update, random_study
from validations import made_up_validation

NARROW = 80
RUNS = "params,tokens,loss,note\n" + "".join(
    f"{n}M,{20 * n}M,{3 - n / 1000:.2f},{'a' * 90}\n" for n in (100, 200, 400, 800)
)
TEACHERS = "name,loss,params,tokens\nours,2.0,7B,140B\nold,2.3,1B,20B\n"
SHARES = "loss,quiz\n3.1,0.1\n2.9,0.2\n2.7,0.4\n2.5,0.5\n2.4,0.6\n2.2,0.7\n"
STUDENT = ("--params", "1B,3B", "--tokens", "100B")
BUDGETS = ("--budget", "40 PF-days,10000 GPU-hours", "--device", "h100", "--price", "2.5")
SCENARIO = ("--scenario", "teacher-pretraining-and-inference")
COMMANDS = {
    "check": ("check", "runs.csv"),
    "check faults": ("check", "faulty.csv"),
    "forecast": ("forecast", "FIT", *STUDENT, "--teacher-loss", "2.0"),
    "accuracy": ("accuracy", "SUPERVISED", "shares.csv", "--column", "quiz", *STUDENT),
    "risk": ("risk", "FIT", *STUDENT, "--teacher-loss", "2", "--teachers", "teachers.csv"),
    "plan": (
        "plan",
        "FIT",
        "--params",
        "1B",
        *BUDGETS,
        *SCENARIO,
        "--draws",
        "8",
        "--no-crossovers",
    ),
    "compare": ("compare", "one.nc", "two.nc"),
    "predictive": ("predictive", "SUPERVISED"),
    "sensitivity": ("sensitivity", "SUPERVISED"),
    "identify": ("identify", "SUPERVISED", "--draws", "100"),
    "design": ("design", "SUPERVISED", "--budget", "1e20", "--batch", "3", "--draws", "200"),
    "score": ("score", "forecasts.jsonl", "runs.csv"),
    "verify": ("verify", "forecasts.jsonl"),
    "simulate": ("simulate", "supervised-plain", "--design", "chinchilla", "--out", "new.csv"),
    "models list": ("models", "list"),
    "datasets list": ("datasets", "list"),
    "plot list": ("plot", "--list"),
    "arms": arms,
    "fit": fit,
    "update": update,
    "validate": validate,
    "calibrate": calibrate,
}
"""Calls of the commands that print answers; modules where a call would sample for long."""
NO_ANSWERS = {"models show", "datasets fetch", "report", "plot", "demo"}
"""Commands that print a file, where one is, or pictures."""


@pytest.fixture
def recorded(monkeypatch):
    """Arguments of the tables that are printed."""
    tables = []
    formatted = tables_of_the_package.formatted

    def noted(title, header, rows, caption=None, left=1):
        tables.append((title, header, [list(row) for row in rows], caption, left))
        return formatted(*tables[-1])

    monkeypatch.setattr(tables_of_the_package, "formatted", noted)
    return tables


@pytest.fixture
def printed(command, capsys, workplace, scattered_file, chinchilla, monkeypatch):
    """What a command prints on stdout at 80 columns."""
    monkeypatch.setenv("COLUMNS", str(NARROW))
    (workplace / "runs.csv").write_text(RUNS)
    (workplace / "faulty.csv").write_text(RUNS + f"1B,x,{'2' * 70},b\n")
    (workplace / "teachers.csv").write_text(TEACHERS)
    (workplace / "shares.csv").write_text(SHARES)

    def call(name):
        asked = COMMANDS[name]
        if isinstance(asked, tuple):
            if name == "compare":
                for each in asked[1:]:
                    chinchilla.posterior.save(workplace / each)
            if "forecasts.jsonl" in asked:
                made = ("--params", "100M", "--tokens", "2B", "--register", "forecasts.jsonl")
                command("forecast", scattered_file, *made)
            files = {"FIT": scattered_file, "SUPERVISED": chinchilla.file}
            return command(*(files.get(word, word) for word in asked)).out
        capsys.readouterr()
        if asked is fit:
            fit.print_fit(chinchilla.posterior, Path("fit.nc"), Common(quiet=True))
        elif asked is update:
            update._print(made_up_update(chinchilla.posterior), Path("new.nc"), Common(quiet=True))
        elif asked is arms:
            arms._print(compared(made_up_arms(), at="params=1B,tokens=20B"), "90%")
        elif asked is validate:
            validate._print(made_up_validation(chinchilla.posterior, 0.25, factors=(3.0, 10.0)))
        else:
            calibrate._print(random_study(), None)
        return capsys.readouterr().out

    return call


@pytest.mark.parametrize("name", COMMANDS)
def test_a_sentence_comes_first_and_all_fits_a_narrow_terminal(name, printed, recorded):
    lines = printed(name).splitlines()
    assert [line for line in lines if _width(line) > NARROW] == []
    assert [line for line in lines if line != line.rstrip()] == []
    first = " ".join(lines[: lines.index("")])
    assert re.search(r"[.)]$", first), first
    assert len(first.split()) > 8
    assert recorded or name.startswith(("check", "verify"))
    for table in list(recorded):
        header, rows = table[1:3]
        with tables_as("csv"):
            text = tables_of_the_package.formatted(*table)
            cells = list(csv.reader(io.StringIO(text)))
        assert len(cells) == len(rows) + 1 > 1
        assert {len(row) for row in cells} == {len(header)}
        with tables_as("md"):
            text = tables_of_the_package.formatted(*table)
        assert len([line for line in text.splitlines() if line.startswith("| ")]) == len(rows) + 2


@pytest.mark.parametrize("form", ["csv", "md"])
def test_findings_of_a_check_are_a_table_too(form, command, workplace):
    (workplace / "faulty.csv").write_text(RUNS + "1B,x,2.2,b\n")
    answer = command("check", "faulty.csv", f"--{form}")
    assert answer.status == 2
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.out)))
        fault = next(row for row in rows if row["kind"] == "fault")
        assert (fault["row"], fault["column"]) == ("4", "tokens")
        assert "cannot be fitted yet: 1 fault in 1 of 5 rows" in answer.err
    else:
        assert "| fault | 4 | tokens | 'x' is not a number" in answer.out


def test_the_first_part_of_the_demo_fits_a_narrow_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(NARROW))
    demo._print_ready(Ready(("A sentence of the forecast that goes on. " * 5,), {"seconds": 9.0}))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= NARROW
    assert len(lines) > 4


def test_every_command_that_prints_an_answer_is_here():
    named = {*COMMANDS, *NO_ANSWERS} - {"check faults", "plot list"}
    group = typer.main.get_command(app)
    every = {
        f"{name} {inner}" if inner else name
        for name, each in group.commands.items()
        for inner in getattr(each, "commands", {"": None})
    }
    assert every == named


@pytest.mark.parametrize("name", sorted(NO_ANSWERS - {"models show"}))
def test_others_take_the_same_options(name):
    group = typer.main.get_command(app)
    for word in name.split():
        group = group.commands[word]
    options = {option for parameter in group.params for option in parameter.opts}
    assert {"--json", "--md", "--csv", "--quiet"} <= options
