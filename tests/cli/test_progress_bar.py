"""Progress: a bar on a terminal, lines elsewhere, and neither for short or quiet work."""

from __future__ import annotations

import time

import pytest
from rich.console import Console

from bayes_distill.cli import output
from bayes_distill.cli.output import late_bar, progress_bar


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
    assert said.err.splitlines() == [
        "planning 0% ...",
        "planning 25% ...",
        "planning 50% ... about 2 s left",
        "planning 75% ... about 1 s left",
        "planning 100% ...",
    ]
    assert said.out == ""
    work(clock, lines_after=60)
    assert capsys.readouterr().err == ""


def test_questions_say_how_far_they_are_where_there_is_no_terminal(clock, capsys):
    with late_bar(False) as report:
        for done in range(5):
            report("forecasting", done, 4)
            clock.now += 4.0
    assert capsys.readouterr().err.splitlines() == [
        "forecasting 75% ... about 4 s left",
        "forecasting 100% ...",
    ]


def test_nothing_is_shown_before_its_time(clock, capsys):
    work(clock, after=2.5)
    assert capsys.readouterr().err.splitlines() == [
        "planning 75% ... about 1 s left",
        "planning 100% ...",
    ]
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


def test_the_time_left_is_that_of_a_phase(clock, capsys):
    with progress_bar(False) as report:
        report("reading", 1, 1)
        clock.now += 1000
        report("sampling", 0, 10)
        clock.now += 100
        report("sampling", 5, 10)
        clock.now += 300
        report("sampling", 8, 10)
    assert capsys.readouterr().err.splitlines() == [
        "reading ...",
        "sampling 0% ...",
        "sampling 50% ... about 2 min left",
        "sampling 75% ... about 2 min left",
    ]


def test_work_that_reports_nothing_is_seen_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(Console, "is_terminal", True)
    with progress_bar(False, after=0.05) as report:
        report("simulating", 0, 1)
        time.sleep(0.3)
    assert "simulating" in capsys.readouterr().err
    with progress_bar(False, after=60) as report:
        report("simulating", 0, 1)
    assert capsys.readouterr().err == ""
