import subprocess
import sys

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_distill.errors import InputError
from bayes_distill.runs import read_runs
from bayes_distill.runs.column_names import ALIASES


def faults_of(source):
    with pytest.raises(InputError) as caught:
        read_runs(source)
    return [(f.row, f.column) for f in caught.value.faults], str(caught.value)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl", ".json"])
def test_every_format_reads_the_same(tmp_path, table, suffix):
    path = tmp_path / f"runs{suffix}"
    if suffix == ".csv":
        table.to_csv(path, index=False)
    elif suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_json(path, orient="records", lines=suffix == ".jsonl", double_precision=15)
    runs = read_runs(path)
    assert runs.fingerprint == read_runs(table).fingerprint
    assert runs.source == str(path)
    pd.testing.assert_frame_equal(runs.frame, table.rename_axis(index="row"))


def test_every_fault_at_once_in_the_order_of_reading(table):
    bad = table.rename(columns={"params": "Model Size"}).astype(object)
    bad.loc[1, "Model Size"] = "seven"
    bad.loc[1, "loss"] = 300
    bad.loc[0, "loss"] = None
    bad.loc[5, "tokens"] = "-2B"
    bad.loc[5, "Model Size"] = 7
    where, text = faults_of(bad)
    assert where == [
        (0, "loss"),
        (1, "Model Size"),
        (1, "loss"),
        (5, "Model Size"),
        (5, "tokens"),
    ]
    assert "row 1, Model Size: 'seven' is not a number" in text


def test_a_missing_column_does_not_hide_bad_cells(table):
    bad = table.drop(columns="tokens").assign(loss=[2.0, "x", 2, 2, 2, 2])
    where, _ = faults_of(bad)
    assert where == [(None, "tokens"), (1, "loss")]


def test_a_row_that_is_too_long_is_named_once(tmp_path):
    (tmp_path / "a.csv").write_text("N,D,L\n1,000,000,000,2e10,2.5\n1e9,2e10,300\n")
    where, _ = faults_of(tmp_path / "a.csv")
    assert where == [(0, None), (1, "L")]


def test_rows_are_counted_from_0_whatever_the_index(table):
    runs = read_runs(table.set_index(pd.Index(list("abcdef"))))
    assert runs.frame.index.tolist() == [0, 1, 2, 3, 4, 5]


def test_tokens_follow_from_flops():
    flops = pd.DataFrame({"Model Size": ["1B", 2e9], "Training FLOP": [1.2e20, "2.4e20"], "L": 2.5})
    assert read_runs(flops).frame["tokens"].tolist() == [2e10, 2e10]


def test_faults_of_flops_are_named_there_and_once():
    bad = pd.DataFrame({"N": ["1B", "x", 1e9, 1e9, 7], "FLOPs": [0, 1e20, 5, None, 1e20], "L": 2.5})
    where, text = faults_of(bad)
    assert where == [(0, "FLOPs"), (1, "N"), (2, "FLOPs"), (3, "FLOPs"), (4, "N")]
    assert "too few for a run: give plain FLOPs" in text


def test_extra_columns_are_dropped_with_a_note(table):
    runs = read_runs(table.assign(colour="red", lr=1e-3))
    assert list(runs.frame) == ["params", "tokens", "loss", "teacher_loss"]
    assert runs.notes[0] == "Columns that are not used: colour, lr."


def test_labels_are_kept(table):
    runs = read_runs(table.assign(run=range(6), group=["a", "a", "b", "b", "", None]))
    assert runs.frame["run"].tolist() == list("012345")
    assert runs.frame["group"].isna().tolist() == [False] * 4 + [True] * 2


def test_runs_pass_through(table):
    runs = read_runs(table)
    assert read_runs(runs) is runs


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("busbridge2024", "did you mean the named data busbridge2025"),
        ("Hoffmann", "did you mean the named data hoffmann2022"),
        ("xyz", "the named data are busbridge2025, hoffmann2022"),
        ("no/such/file.csv", "no such file"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
)
def test_a_path_that_is_none(name, words):
    where, text = faults_of(name)
    assert where == [(None, None)]
    assert words in text


def test_something_else_altogether():
    assert "is a path, a name or a DataFrame, not int" in faults_of(3)[1]
    assert "no rows" in faults_of(pd.DataFrame({"N": [], "D": [], "L": []}))[1]


def test_the_source_is_not_changed(table):
    before = table.copy(deep=True)
    read_runs(table.rename(columns={"params": "N"}))
    read_runs(table)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("name", ["busbridge2025", "hoffmann2022"])
def test_named_data(real_data, name):
    runs = read_runs(name)
    assert runs.source == name
    assert len(runs) == {"busbridge2025": 354, "hoffmann2022": 245}[name]
    assert runs.kind == {"busbridge2025": "distillation", "hoffmann2022": "supervised"}[name]


@given(
    st.fixed_dictionaries({n: st.sampled_from(ALIASES[n]) for n in ("params", "tokens", "loss")})
)
def test_aliases_read_the_same(names):
    frame = pd.DataFrame({"params": [1e9], "tokens": [2e10], "loss": [2.5]})
    assert read_runs(frame.rename(columns=names)).fingerprint == read_runs(frame).fingerprint


def test_importing_is_light():
    heavy = "{'pooch', 'scipy', 'jax'}"
    code = f"import sys, bayes_distill.runs; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "set()"
