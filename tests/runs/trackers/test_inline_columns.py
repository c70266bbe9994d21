"""Columns of a mapping on one line."""

from __future__ import annotations

import pytest

from bayes_distill.errors import InputError
from bayes_distill.runs import check, read_runs
from bayes_distill.runs.trackers.inline_columns import parse_columns
from bayes_distill.runs.trackers.mapping import with_columns
from made_sweeps import grid


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("params=N", {"params": {"from": ["N"], "value": "last"}}),
        (
            "params=config.n*1e6, tokens = batch * steps*1B",
            {
                "params": {"from": ["config.n"], "value": "last", "scale": 1e6},
                "tokens": {"from": ["batch", "steps"], "value": "last", "scale": 1e9},
            },
        ),
        ("loss=min(val/loss)", {"loss": {"from": ["val/loss"], "value": "min"}}),
        ("teacher_loss=2.1", {"teacher_loss": {"constant": 2.1}}),
        ("loss='a,b*c'", {"loss": {"from": ["a,b*c"], "value": "last"}}),
    ],
)
def test_what_is_written(text, columns):
    assert parse_columns(text) == columns


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("params", "'params' is not NAME=SOURCE"),
        ("params=", "is not NAME=SOURCE"),
        ("params=a,params=b", "params is there twice"),
        ("params=a**2", "a factor is missing"),
        ("loss=min(a)*b", "all of the last value"),
    ],
)
def test_what_is_not_a_column(text, words):
    with pytest.raises(InputError, match=words) as caught:
        parse_columns(text)
    assert {fault.column for fault in caught.value.faults} == {"columns"}


def test_runs_in_millions_and_billions():
    frame = grid().assign(params=lambda t: t["params"] / 1e6, tokens=lambda t: t["tokens"] / 1e9)
    frame = frame.rename(columns={"params": "size (M)", "tokens": "data", "loss": "bits"})
    runs = read_runs(frame, columns="params='size (M)'*1e6,tokens=data*1B,loss=bits*0.6931")
    assert runs.frame["params"].tolist() == grid()["params"].tolist()
    assert runs.frame["tokens"].tolist() == grid()["tokens"].tolist()
    assert runs.frame["loss"].iloc[0] == pytest.approx(0.6931 * grid()["loss"].iloc[0])


def test_inline_columns_go_ahead_of_those_of_the_mapping():
    mapping = {"columns": {"params": "size", "loss": "a"}}
    merged = with_columns(mapping, "loss=b")
    assert merged.columns["params"].names == ("size",)
    assert merged.columns["loss"].names == ("b",)
    assert with_columns(None, None) is None


def test_faults_of_both_are_named_at_once():
    report = check(grid(), mapping={"keep": {"stats": "x"}}, columns="parms=N")
    assert [fault.column for fault in report.faults] == [
        "mapping",
        "keep.stats",
        "columns",
        "columns.parms",
    ]
    with pytest.raises(InputError, match="columns: runs that were read already take none"):
        read_runs(read_runs(grid()), columns="loss=L")
