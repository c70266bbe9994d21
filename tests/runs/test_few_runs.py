"""`check` and `fit` agree about how many runs are enough."""

from __future__ import annotations

import pytest

from bayes_distill.cards import load_card
from bayes_distill.errors import InputError
from bayes_distill.inference.fit import check_card, default_card
from bayes_distill.runs import Runs, check, read_runs
from bayes_distill.runs.few_runs import NEEDED
from made_sweeps import grid


def tables():
    frame = grid()
    yield "supervised", frame
    yield "distillation", frame.assign(teacher_loss=2.0)
    wide = grid(copies=2)
    yield "mixed", wide.assign(teacher_loss=[2.0] * 16 + [None] * 16)


@pytest.mark.parametrize(("kind", "frame"), list(tables()), ids=NEEDED)
def test_the_default_cards_need_what_check_says(kind, frame):
    least = NEEDED[kind]
    order = list(range(0, len(frame), 2)) + list(range(1, len(frame), 2))
    runs = read_runs(frame.iloc[order].reset_index(drop=True))
    enough = Runs(runs.frame.iloc[:least], "a table")
    assert enough.kind == kind
    check_card(load_card(default_card(enough)), enough)
    with pytest.raises(InputError, match=f"at least {least}"):
        check_card(load_card(default_card(enough)), Runs(runs.frame.iloc[: least - 1], "a table"))
    assert not [n for n in check(enough.frame).notes if "too few" in n]


def test_two_runs_are_a_fault_and_five_are_noted():
    (fault,) = check(grid().iloc[:2]).faults
    assert fault.problem == "2 usable runs: any fit needs at least 3"
    (note,) = check(grid().iloc[::4].reset_index(drop=True)).notes
    assert note.startswith("4 runs are few: a fit is possible, and rests on priors")
    (note,) = check(grid().iloc[:4].assign(teacher_loss=2.0)).notes
    assert note.startswith("4 distillation runs are too few for the default card")


def test_runs_that_are_skipped_do_not_count():
    frame = grid().assign(state=["finished"] * 2 + ["failed"] * 14)
    assert [f.problem for f in check(frame).faults] == ["2 usable runs: any fit needs at least 3"]
