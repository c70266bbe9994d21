"""States of runs, under the names that trackers give them."""

from __future__ import annotations

import pytest

from bayes_distill.errors import InputError
from bayes_distill.runs import check, read_runs
from made_sweeps import grid


def with_states(column, states):
    frame = grid().assign(**{column: states[0]})
    for row, state in enumerate(states[1:]):
        frame.loc[row, column] = state
    return frame


@pytest.mark.parametrize(
    ("column", "states"),
    [
        ("Status", ["FINISHED", "FAILED", "RUNNING"]),
        ("State", ["finished", "crashed", "killed"]),
        ("run_state", ["finished", "crashed", "running"]),
        ("run.status", ["completed", "error", "pending"]),
        ("Job State", ["success", "OOM", "timeout"]),
    ],
)
def test_unfinished_runs_are_left_out_with_the_reason(column, states):
    runs = read_runs(with_states(column, states))
    assert [s.row for s in runs.skipped] == [0, 1]
    assert runs.skipped[0].reason == f"its state is {states[1].casefold()}, not finished"
    assert any(note.startswith("14 used, 2 skipped: ") for note in runs.notes)
    assert check(with_states(column, states)).to_json()["used"] == 14


def test_the_names_of_mlflows_own_download():
    frame = with_states("Status", ["FINISHED", "FAILED"]).rename(columns={"loss": "val_loss"})
    frame.insert(0, "Start Time", "2026-01-01 10:00:00")
    frame.insert(1, "Run ID", [f"{i:032d}" for i in range(len(frame))])
    frame.insert(2, "Name", [f"r{i}" for i in range(len(frame))])
    runs = read_runs(frame)
    assert runs.frame["run"].tolist()[:2] == ["r1", "r2"]
    assert [(s.row, s.run) for s in runs.skipped] == [(0, "r0")]


def test_what_the_mapping_says_of_states_is_applied():
    frame = with_states("run_state", ["finished", "crashed", "running"])
    runs = read_runs(frame, mapping={"keep": {"states": ["finished", "crashed"]}})
    assert [s.row for s in runs.skipped] == [1]
    assert read_runs(frame, mapping={"keep": {"states": []}}).skipped == ()
    assert len(read_runs(frame, mapping={"keep": {"states": ["done"]}})) == 14


def test_settings_that_cannot_be_applied_are_faults():
    with pytest.raises(InputError) as caught:
        read_runs(grid(), mapping={"keep": {"states": "finished", "duplicates": "newest"}})
    assert [f.column for f in caught.value.faults] == ["keep.states", "keep.duplicates"]
    assert "no column of states" in caught.value.faults[0].problem
    assert len(read_runs(grid(), mapping={"keep": {"duplicates": "all"}})) == 16


def test_a_column_called_status_with_other_words_is_none():
    frame = with_states("status", ["Ohio", "finished"])
    assert read_runs(frame).skipped == ()
