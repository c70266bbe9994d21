"""Tables at the width of the terminal, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
import re

import pytest

from bayes_distill.cli.output import echo, print_table
from bayes_distill.cli.plan_tables import OF_A_RECIPE
from bayes_distill.cli.tables import tables_as

HEADER = [
    "student",
    "budget",
    *OF_A_RECIPE,
    "shares",
    "loss",
    "90% credible",
    "regret",
    "P(beats supervised)",
]
ROWS = [
    f"{n}B,1e+22,514.9B,7.81B,1.2T,1.998,20/30/50,2.{n}911,2.1853 to 2.2034,0.0049,0.06".split(",")
    for n in (1, 3, 7)
]


@pytest.fixture
def printed(capsys, monkeypatch):
    """A table as it is printed at some width."""

    def call(width, *table, **options):
        if width is None:
            monkeypatch.delenv("COLUMNS", raising=False)
        else:
            monkeypatch.setenv("COLUMNS", str(width))
        capsys.readouterr()
        print_table(*table, **options)
        return capsys.readouterr().out

    return call


@pytest.mark.parametrize("width", [60, 80, 100, 129, 160, None])
def test_numbers_are_whole_and_every_record_is_a_row(printed, width):
    text = printed(width, "best-case: one recipe", HEADER, ROWS, "A caption. " * 20, left=0)
    lines = text.splitlines()
    assert max(map(len, lines)) <= (width or 160)
    assert [line for line in lines if line != line.rstrip()] == []
    for row in ROWS:
        for cell in row:
            assert re.search(rf"(^|\s){re.escape(cell)}(\s|$)", text, re.MULTILINE), cell
    parts = text.count("─ \n") + len(re.findall("─$", text, re.MULTILINE))
    assert len([line for line in lines if line.lstrip().startswith("7B ")]) == parts
    assert parts == {60: 3, 80: 2, 100: 2}.get(width, 1)


def test_headers_give_way_before_a_table_is_parted(printed):
    header, rows = ["name", "P(beats supervised)"], [["a", "1.00"], ["b", "0.06"]]
    lines = printed(24, "T", header, rows).splitlines()
    assert [line.split() for line in lines[2:4]] == [["P(beats"], ["name", "supervised)"]]
    assert ["a", "1.00"] in [line.split() for line in lines]


def test_headers_take_the_room_that_is_left(printed):
    header, rows = ["name", "90% of the draws"], [["a", "none"], ["b", "none"]]
    assert [line.strip() for line in printed(23, "T", header, rows).splitlines()[2:4]] == [
        "90% of the",
        "name           draws",
    ]


def test_prose_is_wrapped_and_not_parted(printed):
    rows = [["alpha", "7", "a long piece of advice that goes on for quite some time"]]
    lines = printed(50, "T", ["check", "value", "advice"], rows, left=3).splitlines()
    assert max(map(len, lines)) <= 50
    assert " ".join(" ".join(line[16:].split()) for line in lines[4:]).strip() == rows[0][2]


def test_a_name_of_any_length_leaves_a_table_that_can_be_read(printed):
    rows = [["x" * 50_000, "1"], ["short", "2"]]
    text = printed(80, "T", ["name", "number"], rows)
    assert len(text) < 1000
    assert f"{'x' * 60}..." in text
    assert "short" in text


def test_wide_characters_take_two_columns(printed):
    lines = printed(80, "T", ["name", "n"], [["模型", "1"], ["abcd", "2"]]).splitlines()
    assert lines[4:6] == ["  模型   1", "  abcd   2"]


def test_markdown(printed):
    with tables_as("md"):
        text = printed(80, "T", ["name", "n"], [["a|b", "1"]], "Words.")
        assert text == "**T**\n\n| name | n |\n| --- | ---: |\n| a\\|b | 1 |\n\nWords.\n"
        assert printed(80, "T", ["n"], [["1"]]).startswith("\n**T**")


def test_csv_has_only_the_table_on_stdout(capsys):
    with tables_as("csv"):
        print_table("T", ["name", "x"], [["=cmd()", "-1.5"], ["a,b", "-"]], "Words.")
        echo("a sentence")
    said = capsys.readouterr()
    assert list(csv.reader(io.StringIO(said.out))) == [
        ["name", "x"],
        ["'=cmd()", "-1.5"],
        ["a,b", ""],
    ]
    assert said.err == "T\nWords.\na sentence\n"


def test_every_form_of_a_command(command):
    rows = list(csv.reader(io.StringIO(command("models", "list", "--csv").out)))
    assert rows[0] == ["name", "law", "data", "ready to use", "title"]
    assert "supervised" in [row[0] for row in rows]
    assert "\n\n**Model cards**\n\n| name |" in command("models", "list", "--md").out
    command("models", "list", "--md", "--json").check_refused("--json: goes without --md")


@pytest.mark.parametrize("width", ["80", "129"])
def test_tables_of_a_plan_at_80_columns(command, scattered_file, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    scenarios = "best-case,teacher-pretraining-and-inference"
    answer = command(
        "plan", scattered_file, "--params", "1B", "--budget", "1e21,1e22", "--scenario", scenarios
    )
    lines = answer.out.splitlines()
    assert max(map(len, lines)) <= int(width)
    assert [line for line in lines if line != line.rstrip()] == []
    told = [line for line in lines if line.startswith("  teacher-pretraining-and-inference, 1B")]
    assert len(told) >= 1
