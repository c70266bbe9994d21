import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_distill.errors import InputError
from bayes_distill.runs import Runs, read_runs


def test_kind(table):
    assert read_runs(table).kind == "mixed"
    assert read_runs(table[:4]).kind == "distillation"
    assert read_runs(table[4:]).kind == "supervised"
    assert read_runs(table.drop(columns="teacher_loss")).kind == "supervised"


def test_a_teacher_known_by_its_size_is_a_teacher(table):
    sized = table[4:].assign(teacher_params="7B", teacher_tokens="140B")
    runs = read_runs(sized)
    assert runs.kind == "distillation"
    assert runs.distilled.tolist() == [True, True]


def test_fingerprint_is_about_the_numbers_alone(table):
    known = read_runs(table).fingerprint
    assert len(known) == 64
    renamed = table.rename(columns={"params": "N", "loss": "val_loss"})[
        ["val_loss", "teacher_loss", "tokens", "N"]
    ]
    assert read_runs(renamed).fingerprint == known
    assert read_runs(table.assign(group="a", other=1)).fingerprint == known
    assert read_runs(table.assign(tokens=["2B", "4B", "8B", "16B", "20B", "4e10"])).fingerprint == (
        known
    )
    assert read_runs(table.assign(teacher_params=None, teacher_tokens=None)).fingerprint == known


def test_fingerprint_sees_every_change(table):
    prints = {
        read_runs(changed).fingerprint
        for changed in (
            table,
            table[::-1],
            table[:-1],
            table.assign(loss=table.loss + 1e-12),
            table.assign(teacher_loss=None),
            table.assign(teacher_params=7e9, teacher_tokens=1e11),
            table.assign(teacher_loss_se=table.teacher_loss / 1000),
        )
    }
    assert len(prints) == 7


def test_fingerprint_knows_which_column_a_number_is_in(table):
    plain = table.drop(columns="teacher_loss")
    one = Runs(plain.assign(teacher_loss=0.5), "one")
    two = Runs(plain.assign(teacher_loss_se=0.5), "two")
    assert one.fingerprint != two.fingerprint


def test_where_keeps_row_numbers_and_says_so(table):
    runs = read_runs(table).where("loss < 2.6 and teacher_loss > 2")
    assert runs.frame.index.tolist() == [2, 3]
    assert len(runs) == 2
    assert runs.notes[-1] == "2 of 6 runs are used: those with loss < 2.6 and teacher_loss > 2."


@pytest.mark.parametrize("expr", ["row != 3", "index != 3", "tokens / params > 0 and row != 3"])
def test_where_knows_the_row(table, expr):
    assert read_runs(table).where(expr).frame.index.tolist() == [0, 1, 2, 4, 5]


def test_where_knows_groups(table):
    runs = read_runs(table.assign(group=["a", "a", "b", "b", "c", None])).where("group == 'b'")
    assert runs.frame.index.tolist() == [2, 3]


@pytest.mark.parametrize(
    "expr",
    [
        "",
        "loss <",
        "lossy < 2",
        "loss",
        "loss * 2",
        "loss = 3",
        "@pd",
        "import os",
        "1 < 2",
        "__import__('os').getcwd() == 1",
        "loss < 'a'",
    ],
)
def test_a_bad_condition_is_one_fault_that_names_the_columns(table, expr):
    with pytest.raises(InputError, match="columns: params, tokens, loss, teacher_loss") as caught:
        read_runs(table).where(expr)
    assert len(caught.value.faults) == 1


def test_a_condition_that_leaves_nothing_is_a_fault(table):
    with pytest.raises(InputError, match="none of the 6 runs"):
        read_runs(table).where("loss > 10")


def test_frames_are_checked(table):
    assert read_runs(table).source == "DataFrame"
    with pytest.raises(InputError, match="perplexity"):
        read_runs(table.assign(loss=30.0))


def test_a_frame_that_was_never_read_is_refused(table):
    with pytest.raises(TypeError, match="read_runs"):
        Runs(table.rename(columns={"loss": "L"}), "mine")


@given(st.permutations(["params", "tokens", "loss", "teacher_loss"]))
def test_fingerprint_does_not_depend_on_the_order_of_columns(order):
    frame = pd.DataFrame({"params": [1e9], "tokens": [2e10], "loss": [2.5], "teacher_loss": [2.0]})
    assert read_runs(frame[order]).fingerprint == read_runs(frame).fingerprint
