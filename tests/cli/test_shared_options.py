"""Groups of options in the signature of a command, and tables of records."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import pytest

from bayes_distill.cli.options import Tokens
from bayes_distill.cli.output import print_records
from bayes_distill.cli.shared_options import Common, Students, spread_options
from bayes_distill.errors import Fault, InputError


@dataclass(frozen=True)
class RepeatedStudents(Students):
    """A group that replaces a default and adds an option."""

    params: Tokens = "1B"
    unique_tokens: Tokens = None


@spread_options
def command(fit: str, *, students: RepeatedStudents, draws: str = "4000", common: Common) -> str:
    """What the command does."""
    return f"{fit} {students.params} {students.tokens} {draws} {common.seed}"


def test_a_group_stands_for_its_options_in_their_order():
    parameters = inspect.signature(command, eval_str=True).parameters
    teacher = ["teacher_loss", "teacher_params", "teacher_tokens"]
    students = ["params", "tokens", *teacher, "unique_tokens"]
    common = ["json", "md", "csv", "seed", "interval", "quiet"]
    assert list(parameters) == ["fit", *students, "draws", *common]
    assert parameters["params"].default == "1B"
    assert parameters["params"].annotation == Tokens
    assert command.__doc__ == "What the command does."


def test_the_call_makes_the_groups():
    options = {name: p.default for name, p in inspect.signature(command).parameters.items()}
    assert (
        command(**{**options, "fit": "a.nc", "tokens": "20B", "seed": "7"}) == "a.nc 1B 20B 4000 7"
    )


def test_faults_of_options_come_before_those_of_the_call_and_each_once():
    question = Common(seed="x").question()
    again = question.faults[0]
    with pytest.raises(InputError) as caught, question.joined():
        raise InputError([Fault("is needed", column="params"), again])
    assert [fault.column for fault in caught.value.faults] == ["seed", "params"]
    with pytest.raises(InputError) as caught, question.joined():
        pass
    assert list(caught.value.faults) == [again]


def test_cells_of_records_are_formats(capsys):
    records = [
        {"name": "a", "params": 1.5e9, "p": 0.256},
        {"name": "b", "params": float("nan"), "p": 1},
    ]
    print_records("Title", records, [("name", "{name}"), ("size", "{params!q}"), ("p", "{p:.1%}")])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["a", "1.5B", "25.6%"] in rows
    assert ["b", "-", "100.0%"] in rows
