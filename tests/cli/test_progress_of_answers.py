"""Progress of answers: counted by the functions, shown by the commands after two seconds."""

from __future__ import annotations

import pytest
from rich.console import Console

from bayes_distill import forecast, identify, predictive, risk, sensitivity
from bayes_distill._input.progress import steps
from bayes_distill.cli import output

STUDENT = {"params": "1B,2B,3B", "tokens": "20B"}
CALLS = {
    "forecasting": (forecast, "scattered", STUDENT),
    "best teachers": (risk, "scattered", {**STUDENT, "teacher_loss": 2.0}),
    "next runs": (identify, "chinchilla", {"draws": 100}),
    "checking": (predictive, "chinchilla", {}),
    "scaling priors": (sensitivity, "chinchilla", {}),
}


@pytest.fixture
def asked(request, scattered, chinchilla):
    def of(phase):
        call, name, arguments = CALLS[phase]
        posterior = scattered if name == "scattered" else chinchilla.posterior
        return lambda progress: call(posterior, **arguments, progress=progress)

    return of


@pytest.mark.parametrize("phase", CALLS)
def test_every_part_is_counted_up_to_all_of_them(phase, asked):
    told = []
    asked(phase)(lambda *told_now: told.append(told_now))
    mine = [(done, total) for name, done, total in told if name == phase]
    assert mine == [(done, mine[0][1]) for done in range(mine[0][1] + 1)]
    assert mine[0][1] >= 1


def test_no_more_is_counted_than_there_is():
    told = []
    step = steps(lambda *told_now: told.append(told_now), "phase", 2)
    for _ in range(3):
        step()
    assert told == [("phase", 0, 2), ("phase", 1, 2), ("phase", 2, 2), ("phase", 2, 2)]
    steps(None, "phase", 2)()  # nobody listens


COMMANDS = {
    "forecasting": ("forecast", "--params", "1B", "--tokens", "20B"),
    "best teachers": ("risk", "--params", "1B", "--tokens", "20B", "--teacher-loss", "2"),
    "next runs": ("identify", "--draws", "100"),
    "checking": ("predictive",),
    "scaling priors": ("sensitivity",),
}


@pytest.mark.parametrize("phase", COMMANDS)
def test_a_bar_on_a_terminal_alone(phase, command, scattered_file, chinchilla, monkeypatch):
    name, *options = COMMANDS[phase]
    file = scattered_file if name in ("forecast", "risk") else chinchilla.file
    monkeypatch.setattr(output, "SHORT", 0.0)  # as if it had taken long
    if name == "forecast":  # where it is piped, and where nobody wants it
        assert phase not in command(name, file, *options, "--json").err
    monkeypatch.setattr(Console, "is_terminal", True)
    assert phase in command(name, file, *options, "--json").err
    if name == "forecast":
        assert command(name, file, *options, "--json", "--quiet").err == ""
