"""Every check on made-up chains that must fail it, and on chains that must pass."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest
import xarray as xr

from bayes_distill.inference.diagnostics import Diagnostics, diagnose
from bayes_distill.inference.kernel import MAX_TREE_DEPTH

CHAINS, DRAWS = 4, 1000
SAMPLING = (
    "rhat_max",
    "ess_bulk_min",
    "ess_tail_min",
    "divergences",
    "bfmi_min",
    "tree_depth_hits",
)


def good_chains(**replaced: np.ndarray) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    shape = (CHAINS, DRAWS)
    return {
        "a": generator.standard_normal(shape),
        "b": generator.standard_normal((*shape, 2)),
        "energy": generator.standard_normal(shape),
        "diverging": np.zeros(shape, bool),
        "tree_depth": np.full(shape, 3),
    } | replaced


def slow_walk(correlation: float) -> np.ndarray:
    generator = np.random.default_rng(1)
    steps = generator.standard_normal((CHAINS, DRAWS))
    walk = np.empty_like(steps)
    walk[:, 0] = steps[:, 0]
    for i in range(1, DRAWS):
        walk[:, i] = correlation * walk[:, i - 1] + np.sqrt(1 - correlation**2) * steps[:, i]
    return walk


def marked(count: int) -> np.ndarray:
    flags = np.zeros(CHAINS * DRAWS, bool)
    flags[:count] = True
    return flags.reshape(CHAINS, DRAWS)


def judge(
    values: Mapping[str, np.ndarray],
    contraction: dict[str, float] | None = None,
    pull: dict[str, float] | None = None,
) -> Diagnostics:
    variables = {n: (("chain", "draw", "k")[: v.ndim], v) for n, v in values.items()}
    dataset = xr.Dataset(variables)
    return diagnose(
        dataset[["a", "b"]],
        dataset[["energy", "diverging", "tree_depth"]],
        contraction or {"a": 0.9, "b[0]": 0.8},
        pull or {"a": 0.1, "b[0]": -0.2},
    )


def verdicts(judged: Diagnostics) -> dict[str, str]:
    return {check.name: check.verdict for check in judged.checks}


def test_good_chains_pass_everything():
    judged = judge(good_chains())
    assert judged.verdict == "pass"
    assert set(verdicts(judged).values()) == {"pass"}
    assert all(check.advice == "" for check in judged.checks)
    assert judged.rhat_max < 1.01
    assert judged.ess_bulk_min > 3000
    assert (judged.chains, judged.draws, judged.divergences) == (CHAINS, DRAWS, 0)


def test_a_chain_that_is_stuck_fails_rhat():
    a = good_chains()["a"]
    a[2] = 3.0 + 1e-3 * a[2]
    judged = judge(good_chains(a=a))
    assert verdicts(judged)["rhat_max"] == "fail"
    assert judged.verdict == "fail"
    assert judged.rhat_max > 1.05


def test_the_worst_coordinate_is_named_by_its_place_in_a_vector():
    b = good_chains()["b"]
    b[1, :, 1] += 5.0
    judged = judge(good_chains(b=b))
    check = next(c for c in judged.checks if c.name == "rhat_max")
    assert "b[1]" in check.advice


@pytest.mark.parametrize("places", [[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0]])
def test_chains_that_do_not_move_at_all_fail_whatever_the_others_do(places):
    b = good_chains()["b"]
    b[..., 1] = np.array(places)[:, None]
    judged = judge(good_chains(b=b, energy=np.ones((CHAINS, DRAWS))))
    results = verdicts(judged)
    assert results["rhat_max"] == results["bfmi_min"] == "fail"
    assert "b[1]" in next(c for c in judged.checks if c.name == "rhat_max").advice
    assert judged.verdict == "fail"


def test_slow_chains_fail_ess():
    judged = judge(good_chains(a=slow_walk(0.995)))
    assert verdicts(judged)["ess_bulk_min"] == "fail"
    assert verdicts(judged)["ess_tail_min"] == "fail"
    assert judged.verdict == "fail"
    somewhat = judge(good_chains(a=slow_walk(0.9)))
    assert verdicts(somewhat)["ess_bulk_min"] == "review"
    assert 100 <= somewhat.ess_bulk_min < 400


def test_rough_tails_are_seen_where_the_bulk_is_fine():
    # every chain visits the tail once, in one long stay
    a = np.clip(good_chains()["a"], -1.5, 1.5)
    a[:, 400:460] = 6.0 + 0.01 * a[:, 400:460]
    judged = judge(good_chains(a=a))
    assert verdicts(judged)["ess_tail_min"] != "pass"
    assert judged.ess_tail_min < judged.ess_bulk_min


@pytest.mark.parametrize(
    ("count", "verdict"), [(0, "pass"), (4, "pass"), (5, "review"), (40, "review"), (41, "fail")]
)
def test_share_of_divergences(count, verdict):
    judged = judge(good_chains(diverging=marked(count)))
    assert verdicts(judged)["divergences"] == verdict
    assert judged.verdict == verdict
    assert judged.divergences == count


@pytest.mark.parametrize(("correlation", "verdict"), [(0.0, "pass"), (0.99, "fail")])
def test_energies_that_are_explored_slowly_fail_bfmi(correlation, verdict):
    judged = judge(good_chains(energy=slow_walk(correlation)))
    assert verdicts(judged)["bfmi_min"] == verdict
    assert judged.verdict == verdict


def test_one_bad_chain_is_enough_for_bfmi():
    energy = good_chains()["energy"]
    energy[3] = slow_walk(0.99)[3]
    assert verdicts(judge(good_chains(energy=energy)))["bfmi_min"] == "fail"


@pytest.mark.parametrize(("count", "verdict"), [(40, "pass"), (41, "review"), (4000, "review")])
def test_trajectories_cut_off_are_slow_and_not_wrong(count, verdict):
    depth = np.where(marked(count), MAX_TREE_DEPTH, 3)
    judged = judge(good_chains(tree_depth=depth))
    assert verdicts(judged)["tree_depth_hits"] == verdict
    assert judged.verdict == verdict


def test_what_the_prior_decides_is_told_but_is_no_fault_of_the_draws():
    judged = judge(good_chains(), {"a": 0.3, "b[0]": 0.1}, {"a": -7.0, "b[0]": 0.0})
    results = verdicts(judged)
    assert results["contraction_max"] == "fail"
    assert results["coordinates_left_to_prior"] == "review"
    assert results["prior_pull_max"] == "review"
    assert judged.verdict == "pass"
    checks = {check.name: check for check in judged.checks}
    assert "a, b[0]" in checks["coordinates_left_to_prior"].advice
    assert checks["prior_pull_max"].value == 7.0
    assert "on a" in checks["prior_pull_max"].advice


def test_the_verdict_is_the_worst_of_the_sampling_checks():
    judged = judge(good_chains(diverging=marked(5), energy=slow_walk(0.99)))
    scopes = {check.name: check.scope for check in judged.checks}
    assert {name for name, scope in scopes.items() if scope == "sampling"} == set(SAMPLING)
    worst = max(
        (c.verdict for c in judged.checks if c.scope == "sampling"),
        key=["pass", "review", "fail"].index,
    )
    assert worst == judged.verdict == "fail"


def test_what_did_not_pass_comes_with_advice():
    judged = judge(good_chains(diverging=marked(50), a=slow_walk(0.995)), {"a": 0.1}, {"a": 9.0})
    for check in judged.checks:
        assert bool(check.advice) == (check.verdict != "pass")


def test_json_is_plain():
    results = judge(good_chains()).to_json()
    assert json.loads(json.dumps(results)) == results
    assert [check["name"] for check in results["checks"]][:6] == list(SAMPLING)
    assert set(results["checks"][0]) >= {"name", "value", "threshold", "verdict", "advice"}
