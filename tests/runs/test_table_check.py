import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_distill.runs import check, read_runs

NAMES = ("params", "tokens", "loss", "teacher_loss")
REST = {"columns": dict(zip(NAMES, NAMES, strict=True)), "skipped": [], "possible_factors": []}


def test_the_json_of_a_good_table(table):
    found = check(table).to_json()
    few = "6 mixed runs are too few for the default card of such a table, which needs 20."
    assert found == {
        "rows": 6,
        "used": 6,
        "kind": "mixed",
        "faults": [],
        "notes": [few],
        **REST,
    }


def test_the_json_of_a_bad_table(table):
    bad = table.assign(loss=[300, 2.7, 2.5, 2.4, 2.3, 2.2], colour="red")
    found = json.loads(json.dumps(check(bad).to_json()))
    assert found == {
        "rows": 6,
        "used": 6,
        "kind": "mixed",
        "faults": [
            {
                "row": 0,
                "column": "loss",
                "problem": "300 looks like a perplexity: give its logarithm in nats, 5.70",
            }
        ],
        "notes": ["Columns that are not used: colour."],
        **REST,
    }


def test_oddities_of_sound_rows_are_told_beside_faults(table):
    bad = table.assign(loss=[300, 2.0, 2.5, 2.4, 2.3, 2.2])
    report = check(bad)
    assert len(report.faults) == 1
    assert any("1 of 3 students end below" in note for note in report.notes)


def test_a_table_that_cannot_be_read():
    report = check("nothing.csv").to_json()
    assert (report["rows"], report["kind"]) == (0, None)
    assert report["faults"][0]["row"] is None


def test_runs_are_reported_as_they_are(table):
    runs = read_runs(table)
    assert check(runs).to_json()["rows"] == 6


def test_the_real_tables_have_no_fault(real_data):
    for name, rows in (("busbridge2025", 354), ("hoffmann2022", 245)):
        report = check(name)
        assert (report.rows, report.faults) == (rows, ())


CELL = st.one_of(
    st.none(),
    st.floats(),
    st.integers(),
    st.text(max_size=5),
    st.booleans(),
    st.just("1B"),
    st.just(2.5),
    st.lists(st.integers(), max_size=2),
)


@given(st.lists(st.tuples(CELL, CELL, CELL, CELL, CELL, CELL), min_size=1, max_size=5))
def test_no_content_makes_it_raise_and_the_faults_decide(rows):
    frame = pd.DataFrame(rows, columns=["N", "D", "L", "LT", "NT", "DT"], dtype=object)
    report = check(frame)
    json.dumps(report.to_json(), allow_nan=False)
    places = [(f.row, f.column) for f in report.faults]
    assert len(set(places)) == len(places)
    if not report.faults:
        numbers = read_runs(frame).frame[["params", "tokens", "loss"]].to_numpy()
        assert np.isfinite(numbers).all()
        assert (numbers > 0).all()


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01", b"N,D,L", b"a\xffb", b"\n\n", b'"', b"{", b"[]"]
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl", ".json"])
def test_no_file_makes_it_raise(tmp_path, content, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    assert check(path).faults
