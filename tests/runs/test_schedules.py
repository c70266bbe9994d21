"""Checkpoints before the end of a decay are kept out, with the reason."""

from __future__ import annotations

import pytest

from bayes_distill.cards import card_from_dict
from bayes_distill.runs import check, read_runs
from bayes_distill.runs.schedules import decays
from made_sweeps import grid

READS_DECAY = {
    "name": "decay",
    "formula": "E + A / (params / 1e9)**alpha + B / (tokens / 1e10)**beta + u * (1 - decayed)",
    "inputs": {"decayed": {"meaning": "share of the decay", "default": 1.0, "range": [0.0, 1.0]}},
    "priors": {
        name: {"family": "lognormal", "median": 0.4, "sd": 0.5}
        for name in ("E", "A", "B", "alpha", "beta", "u")
    },
}


def checkpoints(schedule, name="schedule"):
    frame = grid()
    return frame.assign(run=[f"lm-{n:.0f}" for n in frame["params"]], **{name: schedule})


def test_of_a_decaying_schedule_the_last_checkpoint_counts():
    runs = read_runs(checkpoints("Cosine with warmup"))
    assert runs.frame["tokens"].tolist() == [30e9] * 4
    assert len(runs.skipped) == 12
    assert runs.skipped[0].row == 0
    assert "before the end of its Cosine with warmup schedule" in runs.skipped[0].reason
    assert "group" not in runs.frame
    assert any("12 checkpoints of 4 runs are kept out" in note for note in runs.notes)
    assert not any("not used" in note for note in runs.notes)
    report = check(checkpoints("linear", name="config.lr_scheduler_type"))
    assert (report.rows, len(report.skipped), report.faults) == (16, 12, ())


@pytest.mark.parametrize("schedule", ["constant", "WSD", "warmup-stable-decay"])
def test_of_a_schedule_without_a_horizon_all_count(schedule):
    runs = read_runs(checkpoints(schedule))
    assert (len(runs), runs.skipped) == (16, ())
    (note,) = [note for note in runs.notes if "checkpoints" in note]
    assert "which share its luck" in note
    assert "schedule" not in note


def test_each_run_has_its_own_schedule_and_unknown_ones_are_noted():
    mixed = ["cosine"] * 4 + ["wsd"] * 4 + ["mystery"] * 4 + [None] * 4
    runs = read_runs(checkpoints(mixed))
    assert runs.frame["params"].value_counts().tolist() == [4, 4, 4, 1]
    assert any("8 checkpoints of runs of an unknown schedule (mystery, " in n for n in runs.notes)


def test_runs_of_one_row_are_whole_whatever_their_schedule():
    assert len(read_runs(grid().assign(schedule="cosine"))) == 16
    alone = checkpoints("cosine").assign(run=[f"r{i}" for i in range(16)])
    assert read_runs(alone).skipped == ()


def test_a_law_that_reads_where_a_checkpoint_is_keeps_all():
    law = card_from_dict(READS_DECAY, "decay").scaling_law
    table = checkpoints("cosine").assign(decayed=0.5)
    assert len(read_runs(table, law=law)) == 16
    assert len(read_runs(table)) == 4


def test_names_of_schedules():
    assert [decays(n) for n in ("constant_with_warmup", "inverse sqrt", "", None, "poly")] == [
        False,
        False,
        None,
        None,
        True,
    ]
