"""A check of a table in a sentence."""

import pytest

from bayes_distill.runs.words import check_sentence

SOUND = {"rows": 16, "used": 14, "kind": "supervised", "faults": [], "notes": ["A note."]}
FAULT = {"row": 2, "column": "loss", "problem": "is empty"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "x.csv can be fitted: 14 supervised runs, 2 skipped, no faults."),
        ({"used": 16}, "x.csv can be fitted: 16 supervised runs, no faults."),
        (
            {"kind": "distillation", "used": 16},
            "x.csv can be fitted: 16 distilled runs, no faults.",
        ),
        (
            {"notes": ["Is column `data` a factor?"], "used": 16},
            "x.csv can be fitted: 16 supervised runs, no faults. Settle 1 question below first.",
        ),
        (
            {"faults": [FAULT]},
            "x.csv cannot be fitted yet: 1 fault in 1 of 16 rows. Mend it or leave the rows out, "
            "then check again.",
        ),
        (
            {"faults": [{**FAULT, "row": None}] * 2, "kind": None},
            "x.csv cannot be fitted yet: 2 faults. Mend them, then check again.",
        ),
    ],
)
def test_whether_a_table_can_be_fitted(changed, said):
    assert check_sentence({**SOUND, **changed}, "x.csv") == said
