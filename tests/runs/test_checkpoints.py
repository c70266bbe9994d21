"""Rows that are checkpoints of one run."""

from __future__ import annotations

from bayes_distill.runs import read_runs
from bayes_distill.validation.groups import split
from made_sweeps import SIZES, grid


def checkpoints():
    frame = grid()
    return frame.assign(run=[f"lm-{n:.0f}" for n in frame["params"]])


def test_a_name_that_repeats_is_noted_and_is_one_group():
    runs = read_runs(checkpoints())
    (note,) = [note for note in runs.notes if "checkpoints" in note]
    assert note.startswith("Run names repeat: 16 rows are checkpoints of 4 runs (lm-70000000, ")
    assert "treated as one run's" in note
    assert runs.frame["group"].tolist() == runs.frame["run"].tolist()
    left_out = split(runs, "group", min_runs=1)
    assert [int(group.held.sum()) for group in left_out] == [4] * len(SIZES)


def test_groups_of_the_table_stay():
    runs = read_runs(checkpoints().assign(group="a"))
    assert set(runs.frame["group"]) == {"a"}
    assert any("The groups are those of the table." in note for note in runs.notes)


def test_names_of_their_own_and_names_of_a_family_are_no_checkpoints():
    names = [f"r{i}" for i in range(16)]
    for frame in (grid(), grid().assign(run=names)):
        assert "group" not in read_runs(frame).frame
    family = grid().assign(run="pythia", tokens=2e9)
    family["params"] *= [1 + 0.1 * i for i in range(16)]
    assert "group" not in read_runs(family).frame
