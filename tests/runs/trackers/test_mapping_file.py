"""A draft of a mapping, written by check."""

from __future__ import annotations

import tomllib

import pytest

from bayes_distill.errors import InputError
from bayes_distill.runs import check, read_runs
from made_sweeps import grid


@pytest.fixture
def target(tmp_path):
    return tmp_path / "m.toml"


def test_the_draft_mends_bare_millions_and_billions(target):
    frame = grid().assign(params=lambda t: t["params"] / 1e6, tokens=lambda t: t["tokens"] / 1e9)
    assert len(check(frame, write_mapping=target).faults) == 2
    assert tomllib.loads(target.read_text())["columns"] == {
        "params": {"from": "params", "scale": 1e6},
        "tokens": {"from": "tokens", "scale": 1e9},
        "loss": "loss",
    }
    assert check(frame, mapping=target).faults == ()
    assert read_runs(frame, mapping=target).frame["tokens"].tolist() == grid()["tokens"].tolist()


def test_unknown_columns_are_lines_to_complete(target):
    frame = grid().rename(columns={"params": "modelparms", "loss": "x"}).assign(lr=1, state="done")
    check(frame, write_mapping=target)
    text = target.read_text()
    assert '# params = "modelparms"' in text
    assert '# loss = "..."' in text
    assert 'states = ["finished"]  # they are done' in text
    assert "\n#   lr\n" in text
    completed = text.replace("# params", "params").replace('# loss = "..."', 'loss = "x"')
    target.write_text(completed)
    assert len(read_runs(frame, mapping=target)) == 16


def test_what_is_mapped_already_stays(target):
    frame = grid().rename(columns={"loss": "x"})
    check(frame, columns="loss=x*0.6931", write_mapping=target)
    assert tomllib.loads(target.read_text())["columns"]["loss"]["scale"] == 0.6931


def test_names_are_quoted(target):
    frame = grid().assign(**{'val "loss"\n': 1.0}).drop(columns="loss")
    check(frame, columns={"loss": 'val "loss"\n'}, write_mapping=target)
    assert tomllib.loads(target.read_text())["columns"]["loss"]["from"] == ['val "loss"\n']


def test_a_table_is_not_overwritten_by_its_draft(tmp_path, target):
    target.write_text("something else")
    with pytest.raises(InputError, match=r"m\.toml"):
        check(grid(), write_mapping=target)
    assert target.read_text() == "something else"
    check(grid(), write_mapping=target, overwrite=True)
    assert "[columns]" in target.read_text()
