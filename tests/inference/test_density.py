"""The density that NUTS samples, held against SciPy; padding and units do not change it."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from jax.flatten_util import ravel_pytree
from scipy import special, stats

from bayes_distill.cards import Card, load_card
from bayes_distill.inference import reparameterisation
from bayes_distill.inference.density import constrainer, pointwise, potential, prior_sampler
from bayes_distill.inference.joint_prior import constrain
from bayes_distill.inference.model import Data, ModelSpec, mean_loss
from bayes_distill.inference.model_inputs import model_inputs, padded_data, reference_point
from bayes_distill.inference.padding import ROWS
from bayes_distill.laws import TABLE_6
from bayes_distill.runs import read_runs

KINDS = ("supervised", "distillation", "mixed")
COUNT = 64
CARDS = {
    "supervised": "supervised-plain",
    "distillation": "distillation-plain",
    "mixed": "joint-plain",
}


def table(kind: str) -> pd.DataFrame:
    """Twenty runs of a kind; the mixed ones have teachers measured, sized and absent."""
    generator = np.random.default_rng(3)
    params = generator.uniform(1e8, 3e9, 20)
    frame = pd.DataFrame(
        {
            "params": params,
            "tokens": params * generator.uniform(10, 200, 20),
            "loss": generator.uniform(2.1, 2.9, 20),
        }
    )
    if kind == "supervised":
        return frame
    frame["teacher_loss"] = generator.uniform(1.95, 2.6, 20)
    if kind == "mixed":
        frame.loc[5:, "teacher_loss"] = np.nan
        frame["teacher_params"] = np.where(frame.index >= 12, 7e9, np.nan)
        frame["teacher_tokens"] = np.where(frame.index >= 12, 1.4e11, np.nan)
    return frame


def prepared(kind: str, frame: pd.DataFrame | None = None, card: Card | None = None):
    runs = read_runs(table(kind) if frame is None else frame)
    card = card or load_card(CARDS[kind])
    reference = reference_point(card, runs.frame)
    spec, data, hyper, _ = model_inputs(card, runs, reference)
    return card, spec, data, hyper, reference


def prior_draws(spec: ModelSpec, data: Data, hyper: dict, count: int = COUNT) -> dict:
    return prior_sampler(spec)(jax.random.split(jax.random.key(1), count), data, hyper)


@partial(jax.jit, static_argnums=0)
def value_and_gradient(spec: ModelSpec, data: Data, hyper: dict, sites: dict) -> list[jax.Array]:
    """Of the potential, (draws,) and (draws, ...), one program for all tests of a kind."""
    actual = jax.vmap(jax.value_and_grad(potential(spec, data, hyper)))(sites)
    return list(jax.tree.leaves(actual))


def log_density(spec: ModelSpec, data: Data, hyper: dict, sites: dict) -> np.ndarray:
    return -np.asarray(value_and_gradient(spec, data, hyper, sites)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_density_is_prior_times_likelihood(kind, plain):
    card, spec, data, hyper, reference = prepared(kind)
    frame = table(kind)
    sites = prior_draws(spec, data, hyper)
    values = {name: np.asarray(v) for name, v in constrainer(spec)(sites, data, hyper).items()}
    published = card.scaling_law.to_published(values, reference)
    c = {name: np.asarray(value)[:, None] for name, value in published.items()}
    c.setdefault("gamma", np.ones((COUNT, 1)))
    expected = np.zeros(COUNT)
    # on the unconstrained scale every prior here is a normal distribution
    of_law, _ = reparameterisation.forward(spec, sites, data, hyper)
    for name, prior in card.priors.items():
        scale = special.logit if prior.family == "logitnormal" else np.log
        middle = scale(prior.median)
        expected += stats.norm.logpdf(scale(values[name]), middle, prior.sd)
        np.testing.assert_allclose(of_law[name], scale(values[name]), rtol=1e-8)
    if "bend" in card.priors:
        b = values["bend"]  # sampled is log b - 10 exp(-b)
        expected -= np.log1p(spec.law.tail_reach["bend"] * b * np.exp(-b))
    if spec.joint_supervised:
        expected += stats.norm.logpdf(sites["supervised_z"]).sum(axis=1)
    for name in spec.noise_sites:
        expected += stats.norm.logpdf(np.log(values[name]), np.log(0.004), 1.0)
    n, d = frame["params"].to_numpy(), frame["tokens"].to_numpy()
    mean = plain.supervised(c, n, d)
    taught = np.zeros(len(frame), bool)
    if kind != "supervised":
        teacher = np.tile(frame["teacher_loss"].to_numpy(), (COUNT, 1))
        if kind == "mixed":
            sized = frame["teacher_params"].notna().to_numpy()
            teacher[:, sized] = plain.supervised(c, 7e9, 1.4e11)
        taught = ~np.isnan(teacher[0])
        mean = np.where(taught, plain.distilled(c, n, d, teacher), mean)
    assert taught.sum() == {"supervised": 0, "distillation": 20, "mixed": 13}[kind]
    residual_scale = values["scale" if kind != "supervised" else "supervised_scale"][:, None]
    noise = np.where(
        taught, residual_scale, values.get("supervised_scale", residual_scale.squeeze())[:, None]
    )
    noise = noise * (mean if card.likelihood.scale == "relative" else reference.loss)
    # losses are divided by the reference loss, which multiplies each density by it
    likelihood = stats.t.logpdf(frame["loss"].to_numpy(), 4, mean, noise) + np.log(reference.loss)
    expected += likelihood.sum(axis=1)
    np.testing.assert_allclose(log_density(spec, data, hyper, sites), expected, rtol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_neither_density_nor_gradient(kind):
    _, spec, data, hyper, _ = prepared(kind)
    assert data.params.shape == (ROWS,)
    assert int(data.mask.sum()) == 20
    sites = prior_draws(spec, data, hyper)
    bare = jax.tree.map(lambda column: column[:20], data)
    factor = jnp.where(data.mask, 1.0, 1.7)
    measured = {k: v for k, v in data._asdict().items() if getattr(v, "dtype", None) == jnp.float64}
    strange = data._replace(**{name: column * factor for name, column in measured.items()})
    for other in (bare, strange):
        for one, same in zip(
            value_and_gradient(spec, data, hyper, sites),
            value_and_gradient(spec, other, hyper, sites),
            strict=True,
        ):
            np.testing.assert_allclose(one, same, rtol=1e-10, atol=1e-10)
    counted = data._replace(mask=jnp.ones(ROWS, bool))
    value, *_ = value_and_gradient(spec, data, hyper, sites)
    assert (np.abs(value - value_and_gradient(spec, counted, hyper, sites)[0]) > 1e-3).all()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_finite_over_the_prior(kind):
    _, spec, data, hyper, _ = prepared(kind)
    leaves = value_and_gradient(spec, data, hyper, prior_draws(spec, data, hyper))
    assert all(np.isfinite(leaf).all() for leaf in leaves)


@pytest.mark.parametrize("kind", KINDS)
def test_another_unit_of_loss_leaves_the_density_as_it_is(kind):
    _, spec, data, hyper, reference = prepared(kind)
    frame = table(kind)
    for column in {"loss", "teacher_loss"} & set(frame):
        frame[column] *= 0.3
    _, other_spec, other, other_hyper, other_reference = prepared(kind, frame)
    assert other_reference.loss == pytest.approx(0.3 * reference.loss)
    sites = prior_draws(spec, data, hyper)
    np.testing.assert_allclose(
        log_density(spec, data, hyper, sites),
        log_density(other_spec, other, other_hyper, sites),
        rtol=1e-9,
    )


def test_a_centre_in_nats_is_left_alone_only_by_the_card_that_says_so():
    card = load_card("busbridge2025-plain")
    for factor, notes in ((1.0, 0), (0.3, 1)):
        frame = table("distillation")
        frame[["loss", "teacher_loss"]] *= factor
        runs = read_runs(frame)
        reference = reference_point(card, runs.frame)
        _, _, hyper, remarks = model_inputs(card, runs, reference)
        assert len(remarks) == notes
        centre = constrain(hyper["supervised"]["centre"])
        if factor == 1.0:
            assert centre["floor"] * reference.loss == pytest.approx(TABLE_6["E"])
        else:
            assert centre["floor"] * reference.loss == pytest.approx(0.3 * 1.22, rel=0.15)


def test_pointwise_sums_to_the_likelihood(plain):
    _, spec, data, hyper, _ = prepared("mixed")
    sites = prior_draws(spec, data, hyper)
    values = constrainer(spec)(sites, data, hyper)
    by_run = pointwise(spec)({k: v for k, v in values.items() if v.ndim == 1}, data, hyper)
    total = np.asarray(by_run["log_likelihood"])[:, :20].sum(axis=1)
    nothing = data._replace(mask=jnp.zeros(ROWS, bool))
    prior = log_density(spec, nothing, hyper, sites)
    np.testing.assert_allclose(total, log_density(spec, data, hyper, sites) - prior, rtol=1e-9)


def test_a_measured_teacher_loss_goes_before_the_predicted_one():
    frame = table("mixed")
    card, spec, _, _, reference = prepared("mixed", frame)
    coordinates = card.scaling_law.from_published(TABLE_6, reference)
    both = frame.copy()
    both.loc[12:, "teacher_loss"] = 2.5
    predicted, measured = (
        np.asarray(mean_loss(spec, coordinates, padded_data(card, f, reference)[0]))[:20]
        for f in (frame, both)
    )
    np.testing.assert_array_equal(predicted[:12], measured[:12])
    assert (predicted[12:] != measured[12:]).all()


@pytest.fixture(scope="module")
def departed():
    """The card with discrepancies of sizes and conditions, on a few simulated students."""
    return prepared("distillation", card=load_card("busbridge2025"))[1:4]


def test_sampling_coordinates_are_as_many_and_their_volume_is_stated(departed):
    spec, data, hyper = departed
    assert "stretch" in spec.condition_discrepancies
    sites = {name: value[0] for name, value in prior_draws(spec, data, hyper).items()}
    flat, unravel = ravel_pytree(sites)

    def of_law(x):
        return ravel_pytree(reparameterisation.forward(spec, unravel(x), data, hyper)[0])[0]

    assert np.abs(np.asarray(of_law(flat)) - flat).max() > 1
    at, stated = reparameterisation.forward(spec, sites, data, hyper)
    back = reparameterisation.inverse(spec, at, data, hyper)
    for name, value in sites.items():
        np.testing.assert_allclose(back[name], value, rtol=1e-9, atol=1e-9)
    sign, log_volume = np.linalg.slogdet(jax.jacfwd(of_law)(flat))
    assert sign == 1
    assert log_volume == pytest.approx(float(stated), abs=1e-6)
    assert reparameterisation.forward(spec, {}, data, hyper)[1] == 0  # all the rest are shears


def test_the_coordinate_of_the_bend_is_a_logarithm_where_it_is_large(departed):
    spec, data, hyper = departed
    bends = np.array([1e-12, 0.01, 0.5, 1.0, 2.0, 3.0, 7.0, 20.0, 1e4])
    sampled = reparameterisation.inverse(spec, {"bend": np.log(bends)}, data, hyper)["bend"]
    assert (np.diff(sampled) > 0).all()
    np.testing.assert_allclose(sampled[-2:], np.log(bends[-2:]), atol=1e-6)
    actual = reparameterisation.forward(spec, {"bend": sampled}, data, hyper)[0]["bend"]
    np.testing.assert_allclose(actual, np.log(bends), atol=1e-9)


def test_the_bend_has_the_gradient_of_its_inverse(departed):
    spec, data, hyper = departed

    def volume(sampled):
        return reparameterisation.forward(spec, {"bend": sampled}, data, hyper)[1]

    def log_bend(sampled):
        return reparameterisation.forward(spec, {"bend": sampled}, data, hyper)[0]["bend"]

    for at in (-30.0, -11.0, -5.0, -1.0, 0.3, 1.5, 9.0):
        for function in (log_bend, volume):
            step = 1e-5
            slope = (function(at + step) - function(at - step)) / (2 * step)
            assert jax.grad(function)(at) == pytest.approx(float(slope), abs=1e-6)
        assert np.exp(volume(at)) == pytest.approx(float(jax.grad(log_bend)(at)))


def test_groups_that_are_padding_do_not_depend_on_the_scale(departed):
    spec, data, hyper = departed
    count = int(np.asarray(data.condition).max()) + 1
    sites = {name: np.asarray(v[0]) for name, v in prior_draws(spec, data, hyper).items()}
    assert len(sites["condition_z"]) > count
    potential_of = potential(spec, data, hyper)

    def change(place):
        """Of the slope by the scale, when one group moves."""
        z = sites["condition_z"].copy()
        z[place] += 3.0
        slope = jax.grad(potential_of)
        before, after = slope(sites), slope(sites | {"condition_z": z})
        return float(after["condition_sd"] - before["condition_sd"])

    assert change(count) == pytest.approx(0, abs=1e-9)
    assert abs(change(0)) > 0.1
