"""Columns that are not used and that the losses depend on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_distill.runs import check
from made_sweeps import grid


def notes_on(frame, words):
    return [note for note in check(frame).notes if words in note]


def two_data_sets():
    frame = pd.concat([grid(), grid(seed=1)], ignore_index=True)
    frame["data"] = ["web"] * 16 + ["code"] * 16
    frame.loc[16:, "loss"] *= 0.45
    return frame


def test_two_data_sets_in_one_export_are_asked_about():
    frame = two_data_sets()
    (note,) = notes_on(frame, "Equal params and tokens")
    assert "losses differ by up to 55%" in note or "losses differ by up to 56%" in note
    assert "is column `data` a factor?" in note
    assert '[keep.where] "data" = "web"' in note
    assert notes_on(frame, "sizes swapped") == []


def test_a_column_of_names_is_no_factor():
    frame = two_data_sets()
    frame["data"] = [f"r{i}" for i in range(32)]
    (note,) = notes_on(frame, "Equal params and tokens")
    assert "replicates disagree by more than seeds do" in note


def test_seeds_that_agree_are_no_matter():
    frame = grid(copies=3).assign(seed=np.repeat([0, 1, 2], 16))
    assert notes_on(frame, "Equal params") == []
    assert notes_on(frame, "factor") == []


def test_replicates_that_disagree_without_a_reason():
    frame = grid(copies=2)
    frame.loc[20, "loss"] *= 1.1
    (note,) = notes_on(frame, "Equal params and tokens")
    assert "losses differ by 9% (2 rows, such as 4 and 20)" in note
    assert "are they of one set-up?" in note


@pytest.mark.parametrize("numeric", [True, False])
def test_an_unused_column_that_explains_residuals(numeric):
    rng = np.random.default_rng(3)
    frame = grid(copies=2)
    frame["tokens"] *= rng.uniform(0.8, 1.25, len(frame))  # no replicates
    lr = rng.uniform(0, 1, len(frame))
    frame["loss"] *= 1 + 0.04 * (lr > 0.5) + (0.02 * lr if numeric else 0)
    frame["lr"] = lr if numeric else np.where(lr > 0.5, "high", "low")
    (note,) = notes_on(frame, "is it a factor?")
    assert note.startswith("Column `lr` goes with what params and tokens leave unexplained")


def test_columns_that_explain_nothing_or_are_the_loss_again():
    rng = np.random.default_rng(4)
    frame = grid(copies=3, noise=0.01)
    frame["tokens"] *= rng.uniform(0.8, 1.25, len(frame))
    frame["ppl"] = np.exp(frame["loss"])
    frame["bpb"] = frame["loss"] * 0.3
    frame["seed"] = rng.integers(0, 3, len(frame))
    frame["lr"] = rng.uniform(0, 1, len(frame))
    assert notes_on(frame, "factor") == []


def test_low_perplexities_are_asked_about():
    frame = grid()
    frame["loss"] = np.exp(frame["loss"] * 0.75)
    assert frame["loss"].max() < 20
    (note,) = notes_on(frame, "are they perplexities?")
    assert f"{np.log(frame['loss'].max()):.2f}" in note
    assert notes_on(grid(), "perplexities") == []
    short = grid().assign(tokens=1e8, loss=lambda t: t["loss"] * 2)
    assert notes_on(short, "perplexities") == []


def test_a_teacher_that_is_only_named_is_noted():
    (note,) = notes_on(grid().assign(teacher="7B"), "names teachers")
    assert note.startswith("Column `teacher` names teachers (7B) of 16 runs")
    assert "neither teacher_loss nor teacher_params" in note
    some = grid().assign(teacher_name=["7B"] * 4 + [""] * 12, teacher_loss=[2.0] * 3 + [None] * 13)
    (note,) = notes_on(some, "names teachers")
    assert "of 1 run that" in note
    assert notes_on(grid().assign(teacher=""), "names teachers") == []
