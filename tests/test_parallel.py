"""Many tasks: in order, each once, resumable, and on a cluster that loses a worker."""

from __future__ import annotations

import json
import os
import signal
import time

import numpy as np
import pytest

from bayes_distill.errors import InputError
from bayes_distill.parallel import map_tasks, plain
from clusters import local_cluster


def square(task):
    with open(task["log"], "a") as log:  # noqa: PTH123 - appended by several processes
        log.write(f"{task['value']}\n")
    return {"value": np.float64(task["value"] ** 2), "row": np.arange(task["value"])}


def slow(task):
    time.sleep(0.04)
    return {"value": task, "pid": os.getpid()}


def fails_at_three(task):
    if task == 3:
        raise InputError("three is at fault")
    return task


def numbered(folder, count):
    return [{"value": i, "log": str(folder / "log")} for i in range(count)]


def calls(folder):
    return sorted(int(line) for line in (folder / "log").read_text().split())


@pytest.mark.parametrize("workers", [None, 1, 2])
def test_results_are_plain_and_in_the_order_of_the_tasks(tmp_path, workers):
    seen = []
    results = map_tasks(
        square, numbered(tmp_path, 6), workers=workers, progress=lambda *told: seen.append(told)
    )
    assert results == [{"value": float(i**2), "row": list(range(i))} for i in range(6)]
    assert seen == [("tasks", done, 6) for done in range(7)]


def test_no_task_is_fine():
    assert map_tasks(slow, [], workers=2) == []


def test_a_stored_sweep_runs_only_what_is_missing(tmp_path):
    store = tmp_path / "new" / "store"
    first = map_tasks(square, numbered(tmp_path, 3), store=store)
    seen = []
    again = map_tasks(
        square, numbered(tmp_path, 5), store=store, progress=lambda *told: seen.append(told[1])
    )
    assert calls(tmp_path) == [0, 1, 2, 3, 4]
    assert again[:3] == first
    assert seen == [3, 4, 5]
    assert len(list(store.iterdir())) == 5


def test_a_damaged_result_is_computed_again(tmp_path):
    store = tmp_path / "store"
    map_tasks(square, numbered(tmp_path, 2), store=store)
    for file in store.iterdir():
        if json.loads(file.read_text())["result"]["value"] == 1:
            file.write_text(file.read_text()[:-5])
    assert [r["value"] for r in map_tasks(square, numbered(tmp_path, 2), store=store)] == [0, 1]
    assert calls(tmp_path) == [0, 1, 1]


def test_another_function_does_not_share_results(tmp_path):
    assert map_tasks(fails_at_three, [1, 2], store=tmp_path) == [1, 2]
    assert [r["value"] for r in map_tasks(slow, [1, 2], store=tmp_path)] == [1, 2]


@pytest.mark.parametrize("workers", [None, 2])
def test_a_failing_task_is_raised_and_what_was_done_before_is_kept(tmp_path, workers):
    with pytest.raises(InputError, match="three is at fault"):
        map_tasks(fails_at_three, [1, 2, 3], workers=workers, store=tmp_path)
    kept = [json.loads(file.read_text())["result"] for file in tmp_path.iterdir()]
    assert set(kept) <= {1, 2}
    if workers is None:
        assert sorted(kept) == [1, 2]


def test_faults_of_the_call_come_together(tmp_path):
    with pytest.raises(InputError, match=r"workers: 0 is less than 1; workers: give either"):
        map_tasks(slow, [1], workers=0, scheduler="tcp://127.0.0.1:1")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"resume: .*cannot be made a folder"):
        map_tasks(slow, [1], store=tmp_path / "file")


def test_only_functions_of_modules_and_plain_data():
    with pytest.raises(TypeError, match="not a function of a module"):
        map_tasks(lambda task: task, [1])
    with pytest.raises(TypeError, match="a set is not plain data"):
        map_tasks(fails_at_three, [{1}])
    with pytest.raises(TypeError, match="the key 1 is not text"):
        plain({1: 2})
    assert plain((np.array([[1.5]]), np.int64(2), None)) == [[[1.5]], 2, None]


@pytest.fixture
def cluster():
    with local_cluster(2) as cluster:
        yield cluster


def test_a_cluster_that_loses_a_worker_half_way_gives_every_result_once(cluster, tmp_path):
    arrived, killed = [], []

    def progress(label, done, count):
        arrived.append(done)
        if done == 30:
            kept = [json.loads(file.read_text()) for file in tmp_path.glob("slow-*")]
            killed.append(kept[0]["result"]["pid"])
            os.kill(killed[0], signal.SIGKILL)

    results = map_tasks(slow, range(60), scheduler=cluster, progress=progress, store=tmp_path)
    assert [r["value"] for r in results] == list(range(60))
    assert arrived == list(range(61))  # each arrives once
    assert {r["pid"] for r in results} > set(killed)  # others did the rest


def test_a_scheduler_that_does_not_answer_is_an_input_error(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("bayes_distill.parallel.CONNECT", "200ms")
    with pytest.raises(InputError, match="scheduler: no Dask scheduler answers at tcp://127"):
        map_tasks(slow, [1], scheduler="tcp://127.0.0.1:9")
