"""PSIS-LOO of draws that can be reweighted, and of draws that cannot."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from bayes_distill.inference import leave_one_out as module
from bayes_distill.inference.leave_one_out import leave_one_out
from bayes_distill.likelihoods import Normal, StudentT

LOSS = np.array([2.5, 2.4, 2.9])
NORMAL = Normal()
TABLES, RUNS = 120, 100


def tree(mean: np.ndarray, scale: float) -> xr.DataTree:
    """Groups of normal runs with these means, (chain, draw)."""
    return groups(mean, -0.5 * ((LOSS - mean[..., None]) / scale) ** 2 - np.log(scale))


def groups(mean: np.ndarray, density: np.ndarray) -> xr.DataTree:
    """Groups with log densities of runs, (chain, draw, run)."""
    likelihood = xr.Dataset({"loss": (("chain", "draw", "run"), density)})
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"mean": (("chain", "draw"), mean)}),
            "log_likelihood": likelihood,
        }
    )


def test_a_run_far_off_is_flagged():
    mean = 2.45 + 0.01 * np.random.default_rng(0).standard_normal((2, 200))
    flat = np.repeat(mean.reshape(-1, 1), 3, axis=1)
    loo = leave_one_out(tree(mean, 0.05), flat, np.full_like(flat, 0.05), LOSS, NORMAL)
    assert np.isfinite([loo.elpd, loo.se]).all()
    assert [run.row for run in loo.flagged(np.arange(3))] == [2]


def test_of_tables_without_an_odd_run_one_in_twenty_is_flagged():
    """Noise of a Student t with 4 degrees of freedom: 3% of the runs are beyond 3.29 scales."""
    generator, noise = np.random.default_rng(3), StudentT(degrees_of_freedom=4.0)
    tables = counted = 0
    for _ in range(TABLES):
        loss = noise.sample(generator, (RUNS,))
        mean = 0.1 * generator.standard_normal((2, 50))
        flat = np.repeat(mean.reshape(-1, 1), RUNS, axis=1)
        density = noise.log_prob(loss - mean[..., None])
        loo = leave_one_out(groups(mean, density), flat, np.ones_like(flat), loss, noise)
        tables += bool(loo.flagged(np.arange(RUNS)))
        counted += int((np.abs(loo.residual) > 3.29).sum())
    assert counted > 2 * TABLES
    assert 1 <= tables <= 14  # 6 are expected; 99.8% of such counts


def test_an_odd_run_among_many_is_flagged_under_wide_tails():
    generator, noise = np.random.default_rng(4), StudentT(degrees_of_freedom=4.0)
    loss = noise.sample(generator, (RUNS,))
    loss[17] = 20.0
    mean = 0.1 * generator.standard_normal((2, 50))
    flat = np.repeat(mean.reshape(-1, 1), RUNS, axis=1)
    density = noise.log_prob(loss - mean[..., None])
    loo = leave_one_out(groups(mean, density), flat, np.ones_like(flat), loss, noise)
    (flagged,) = loo.flagged(np.arange(RUNS))
    assert (flagged.row, round(flagged.residual)) == (17, 20)


def test_draws_that_never_moved_give_no_elpd_and_no_traceback():
    mean = np.full((2, 50), 2.45)
    flat = np.full((100, 3), 2.45)
    loo = leave_one_out(tree(mean, 0.05), flat, np.full_like(flat, 0.05), LOSS, NORMAL)
    assert np.isnan([loo.elpd, loo.se, *loo.pareto_k, *loo.elpd_i]).all()
    np.testing.assert_allclose(loo.residual, (LOSS - 2.45) / 0.05)
    assert [run.row for run in loo.flagged(np.arange(3))] == [2]


@pytest.mark.parametrize("many", [100, 2])  # in this process, and in others
def test_runs_in_parts_come_out_as_all_at_once(monkeypatch, many):
    mean = 2.45 + 0.01 * np.random.default_rng(0).standard_normal((2, 200))
    flat = np.repeat(mean.reshape(-1, 1), 3, axis=1)
    arguments = tree(mean, 0.05), flat, np.full_like(flat, 0.05), LOSS, NORMAL
    whole = leave_one_out(*arguments)
    monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(module, "MANY", many)
    parts = leave_one_out(*arguments)
    assert (parts.elpd, parts.se) == pytest.approx((whole.elpd, whole.se))
    for name in ("elpd_i", "pareto_k", "residual", "p_value"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-9)


def with_residuals(residual: np.ndarray) -> module.LeaveOneOut:
    """Results of runs with these residuals under a Student t with four degrees of freedom."""
    nothing = np.zeros_like(residual)
    p_value = 2 * stats.t.sf(np.abs(residual), 4)
    return module.LeaveOneOut(0.0, 0.0, nothing, nothing, residual, p_value)


def test_runs_of_one_size_that_lie_far_out_together_are_flagged():
    residual = stats.t(4).rvs(300, random_state=1)
    sizes = np.repeat(np.arange(100), 3)
    residual[30:33] = [6.1, 5.6, 3.5]  # none of them is odd by itself
    found = with_residuals(residual)
    assert found.flagged(np.arange(300)) == []
    flagged = found.flagged(np.arange(300), sizes)
    assert {run.row for run in flagged} == {30, 31, 32}
    assert all("is the size right?" in run.reason for run in flagged)


def test_of_clean_tables_with_sizes_about_one_in_twenty_has_a_run_flagged():
    tables, sizes = 400, np.repeat(np.arange(30), 3)
    generator = np.random.default_rng(2)
    flagged = [
        bool(with_residuals(generator.standard_t(4, 90)).flagged(np.arange(90), sizes))
        for _ in range(tables)
    ]
    assert 0.02 < np.mean(flagged) < 0.1


def test_several_odd_runs_do_not_hide_one_another():
    residual = np.r_[stats.t(4).rvs(240, random_state=3), 13.0, 14.0, -26.0, 31.0, 70.0]
    flagged = {run.row for run in with_residuals(residual).flagged(np.arange(245))}
    assert flagged >= set(range(240, 245))
    assert len(flagged) <= 7
