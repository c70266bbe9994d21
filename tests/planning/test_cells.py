"""Which plans are wanted: grids, tables, and what is wrong with either."""

import numpy as np
import pandas as pd
import pytest

from bayes_distill import plan
from bayes_distill.compute import SCENARIOS, Scenario
from bayes_distill.errors import InputError
from bayes_distill.planning.cells import Cells, read_cells_table

BOTH = "teacher-pretraining-and-inference"
TABLE = pd.DataFrame(
    {
        "params": ["1B", "300M", "1B", "3B"],
        "budget": ["1e21", "1e22", "1e22", "1e22"],
        "scenario": ["best-case", BOTH, "best-case", "supervised"],
    }
)
FAST = {"crossovers": False, "teacher_range": False}


def test_groups_hold_the_budgets_of_one_student_and_scenario():
    two = list(SCENARIOS.values())[:2]
    cells = Cells.grid(two, [1e9, 3e9], [1e21, 1e22, 1e23])
    groups = cells.groups(np.arange(12) != 1)
    assert [(g.scenario.name, g.params) for g in groups] == [
        (s.name, n) for s in two for n in (1e9, 3e9)
    ]
    assert [g.rows.tolist() for g in groups] == [[0, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    assert groups[0].budgets.tolist() == [1e21, 1e23]
    # a size that is chosen belongs to its budget
    chosen = Cells.grid(two, [], [1e21, 1e22]).groups(np.ones(4, bool))
    assert [g.rows.tolist() for g in chosen] == [[0], [1], [2], [3]]
    assert all(np.isnan(g.params) for g in chosen)


@pytest.fixture(scope="module")
def ragged(posterior):
    return plan(posterior.thin(32), at=TABLE, **FAST)


def test_a_table_is_planned_row_by_row(ragged, posterior):
    rows = ragged.table[["params", "budget", "scenario"]].to_numpy().tolist()
    assert rows == [
        [1e9, 1e21, "best-case"],
        [3e8, 1e22, BOTH],
        [1e9, 1e22, "best-case"],
        [3e9, 1e22, "supervised"],
    ]
    grid = plan(posterior.thin(32), "1B", "1e21,1e22", scenario="best-case", **FAST).table
    np.testing.assert_allclose(ragged.table["loss_mean"].iloc[[0, 2]], grid["loss_mean"])


def test_what_is_not_in_a_table_is_missing_in_its_draws(ragged):
    draws = ragged.draws
    assert dict(draws.sizes) == {"sample": 32, "scenario": 3, "params": 3, "budget": 2}
    loss = draws["recipe_loss"]
    missing = np.isnan(loss)
    assert (~missing.any("sample")).sum() == 4
    assert missing.all("sample").sum() == 14
    cell = loss.sel(scenario=BOTH, params=3e8, budget=1e22)
    np.testing.assert_array_equal(cell, ragged.samples["recipe_loss"][:, 1])


def test_a_table_without_scenarios_is_planned_for_each(posterior, tmp_path):
    file = tmp_path / "at.csv"
    TABLE.drop(columns="scenario").head(2).to_csv(file, index=False)
    few = posterior.thin(8)
    found = plan(few, at=file, scenario=["best-case", Scenario("half", teacher_share=0.5)], **FAST)
    rows = found.table[["scenario", "params", "budget"]].to_numpy().tolist()
    assert rows == [[s, n, c] for s in ("best-case", "half") for n, c in ((1e9, 1e21), (3e8, 1e22))]
    assert plan(few, at=str(file), **FAST).table["scenario"].nunique() == len(SCENARIOS)


def test_an_empty_size_is_chosen(posterior):
    at = pd.DataFrame({"params": ["1B", None], "budget": [1e22, 1e22]})
    few = posterior.thin(8)
    found = plan(few, at=at, scenario="supervised", served_tokens="1T", **FAST)
    fixed, chosen = found.table["params"]
    assert fixed == 1e9 != chosen
    assert found.table["loss_mean"].iloc[1] <= found.table["loss_mean"].iloc[0]
    alone = plan(few, budget=1e22, scenario="supervised", served_tokens="1T", **FAST)
    assert chosen == alone.table["params"].item()
    assert dict(found.draws.sizes)["params"] == 2
    with pytest.raises(InputError, match="needs params"):
        plan(few, at=at, served_tokens="1T", target_loss=2.2, **FAST)


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        (pd.DataFrame({"params": ["7"], "budget": [1e22]}), ["row 0, params: 7 is too small"]),
        (pd.DataFrame({"params": ["1B"], "budget": [-1]}), ["row 0, budget: -1 is not a positive"]),
        (pd.DataFrame({"params": ["1B"], "budget": ["x"]}), ["row 0, budget: 'x' is not a number"]),
        (pd.DataFrame({"params": ["1B"]}), ["at: has no column 'budget' (it has params)"]),
        (pd.DataFrame({"n": ["1B"], "cost": [1]}), ["at: has no column 'budget' (it has n, cost)"]),
        (
            TABLE.assign(scenario=["best-case", "best", None, "supervised"]),
            ["row 1, scenario: 'best' is no scenario", "row 2, scenario: is empty"],
        ),
        (
            TABLE.assign(params=["-1", "x", "1B", "3B"], budget=[1e21, 0, "", 1e22]),
            ["row 0, params", "row 1, params", "row 1, budget: 0", "row 2, budget: is empty"],
        ),
    ],
)
def test_every_faulty_cell_is_named(posterior, frame, named):
    with pytest.raises(InputError) as caught:
        plan(posterior, at=frame, **FAST)
    assert len(caught.value.faults) == len(named)
    for fault, part in zip(caught.value.faults, named, strict=True):
        assert str(fault).startswith(part)


def test_a_table_stands_instead_of_lists(posterior):
    for more in ({"params": "1B"}, {"budget": 1e22}):
        with pytest.raises(InputError, match="at: give either a table or params and budget"):
            plan(posterior, at=TABLE, **more)
    with pytest.raises(InputError, match="scenario: give it either for all rows or in the table"):
        plan(posterior, at=TABLE, scenario="best-case")
    with pytest.raises(InputError, match=r"gone\.csv: there is no such file"):
        plan(posterior, at="gone.csv")
    with pytest.raises(TypeError, match="at must be"):
        plan(posterior, at=7)


def test_aliases_of_columns():
    frame = pd.DataFrame({"N": [1e9], "FLOPs": [1e22]})
    cells = read_cells_table(frame, [SCENARIOS["supervised"]])
    assert (cells.params.item(), cells.budgets.item()) == (1e9, 1e22)


def test_scenarios_of_one_name_cannot_be_told_apart(posterior):
    two = [Scenario("mine", teacher_share=0.5), Scenario("mine", teacher_share=0.1)]
    with pytest.raises(InputError, match="scenario: several are called 'mine'"):
        plan(posterior, "1B", "1e22", scenario=two)
