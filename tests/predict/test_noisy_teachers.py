"""Teacher losses that were measured with a known error: read, simulated, modelled, answered."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.inference.fit import fit
from bayes_distill.inference.fitted_model import FittedModel, fitted_draws
from bayes_distill.laws import TABLE_6, Distillation
from bayes_distill.posterior import load_posterior
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.forecast import forecast
from bayes_distill.runs import read_runs, simulate

SE = 0.03


def test_the_error_is_read_under_its_names_and_counts_as_part_of_the_runs():
    frame = pd.DataFrame(
        {"N": [1e8, 2e8], "D": [2e9, 4e9], "L": [3.0, 2.9], "L_T": [2.2, 2.3], "LT_se": [0.01, 0.0]}
    )
    runs = read_runs(frame)
    assert runs.frame["teacher_loss_se"].tolist() == [0.01, 0.0]
    assert runs.fingerprint != read_runs(frame.drop(columns="LT_se")).fingerprint
    frame["LT_se"] = [-0.01, 0.02]
    frame.loc[1, "L_T"] = np.nan
    with pytest.raises(InputError) as error:
        read_runs(frame)
    assert [(f.row, f.column) for f in error.value.faults] == [(0, "LT_se"), (1, "LT_se")]
    assert "negative" in str(error.value)
    assert "both or neither" in str(error.value)


def test_students_of_one_simulated_teacher_get_the_same_measured_loss():
    design = pd.DataFrame({"params": [1e8, 5e8, 1e9, 5e8], "tokens": 2e10})
    design["teacher_loss"], design["teacher_loss_se"] = [2.2, 2.2, 2.2, 2.5], SE
    exact = simulate(Distillation(), TABLE_6, design.drop(columns="teacher_loss_se"), noise=0)
    runs = simulate(Distillation(), TABLE_6, design, noise=0, seed=1).frame
    assert runs["teacher_loss"].nunique() == 2
    assert not np.isclose(runs["teacher_loss"], design["teacher_loss"]).any()
    np.testing.assert_allclose(runs["loss"], exact.frame["loss"])  # the true teacher taught


def test_answers_are_uncertain_by_the_teachers_error(scattered):
    asked = pd.DataFrame(
        {"params": [5e8, 1e9, 5e8], "tokens": 2e10, "teacher_loss": [2.3, 2.3, 2.3]}
    )
    asked["teacher_loss_se"] = [SE, SE, 0.0]
    found = forecast(scattered, at=asked, seed=4)
    teacher = found.draws["teacher_loss"].to_numpy()
    assert teacher[:, 0].mean() == pytest.approx(2.3, abs=4 * SE / np.sqrt(2000))
    assert teacher[:, 0].std() == pytest.approx(SE, rel=0.1)
    np.testing.assert_array_equal(teacher[:, 0], teacher[:, 1])  # one teacher, one loss
    assert (teacher[:, 2] == 2.3).all()
    sd = found.table["loss_sd"]
    slope = risk(scattered, at=asked.iloc[[2]]).draws["slope"].mean()
    assert np.sqrt(sd[0] ** 2 - sd[2] ** 2) == pytest.approx(abs(float(slope)) * SE, rel=0.15)
    same, other = (forecast(scattered, at=asked, seed=s).draws["loss"].to_numpy() for s in (4, 5))
    np.testing.assert_array_equal(found.draws["loss"], same)
    assert (same[:, 0] != other[:, 0]).all()
    gap = risk(scattered, at=asked, seed=4)
    np.testing.assert_array_equal(gap.draws["teacher_loss"], teacher)
    width = gap.table["excess_loss_upper"] - gap.table["excess_loss_lower"]
    assert width[0] > width[2]


@pytest.fixture(scope="module")
def noisy() -> SimpleNamespace:
    """Twelve noisy teachers of 72 students, fitted with their errors and without."""
    cells = [(n, n * r) for n in (143e6, 546e6, 1.82e9) for r in (20.0, 100.0)]
    design = pd.DataFrame(
        [(n, d, t) for n, d in cells for t in np.linspace(1.95, 2.7, 12)],
        columns=["params", "tokens", "teacher_loss"],
    ).assign(teacher_loss_se=SE)
    runs = simulate(Distillation(), TABLE_6, design, noise=0.004, seed=7)
    settings = {"warmup": 300, "draws": 150}
    unaware = read_runs(runs.frame.drop(columns="teacher_loss_se"))
    return SimpleNamespace(
        true=design["teacher_loss"].to_numpy(),
        runs=runs,
        aware=fit(runs, "distillation", **settings),
        unaware=fit(unaware, "distillation", **settings),
    )


def off(posterior, name: str) -> float:
    """Distance of a coordinate from the truth, in posterior standard deviations."""
    truth = Distillation().from_published(TABLE_6, posterior.reference)
    return float((posterior.draws[name].mean() - truth[name]) / posterior.draws[name].std())


@pytest.mark.slow
def test_errors_of_teachers_that_are_modelled_leave_the_law_right(noisy):
    aware, unaware = noisy.aware, noisy.unaware
    found, noise = (p.draws["scale"] * p.reference.loss for p in (aware, unaware))
    assert np.quantile(found, 0.02) < 0.004 < np.quantile(found, 0.98)
    assert np.quantile(noise, 0.02) > 2 * 0.004  # what teachers' errors do is taken for noise
    z = {name: off(aware, name) for name in ("c0", "kappa", "width", "student_level")}
    assert max(map(abs, z.values())) < 3.5, z
    # and sharper for it: these errors are shared, and students of one teacher tell them
    asked = {"params": 5e8, "tokens": 2e10, "teacher_loss": 2.3}
    sd = [forecast(p, **asked, allow_failed=True).table["loss_sd"][0] for p in (aware, unaware)]
    assert sd[0] < sd[1]


@pytest.mark.slow
def test_true_losses_of_teachers_are_found(noisy):
    posterior = noisy.aware
    fitted = FittedModel.of(posterior)
    error = posterior.tree["effects"].dataset["teacher_error"].to_numpy()
    error = error.reshape(posterior.n_draws, -1)[:, np.asarray(fitted.data.teacher)[:72]]
    losses = noisy.runs.frame["teacher_loss"].to_numpy() + SE * error
    z = (losses.mean(0) - noisy.true) / losses.std(0)
    assert np.abs(z).max() < 3.5
    assert (
        np.sqrt(np.mean((losses.mean(0) - noisy.true) ** 2)) < 0.7 * SE
    )  # known better than given


@pytest.mark.slow
def test_a_stored_fit_knows_the_errors_of_its_teachers(noisy, tmp_path):
    loaded = load_posterior(noisy.aware.save(tmp_path / "noisy.nc"), allow_failed=True)
    fitted = FittedModel.of(loaded)
    assert (fitted.frame["teacher_loss_se"] == SE).all()
    assert fitted.spec.noisy_teachers
    stored = loaded.tree["log_likelihood"].dataset["loss"].to_numpy()
    draws = {name: value[:40] for name, value in fitted_draws(loaded).items()}
    again = fitted.by_run(draws).log_likelihood
    np.testing.assert_allclose(again, stored.reshape(-1, 72)[:40], rtol=1e-4, atol=1e-3)
