"""Progress: a bar on a terminal, lines elsewhere, and neither for short or quiet work."""

from __future__ import annotations

import pytest
from rich.console import Console

from bayes_distill.cli import output
from bayes_distill.cli.output import progress_bar


class Clock:
    """Time that passes when it is told to."""

    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(output, "time", clock)
    return clock


def work(clock, **options):
    with progress_bar(False, **options) as report:
        for done in range(5):
            report("planning", done, 4)
            clock.now += 1.0


def test_lines_where_there_is_no_terminal(clock, capsys):
    work(clock)
    said = capsys.readouterr()
    assert said.err.splitlines() == [f"planning {25 * k}% ..." for k in range(5)]
    assert said.out == ""
    work(clock, lines=False)
    assert capsys.readouterr().err == ""


def test_nothing_is_shown_before_its_time(clock, capsys):
    work(clock, after=2.5)
    assert capsys.readouterr().err.splitlines() == ["planning 75% ...", "planning 100% ..."]
    work(clock, after=60)
    assert capsys.readouterr().err == ""


def test_a_bar_on_a_terminal_comes_late_and_goes_away(clock, capsys, monkeypatch):
    monkeypatch.setattr(Console, "is_terminal", True)
    work(clock, after=60)
    assert capsys.readouterr().err == ""
    for options in ({}, {"after": 2.5}):
        work(clock, **options)
        assert "planning" in capsys.readouterr().err


def test_quiet_shows_nothing(capsys):
    with progress_bar(True) as report:
        assert report is None
    assert capsys.readouterr().err == ""
