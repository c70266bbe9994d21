"""Weights of a stack are by groups of runs that are left out, wherever there are groups."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_distill import Posterior, compare, stack
from bayes_distill.comparison.fits import groups_to_leave_out
from bayes_distill.validation.refit import score
from posteriors import posterior_of_law

LAWS = ("distillation", "distillation-no-gap")


def with_loo(fit: Posterior, runs: xr.Dataset, elpd: float, info) -> Posterior:
    """A fit of these runs, with leave-one-out figures that are the same for all of them."""
    count = runs.sizes["run"]
    stored = runs.assign(
        elpd_i=("run", np.full(count, elpd)), pareto_k=("run", np.full(count, 0.1))
    )
    tree = xr.DataTree.from_dict({"posterior": fit.tree["posterior"].dataset, "runs": stored})
    return Posterior(tree, fit.card, fit.reference, dict(info))


@pytest.fixture
def fits():
    """The law that made the runs, and one without a gap that leave-one-out prefers."""
    first, second = (posterior_of_law(law) for law in LAWS)
    runs = first.tree["runs"].dataset
    return [with_loo(fit, runs, x, first.info) for fit, x in ((first, 3.0), (second, 4.0))]


@pytest.fixture
def refitted(fits, monkeypatch):
    """Names of the groups that were left out; refits are answered by the fits themselves."""
    left_out = []
    by_law = {fit.card.law: fit for fit in fits}

    def answer(function, tasks, **places):
        results = []
        for task in tasks:
            frame = pd.DataFrame(task["columns"], index=pd.Index(task["rows"], name="row"))
            left_out.append(task["group"])
            checks = {"fitted": 40, "verdict": "pass", "rhat_max": 1.0}
            found = score(
                by_law[task["card"]["law"]], frame[np.array(task["held"])], **task["scoring"]
            )
            results.append({"group": task["group"], **checks, **found})
        return results

    monkeypatch.setattr("bayes_distill.comparison.refits.map_tasks", answer)
    return left_out


def shares(posterior):
    return {member["card"]: member["weight"] for member in posterior.info["stack"]}


def test_a_stack_weighs_by_sizes_that_are_left_out(fits, refitted):
    found = shares(stack(fits))
    assert len(set(refitted)) > 1  # student sizes
    assert found["busbridge2025-plain"] > 0.9  # the law that made the runs
    by_loo = shares(stack(fits, "loo"))
    assert by_loo["distillation-no-gap"] > 0.9
    assert found == pytest.approx(shares(stack(fits, "params")))


def test_a_comparison_weighs_by_groups_that_are_there_and_says_if_not(fits, refitted):
    quick = compare(fits)
    assert not refitted
    assert quick.weighted_by == "loo"
    assert any('`leave_out="params"`' in note for note in quick.notes)
    left_out = compare(fits, leave_out="params")
    assert left_out.weighted_by == "params"
    assert not any("by single runs" in note for note in left_out.notes)
    assert compare(fits, leave_out="params", weights="loo").weighted_by == "loo"
    assert not any("by single runs" in note for note in compare(fits, weights="loo").notes)


def test_what_is_left_out_follows_from_the_runs(fits):
    (fit, _) = fits
    assert groups_to_leave_out({"one": fit}) == "params"
    assert groups_to_leave_out({"one": fit}, min_runs=1000) is None
    # runs that are no longer those of the fit cannot be refitted
    runs = fit.tree["runs"].dataset.isel(run=slice(20))
    fewer = with_loo(fit, runs, 3.0, fit.info)
    assert groups_to_leave_out({"one": fewer}) is None


def test_the_command_refits_for_a_stack_unless_told_otherwise(
    fits, refitted, tmp_path, monkeypatch, capsys
):
    from bayes_distill.cli.main import run

    monkeypatch.chdir(tmp_path)
    names = [str(fit.save(tmp_path / f"{i}.nc")) for i, fit in enumerate(fits)]
    assert run(["compare", *names, "--stack", "quick.nc", "--weights", "loo", "--quiet"]) == 0
    assert not refitted
    assert run(["compare", *names, "--stack", "slow.nc", "--quiet"]) == 0
    assert refitted
    found = [shares(Posterior.load(tmp_path / name)) for name in ("quick.nc", "slow.nc")]
    assert found[0]["distillation-no-gap"] > 0.9
    assert found[1]["busbridge2025-plain"] > 0.9
