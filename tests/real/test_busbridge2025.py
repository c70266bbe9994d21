"""The 354 published distillation runs: checks, figures, extrapolation, mislabelled runs."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_distill.forecasting import forecast
from bayes_distill.runs import read_runs

pytestmark = pytest.mark.slow
MISLABELLED = set(range(348, 354))


def summaries(posterior) -> dict[str, dict]:
    return {c["name"]: c for c in posterior.info["coefficients"]}


def test_the_defaults_pass_every_check(busbridge):
    diagnostics = busbridge.info["diagnostics"]
    assert busbridge.verdict == "pass"
    assert busbridge.info["n_runs"] == 354
    assert busbridge.card.name == "busbridge2025"
    assert diagnostics["rhat_max"] <= 1.01
    assert diagnostics["ess_bulk_min"] >= 400
    assert diagnostics["ess_tail_min"] >= 400
    assert diagnostics["divergences"] <= 4
    assert (diagnostics["chains"], diagnostics["draws"]) == (4, 1000)


def test_the_diagnostics_speak_of_every_sampled_coordinate(busbridge):
    """Not taken on trust: R-hat and ESS of each coordinate, by ArviZ, from the stored draws."""
    import arviz_stats

    draws = busbridge.tree["posterior"].dataset
    names = [*busbridge.law.coordinate_names, "scale"]
    rhat = arviz_stats.rhat(draws[names])
    assert max(float(rhat[n]) for n in names) <= 1.01
    for method in ("bulk", "tail"):
        ess = arviz_stats.ess(draws[names], method=method)
        assert min(float(ess[n]) for n in names) >= 400
    assert int(busbridge.tree["sample_stats"]["diverging"].sum()) <= 4


@pytest.mark.parametrize(
    ("name", "prototype", "within"),
    [
        ("c0", 2.33, 0.25),
        ("f1", 0.102, 0.01),
        ("kappa", 2.30, 0.1),
        ("alpha'", 0.36, 0.17),
        ("beta'", 0.38, 0.16),
        ("gamma'", 0.78, 0.36),
    ],
)
def test_figures_agree_with_those_of_the_prototype(busbridge, name, prototype, within):
    # about three of the prototype's standard deviations, or two for the last three
    assert summaries(busbridge)[name]["mean"] == pytest.approx(prototype, abs=within)


def test_residual_scale_is_that_of_the_prototype(busbridge):
    scale = busbridge.draws["scale"].mean() * busbridge.reference.loss
    assert scale == pytest.approx(0.006, abs=0.0007)


def test_c1_and_d1_are_not_identified_and_others_are(busbridge):
    identified = {name for name, c in summaries(busbridge).items() if c["identified"]}
    assert {"c1", "d1", "A'", "B'"}.isdisjoint(identified)
    assert {"c0", "f1", "kappa", "student_level", "scale"} <= identified


def test_larger_students_are_predicted(busbridge_above_2_3):
    assert busbridge_above_2_3.info["n_runs"] == 328
    frame = read_runs("busbridge2025").where("loss <= 2.3").frame
    assert len(frame) == 26
    table = forecast(
        busbridge_above_2_3,
        at=frame[["params", "tokens", "teacher_loss"]],
        allow_failed=True,  # whether its sampling passes is asked elsewhere
    ).table
    loss = frame["loss"].to_numpy()
    error = np.abs(table["mean"].to_numpy() - loss)
    assert error.mean() <= 0.008
    assert (error / loss).max() <= 0.01
    held = (table["predictive_lower"] <= loss) & (loss <= table["predictive_upper"])
    assert held.sum() >= 23
    assert (table["predictive_upper"] - table["predictive_lower"]).mean() <= 0.04
    assert busbridge_above_2_3.verdict != "fail"


def test_mislabelled_runs_are_flagged(busbridge_as_extracted):
    flagged = {run["row"] for run in busbridge_as_extracted.info["flagged_runs"]}
    assert flagged >= MISLABELLED
    assert len(flagged - MISLABELLED) <= 10
    for run in busbridge_as_extracted.info["flagged_runs"]:
        assert run["reason"]


def test_put_right_they_are_not_flagged(busbridge):
    flagged = {run["row"] for run in busbridge.info["flagged_runs"]}
    assert len(flagged & MISLABELLED) <= 1
    assert any("swapped" in note for note in busbridge.info["notes"])
