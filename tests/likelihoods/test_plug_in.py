"""A likelihood of another package: a class and a card that names it, and no other file."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.stats

from bayes_distill.cards import load_card, models_folder
from bayes_distill.checking.checks import predictive
from bayes_distill.errors import InputError
from bayes_distill.identification.next_run import next_run
from bayes_distill.inference.fit import fit
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.likelihoods import check_likelihood, likelihood_named
from bayes_distill.posterior import Posterior
from bayes_distill.predict.forecast import forecast
from bayes_distill.runs import chinchilla_design

MODULE = '''
"""Residuals with a logistic density, skewed or not: heavier tails than the normal one."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayes_distill.likelihoods import Likelihood, parameter
from bayes_distill.likelihoods.arrays import numpy_for


@dataclass(frozen=True, eq=False)
class Logistic(Likelihood):
    """Generalised logistic density of type I: `upward` above 1 moves mass up."""

    name: ClassVar[str] = "logistic"
    upward: Any = parameter(
        "how much heavier the upper half is",
        default={"family": "lognormal", "median": 1.0, "sd": 0.5},
    )

    def log_prob(self, residual):
        xp = numpy_for(residual, self.upward)
        return (
            xp.log(self.upward) - residual - (self.upward + 1) * xp.logaddexp(0.0, -residual)
        )

    def cdf(self, residual):
        return np.exp(-self.upward * np.logaddexp(0.0, -np.asarray(residual, float)))
'''
TRUTH = {"E": 1.8, "A": 500.0, "B": 2000.0, "alpha": 0.35, "beta": 0.37}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The module on the path, and a card that names its class."""
    (tmp_path / "their_noise.py").write_text(MODULE)
    text = (models_folder() / "supervised-plain" / "card.toml").read_text(encoding="utf-8")
    ours = 'family = "student_t"\ndegrees_of_freedom = 4\n'
    assert ours in text
    card = text.replace(ours, 'family = "their_noise:Logistic"\n')
    (tmp_path / "card.toml").write_text(card, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("their_noise", None)


def test_a_class_and_a_card_are_all_that_it_takes(installed):
    family = likelihood_named("their_noise:Logistic")
    check_likelihood(family(upward=1.0))
    check_likelihood(family(upward=2.5))
    card = load_card(installed / "card.toml")
    runs, _ = simulate_from_card(card, chinchilla_design().iloc[::4], coefficients=TRUTH, seed=1)
    assert any("upward is" in note for note in runs.notes)
    fitted = fit(runs, card, warmup=200, draws=200)
    assert fitted.verdict != "fail"
    again = Posterior.load(fitted.save(installed / "fit.nc"))
    assert again.card.likelihood.family == "their_noise:Logistic"
    assert type(again.likelihoods(np.array([False]))[0][0]) is family
    found = forecast(again, params="1B", tokens="20B").table.iloc[0]
    exact = 1.8 + 500 / 1e9**0.35 + 2000 / 2e10**0.37
    assert found["loss_mean"] == pytest.approx(exact, rel=0.02)
    assert found["new_run_lower"] < found["loss_mean"] < found["new_run_upper"]
    checks = predictive(again)
    assert checks.posterior.table["p_larger"].between(0.005, 0.995).all()
    assert 0 < next_run(again, coefficient="alpha").table.iloc[0]["information_gain"] <= 1


def test_its_new_runs_follow_it(installed):
    card = load_card(installed / "card.toml")
    runs, _ = simulate_from_card(card, chinchilla_design().iloc[::4], coefficients=TRUTH, seed=1)
    one = fit(runs, card, warmup=100, draws=50, chains=2).thin(1)
    mean, none = np.full((1, 20_000), 2.5), np.zeros(20_000, bool)
    z = (one.new_run(mean, none, np.random.default_rng(0)) - mean) / one.noise_scale(mean, none)
    upward = float(one.draws["upward"][0])
    known = scipy.stats.genlogistic(upward)
    assert scipy.stats.kstest(z[0], known.cdf).pvalue > 1e-3


def test_a_posterior_says_what_it_needs_where_the_class_is_not_installed(installed, tmp_path):
    card = load_card(installed / "card.toml")
    runs, _ = simulate_from_card(card, chinchilla_design().iloc[::4], coefficients=TRUTH, seed=1)
    file = fit(runs, card, warmup=100, draws=50, chains=2).save(tmp_path / "fit.nc")
    # -P: the current folder is not on the path
    command = [sys.executable, "-P", "-m", "bayes_distill", "forecast", str(file)]
    point = ["--params", "1B", "--tokens", "20B", "--allow-failed"]
    done = subprocess.run([*command, *point], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "was fitted with a likelihood that cannot be loaded: their_noise:Logistic" in done.stderr
    assert "PYTHONPATH" in done.stderr
    with pytest.raises(InputError, match="no_such:Thing was not found"):
        likelihood_named("no_such:Thing")
