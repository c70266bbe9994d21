"""What each shipped card believes before it sees a loss."""

from functools import cache
from typing import NamedTuple

import jax
import numpy as np
import pandas as pd
import pytest

from bayes_distill.cards import Card, load_card, model_names
from bayes_distill.inference.density import pointwise, prior_values
from bayes_distill.inference.fit import DEFAULT_CARDS
from bayes_distill.inference.model import sites_of_mean
from bayes_distill.inference.model_inputs import model_inputs, reference_point
from bayes_distill.laws import LAWS, TABLE_6
from bayes_distill.runs import Runs, chinchilla_design, paper_design, simulate

DRAWS = 1000
KINDS = {
    "busbridge2025": "distillation",
    "busbridge2025-loose": "distillation",
    "busbridge2025-plain": "distillation",
    "data-limited": "supervised",
    "data-limited-plain": "supervised",
    "distillation": "distillation",
    "distillation-discrepancy": "distillation",
    "distillation-gain": "distillation",
    "distillation-no-gap": "distillation",
    "distillation-plain": "distillation",
    "hoffmann2022": "supervised",
    "hoffmann2022-gamma": "supervised",
    "joint": "mixed",
    "joint-discrepancy": "mixed",
    "joint-plain": "mixed",
    "supervised": "supervised",
    "supervised-plain": "supervised",
}
HOFFMANN = {"E": 1.817, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}
LOSSES = ["loss", "teacher_loss"]
CARDS = {name: load_card(name) for name in model_names()}
FITTED = [n for n, card in CARDS.items() if card.coefficients is None and card.formula is None]
"""Formulas are of runs of other kinds: `tests/laws/test_check_law.py` asks them at their priors."""


class Predicted(NamedTuple):
    """Runs in units of the reference loss, and what a card foresees for them (draws, runs)."""

    card: Card
    data: np.ndarray
    teacher: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    coordinates: dict


@cache
def runs_of(kind):
    law = LAWS["distillation"]
    if kind == "supervised":
        return simulate(LAWS["chinchilla"], HOFFMANN, chinchilla_design(), seed=1)
    taught = paper_design().drop(columns="group")
    if kind == "distillation":
        return simulate(law, TABLE_6, taught, seed=1)
    both = pd.concat([taught[::3], chinchilla_design()[::3]], ignore_index=True)
    return simulate(law, TABLE_6, both, seed=1)


@cache
def predict(name, unit=1.0):
    card, runs = load_card(name), runs_of(KINDS[name])
    frame = runs.frame.copy()
    columns = [c for c in LOSSES if c in frame]
    frame[columns] *= unit
    runs = Runs(frame, runs.source)
    assert runs.kind == KINDS[name]
    reference = reference_point(card, frame)
    spec, data, hyper, _ = model_inputs(card, runs, reference)
    keys = jax.random.split(jax.random.key(0), DRAWS)
    values = jax.device_get(prior_values(spec)(keys, data, hyper))
    flat = {k: v for k, v in values.items() if v.ndim == 1}
    prior = jax.device_get(pointwise(spec)(sites_of_mean(spec, values), data, hyper))
    n = len(runs)
    assert np.isfinite(prior["log_likelihood"]).all()
    return Predicted(
        card,
        np.asarray(data.loss)[:n],
        np.asarray(data.teacher_loss)[:n],
        prior["mean"][:, :n],
        prior["scale"][:, :n],
        flat,
    )


every_card = pytest.mark.parametrize("name", FITTED)


def test_every_card_with_priors_is_tested_here():
    assert set(FITTED) == set(KINDS), "say in KINDS which runs a new card is for"
    assert {KINDS[name] for name in DEFAULT_CARDS.values()} == set(DEFAULT_CARDS)


@every_card
def test_losses_are_plausible(name):
    prior = predict(name)
    assert np.isfinite(prior.mean).all()
    assert np.isfinite(prior.scale).all()
    middle = np.median(prior.mean) / np.median(prior.data)
    assert 0.5 < middle < 2
    assert ((prior.mean > 0.3) & (prior.mean < 4)).mean() >= 0.9
    by_run = np.median(prior.mean, 0) / prior.data
    assert (by_run > 0.5).all()
    assert (by_run < 2).all()


@every_card
def test_the_runs_are_within_what_the_card_foresees(name):
    """A prior must not rule its runs out: 99% of its draws surround each of them."""
    prior = predict(name)
    noisy = prior.mean + 3 * prior.scale * np.random.default_rng(0).choice([-1, 1], (DRAWS, 1))
    low, high = np.quantile(noisy, [0.005, 0.995], axis=0)
    assert ((low < prior.data) & (prior.data < high)).mean() > 0.97


@pytest.mark.parametrize("name", [n for n in FITTED if KINDS[n] != "supervised"])
def test_students_are_near_their_teachers_and_not_below(name):
    prior = predict(name)
    taught = ~np.isnan(prior.teacher)
    excess = prior.mean[:, taught] - prior.teacher[taught]
    if "-gain" in load_card(name).law:  # made for students that end below
        assert 0.001 < (excess < 0).mean() < 0.3
        assert np.quantile(excess, 0.001) > -0.1
    elif load_card(name).discrepancy is not None:  # offsets of sizes and teachers
        assert (excess < 0).mean() < 0.2
        assert np.quantile(excess, 0.001) > -0.05
    else:
        assert (excess >= 0).all()
    # most students of these sweeps end within a third of the reference loss of their teachers
    assert np.median(excess) < 1 / 3


@every_card
def test_noise_is_small_beside_the_losses_but_not_nothing(name):
    relative = predict(name).scale / predict(name).mean
    assert 1e-3 < np.median(relative) < 0.02
    assert np.quantile(relative, 0.99) < 0.2


@every_card
def test_bits_per_byte_are_foreseen_like_nats(name):
    """Losses times 0.3: in units of the reference loss, the same prior and the same runs."""
    nats, bits = predict(name), predict(name, unit=0.3)
    np.testing.assert_allclose(bits.data, nats.data, rtol=1e-12)
    joint = nats.card.supervised
    if joint is None or joint.same_unit_within == 0:
        for coordinate, value in nats.coordinates.items():
            np.testing.assert_allclose(bits.coordinates[coordinate], value, rtol=1e-9)
        np.testing.assert_allclose(bits.mean, nats.mean, rtol=1e-9)
    else:  # the paper's own runs are in the unit of the centre; another unit is uncertain
        for q in (0.1, 0.5, 0.9):
            moved = np.log(np.quantile(bits.mean, q, axis=0) / np.quantile(nats.mean, q, axis=0))
            assert np.abs(moved).max() < 2 * joint.unit_sd
        spreads = [
            np.log(p.coordinates["floor"] + p.coordinates["level"]).std() for p in (bits, nats)
        ]
        assert spreads[0] == pytest.approx(np.hypot(spreads[1], joint.unit_sd), rel=0.1)
