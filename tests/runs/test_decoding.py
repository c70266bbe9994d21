"""Text of files in the encodings and packings that exports come in."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.runs import decoding, read_runs
from made_sweeps import grid


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".jsonl", ".jsonl.gz"])
def test_a_table_is_the_same_in_every_encoding(tmp_path, encoding, suffix):
    frame = grid()
    text = frame.to_csv(index=False) if "csv" in suffix else frame.to_json(orient="records")
    content = text.encode(encoding)
    path = tmp_path / f"runs{suffix}"
    path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    pd.testing.assert_frame_equal(
        read_runs(path).frame.reset_index(drop=True), frame, check_exact=False, rtol=1e-9
    )


def test_packed_parquet_and_two_members(tmp_path):
    frame = grid()
    frame.to_parquet(tmp_path / "runs.parquet")
    packed = tmp_path / "again.parquet.gz"
    packed.write_bytes(gzip.compress((tmp_path / "runs.parquet").read_bytes()))
    assert len(read_runs(packed)) == len(frame)
    head, _, rest = frame.to_csv(index=False).encode().partition(b"\n")
    two = tmp_path / "two.csv.gz"
    two.write_bytes(gzip.compress(head + b"\n") + gzip.compress(rest))
    assert len(read_runs(two)) == len(frame)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", gzip.compress(b"N,D,L\n1,2,3\n"), "looks like gzip: add .gz"),
        ("a.csv", b"PK\x03\x04" + bytes(20), "spreadsheet or a zip archive"),
        ("a.csv", b"SQLite format 3\0" + bytes(20), "an MLflow store is read as mlflow:"),
        ("a.csv.gz", b"N,D,L\n1,2,3\n", "cannot be unpacked by gzip"),
        ("a.csv.gz", gzip.compress(b"N,D,L\n1,2,3\n" * 99)[:-20], "cannot be unpacked by gzip"),
        ("a.gz", gzip.compress(b"N"), "no suffix"),
    ],
    ids=["gzip", "zip", "sqlite", "no gzip", "cut gzip", "no suffix"],
)
def test_what_cannot_be_read_is_named_for_what_it_is(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_runs(path)


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "MOST_BYTES", 2**20)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(bytes(2**22)))
    with pytest.raises(InputError, match="holds more than 1 MiB once unpacked"):
        read_runs(path)
