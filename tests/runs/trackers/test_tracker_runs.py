"""Runs from the CSV export of an experiment tracker, and faults of mappings."""

from __future__ import annotations

import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.runs import check, read_runs
from bayes_distill.runs.trackers.mapping import read_mapping

HEADER = (
    '"Name","State","Notes","Tags","Created","Runtime","config.n_params","config.tokens",'
    '"config.teacher.loss","seed","_step","val/loss","val/loss.min","best"'
)
# name, state, tags, created, params, tokens, teacher's loss, loss
ROWS = [
    (
        "s1",
        "finished",
        "scaling, v2",
        "2026-03-01T10:00:00.000Z",
        '"{""desc"": null, ""value"": 143000000}"',
        "2.86e9",
        "2.1",
        "2.91",
    ),
    ("s1", "finished", "scaling", "2026-02-01T10:00:00.000Z", "143000000", "2.86e9", "2.1", "2.95"),
    ("s2", "crashed", "scaling", "2026-03-02T10:00:00.000Z", "300000000", "6e9", "2.1", ""),
    ("s3", "running", "", "2026-03-03T10:00:00.000Z", "400M", "8e9", "2.1", "3.4"),
    ("s4", "finished", "scaling", "2026-03-04T10:00:00.000Z", "500M", "1e10", "2.1", "NaN"),
    ("s5", "finished", "scaling", "2026-03-05T10:00:00.000Z", "600M", "1.2e10", "2.1", ""),
    ("s6", "finished", "scaling", "2026-03-06T10:00:00.000Z", "700M", "1.4e10", "2.1", "2.45"),
    ("s7", "finished", "debug", "2026-03-07T10:00:00.000Z", "800M", "1.6e10", "2.1", "Infinity"),
    ("s8", "finished", "scaling", "2026-03-08T10:00:00.000Z", "900M", "1.8e10", "NaN", "2.40"),
    ("s9", "finished", "v2,scaling", "2026-03-09T10:00:00.000Z", "1B", "2e10", "2.1", "2.38"),
]
MAPPING = {
    "columns": {"teacher_loss": "config.teacher.loss", "loss": "metric:val/loss"},
    "keep": {"where": {"Tags": "scaling"}},
}


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "wandb_export.csv"
    lines = [
        f'"{name}","{state}","-","{tags}","{created}","3600",{params},{tokens},{teacher},"1","900",'
        f"{loss},2.0,\"{{'min': 2.2, 'max': 9}}\""
        for name, state, tags, created, params, tokens, teacher, loss in ROWS
    ]
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def test_an_export_with_its_oddities(export):
    runs = read_runs(export, mapping=MAPPING)
    assert runs.frame.index.tolist() == [0, 6, 9]
    assert runs.frame["params"].tolist() == [1.43e8, 7e8, 1e9]
    assert runs.frame["loss"].tolist() == [2.91, 2.45, 2.38]
    assert runs.frame["teacher_loss"].tolist() == [2.1] * 3
    assert runs.frame["run"].tolist() == ["s1", "s6", "s9"]
    assert {s.row: s.reason for s in runs.skipped} == {
        1: "a newer run has its name, sizes and tokens (row 0)",
        2: "its state is crashed, not finished",
        3: "its state is running, not finished",
        4: "val/loss is NaN",
        5: "it has no val/loss",
        7: "Tags is debug, not scaling",
        8: "config.teacher.loss is NaN",
    }


def test_the_newest_is_kept_wherever_it_stands(export):
    frame = pd.read_csv(export)
    turned = frame.iloc[[1, 0, 6, 9]].reset_index(drop=True)
    assert read_runs(turned, mapping=MAPPING).frame.index.tolist() == [1, 2, 3]
    undated = turned.drop(columns="Created")
    report = check(undated, mapping=MAPPING)
    assert [(s.row, s.reason) for s in report.skipped] == [
        (1, "an earlier row has its name, sizes and tokens (row 0)")
    ]


def test_an_export_is_known_without_a_mapping(export):
    report = check(export)
    assert report.columns == {
        "params": "config.n_params",
        "tokens": "config.tokens",
        "loss": "val/loss",
        "teacher_loss": "config.teacher.loss",
        "run": "run name",
    }
    assert [s.row for s in report.skipped] == [1, 2, 3, 4, 5, 7, 8]
    assert report.faults == ()


def test_a_table_with_other_states_is_no_export(table):
    report = check(table.assign(Name="x", State="Ohio"))
    assert report.skipped == ()
    assert report.rows == len(table)


@pytest.mark.parametrize(
    ("column", "losses"),
    [
        ({"from": "val/loss", "value": "min"}, [2.0]),
        ({"from": "best", "value": "min"}, [2.2]),
        ({"from": "val/loss", "scale": 0.5}, [1.455, 1.225, 1.19]),
    ],
)
def test_values_and_units(export, column, losses):
    runs = read_runs(export, mapping={"columns": {"loss": column}})
    assert sorted(set(runs.frame["loss"].round(6))) == sorted(losses)


def test_the_minimum_that_an_export_does_not_have(export):
    frame = pd.read_csv(export).drop(columns="val/loss.min")
    with pytest.raises(InputError, match=r"columns\.loss: the min of 'val/loss' is not known"):
        read_runs(frame, mapping={"columns": {"loss": {"from": "val/loss", "value": "min"}}})


def test_two_columns_of_one_meaning_ask_for_a_mapping(export):
    frame = pd.read_csv(export).assign(**{"summary.eval_loss": 2.0})
    with pytest.raises(InputError, match=r"val/loss and summary\.eval_loss all mean loss: choose"):
        read_runs(frame)
    mapping = {"columns": {"loss": "metric:eval_loss"}}
    assert set(read_runs(frame, mapping=mapping).frame["loss"]) == {2.0}


def test_a_name_that_means_two_columns(export):
    frame = pd.read_csv(export).assign(**{"summary.tokens": 3e9})
    with pytest.raises(InputError) as caught:
        read_runs(frame, mapping={"columns": {"tokens": "tokens"}})
    assert "may mean config.tokens or summary.tokens" in str(caught.value)


def test_any_table_may_have_a_mapping(table):
    renamed = table.rename(columns={"params": "size (M)", "loss": "bits"})
    renamed["size (M)"] /= 1e6
    renamed["bits"] /= 0.693147
    mapping = {
        "columns": {
            "params": {"from": "size (M)", "scale": 1e6},
            "loss": {"from": "bits", "scale": 0.693147},
        }
    }
    runs = read_runs(renamed, mapping=mapping)
    pd.testing.assert_frame_equal(
        runs.frame[list(table)], table.rename_axis(index="row"), check_index_type=False
    )
    assert runs.skipped == ()


def test_a_cell_that_is_no_number_is_a_fault(export):
    frame = pd.read_csv(export).astype({"config.tokens": object})
    frame.loc[6, "config.tokens"] = "many"
    scaled = {"columns": {"tokens": {"from": "config.tokens", "scale": 2}}}
    for mapping in (None, scaled):
        [fault] = check(frame, mapping=mapping).faults
        assert fault.row == 6
        assert "'many' is not a number" in fault.problem


# --- faults of mappings ----------------------------------------------------------------------


def test_every_fault_of_a_mapping_at_once(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text(
        '[columns]\nparms = "n"\ntokens = { from = "d", scale = -1 }\n'
        'loss = { from = "l", value = "mean" }\nteacher_loss = { scale = 2 }\n'
        'run = { from = "a", constant = "b" }\n[keep]\nduplicates = "some"\nstate = "x"\n[more]\n'
    )
    with pytest.raises(InputError) as caught:
        read_mapping(path)
    faults = {f.column: f.problem for f in caught.value.faults}
    assert list(faults) == [
        "mapping",
        "columns.parms",
        "columns.tokens.scale",
        "columns.loss.value",
        "columns.teacher_loss",
        "columns.run",
        "keep.duplicates",
        "keep.state",
        "more",
    ]
    assert "did you mean params?" in faults["columns.parms"]
    assert str(path) in faults["mapping"]
    assert "either from" in faults["columns.run"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"[columns", "is not valid TOML"), (b"\xff\xfe", "cannot be read")],
)
def test_a_file_that_is_no_mapping(tmp_path, content, message):
    path = tmp_path / "m.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_mapping(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_mapping(tmp_path)


def test_faults_of_the_mapping_and_of_the_table_together(tmp_path):
    with pytest.raises(InputError) as caught:
        read_runs(tmp_path / "gone.csv", mapping=tmp_path / "gone.toml")
    assert [f.column for f in caught.value.faults] == ["mapping", None]


def test_where_a_mapping_has_no_place(table):
    with pytest.raises(InputError, match="mapping: the named data hoffmann2022 take none"):
        read_runs("hoffmann2022", mapping=MAPPING)
    with pytest.raises(InputError, match="mapping: runs that were read already take none"):
        read_runs(read_runs(table), mapping=MAPPING)
    with pytest.raises(InputError, match="mapping: is a TOML file or a dictionary, not int"):
        read_runs(table, mapping=7)
