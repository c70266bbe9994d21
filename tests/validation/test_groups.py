"""Which runs are left out together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.runs import Runs, read_runs
from bayes_distill.validation.groups import split


@pytest.fixture
def table() -> Runs:
    """Three sizes of 9, 8 and 3 runs; those of the first differ by 0.7%."""
    params = np.r_[np.linspace(1.430e8, 1.440e8, 9), np.full(8, 5.46e8), np.full(3, 1e9)]
    frame = pd.DataFrame(
        {
            "params": params,
            "tokens": np.linspace(1e10, 9e10, 20),
            "loss": np.linspace(3.0, 2.05, 20),
            "group": ["a"] * 8 + [None] * 4 + ["b"] * 8,
        }
    )
    return read_runs(frame.iloc[::-1].reset_index(drop=True))


def sizes(groups) -> dict[str, int]:
    return {group.name: len(group) for group in groups}


def test_sizes_within_one_percent_are_one(table):
    groups = split(table, "params", min_runs=1)
    assert sizes(groups) == {"144M": 9, "546M": 8, "1B": 3}
    assert np.array([g.held for g in groups]).sum(axis=0).tolist() == [1] * 20
    params = table.frame["params"].to_numpy()
    assert set(params[groups[1].held]) == {5.46e8}


def test_small_groups_are_not_left_out(table):
    assert sizes(split(table, "params")) == {"144M": 9, "546M": 8}
    with pytest.raises(InputError, match=r"min_runs: no size has 30 runs \(144M: 9, 546M: 8, 1B"):
        split(table, "params", min_runs=30)


def test_sizes_are_named_as_people_write_them(table):
    assert sizes(split(table, "params", groups=["1.44e8", "546M", "546.0M"])) == {
        "144M": 9,
        "546M": 8,
    }
    with pytest.raises(InputError) as caught:
        split(table, "params", groups=["2B", "big", "1B"])
    assert [f.column for f in caught.value.faults] == ["groups"] * 3
    assert "there is no '2B' among 144M: 9" in str(caught.value)
    assert "'big' is not a number" in str(caught.value)
    assert "1B has 3 runs, fewer than the least number 8" in str(caught.value)


def test_labels(table):
    assert sizes(split(table, "group")) == {"a": 8, "b": 8}
    assert sizes(split(table, "group", groups=["b"])) == {"b": 8}
    with pytest.raises(InputError, match="there is no 'c' among a: 8, b: 8"):
        split(table, "group", groups=["c"])
    bare = Runs(table.frame.drop(columns="group"), "mine.csv")
    with pytest.raises(InputError, match=r"leave_out: mine\.csv has no column group with labels"):
        split(bare, "group")


def test_the_tail_is_the_tenth_that_took_most_compute(table):
    (group,) = split(table, "tail")
    cost = (table.frame["params"] * table.frame["tokens"]).to_numpy()
    assert sorted(cost[group.held]) == sorted(cost)[-2:]
    assert group.name == f"from {6 * sorted(cost)[-2]:.2g} FLOP"


def test_budgets_are_parts_of_the_dearest_run(table):
    found = split(table, "compute", factors=[10, 2])
    cost = (table.frame["params"] * table.frame["tokens"]).to_numpy()
    assert [g.name for g in found] == [f"above {6 * cost.max() / f:.2g} FLOP" for f in (2, 10)]
    for group, factor in zip(found, (2, 10), strict=True):
        assert group.held.tolist() == (cost > cost.max() / factor).tolist()
    # the cheapest run costs a 63rd of the dearest; 50 and 60 leave the same two runs
    assert len(split(table, "compute")) == 3
    assert len(split(table, "compute", factors=[60, 50])) == 1
    with pytest.raises(InputError, match=r"62\.9 times as much as the cheapest"):
        split(table, "compute", factors=[64, 100])
    with pytest.raises(InputError) as caught:
        split(table, "compute", factors=[1, float("nan")])
    assert [f.problem for f in caught.value.faults] == [
        "1 is no factor above 1",
        "nan is no factor above 1",
    ]
    with pytest.raises(InputError, match="factors: is an empty list"):
        split(table, "compute", factors=[])


def test_the_tail_by_a_condition_on_what_is_kept(table):
    (group,) = split(table, "tail", tail="loss > 2.3")
    loss = table.frame["loss"].to_numpy()
    assert group.held.tolist() == (loss <= 2.3).tolist()
    with pytest.raises(InputError, match="tail: 'loss > 1' holds for all 20 runs"):
        split(table, "tail", tail="loss > 1")
    with pytest.raises(InputError, match="tail: the condition 'nonsense'"):
        split(table, "tail", tail="nonsense")


def test_options_that_do_not_go_together_are_all_named(table):
    with pytest.raises(InputError) as caught:
        split(table, "params", tail="loss > 2.3", min_runs=0, groups=["2B"])
    assert {f.column for f in caught.value.faults} == {"tail", "min_runs", "groups"}
    with pytest.raises(InputError, match="groups: goes with `leave_out` params or group"):
        split(table, "tail", groups=["a"])
    with pytest.raises(InputError, match='factors: goes with `leave_out="compute"`, not tail'):
        split(table, "tail", factors=[3])
    with pytest.raises(InputError, match="leave_out: 'size' is none of params, group, tail, comp"):
        split(table, "size")  # type: ignore[arg-type]
