"""Teachers of a table are supervised runs, each once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_distill.cards import load_card
from bayes_distill.inference.model_inputs import model_inputs, reference_point
from bayes_distill.laws import TABLE_6, Supervised
from bayes_distill.laws.base import Reference
from bayes_distill.runs import Runs, read_runs
from bayes_distill.runs.teachers_as_runs import TEACHERS_OF_BUSBRIDGE, teachers_as_runs


def table(**columns) -> Runs:
    frame = pd.DataFrame(
        {
            "params": [1e8, 2e8, 3e8, 1e8, 7e9],
            "tokens": [2e9, 4e9, 6e9, 2e9, 1.4e11],
            "loss": [3.0, 2.8, 2.7, 3.1, 2.0],
            "teacher_loss": [2.5, 2.5, 2.3, 2.6, np.nan],
            "teacher_params": [1e9, 1e9, 3e9, np.nan, np.nan],
            "teacher_tokens": [2e10, 2e10, 6e10, np.nan, np.nan],
        }
        | columns
    )
    return read_runs(frame)


def test_a_teacher_of_several_students_is_one_run():
    found = teachers_as_runs(table())
    np.testing.assert_allclose(found["params"], [3e9, 1e9])
    np.testing.assert_allclose(found["tokens"], [6e10, 2e10])
    np.testing.assert_allclose(found["loss"], [2.3, 2.5])


def test_a_teacher_that_the_table_lists_as_a_run_counts_once():
    listed = table(params=[1e8, 2e8, 3e8, 1e8, 1e9], tokens=[2e9, 4e9, 6e9, 2e9, 2e10])
    frame = listed.frame.copy()
    frame.loc[4, "loss"] = 2.5
    found = teachers_as_runs(Runs(frame, "table"))
    assert list(found["params"]) == [3e9]


def test_teachers_by_loss_alone_are_no_runs():
    bare = table().frame.drop(columns=["teacher_params", "teacher_tokens"])
    assert len(teachers_as_runs(Runs(bare, "table"))) == 0


def test_what_is_known_of_the_named_teachers_agrees_with_table_6():
    law, reference = Supervised(), Reference(1e9, 2e10, 2.4)
    known = np.array(TEACHERS_OF_BUSBRIDGE)
    expected = law.supervised_loss(
        law.from_published(TABLE_6, reference), known[:, 0], known[:, 1], reference
    )
    difference = known[:, 2] / np.asarray(expected) - 1
    assert np.abs(difference).max() < 0.005
    assert np.sqrt((difference**2).mean()) < 0.003  # the card's loss_sd


def test_teachers_inform_the_supervised_law_and_are_not_among_the_runs():
    runs, card = table(), load_card("distillation")
    runs = Runs(runs.frame.iloc[:4], "table")
    reference = reference_point(card, runs.frame)
    alone, _, _, _ = model_inputs(card, runs, reference)
    spec, data, hyper, notes = model_inputs(card, runs, reference, teachers_as_runs(runs))
    assert (alone.kind, spec.kind) == ("distillation", "mixed")
    assert "supervised_scale" in spec.noise_sites
    assert int(np.asarray(data.mask).sum()) == 6
    np.testing.assert_allclose(np.asarray(data.loss)[4:6] * reference.loss, [2.3, 2.5])
    assert np.isnan(np.asarray(data.teacher_loss)[4:6]).all()
    assert any("2 teachers of known size" in note for note in notes)
    # conditions are those of the runs: a teacher has none
    np.testing.assert_allclose(
        np.asarray(hyper["groups"]["condition_params"])[np.asarray(data.condition)[:4]],
        np.asarray(data.params)[:4],
    )
