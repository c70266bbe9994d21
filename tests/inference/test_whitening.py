"""Discrepancies are sampled in coordinates that the runs whiten: exact, and nearly normal."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from jax.flatten_util import ravel_pytree
from numpyro.infer.util import constrain_fn

from bayes_distill.cards import load_card
from bayes_distill.inference import linear_effects, reparameterisation, whitening
from bayes_distill.inference.density import constrainer, prior_sampler, prior_values
from bayes_distill.inference.model import mean_loss, scaling_law_model
from bayes_distill.inference.model_inputs import model_inputs, reference_point
from bayes_distill.inference.smooth_rows import LEAST, all_weights, smooth_rows, told
from bayes_distill.laws.smooth_discrepancy import UPWARD, basis
from bayes_distill.runs import read_runs

CARDS = {
    "supervised": "supervised",
    "distillation": "distillation-discrepancy",
    "mixed": "joint-discrepancy",
}


def table(kind: str) -> pd.DataFrame:
    """Twenty runs of five sizes.

    Of the mixed ones some have no teacher, some one of a size, and twelve are checkpoints of three.
    """
    generator = np.random.default_rng(5)
    params = np.repeat([1e8, 3e8, 1e9, 3e9, 7e9], 4)
    frame = pd.DataFrame(
        {
            "params": params,
            "tokens": params * generator.uniform(10, 200, 20),
            "loss": 2.2 + 0.4 * (params / 1e8) ** -0.3 + 0.01 * generator.standard_normal(20),
        }
    )
    if kind != "supervised":
        frame["teacher_loss"] = generator.uniform(1.9, 2.2, 20)
    if kind == "mixed":
        frame.loc[5:, "teacher_loss"] = np.nan
        frame["teacher_params"] = np.where(frame.index >= 12, 7e9, np.nan)
        frame["teacher_tokens"] = np.where(frame.index >= 12, 1.4e11, np.nan)
        frame["run"] = np.where(frame.index >= 8, [f"run of {n:g}" for n in params], None)
    return frame


def log_points() -> np.ndarray:
    """Logs of sizes and tokens over a reference, (2, runs)."""
    return np.log(table("supervised")[["params", "tokens"]].to_numpy(float) / [1e9, 5e10]).T


def prepared(kind: str):
    runs, card = read_runs(table(kind)), load_card(CARDS[kind])
    reference = reference_point(card, runs.frame)
    return model_inputs(card, runs, reference)[:3]


@pytest.mark.parametrize("kind", CARDS)
def test_there_and_back_with_the_volume_of_the_jacobian(kind):
    spec, data, hyper = prepared(kind)
    keys = jax.random.split(jax.random.key(2), 3)
    draws = prior_sampler(spec)(keys, data, hyper)
    sites = {name: value[1] for name, value in draws.items()}
    of_law, volume = jax.jit(partial(reparameterisation.forward, spec))(sites, data, hyper)
    back = jax.jit(partial(reparameterisation.inverse, spec))(of_law, data, hyper)
    for name, value in sites.items():
        np.testing.assert_allclose(back[name], value, atol=1e-7, err_msg=name)
    flat, unravel = ravel_pytree(sites)

    @jax.jit
    def jacobian_at(x):
        def vector(x):
            return ravel_pytree(reparameterisation.forward(spec, unravel(x), data, hyper)[0])[0]

        return jax.jacfwd(vector)(x)

    jacobian = jacobian_at(flat)
    sign, log_determinant = np.linalg.slogdet(jacobian)
    assert sign == 1
    assert float(volume) == pytest.approx(log_determinant, abs=1e-6)


def test_equations_at_noise_of_scale_one_give_those_of_the_runs():
    """What is kept for all draws, against the information of the runs at the scales of one."""
    spec, data, hyper = prepared("supervised")
    sites = {
        n: jnp.asarray(-4.0 - k) for k, n in enumerate((*spec.noise_sites, *spec.spread_sites))
    }
    regression, (by,) = whitening.at_scales(spec, sites, hyper)
    noise, *spreads = np.exp(-4.0 - np.arange(4.0))
    assert float(by) == pytest.approx(noise**-2)
    design = np.concatenate([data.smooth[name] for name in spec.smooth], axis=1)
    sizes = hyper["groups"]["size_offset"]
    of_offsets = np.eye(len(sizes))[data.offset_size] * np.asarray(data.has_offset)[:, None]
    rows = np.concatenate([design, of_offsets], axis=1)
    weight = np.where(data.mask, hyper["linear"]["weight"], 0.0) / noise**2
    half = design.shape[1] // 2
    prior = np.r_[
        np.full(half, spreads[0] ** -2),
        np.full(half, spreads[1] ** -2),
        np.where(sizes == 1, spreads[2] ** -2, 1.0),
    ]
    covariance = np.linalg.inv(rows.T @ (weight[:, None] * rows) + np.diag(prior))
    root = np.asarray(regression.root)
    np.testing.assert_allclose(
        np.linalg.inv(root @ root.T), covariance[: 2 * half, : 2 * half], rtol=1e-6, atol=1e-16
    )
    residual = np.random.default_rng(0).standard_normal(len(weight))
    told = covariance @ rows.T @ (weight * residual)
    (equations,) = hyper["linear"]["fixed"].equations
    right = equations.right(residual[:, None], data.offset_size)
    right = tuple(by * each for each in right)
    weights = regression.told(right)
    np.testing.assert_allclose(weights[:, 0], told[: 2 * half], rtol=1e-6, atol=1e-12)
    offsets = regression.offsets(right[1], weights)
    np.testing.assert_allclose(offsets[:, 0], told[2 * half :], rtol=1e-6, atol=1e-12)


def test_another_mask_has_other_equations():
    spec, data, hyper = prepared("supervised")
    again = whitening.with_equations(spec, data, hyper)["linear"]["fixed"]
    before = hyper["linear"]["fixed"]
    for one, two in zip(jax.tree.leaves(again), jax.tree.leaves(before), strict=True):
        np.testing.assert_array_equal(one, two)
    masked = data._replace(mask=np.arange(len(data.mask)) < 9)
    fewer = whitening.with_equations(spec, masked, hyper)["linear"]["fixed"]
    assert np.trace(fewer.equations[0].gram) < np.trace(again.equations[0].gram)


def test_effects_are_those_of_the_model():
    """Columns of the design, and local effects, against losses when a site moves a little."""
    spec, data, hyper = prepared("mixed")
    raw = prior_sampler(spec)(jax.random.split(jax.random.key(4), 2), data, hyper)
    sites = reparameterisation.forward(spec, {k: v[0] for k, v in raw.items()}, data, hyper)[0]
    sites = linear_effects.without_effects(spec, sites)
    model = partial(scaling_law_model, spec)

    @jax.jit
    def loss(sites):
        values = constrain_fn(model, (data, hyper), {}, sites, return_deterministic=True)
        return mean_loss(spec, values, data)

    values = constrain_fn(model, (data, hyper), {}, sites, return_deterministic=True)
    effects = jax.device_get(linear_effects.effects_at(spec, values, data))
    columns = linear_effects.design(spec, effects, data, hyper)
    place, effect, count = linear_effects.places(spec, effects, data, hyper)
    columns = np.concatenate([columns, np.eye(count)[place] * effect[:, None]], axis=1)
    begun = 0
    for name in (*linear_effects.dense(spec), *linear_effects.local(spec)):
        moves = np.random.default_rng(begun).standard_normal(sites[f"{name}_z"].shape)
        change = loss(sites | {f"{name}_z": 1e-5 * moves}) - loss(sites)
        told = columns[:, begun : begun + len(moves)] @ moves
        np.testing.assert_allclose(change / 1e-5, told, rtol=1e-3, atol=1e-4, err_msg=name)
        begun += len(moves)
    assert begun == columns.shape[1]


def test_offsets_are_of_supervised_runs_whose_size_recurs():
    frame = table("mixed").drop(columns="run")
    frame.loc[0, "params"] = 5e8  # alone of its size
    runs, card = read_runs(frame), load_card("joint-discrepancy")
    _, data, hyper, _ = model_inputs(card, runs, reference_point(card, runs.frame))
    has = np.asarray(data.has_offset[: len(frame)]) > 0
    supervised = frame["teacher_loss"].isna() & frame["teacher_params"].isna()
    counts = frame.loc[supervised, "params"].value_counts()
    expected = supervised & frame["params"].map(counts).gt(1)
    assert list(has) == list(expected)
    of_one_run = frame.assign(run=np.where(frame["params"] == 1e9, "one", None))
    _, data, _, _ = model_inputs(card, read_runs(of_one_run), reference_point(card, runs.frame))
    assert not np.asarray(data.has_offset)[:20][frame["params"] == 1e9].any()  # it is its luck
    assert hyper["groups"]["size_offset"].sum() == counts.gt(1).sum()


@pytest.mark.parametrize("name", ["smooth_up", "smooth_down"])
def test_few_combinations_of_weights_say_all_that_runs_tell(name):
    x, y = log_points()
    nothing = np.full(20, np.nan)
    rows = smooth_rows((x, y), (nothing, nothing), nothing)[name]
    side = UPWARD if name == "smooth_up" else ~UPWARD
    full = np.asarray(basis(x, y))[:, side]
    weights = np.random.default_rng(0).standard_normal(full.shape[1])
    kept = rows.student @ (rows.directions.T @ weights)
    np.testing.assert_allclose(kept, full @ weights, atol=5 * LEAST)
    assert (rows.directions != 0).any(axis=0).sum() < full.shape[1]
    assert np.all(rows.teacher == 0)


def test_what_no_run_tells_keeps_its_prior():
    x, y = log_points()
    directions = told(np.asarray(basis(x, y)))
    generator = np.random.default_rng(1)
    strength = np.full(4000, 0.02)
    drawn = 0.1 * strength[:, None] * generator.standard_normal((4000, directions.shape[1]))
    weights = all_weights(drawn, directions, strength, generator)
    np.testing.assert_allclose(
        weights @ directions, drawn * (directions != 0).any(axis=0), atol=1e-12
    )
    far = np.asarray(basis(12.0, 12.0)) @ weights.T
    assert far.std() > 0.5 * 0.02 * np.linalg.norm(np.asarray(basis(12.0, 12.0)))


def test_prior_draws_have_the_stated_scales():
    spec, data, hyper = prepared("supervised")
    keys = jax.random.split(jax.random.key(3), 2000)
    raw = prior_sampler(spec)(keys, data, hyper)
    values = constrainer(spec)(raw, data, hyper)
    for name, directly in prior_values(spec)(keys, data, hyper).items():
        np.testing.assert_allclose(directly, values[name], rtol=1e-6, atol=1e-12, err_msg=name)
    for name in ("smooth_up", "smooth_down", "size_offset"):
        z = np.asarray(values[f"{name}_z"])[:, 0] / np.asarray(values[f"{name}_sd"])
        assert z.std() == pytest.approx(1, abs=0.06)
        log_scale = np.log(np.asarray(values[f"{name}_sd"]))
        assert log_scale.mean() == pytest.approx(hyper[f"{name}_sd"][0], abs=0.1)
