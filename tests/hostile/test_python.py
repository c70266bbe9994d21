"""The Python functions refuse what the commands refuse."""

from __future__ import annotations

import shutil

import pytest
from hostile_home import contents

import bayes_distill as bd
from bayes_distill.errors import InputError


@pytest.mark.parametrize(
    "call",
    [
        lambda: bd.read_runs("runs.csv").where("loss.to_csv('ran') == 0"),
        lambda: bd.read_runs("runs.csv").where("9**9**9 > 1"),
        lambda: bd.fit("runs.csv", where="open('ran', 'w') == loss"),
        lambda: bd.validate("runs.csv", leave_out="tail", tail="loss.to_csv('ran') == 0"),
        lambda: bd.load_posterior("fit.nc").save("runs.csv"),
        lambda: bd.load_posterior("fit.nc").save("notes.nc"),
        lambda: bd.load_posterior("fit.nc").save("link.nc"),
        lambda: bd.load_posterior("fit.nc").save("pipe.nc"),
        lambda: bd.report("fit.nc", "fit.nc"),
        lambda: bd.report("fit.nc", "notes.html"),
        lambda: bd.report("fit.nc", "plan.json", plan="plan.json"),
        lambda: bd.plot("student-against-teacher", "fit.nc", out="notes.png"),
        lambda: bd.load_posterior("bad/nan-draw.nc"),
        lambda: bd.load_posterior("bad/verdict-missing.nc", allow_failed=True),
        lambda: bd.forecast("bad/negative-scale.nc", 1e9, 2e10),
        lambda: bd.plan("bad/hull-empty.nc", 1e9, 1e21),
        lambda: bd.load_posterior("a\0b.nc"),
        lambda: bd.load_card("a\0b.toml"),
        lambda: bd.read_runs("a\0b.csv"),
        lambda: bd.fit("runs.csv", resume="full"),
        lambda: bd.fit("runs.csv", resume="linked"),
        lambda: bd.fit("runs.csv", seed=-1),
        lambda: bd.forecast("fit.nc", 1e9, 2e10, teacher_loss=2.0, seed=-1),
        lambda: bd.risk("fit.nc", 1e9, 2e10, teacher_loss=2.0, seed=-1),
        lambda: bd.forecast("fit.nc", [1e9] * 1001, [2e10] * 1001),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_is_refused_and_nothing_changes(inside, call):
    before = contents(inside)
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert contents(inside) == before


def test_what_is_meant_is_replaced(inside, tmp_path):
    shutil.copy("notes.nc", tmp_path / "notes.nc")
    bd.load_posterior("fit.nc").save(tmp_path / "notes.nc", overwrite=True)
    assert bd.load_posterior(tmp_path / "notes.nc").n_draws == 40
    bd.load_posterior("fit.nc").save(tmp_path / "notes.nc")  # now it is of the kind


def test_a_fit_says_nothing_of_the_machine(posterior, tmp_path, inside):
    from bayes_distill._input.text import without_folders

    assert without_folders(str(inside / "runs.csv")) == "runs.csv"
