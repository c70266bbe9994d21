"""Keys of draws: uniform, independent between purposes, and the draw's own."""

import numpy as np
from scipy import stats

from bayes_distill.posterior.draw_keys import draw_keys
from bayes_distill.posterior.keyed_normal import keyed_normal

GENERATOR = np.random.default_rng(0)
DRAWS = {"a": GENERATOR.normal(size=4000), "b": np.full(4000, 0.1)}
PURPOSES = ("one", "another", "third")


def test_keys_and_what_follows_from_them_have_their_distributions():
    for purpose in PURPOSES:
        keys = draw_keys(DRAWS, purpose)
        assert ((keys > 0) & (keys < 1)).all()
        assert stats.kstest(keys, "uniform").pvalue > 1e-4
        assert stats.kstest(keyed_normal(keys, np.arange(5.0)).ravel(), "norm").pvalue > 1e-4


def test_purposes_and_seeds_have_independent_keys():
    keys = [draw_keys(DRAWS, p) for p in PURPOSES] + [draw_keys(DRAWS, "one", seed=1)]
    apart = np.corrcoef(keys)[np.triu_indices(4, 1)]
    assert np.abs(apart).max() < 4 / np.sqrt(4000)


def test_a_draw_keeps_its_key_without_the_others():
    keys = draw_keys(DRAWS, "one")
    thin = {name: values[::7] for name, values in DRAWS.items()}
    np.testing.assert_array_equal(draw_keys(thin, "one"), keys[::7])


def test_draws_that_agree_have_keys_of_their_own():
    same = {"a": np.repeat([0.3, 0.7], 500)}
    keys = draw_keys(same, "one")
    assert len(np.unique(keys)) == 1000
    assert stats.kstest(keyed_normal(keys, np.zeros(1))[:, 0], "norm").pvalue > 1e-4
