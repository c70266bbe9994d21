"""What cards say of students with unlimited data."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy import stats

from bayes_distill.cards import load_card
from bayes_distill.cards.registry import models_folder
from bayes_distill.errors import InputError
from bayes_distill.inference.density import constrainer, potential, prior_sampler
from bayes_distill.inference.model_inputs import model_inputs, reference_point
from bayes_distill.inference.unlimited_data import SIZES, TOKENS, gain_with_unlimited_data
from bayes_distill.laws import LAWS, TABLE_6, Reference
from bayes_distill.runs import paper_design, simulate

REFERENCE = Reference(params=5.46e8, tokens=1.94e10, loss=2.4)


def test_the_gain_is_that_of_the_best_teacher():
    law = LAWS["distillation-own-gap"]
    c = law.from_published(TABLE_6, REFERENCE)
    found = np.asarray(gain_with_unlimited_data(law, c)) * REFERENCE.loss
    params, tokens = np.array(SIZES)[:, None] * REFERENCE.params, TOKENS * REFERENCE.tokens
    teachers = np.linspace(1.3, 3.0, 4001)
    alone = np.asarray(law.supervised_loss(c, params, tokens, REFERENCE))
    taught = np.asarray(law.distilled_loss(c, params, tokens, teachers, REFERENCE))
    np.testing.assert_allclose(found, alone[:, 0] - taught.min(axis=1), atol=2e-3)
    assert np.abs(found).max() < 0.015  # table 6 agrees that next to nothing is left


def test_the_density_has_one_more_term():
    card = load_card("joint")
    runs = simulate(LAWS["distillation"], TABLE_6, paper_design(), noise=0.003, seed=1)
    reference = reference_point(card, runs.frame)
    spec, data, hyper, _ = model_inputs(card, runs, reference)
    assert spec.unlimited_data
    without = replace(spec, unlimited_data=False)
    draws = prior_sampler(spec)(jax.random.split(jax.random.key(0), 6), data, hyper)
    of_without = prior_sampler(without)(jax.random.split(jax.random.key(0), 6), data, hyper)
    for name, values in draws.items():  # prior draws do not heed it
        np.testing.assert_allclose(values, of_without[name])

    def values(which):
        return np.asarray(jax.vmap(potential(which, data, hyper))(draws))

    at = constrainer(spec)(draws, data, hyper)
    gain = jax.vmap(lambda c: gain_with_unlimited_data(spec.law, c))(
        {name: at[name] for name in spec.law.coordinate_names}
    )
    term = stats.norm.logpdf(np.asarray(gain), 0, 0.01).sum(axis=1)
    np.testing.assert_allclose(values(spec) - values(without), -term, rtol=1e-6)
    assert "no_gain" not in at


def test_a_supervised_law_has_no_such_setting(tmp_path):
    shipped = (models_folder() / "supervised-plain" / "card.toml").read_text(encoding="utf-8")
    text = f"{shipped}\n[unlimited_data]\ngain_sd = 0.01\n"
    path = tmp_path / "card.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="unlimited_data"):
        load_card(path)
