"""Runs of a project of Weights & Biases, by a stub of its client."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from bayes_distill.errors import InputError
from bayes_distill.runs import check, read_runs
from bayes_distill.runs.trackers import wandb_project

MAPPING = {"columns": {"params": "model.n_params", "tokens": {"from": "tokens_b", "scale": 1e9}}}


def logged(name, size, losses, state="finished", day=1, **config):
    """A run as the client gives it."""
    history = [{"val/loss": loss} for loss in losses]
    return SimpleNamespace(
        name=name,
        state=state,
        created_at=f"2026-03-{day:02d}T10:00:00",
        config={"model": {"n_params": size}, "_wandb": {"version": 1}, **config},
        summary={"tokens_b": 20 * size / 1e9, "val/loss": losses[-1], "_runtime": 3600},
        tags=["scaling"],
        scan_history=lambda keys: history,
    )


RUNS = [
    logged("s0", 1e8, [3.3, 3.0], lr_schedule="cosine"),
    logged("s1", 2e8, [3.1, 2.8, 2.9], day=2),
    logged("s2", 4e8, [2.7], state="crashed", day=3),
    logged("s3", 8e8, [2.6, float("nan")], day=4),
    logged("s4", 8e8, [2.5], day=5),
]


@pytest.fixture
def asked(monkeypatch):
    """What the stub is asked, with nothing that goes to a network."""
    calls = []

    class Api:
        def __init__(self, timeout):
            calls.append(timeout)

        def runs(self, path, order):
            calls.append((path, order))
            if path == "team/none":
                raise ValueError("Could not find\nproject none")
            return [] if path == "team/empty" else RUNS

    stub = ModuleType("wandb")
    stub.Api = Api
    monkeypatch.setitem(sys.modules, "wandb", stub)
    monkeypatch.setattr(wandb_project, "check_server", lambda *_: None)
    monkeypatch.setenv("WANDB_SILENT", "true")
    return calls


def test_finished_runs_are_read_and_the_others_skipped(asked):
    runs = read_runs("wandb:team/project", mapping=MAPPING)
    assert asked == [wandb_project.TIMEOUT, ("team/project", "+created_at")]
    assert runs.frame["params"].tolist() == [1e8, 2e8, 8e8]
    assert runs.frame["tokens"].tolist() == [2e9, 4e9, 16e9]
    assert runs.frame["loss"].tolist() == [3.0, 2.9, 2.5]
    assert runs.frame["run"].tolist() == ["s0", "s1", "s4"]
    reasons = {skip.run: skip.reason for skip in runs.skipped}
    assert reasons["s2"] == "its state is crashed, not finished"
    assert "nan" in reasons["s3"].lower()
    assert any("team/project (5 runs)" in note for note in runs.notes)


def test_the_smallest_loss_is_that_of_the_history(asked):
    least = {**MAPPING["columns"], "loss": {"from": "val/loss", "value": "min"}}
    runs = read_runs("wandb:team/project", mapping={"columns": least})
    assert dict(zip(runs.frame["run"], runs.frame["loss"], strict=True))["s1"] == 2.8


def test_conditions_see_configurations_and_tags(asked):
    for where in ({"lr_schedule": "cosine"}, {"config.lr_schedule": "cosine"}):
        report = check("wandb:team/project", mapping={**MAPPING, "keep": {"where": where}})
        assert report.rows - len(report.skipped) == 1
    tagged = check("wandb:team/project", mapping={**MAPPING, "keep": {"where": {"Tags": "debug"}}})
    assert len(tagged.skipped) == 5


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("wandb:", "names no project"),
        ("wandb:a/b/c", "names no project"),
        ("wandb:team/empty", "holds no runs"),
        ("wandb:team/none", "cannot be read: Could not find project none"),
    ],
)
def test_what_is_no_project_is_one_line(asked, source, problem):
    with pytest.raises(InputError, match=problem) as caught:
        read_runs(source)
    assert "\n" not in str(caught.value)


def test_without_the_client_an_export_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(InputError, match=r"pip install wandb, or export the table of runs as CSV"):
        read_runs("wandb:team/project")


def test_a_server_that_does_not_answer_is_given_up_on(asked, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "wandb", ModuleType("wandb"))
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match=r"no tracking server answers at http://127\.0\.0\.1:9"):
        read_runs("wandb:team/project")
