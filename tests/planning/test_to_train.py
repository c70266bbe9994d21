"""Recipes as models to train, and budgets in other units."""

import numpy as np
import pandas as pd
import pytest

from bayes_distill import plan
from bayes_distill.compute import PF_DAY, PlainCount, shape_of
from bayes_distill.errors import InputError
from bayes_distill.planning import Limits
from bayes_distill.planning.words import plan_sentences

ASKED = {"crossovers": False, "teacher_range": False, "draws": 8}
PAYS = "teacher-pretraining-and-inference"


@pytest.fixture(scope="module")
def told(posterior):
    return plan(
        posterior,
        "1B",
        ["40 PF-days", "10000 GPU-hours", "1e10"],
        scenario=["supervised", PAYS],
        device="H100",
        utilisation=0.5,
        price=2,
        **ASKED,
    )


def test_budgets_are_read_and_told_in_every_unit(told):
    hour = 3600 * 0.5 * 989e12
    first, second, none = told.table.to_dict("records")[:3]
    assert first["budget"] == pytest.approx(40 * PF_DAY)
    assert second["budget"] == pytest.approx(1e4 * hour)
    assert first["budget_pf_days"] == pytest.approx(40)
    assert second["budget_gpu_hours"] == pytest.approx(1e4)
    assert second["budget_cost"] == pytest.approx(2e4)
    assert none["budget_pf_days"] == pytest.approx(1e10 / PF_DAY)
    content = told.to_json()
    assert content["rows"][0]["budget_as"]["pf_days"] == pytest.approx(40)
    assert content["hardware"] == {
        "device": "h100",
        "peak_flops": 989e12,
        "utilisation": 0.5,
        "price": 2,
    }
    assert "budget_cost" in told.shown_tables()[""]
    said = plan_sentences(content)[0]
    assert said.startswith("3.46e21 FLOPs (40 PF-days, 1.94K GPU-hours of h100 at 50%, cost 3.88K)")


def test_without_a_device_there_are_no_hours(posterior):
    found = plan(posterior, "1B", 1e21, scenario="supervised", **ASKED)
    assert found.table[["budget_gpu_hours", "budget_cost"]].isna().all(axis=None)
    content = found.to_json()
    assert content["hardware"] is None
    assert [name for name in found.shown_tables()[""] if name.startswith("budget_")] == []
    assert content["rows"][0]["budget_as"]["gpu_hours"] is None
    assert plan_sentences(content)[0].startswith("1e21 FLOPs (11.6 PF-days): without")
    with pytest.raises(InputError, match="needs `device`"):
        plan(posterior, "1B", "10 GPU-hours", **ASKED)


def test_a_table_of_plans_may_have_units(posterior):
    at = pd.DataFrame({"params": ["1B", "1B"], "budget": ["10 PFd", 1e21]})
    found = plan(posterior, at=at, scenario="supervised", **ASKED)
    assert found.table["budget"].tolist() == pytest.approx([10 * PF_DAY, 1e21])
    with pytest.raises(InputError, match="row 0, budget: '10 GPUh' needs `device`"):
        plan(posterior, at=at.assign(budget=["10 GPUh", 1e21]), **ASKED)


def test_recipes_have_shapes(told):
    for row, r in zip(told.to_json()["rows"], told.table.to_dict("records"), strict=True):
        if not r["feasible"]:
            assert row["shapes"] == {"student": None, "teacher": None}
            continue
        student = shape_of(1e9)
        assert row["shapes"]["student"] == {
            "layers": student.layers,
            "width": student.width,
            "heads": student.heads,
            "params": student.params,
        }
        if r["scenario"] == "supervised":
            assert row["shapes"]["teacher"] is None
        else:
            size = r["recipe_teacher_params"]
            assert (
                r["shape_teacher_params"] == shape_of(size).params == pytest.approx(size, rel=0.05)
            )


def test_a_count_without_a_shape_takes_the_papers(posterior):
    found = plan(posterior, "1B", 1e21, scenario="supervised", flops=PlainCount(), **ASKED)
    assert found.table["shape_student_layers"].tolist() == [shape_of(1e9).layers]


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"max_teacher_params": 1e16}, "max_teacher_params"),
        ({"max_tokens": 1e20}, "max_tokens"),
        ({"max_teacher_tokens": 1e20}, "max_teacher_tokens"),
        ({"teacher_sizes": (1e16,)}, "teacher_sizes"),
    ],
)
def test_no_limit_goes_beyond_what_a_forecast_takes(posterior, limits, named):
    with pytest.raises(InputError) as caught:
        plan(posterior, "1B", 1e21, scenario=PAYS, limits=limits, **ASKED)
    assert {f.column for f in caught.value.faults} == {named}


def test_the_sentence_says_that_a_recipe_is_at_a_limit(posterior):
    found = plan(
        posterior, "1B", 1e22, scenario=PAYS, limits=Limits(max_teacher_params=1e9), **ASKED
    )
    assert found.table["at_limit"].item() == "max_teacher_params"
    assert "the teacher at the limit)" in plan_sentences(found.to_json())[0]
    assert np.isclose(found.table["recipe_teacher_params"].item(), 1e9)
