"""What a command says when it is interrupted: how to go on, if part of its work is stored."""

from __future__ import annotations

import pytest

from bayes_distill.parallel import Store

PLAN = ("plan", "hoffmann2022", "--params", "1B,3B", "--budget", "1e21", "--scenario", "supervised")
CALIBRATE = ("calibrate", "supervised", "--design", "chinchilla")
CALLS = {
    "bayes_distill.validation.leave_out.validate": ("validate", "runs.csv"),
    "bayes_distill.calibration.study.calibrate": CALIBRATE,
    "bayes_distill.comparison.ranking.compare": ("compare", "a.nc", "b.nc"),
    "bayes_distill.planning.plan.plan": PLAN,
}


def interrupted(*_, **__):
    raise KeyboardInterrupt


def test_a_plan_goes_on_from_its_stored_parts(command, workplace, monkeypatch):
    call = (*PLAN, "--draws", "8", "--resume", "parts")
    write = Store.write

    def write_one(store, task, result):
        write(store, task, result)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", write_one)
        answer = command(*call)
    assert answer.status == 130
    assert answer.error == (
        "interrupted; what was done is kept in parts, and the same command goes on from there"
    )
    (kept,) = (workplace / "parts").iterdir()
    before = kept.stat().st_mtime_ns
    assert command(*call, "--json").json["rows"][1]["params"] == 3e9
    assert kept.stat().st_mtime_ns == before  # not computed again
    assert len(list((workplace / "parts").iterdir())) == 2


@pytest.mark.parametrize("function", CALLS)
def test_every_command_with_stored_parts_says_where_they_are(
    command, workplace, monkeypatch, function
):
    monkeypatch.setattr(function, interrupted)
    folder = workplace / "parts"
    folder.mkdir()
    call = (*CALLS[function], "--resume", "parts")
    answer = command(*call)
    assert (answer.status, answer.error) == (130, "interrupted; nothing was written")
    (folder / "part.json").write_text("{}")
    answer = command(*call)
    assert answer.status == 130
    assert "kept in parts, and the same command goes on" in answer.error
    assert command(*CALLS[function]).error == "interrupted; nothing was written"
