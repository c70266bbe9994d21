"""Draws of forecasts and gap risks: labelled, by chain, and as ArviZ takes them."""

import arviz_stats
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_distill import by_chain
from bayes_distill.errors import InputError
from bayes_distill.posterior import Posterior
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.forecast import forecast
from bayes_distill.predict.results.columns import columns_of

STUDENTS = ("198M,1B", "5B")


@pytest.mark.parametrize("question", [forecast, risk])
def test_sample_has_the_chains_and_draws_of_the_fit(sweep, question):
    posterior = sweep.posterior
    draws = question(posterior, *STUDENTS, teacher_loss=2.2).draws
    assert set(draws.dims) == {"sample", "point"}
    assert draws["params"].dims == ("point",)
    chains, count = (posterior.tree["posterior"].sizes[name] for name in ("chain", "draw"))
    assert draws["chain"].to_numpy().tolist() == np.repeat(np.arange(chains), count).tolist()
    apart = draws.unstack("sample")  # noqa: PD010 (a dataset)
    xr.testing.assert_identical(apart, by_chain(draws))
    assert dict(apart.sizes) == {"point": 2, "chain": chains, "draw": count}
    one = posterior.tree["posterior"].dataset.isel(chain=2)
    alone = Posterior(
        xr.DataTree.from_dict({"posterior": one.expand_dims("chain")}),
        posterior.card,
        posterior.reference,
        posterior.info,
    )
    expected = question(alone, *STUDENTS, teacher_loss=2.2).draws["loss"]
    np.testing.assert_allclose(
        apart["loss"].sel(chain=2).transpose("draw", "point"), expected.to_numpy(), rtol=1e-12
    )


@pytest.mark.parametrize("question", [forecast, risk])
def test_arviz_summarises_every_point(sweep, question):
    draws = question(sweep.posterior, *STUDENTS, teacher_loss=2.2).draws
    apart = draws[["loss", "supervised"]].unstack("sample")  # noqa: PD010 (a dataset)
    found = arviz_stats.summary(apart, round_to="none")
    assert len(found) == 4
    numbers = found.astype(float)
    assert np.isfinite(numbers.to_numpy()).all()
    assert (numbers["r_hat"] < 1.05).all()
    ess = arviz_stats.ess(apart)["loss"]
    assert ess.dims == ("point",)
    assert (ess > 100).all()
    # the chains matter: as one long chain in another order the draws would look independent
    shuffled = draws.isel(sample=np.random.default_rng(0).permutation(draws.sizes["sample"]))
    one = arviz_stats.ess(shuffled["loss"].to_numpy().T[:, None], draw_axis=-1, chain_axis=-2)
    assert not np.allclose(one, ess.to_numpy(), rtol=1e-3)


@pytest.mark.parametrize(("most", "even"), [(1000, True), (700, False)])
def test_thinned_draws_know_their_chains(sweep, most, even):
    posterior = sweep.posterior
    whole, thin = (
        forecast(posterior, *STUDENTS, teacher_loss=2.2, draws=n).draws for n in (10**6, most)
    )
    stride = -(-posterior.n_draws // most)
    np.testing.assert_array_equal(thin["loss"], whole["loss"][::stride])
    np.testing.assert_array_equal(thin["chain"], whole["chain"][::stride])
    counts = thin["chain"].to_series().value_counts()
    assert (counts.min() == counts.max()) == even
    apart = by_chain(thin)
    assert apart.sizes["chain"] == 4
    assert apart.sizes["draw"] == counts.min()
    assert np.isfinite(arviz_stats.ess(apart)["loss"]).all()
    again = forecast(posterior.thin(most).thin(most // 2), *STUDENTS, teacher_loss=2.2).draws
    np.testing.assert_array_equal(again["chain"], whole["chain"][:: 2 * stride])


def test_chains_survive_a_file(sweep, tmp_path):
    thin = sweep.posterior.thin(700)
    again = Posterior.load(thin.save(tmp_path / "thin.nc"))
    np.testing.assert_array_equal(again.chains, thin.chains)
    assert set(again.draws) == set(thin.draws)


@pytest.mark.parametrize(
    ("question", "quantities"),
    [
        (forecast, ("loss", "new_run", "supervised", "teacher_loss")),
        (
            risk,
            ("loss", "supervised", "teacher_loss", "optimal_teacher_loss", "excess_loss"),
        ),
    ],
)
def test_columns_are_named_after_the_draws_that_they_summarise(scattered, question, quantities):
    at = pd.DataFrame(
        {
            "params": [1e9, 3e8],
            "tokens": [2e10, 6e9],
            "teacher_loss": [2.1, np.nan],
            "teacher_params": [np.nan, 3e9],
            "teacher_tokens": [np.nan, 6e10],
        }
    )
    found = question(scattered, at=at, interval=0.8)
    pd.testing.assert_frame_equal(found.table[list(at)], at)  # the points as they were stated
    statistics = {
        "mean": lambda x: x.mean(axis=0),
        "median": lambda x: np.median(x, axis=0),
        "sd": lambda x: x.std(axis=0),
        "lower": lambda x: np.quantile(x, 0.1, axis=0),
        "upper": lambda x: np.quantile(x, 0.9, axis=0),
    }
    for name in quantities:
        draws = found.draws[name].to_numpy()
        for column, statistic in zip(columns_of(name), statistics, strict=True):
            np.testing.assert_allclose(
                found.table[column], statistics[statistic](draws), rtol=1e-12, atol=1e-12
            )
    assert found.table["teacher_loss_mean"][0] == 2.1  # to the last digit
    assert found.table["teacher_loss_sd"][0] == 0
    assert found.table["teacher_loss_sd"][1] > 0


def test_without_a_teacher_there_is_no_teacher_loss(scattered):
    found = forecast(scattered, "1B", "20B")
    row = found.table.iloc[0]
    assert all(np.isnan(row[name]) for name in columns_of("teacher_loss"))
    assert np.isfinite([row[name] for name in columns_of("supervised")]).all()


def test_a_risk_uses_at_most_so_many_draws(scattered):
    whole, few = (risk(scattered, *STUDENTS, teacher_loss=2.2, draws=n) for n in (4000, 500))
    assert whole.draws.sizes["sample"] == 2000
    np.testing.assert_array_equal(few.draws["slope"], whole.draws["slope"][::4])
    (note,) = [n for n in few.notes if "draws were used" in n]
    assert note in forecast(scattered, *STUDENTS, teacher_loss=2.2, draws=500).notes
    with pytest.raises(InputError, match="draws: 0 is less than 1"):
        risk(scattered, *STUDENTS, teacher_loss=2.2, draws=0)


def test_a_gap_of_repeated_tokens_is_refused(scattered):
    at = pd.DataFrame({"params": [1e9], "tokens": [2e10], "teacher_loss": 2.1})
    with pytest.raises(InputError, match=r"unique_tokens: .*takes repeated tokens for new ones"):
        risk(scattered, at=at.assign(unique_tokens=1e9))
