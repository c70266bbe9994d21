"""Accuracies through a curve: found again, bounded, and with its error."""

import numpy as np
import pandas as pd
import pytest

from bayes_distill import accuracy
from bayes_distill.comparison import accuracy as module
from bayes_distill.errors import InputError
from bayes_distill.inference.accuracy_curve import AccuracyCurve, fit_curve

CHANCE, TOP, MIDDLE, SLOPE, ERROR = 0.25, 0.9, 2.6, 4.0, 0.01


def truth(loss):
    return CHANCE + (TOP - CHANCE) / (1 + np.exp(SLOPE * (loss - MIDDLE)))


@pytest.fixture(scope="module")
def pairs():
    loss = np.linspace(2.0, 3.4, 25)
    noise = ERROR * np.random.default_rng(0).standard_normal(loss.size)
    return pd.DataFrame({"val_loss": loss, "mmlu": truth(loss) + noise, "other": "x"})


@pytest.fixture
def known(monkeypatch):
    """A curve without a fit."""
    draws = {"top": TOP, "middle": MIDDLE, "slope": SLOPE, "error": ERROR}
    made = AccuracyCurve(
        CHANCE,
        *(np.full(10, draws[name]) for name in ("top", "middle", "slope", "error")),
        None,
        (2.0, 3.4),
        25,
        1.0,
    )
    monkeypatch.setattr(module, "fit_curve", lambda *_: made)
    return made


def test_a_known_curve_is_found_again(pairs):
    curve = fit_curve(pairs["val_loss"].to_numpy(), pairs["mmlu"].to_numpy(), CHANCE, None, 0)
    assert curve.pareto_k < 0.7
    for name, value in (("top", TOP), ("middle", MIDDLE), ("slope", SLOPE)):
        low, high = np.quantile(getattr(curve, name), [0.001, 0.999])
        assert low < value < high, name
    rows = np.arange(len(curve.top))
    far = curve.mean(np.full((len(rows), 1), 9.0), rows)
    np.testing.assert_allclose(far, CHANCE, atol=1e-6)
    assert curve.mean(np.full((len(rows), 1), 0.5), rows).max() <= 1


def test_an_accuracy_is_the_curve_at_every_draw_of_the_loss(scattered, pairs, known):
    asked = {"params": "1B", "tokens": "20B"}
    result = accuracy(scattered, pairs, "mmlu", **asked, chance=CHANCE)
    losses = result.losses.draws["loss"].to_numpy()
    assert result.table["accuracy_mean"][0] == pytest.approx(truth(losses).mean(), rel=1e-12)
    (row,) = result.to_json()["rows"]
    inner, outer = row["accuracy_credible"], row["accuracy_predictive"]
    assert outer["lower"] < inner["lower"] < inner["upper"] < outer["upper"] <= 1
    assert row["mean"] == pytest.approx(losses.mean())


def test_points_beyond_the_losses_with_an_accuracy_are_noted(scattered, pairs, known):
    (few,) = np.quantile(forecast_losses(scattered), [0.5])
    part = pairs[pairs["val_loss"] > few + 0.5]
    object.__setattr__(known, "range_of_losses", (few + 0.5, 9.0))
    result = accuracy(scattered, part, "mmlu", "1B", "20B")
    assert any("rests on the shape of the curve" in note for note in result.notes)


def forecast_losses(posterior):
    return posterior.supervised_loss(np.array([1e9]), np.array([2e10]))


@pytest.mark.parametrize(
    ("change", "asked", "said"),
    [
        ({}, {"column": "arc"}, "column: there is no column arc"),
        ({}, {"column": None}, "column: is needed"),
        ({"mmlu": 31.0}, {}, "31: an accuracy is a share between 0 and 1"),
        ({"mmlu": None}, {}, "0 runs have loss and mmlu"),
        ({}, {"chance": 1.0}, "chance: must be a share"),
        ({}, {"items": 0}, "items: must be at least 1"),
        ({}, {"loss": "other"}, "'x' is not a number"),
    ],
)
def test_what_is_wrong_is_named(scattered, pairs, change, asked, said):
    asked = {"column": "mmlu", "params": "1B", "tokens": 2e10} | asked
    with pytest.raises(InputError, match=said):
        accuracy(scattered, pairs.assign(**change), **asked)
