import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayes_distill.errors import InputError
from bayes_distill.runs.formats import read_cells


@pytest.fixture
def write(tmp_path):
    def _write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


def faults_of(path):
    with pytest.raises(InputError) as caught:
        read_cells(path)
    return [fault.problem for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("N,D,L\n", "has a header but no runs"),
        ("N;D;L\n1;2;3\n", "semicolons: use commas"),
        ("N\tD\tL\n1\t2\t3\n", "tabs: use commas"),
        (b"\xff\xfe\x00\x01\x80" * 9, "binary data"),
        (b"PAR1\x00\x00", "name it .parquet"),
        ('N,D,L\n1,"2,3\n', "cannot be read as CSV"),
    ],
)
def test_csv_that_cannot_be_read_is_one_plain_fault(write, content, words):
    (problem,) = faults_of(write("a.csv", content))
    assert words in problem


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.parquet", "N,D,L\n1,2,3\n", "cannot be read as Parquet"),
        ("a.parquet", b"PAR1" + bytes(50) + b"PAR1", "cannot be read as Parquet"),
        ("a.jsonl", "", "is empty"),
        ("a.jsonl", "\n", "is empty"),
        ("a.jsonl", b"\x80\x81", "binary data"),
        ("a.jsonl", "[" * 100_000, "is not a JSON object"),
        ("a.xlsx", "x", "suffix '.xlsx', which tells no format: use .csv, .parquet or .jsonl"),
        ("a", "x", "no suffix"),
    ],
)
def test_what_else_cannot_be_read_is_one_plain_fault(write, name, content, words):
    (problem,) = faults_of(write(name, content))
    assert words in problem


def test_no_such_file_and_a_folder(tmp_path):
    assert "there is no such file" in faults_of(tmp_path / "a.csv")[0]
    assert "is a folder" in faults_of(tmp_path)[0]


def test_csv_takes_what_spreadsheets_write(write):
    path = write("A.CSV", "\ufeffN, D ,L,\r\n1,2,3,\r\n\r\n4,5\r\n")
    cells = read_cells(path)
    assert cells.header == ["N", "D", "L"]
    assert cells.columns == [["1", "4"], ["2", "5"], ["3", ""]]
    assert cells.faults == ()


def test_csv_names_every_row_that_is_too_long(write):
    cells = read_cells(write("a.csv", "N,D,L\n1,2,3\n1,000,2,3\n1,2,3\n1,2,3,4,5\n"))
    assert [fault.row for fault in cells.faults] == [1, 3]
    assert "has 5 cells where the header has 3" in cells.faults[1].problem


def test_csv_keeps_repeated_headers(write):
    assert read_cells(write("a.csv", "N,N,L\n1,2,3\n")).header == ["N", "N", "L"]


def test_parquet_keeps_repeated_headers_and_drops_a_stored_index(tmp_path):
    pq.write_table(pa.table([[1], [2]], names=["N", "N"]), tmp_path / "a.parquet")
    assert read_cells(tmp_path / "a.parquet").header == ["N", "N"]
    pd.DataFrame({"N": [1.0]}, index=[7]).to_parquet(tmp_path / "b.parquet")
    assert read_cells(tmp_path / "b.parquet").header == ["N"]


def test_empty_parquet(tmp_path):
    pd.DataFrame({"N": []}).to_parquet(tmp_path / "a.parquet")
    assert "has a header but no runs" in faults_of(tmp_path / "a.parquet")[0]
    pd.DataFrame().to_parquet(tmp_path / "b.parquet")
    assert "has no columns" in faults_of(tmp_path / "b.parquet")[0]


def test_json_lines_names_every_bad_line(write):
    text = '{"N": 1, "L": 2}\nnot json\n{"L": 3, "extra": null}\n[1]\n{"N": 1, "N": 2}\n'
    cells = read_cells(write("a.jsonl", text))
    assert cells.header == ["N", "L", "extra"]
    assert cells.columns[0] == [1, None, None, None, None]
    assert [fault.row for fault in cells.faults] == [1, 3, 4]
    assert "'N' is there twice" in cells.faults[2].problem


def test_json_may_be_one_array(write):
    records = [{"N": 1}, {"N": 2}]
    assert read_cells(write("a.json", json.dumps(records, indent=1))).columns == [[1, 2]]
