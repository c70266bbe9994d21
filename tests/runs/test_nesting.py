"""Dictionaries in cells, as APIs and loggers write them."""

from __future__ import annotations

import json

import pytest

from bayes_distill.runs import check, read_runs
from bayes_distill.runs.formats import Cells
from bayes_distill.runs.nesting import as_dictionary, flattened
from made_sweeps import grid


def test_the_table_of_the_wandb_api(tmp_path):
    frame = grid()
    frame["summary"] = [
        str({"_step": 7, "val/loss": loss, "tokens": tokens})
        for loss, tokens in zip(frame["loss"], frame["tokens"], strict=True)
    ]
    frame["config"] = [str({"n_params": params, "lr": None}) for params in frame["params"]]
    frame["name"] = [f"lm-{i}" for i in range(len(frame))]
    frame[["summary", "config", "name"]].to_csv(tmp_path / "project.csv")
    report = check(tmp_path / "project.csv")
    assert report.faults == ()
    assert report.columns == {
        "params": "config.n_params",
        "tokens": "summary.tokens",
        "loss": "summary.val/loss",
        "run": "run name",
    }
    runs = read_runs(tmp_path / "project.csv")
    assert runs.frame["loss"].tolist() == frame["loss"].tolist()


def test_nested_json_lines(tmp_path):
    lines = [
        {
            "run": f"r{i}",
            "config": {"model": {"n_params": n}, "tokens": {"value": d, "desc": None}},
            "metrics": {"val_loss": loss},
            "teacher": {"loss": 2.0},
        }
        for i, (n, d, loss) in enumerate(grid().itertuples(index=False))
    ]
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    runs = read_runs(path, columns="params=config.model.n_params")
    assert runs.kind == "distillation"
    assert runs.frame["params"].tolist() == grid()["params"].tolist()
    assert runs.frame["tokens"].tolist() == grid()["tokens"].tolist()


def test_a_run_without_a_summary_is_skipped(tmp_path):
    frame = grid()
    summaries = [str({"loss": loss}) for loss in frame["loss"]]
    summaries[3] = "{}"
    table = frame.assign(summary=summaries).drop(columns="loss")
    (skipped,) = read_runs(table).skipped
    assert (skipped.row, skipped.reason) == (3, "it has no summary.loss")


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ({"a": 1}, {"a": 1}),
        ('{"a": null}', {"a": None}),
        ("{'a': nan, 'b': True}", {"a": "nan", "b": True}),
        ("{'a': __import__('os')}", None),
        ("{1, 2}", None),
        ("text", None),
        (7, None),
        ("{" * 10_000, None),
    ],
)
def test_what_reads_as_a_dictionary(cell, value):
    assert as_dictionary(cell) == value


def test_wrapped_numbers_and_mixed_columns_stay():
    assert flattened(Cells(["n"], [['{"value": 7}', {"min": 2, "max": 3}]])) is None
    assert flattened(Cells(["n"], [[{"a": 1, "b": 2}, "text"]])) is None
    assert flattened(Cells(["n"], [["", None]])) is None


def test_depth_has_an_end():
    nested: dict = {"a": 1, "b": 2}
    for _ in range(50):
        nested = {"a": nested, "b": 0}
    assert len(flattened(Cells(["n"], [[nested]])).header) == 10
