import numpy as np
import pandas as pd
import pytest

from bayes_distill.runs import check, chinchilla_design, read_runs
from bayes_distill.runs.data_quality import quality_notes, rows_text
from bayes_distill.runs.outliers import suspected_outliers


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([3], "row 3"),
        ([4, 3], "rows 3 and 4"),
        ([0, 1, 2, 3, 4], "rows 0 to 4"),
        ([0, 1, 2, 7, 9, 10], "rows 0 to 2, 7, 9 and 10"),
        (range(0, 40, 2), "rows 0, 2, 4, 6, 8, 10, 12, 14 and 12 more"),
    ],
)
def test_rows_are_named_as_people_do(rows, text):
    assert rows_text(rows) == text


def test_nothing_odd_gives_no_note(table):
    assert quality_notes(read_runs(table).frame) == []


def note_on(frame, words):
    notes = [note for note in quality_notes(frame) if words in note]
    assert len(notes) == 1, quality_notes(frame)
    return notes[0]


def test_duplicates(table):
    twice = pd.concat([table, table.iloc[[1, 4]]], ignore_index=True)
    assert "2 runs repeat another" in note_on(twice, "repeat")
    assert "rows 1, 4, 6 and 7" in note_on(twice, "repeat")
    assert not [n for n in quality_notes(twice) if "Near" in n]


def test_near_duplicates(table):
    near = table.iloc[[1]].assign(tokens=4.02e9, loss=2.701)
    other_teacher = near.assign(tokens=4.01e9, teacher_loss=2.1005)
    far = near.assign(tokens=4.09e9)
    frame = pd.concat([table, near, other_teacher, far], ignore_index=True)
    assert note_on(frame, "Near-duplicates").endswith("rows 1 and 6.")


def test_students_below_their_teacher(table):
    frame = table.assign(teacher_loss=[2.1, 2.75, 2.5, 2.41, None, None])
    note = note_on(frame, "below their teacher")
    assert note.startswith("2 of 4 students")
    assert note.endswith("rows 1 and 3.")


def test_a_larger_model_that_is_worse(table):
    worse = table.iloc[[1]].assign(params=3e8, loss=2.72)
    hardly = table.iloc[[1]].assign(params=3e8, loss=2.705)
    other = table.iloc[[1]].assign(params=3e8, loss=2.9, teacher_loss=2.0)
    frame = pd.concat([table, worse, hardly, other], ignore_index=True)
    note = note_on(frame, "larger model is worse")
    assert note.endswith("row 6 (300M, 2.72) against row 1 (200M, 2.7).")


def test_extreme_tokens_per_parameter(table):
    frame = table.assign(tokens=[1e6, 4e9, 8e9, 16e9, 2e10, 1e15])
    assert "rows 0 and 5" in note_on(frame, "Tokens per parameter")


def sweep():
    frame = chinchilla_design()
    noise = np.random.default_rng(0).normal(0, 0.003, len(frame))
    loss = 1.7 + 400 / frame["params"] ** 0.34 + 410 / frame["tokens"] ** 0.28
    return frame.assign(loss=loss * np.exp(noise))


def test_outliers_are_those_that_were_put_there():
    frame = sweep()
    assert suspected_outliers(frame) == []
    frame.loc[[3, 100, 224], "loss"] *= 1.15
    frame.loc[50, "loss"] /= 1.15  # far below: no outlier in this sense
    assert suspected_outliers(frame) == [3, 100, 224]
    assert "rows 3, 100 and 224" in note_on(frame, "Suspected outliers")


def test_few_runs_say_nothing_of_outliers():
    frame = sweep().iloc[::13].copy()
    frame.iloc[2, 2] *= 2
    assert len(frame) == 18
    assert suspected_outliers(frame) == [26]
    assert suspected_outliers(frame.iloc[:17]) == []
    assert suspected_outliers(frame.iloc[:0]) == []


def test_swapped_labels_of_busbridge_show_as_extracted_and_only_then(real_data):
    def larger(corrections):
        notes = check("busbridge2025", corrections=corrections).notes
        return [note for note in notes if "larger model is worse" in note]

    assert larger(True) == []
    (note,) = larger(False)
    assert "row 349 (7.75B" in note
    assert "row 350 (7.75B" in note


def test_what_is_known_of_the_real_tables(real_data):
    busbridge = " ".join(check("busbridge2025").notes)
    assert "41 of 354 students end below their teacher" in busbridge
    assert "Suspected outliers" not in busbridge
    hoffmann = " ".join(check("hoffmann2022").notes)
    assert "Suspected outliers: rows 0 to 4 have" in hoffmann
    assert "rows 63 and 88, 220 and 230" in hoffmann
