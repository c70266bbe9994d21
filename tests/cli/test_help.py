"""What ``--help`` ends with, and what a shell completes."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest
import typer

from bayes_distill.cli.examples import EXAMPLES
from bayes_distill.cli.main import app


def commands(group=None, words=()):
    """Every command with its words."""
    group = typer.main.get_command(app) if group is None else group
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, (*words, name))
        else:
            yield " ".join((*words, name)), each


ALL = dict(commands())


def test_every_command_has_examples():
    assert set(EXAMPLES) == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_examples_are_calls_of_the_command_with_its_options(name, command):
    answer = command(*name.split(), "--help")
    assert answer.status == 0
    options = {option for parameter in ALL[name].params for option in parameter.opts}
    for line in EXAMPLES[name]:
        assert " ".join(line.split()) in " ".join(answer.out.split())
        words = shlex.split(line)
        assert words[: len(name.split())] == name.split()
        assert {word for word in words if word.startswith("--")} <= options


def test_a_shell_completes_commands_and_options():
    program = (
        "import sys; sys.argv[0] = 'bayes-distill'; from bayes_distill.cli import main; main()"
    )
    for words, wanted in (("fore", "forecast"), ("plan --max-te", "--max-teacher-params")):
        environment = {
            **os.environ,
            "_BAYES_DISTILL_COMPLETE": "complete_bash",
            "COMP_WORDS": f"bayes-distill {words}",
            "COMP_CWORD": str(len(words.split())),
        }
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True
        )
        assert wanted in done.stdout.split()
