from __future__ import annotations

import numpy as np
import pytest

from bayes_distill.reporting.quantiles import LEVELS, quantile_fields, share_below_zero


def test_the_share_below_zero_is_read_off_the_quantiles():
    generator = np.random.default_rng(2)
    draws = 0.02 * generator.standard_normal((4000, 41)) + np.linspace(-0.06, 0.06, 41)
    stored = quantile_fields("x", draws, (41,))
    quantiles = np.stack([field.values for field in stored.values()])
    # between levels 0.05 apart counts of 4000 draws scatter by sqrt(0.05 / 4000) / 2 = 0.0018
    assert share_below_zero(quantiles) == pytest.approx((draws < 0).mean(axis=0), abs=0.006)


@pytest.mark.parametrize(("value", "share"), [(-0.5, 1.0), (0.5, 0.0), (-7.0, 1.0), (7.0, 0.0)])
def test_draws_that_agree_are_sure(value, share):
    fields = quantile_fields("x", np.full((10, 1), value), (1,))
    assert share_below_zero(np.stack([f.values for f in fields.values()])) == [share]


def test_zero_itself_is_not_below_zero():
    assert share_below_zero(np.zeros((len(LEVELS), 1))) == [0.0]


def test_unknown_quantiles_give_no_probability():
    assert np.isnan(share_below_zero(np.full((len(LEVELS), 1), np.nan)))
