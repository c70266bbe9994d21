"""Refits on other processes and on a cluster are those of this process; finished ones are kept."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from bayes_distill import validate
from clusters import local_cluster

SHORT = {"chains": 2, "warmup": 100, "draws": 50, "seed": 4}


@pytest.fixture(scope="module")
def runs(chinchilla):
    """Fewer runs, of two sizes that are left out and of others."""
    from bayes_distill.runs import read_runs

    frame = chinchilla.runs.frame
    sizes = np.sort(frame["params"].unique())
    chosen = frame[frame["params"].isin(sizes[:: max(1, len(sizes) // 12)])]
    return replace(read_runs(chosen.reset_index(drop=True)), source="chinchilla")


@pytest.fixture(scope="module")
def asked(runs):
    sizes = np.sort(runs.frame["params"].unique())
    groups = [float(sizes[3]), float(sizes[6])]
    return {"leave_out": "params", "groups": groups, "min_runs": 1, **SHORT}


@pytest.fixture(scope="module")
def here(runs, asked):
    return validate(runs, "supervised", **asked).to_json()


@pytest.fixture
def elsewhere(here, monkeypatch):
    """Lets nothing be fitted in this process any more."""

    def refused(*_, **__):
        raise AssertionError("fitted in the process that asks")

    monkeypatch.setattr("bayes_distill.inference.fit.fit", refused)


def same(one, other):
    """Two validations agree to the last digit, in whatever order their parts come."""
    assert json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.mark.slow
def test_workers_give_what_this_process_gives_and_keep_it(runs, asked, here, elsewhere, tmp_path):
    same(validate(runs, "supervised", **asked, workers=2, resume=tmp_path).to_json(), here)
    kept = sorted(tmp_path.glob("*.json"))
    assert len(kept) == 2
    written = [file.stat().st_mtime_ns for file in kept]
    same(validate(runs, "supervised", **asked, resume=tmp_path).to_json(), here)
    assert [file.stat().st_mtime_ns for file in kept] == written  # nothing was run again


@pytest.mark.slow
def test_a_cluster_gives_what_this_process_gives(runs, asked, here, elsewhere):
    with local_cluster(1) as cluster:
        same(validate(runs, "supervised", **asked, scheduler=cluster).to_json(), here)
