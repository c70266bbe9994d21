"""The JSON of a plan, to the letter of what scripts rely on."""

import json

import pandas as pd
import pytest

from bayes_distill import plan
from bayes_distill.planning import Limits
from studies import PLAN_ROW

SPREAD = {"median", "lower", "upper"}
UNKNOWNS = {"student_tokens", "teacher_params", "teacher_tokens", "teacher_loss"}
BOTH = "teacher-pretraining-and-inference"


@pytest.fixture(scope="module")
def content(posterior):
    teachers = pd.DataFrame(
        {"name": ["a", "b"], "loss": [2.2, 2.1], "params": [1e9, 1e13], "tokens": [3e10, 1e12]}
    )
    found = plan(
        posterior,
        "1B",
        "1e21,1e22",
        scenario=f"supervised,best-case,{BOTH}",
        teachers=teachers,
        target_loss=2.2,
    )
    content = found.to_json()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    return content


def test_keys(content):
    assert set(content) >= {"rows", "crossovers"}
    for r in content["rows"]:
        assert set(r) >= PLAN_ROW
        assert set(r["recipe"]) >= UNKNOWNS
        assert set(r["shares"]) >= {"student", "logits", "teacher"}
        assert set(r["loss"]) >= {"mean", "lower", "upper"}
        assert set(r["optimum"]) >= UNKNOWNS
        assert all(set(spread) == SPREAD for spread in r["optimum"].values())
        assert set(r["regret"]) == {"mean", "upper"}
        assert set(r["loss"]["predictive"]) == set(r["flat_teacher_params"]) == {"lower", "upper"}
        assert r["gain"] == r["improvement"]  # two names of one thing: the first is deprecated
        assert set(r["improvement"]) == {"mean", "lower", "upper"}
        assert set(r["optimum_shares"]) == {"student", "logits", "teacher", "unspent"}
        assert r["problem"] is None
    for r in content["crossovers"]:
        assert set(r) >= {"scenario", "params", "budget", "p_none"}
        assert set(r["budget"]) == SPREAD
    for r in content["targets"]:
        assert set(r) == {"scenario", "params", "target_loss", "budget", "student_tokens"}
        assert set(r["budget"]) == set(r["student_tokens"]) == SPREAD | {"p_unreachable"}
    for r in content["teachers"]:
        assert set(r) >= {"name", "teacher_loss", "p_best", "loss", "regret", "affordable"}
        assert set(r["loss"]) == {"mean", "lower", "upper"}


def test_numbers(content):
    assert [len(content[k]) for k in ("rows", "targets", "teachers")] == [6, 3, 8]
    stops = [r for r in content["crossovers"] if r["direction"] == "better_below"]
    assert len(stops) == 2
    assert len(content["crossovers"]) - len(stops) <= 2  # where distilling is better above
    assert content["interval"] == 0.9
    for r in content["rows"]:
        assert isinstance(r["budget"], float)
        assert sum(r["shares"].values()) == pytest.approx(1, abs=1e-9)
        assert r["loss"]["lower"] < r["loss"]["mean"] < r["loss"]["upper"]
        assert 0 <= r["regret"]["mean"] <= r["regret"]["upper"] or r["scenario"] == "supervised"
        assert set(r["p_at_bound"]) == {
            f"{end}_{what}"
            for end in ("min", "max")
            for what in ("tokens", "teacher_tokens", "teacher_params")
        }


def test_what_is_not_determined_is_null(content):
    rows = {(r["scenario"], r["budget"]): r for r in content["rows"]}
    alone, free, paid = (rows[name, 1e22] for name in ("supervised", "best-case", BOTH))
    assert alone["p_beats_supervised"] is None
    assert [k for k, v in alone["recipe"].items() if v is None] == [
        "teacher_params",
        "teacher_tokens",
        "teacher_loss",
    ]
    assert [k for k, v in free["recipe"].items() if v is None] == [
        "teacher_params",
        "teacher_tokens",
    ]
    assert free["optimum"]["teacher_params"] == dict.fromkeys(SPREAD)
    assert free["flat_teacher_params"] == {"lower": None, "upper": None}
    assert all(isinstance(v, float) for v in paid["recipe"].values())
    dear = [r for r in content["teachers"] if r["scenario"] == BOTH and r["name"] == "b"]
    for r in dear:
        assert r["affordable"] is False
        assert r["student_tokens"] is r["loss"]["mean"] is r["regret"]["mean"] is None
        assert r["p_best"] == 0


def test_a_plan_without_extras_has_empty_lists(posterior):
    found = plan(posterior, "1B", "1e22", scenario="supervised", crossovers=False, limits=Limits())
    content = found.to_json()
    assert [content[k] for k in ("crossovers", "targets", "teachers", "notes")] == [[], [], [], []]
