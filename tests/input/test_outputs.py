"""Where outputs may go, and what stays as it is."""

from __future__ import annotations

import errno
import os

import pytest

from bayes_distill._input.files import atomic_path, unwritable
from bayes_distill._input.folders import folder_problem, own_folder
from bayes_distill._input.outputs import FIT, PAGE, PICTURE, RESULT, TABLE
from bayes_distill._input.text import (
    named,
    printable,
    shown,
    spreadsheet_cell,
    storable,
    without_folders,
)
from bayes_distill.errors import Fault, InputError

TABLE_TEXT = "params,tokens,loss\n1e9,2e10,2.5\n"


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        (FIT, "fit.nc", b"\x89HDF\r\n\x1a\n" + b"bayes-distill posterior"),
        (PAGE, "page.html", b'<meta name="generator" content="bayes-distill 1">'),
        (PICTURE, "picture.png", b"\x89PNG"),
        (PICTURE, "picture.svg", b"<?xml?><svg>"),
        (RESULT, "result.json", b'{"model": 1, "verdict": 2, "notes": []}'),
        (TABLE, "runs.csv", TABLE_TEXT.encode()),
        (TABLE, "runs.csv", b""),
    ],
)
def test_a_file_of_the_kind_is_replaced_and_another_is_not(tmp_path, kind, name, content):
    place = tmp_path / name
    place.write_bytes(content)
    assert unwritable(place, kind) is None
    place.write_bytes(b"mine")
    assert "exists and is not" in str(unwritable(place, kind))
    assert unwritable(place, kind, overwrite=True) is None


@pytest.mark.parametrize("way", ["itself", "dots", "link", "hard link", "link of the input"])
def test_an_input_is_no_output(tmp_path, way):
    runs, out = tmp_path / "runs.csv", tmp_path / "out.csv"
    runs.write_text(TABLE_TEXT)
    if way == "itself":
        out = runs
    elif way == "dots":
        (tmp_path / "sub").mkdir()
        out = tmp_path / "sub" / ".." / "runs.csv"
    elif way == "link":
        out.symlink_to(runs)
    elif way == "hard link":
        os.link(runs, out)
    else:
        out.write_text(TABLE_TEXT)
        runs.unlink()
        runs.symlink_to(out)
    problem = str(unwritable(out, TABLE, inputs=[None, 3, str(runs)]))
    assert "is an input" in problem
    assert "overwrite=True" in problem
    assert unwritable(out, TABLE, inputs=[runs], overwrite=True) is None


def test_a_link_is_followed(tmp_path):
    (tmp_path / "there.csv").write_text(TABLE_TEXT)
    (tmp_path / "link.csv").symlink_to("there.csv")
    with atomic_path(tmp_path / "link.csv", TABLE) as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "there.csv").read_text() == "new"


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    (tmp_path / "out.csv").write_text("old")

    def fill():
        with atomic_path(tmp_path / "out.csv") as temporary:
            temporary.write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(InputError, match="No space left"):
        fill()
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"out.csv": "old"}


def test_suffixes_of_others_are_asked_about(tmp_path):
    for name in ("fit.csv", "fit.html", "fit.txt"):
        assert "ends in" in str(unwritable(tmp_path / name, FIT))
        assert unwritable(tmp_path / name, FIT, overwrite=True) is None
    for name in ("fit", "fit.nc", "FIT.NC"):
        assert unwritable(tmp_path / name, FIT) is None


@pytest.mark.parametrize("name", ["mine.npz", "notes.txt", "run.json", ".hidden"])
def test_a_folder_of_unfinished_work_holds_nothing_else(tmp_path, name):
    assert folder_problem(tmp_path / "none") is None
    (tmp_path / f"{'0af' * 10}12.npz").touch()
    (tmp_path / f"refit-{'0af' * 10}12.json").touch()
    (tmp_path / f".{'0af' * 10}12-ab_d12xy.npz").touch()
    assert own_folder(tmp_path) == tmp_path
    (tmp_path / name).touch()
    assert name in str(folder_problem(tmp_path))
    with pytest.raises(InputError, match="not of unfinished work"):
        own_folder(tmp_path)


def test_text_of_others():
    assert printable("a\x1b[31mb\x07\n") == "a\\x1b[31mb\\x07\n"
    assert printable("a\u202eb\ud800") == "a\\u202eb\\ud800"
    assert printable("γ β′ – 数") == "γ β′ – 数"
    assert shown("x" * 100) == "x" * 60 + "..."
    assert storable("a\ud800é") == "a\\ud800é"
    assert [spreadsheet_cell(c) for c in ("=1+1", "+x", "-x", "@x", "x=1")] == [
        "'=1+1", "'+x", "'-x", "'@x", "x=1"
    ]  # fmt: skip
    assert named(list("abc"), 2) == "a, b and 1 more"
    assert without_folders("/srv/somebody/runs.csv") == "runs.csv"
    assert without_folders("runs/runs.csv") == "runs/runs.csv"
    assert without_folders("mlflow:sqlite:////srv/somebody/m.db#a") == "m.db#a"


def test_a_message_has_an_end():
    error = InputError([Fault("x" * 10**6), Fault("word " * 10**5)])
    assert len(str(error)) < 6000
