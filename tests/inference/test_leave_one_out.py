"""PSIS-LOO of draws that can be reweighted, and of draws that cannot."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from bayes_distill.inference import leave_one_out as module
from bayes_distill.inference.leave_one_out import leave_one_out

LOSS = np.array([2.5, 2.4, 2.9])


def tree(mean: np.ndarray, scale: float) -> xr.DataTree:
    """Groups of normal runs with these means, (chain, draw)."""
    density = -0.5 * ((LOSS - mean[..., None]) / scale) ** 2 - np.log(scale)
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
    loo = leave_one_out(tree(mean, 0.05), flat, np.full_like(flat, 0.05), LOSS)
    assert np.isfinite([loo.elpd, loo.se]).all()
    assert [run.row for run in loo.flagged(np.arange(3))] == [2]


def test_draws_that_never_moved_give_no_elpd_and_no_traceback():
    mean = np.full((2, 50), 2.45)
    flat = np.full((100, 3), 2.45)
    loo = leave_one_out(tree(mean, 0.05), flat, np.full_like(flat, 0.05), LOSS)
    assert np.isnan([loo.elpd, loo.se, *loo.pareto_k, *loo.elpd_i]).all()
    np.testing.assert_allclose(loo.residual, (LOSS - 2.45) / 0.05)
    assert [run.row for run in loo.flagged(np.arange(3))] == [2]


@pytest.mark.parametrize("many", [100, 2])  # in this process, and in others
def test_runs_in_parts_come_out_as_all_at_once(monkeypatch, many):
    mean = 2.45 + 0.01 * np.random.default_rng(0).standard_normal((2, 200))
    flat = np.repeat(mean.reshape(-1, 1), 3, axis=1)
    arguments = tree(mean, 0.05), flat, np.full_like(flat, 0.05), LOSS
    whole = leave_one_out(*arguments)
    monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(module, "MANY", many)
    parts = leave_one_out(*arguments)
    assert (parts.elpd, parts.se) == pytest.approx((whole.elpd, whole.se))
    for name in ("elpd_i", "pareto_k", "residual"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-9)
