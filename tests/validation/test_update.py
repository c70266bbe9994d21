"""Updates of a fit: the start that it stores, new runs, what moved, and what surprises."""

from __future__ import annotations

import json

import jax
import numpy as np
import pandas as pd
import pytest

import bayes_distill as bd
from bayes_distill.errors import InputError
from bayes_distill.inference.warm_start import WarmStart
from bayes_distill.validation.update import moved, surprises_of
from posteriors import posterior_of_law

NEW = pd.DataFrame({"params": [3e8, 2e9, 5e8], "tokens": [7e9, 5e10, 3e10]})


@pytest.fixture(scope="module")
def new_runs(chinchilla):
    """Three runs at the medians of their forecasts, the second far off."""
    told = bd.forecast(chinchilla.posterior, at=NEW).table
    loss = told["new_run_median"] + [0.0, 0.3, 0.0]
    return NEW.assign(loss=loss)


@pytest.fixture(scope="module")
def updated(chinchilla, new_runs):
    """The shared fit with three runs more; few draws, for what is tested is what is around them."""
    table = pd.concat([new_runs, chinchilla.runs.frame.iloc[:2][list(new_runs)]])
    return bd.update(chinchilla.posterior, table.reset_index(drop=True), draws=200, warmup=100)


def test_a_fit_stores_where_its_sampler_ended(chinchilla):
    start = WarmStart.of(bd.load_posterior(chinchilla.file))
    assert start is not None
    count = len(start.labels)
    assert start.mean.shape == (count,)
    assert start.last.shape == (4, count)
    assert np.linalg.eigvalsh(start.covariance).min() > 0
    assert WarmStart.of(chinchilla.posterior.thin(100)) is None  # it is of all draws


def test_a_start_is_taken_over_site_by_site():
    generator = np.random.default_rng(0)
    draws = {"a": generator.standard_normal((2, 50)), "b": generator.standard_normal((2, 50, 2))}
    start = WarmStart.of_draws(draws)
    assert start.labels == ("a", "b[0]", "b[1]")
    shapes = {"a": (), "b": (3,), "c": (1,)}
    shapes = {name: jax.ShapeDtypeStruct(shape, float) for name, shape in shapes.items()}

    def gradient(sites, _):
        far = abs(float(sites["a"])) > 0.5
        return (np.nan if far else 1.0), sites

    points, matrix = start.starting_points(shapes, (), 3, gradient, 0)
    assert points["b"].shape == (3, 3)
    assert np.array_equal(points["c"][:2], np.zeros((2, 1)))
    assert (np.abs(points["a"]) <= 0.5).all()  # halved towards the mean until it is a number
    assert matrix[:3, :3] == pytest.approx(start.covariance)
    assert matrix[3:, 3:] == pytest.approx(np.eye(2))
    wide = {"a": generator.standard_normal((2, 50, 500))}
    assert WarmStart.of_draws(wide) is None


def test_all_runs_are_fitted_and_the_new_ones_told_apart(chinchilla, updated, new_runs):
    after = updated.posterior
    assert updated.new_runs == 3
    assert updated.notes == ("2 runs are in the fit already",)
    assert after.info["n_runs"] == len(chinchilla.runs) + 3
    assert after.info["warmed_up"] <= 100
    stored = after.tree["runs"].dataset["loss"].to_numpy()
    assert stored[-3:] == pytest.approx(new_runs["loss"].to_numpy())
    (odd,) = updated.surprises.to_dict("records")
    assert odd["row"] == 1
    assert odd["loss"] > odd["forecast_upper"]
    assert odd["p"] < 0.01


def test_what_moved_is_in_standard_deviations_of_the_earlier_fit(chinchilla, updated):
    before = {c["name"]: c for c in chinchilla.posterior.info["coefficients"]}
    after = {c["name"]: c for c in updated.posterior.info["coefficients"]}
    table = updated.moved
    assert set(table["name"]) == set(before)
    assert (table["sd"].abs().diff().dropna() <= 0).all()
    for row in table.to_dict("records"):
        old = before[row["name"]]
        assert row["sd"] == pytest.approx((after[row["name"]]["mean"] - old["mean"]) / old["sd"])
        assert abs(row["sd"]) < 2  # three runs of two hundred
    same = moved(chinchilla.posterior, chinchilla.posterior)
    assert (same["sd"] == 0).all()
    json.dumps(updated.to_json(), allow_nan=False)


def test_runs_as_forecast_are_no_surprise(chinchilla, new_runs):
    assert surprises_of(chinchilla.posterior, new_runs.iloc[[0, 2]], 0).empty


def test_what_cannot_be_updated_is_refused(chinchilla, new_runs):
    known = chinchilla.runs.frame.iloc[:3]
    with pytest.raises(InputError, match="has all 3 runs"):
        bd.update(chinchilla.posterior, known)
    with pytest.raises(InputError, match="is a stack"):
        bd.update(posterior_of_law("stacked"), new_runs)
    with pytest.raises(InputError, match="holds draws and no runs"):
        bd.update("hoffmann2022", new_runs)
    with pytest.raises(InputError, match=r"`draws` is 3.*"):
        bd.update(chinchilla.posterior, new_runs, draws=3)
