"""The benchmarks: the bootstrap and BlackJAX's kernel are right, and tables have their results."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayes_distill.cards import load_card
from bayes_distill.inference.programs import Programs
from bayes_distill.inference.sampler import run_chains
from bayes_distill.inference.settings import SamplerSettings

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import learn_priors

import bootstrap
import kernels
import samplers
import sweeps

X = np.array([np.log(482.0), np.log(2085.0), np.log(1.817), 0.348, 0.366])


@pytest.fixture(scope="module")
def exact() -> pd.DataFrame:
    params, ratio = np.meshgrid([1e8, 4e8, 1.6e9, 6.4e9], [5.0, 20.0, 80.0])
    frame = pd.DataFrame({"params": params.ravel(), "tokens": (params * ratio).ravel()})
    log_n, log_d = (np.log(frame[name].to_numpy()) for name in ("params", "tokens"))
    return frame.assign(loss=np.exp(np.asarray(bootstrap.log_loss(X, log_n, log_d))))


def test_the_huber_fit_finds_the_truth_where_there_is_no_noise(exact):
    log_n, log_d = (np.log(exact[name].to_numpy()) for name in ("params", "tokens"))
    by_hand = 1.817 + 482.0 / np.exp(log_n) ** 0.348 + 2085.0 / np.exp(log_d) ** 0.366
    np.testing.assert_allclose(exact["loss"], by_hand, rtol=1e-12)
    fitted, least = bootstrap.best_of([X + 0.02, X - 0.02], exact, np.ones(len(exact)))
    assert least < 1e-3
    assert bootstrap.answers(fitted[None])["middle: 1B on 20B"][0] == pytest.approx(
        1.817 + 482.0 / 1e9**0.348 + 2085.0 / 2e10**0.366, rel=1e-4
    )


def test_resamples_differ_and_a_seed_repeats_them(exact):
    noisy = exact.assign(loss=exact["loss"] * np.exp(np.random.default_rng(1).normal(0, 0.01, 12)))
    one, again = (bootstrap.bootstrap(noisy, X, 4, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert np.ptp(one[:, 2]) > 1e-4


@pytest.mark.parametrize("name", [name for name in kernels.KERNELS if name != kernels.BASE])
def test_a_kernel_to_compare_with_samples_the_same_density(name):
    pytest.importorskip("blackjax", reason="BlackJAX is not installed: pip install '.[bench]'")
    covariance = np.array([[1.0, 0.9], [0.9, 2.0]])
    precision = np.linalg.inv(covariance)
    settings = SamplerSettings(chains=4, warmup=320, draws=750)

    def potential_of(mean):
        return lambda z: 0.5 * (z["x"] - mean) @ precision @ (z["x"] - mean)

    programs = Programs(potential_of, settings.window, 0.9, kernel=kernels.KERNELS[name])
    z = {"x": np.random.default_rng(0).standard_normal((4, 2))}
    sample = run_chains(programs, z, np.eye(2), (np.array([1.0, -3.0]),), settings, seed=0)
    flat = sample.unconstrained["x"].reshape(-1, 2)
    np.testing.assert_allclose(flat.mean(0), [1.0, -3.0], atol=0.12)
    np.testing.assert_allclose(np.cov(flat.T), covariance, atol=0.3)
    assert sample.stats["acceptance_rate"].mean() == pytest.approx(0.9, abs=0.07)
    assert len(np.unique(sample.stats["step_size"])) == 1
    x = sample.unconstrained["x"] - [1.0, -3.0]
    exact = -0.5 * np.einsum("cdi,ij,cdj->cd", x, precision, x)
    np.testing.assert_allclose(sample.stats["lp"], exact, rtol=1e-9)


def test_the_table_of_kernels_has_ratios_seed_by_seed():
    sizes = {f"ess_{kind}_{of}": 1000.0 for kind in ("bulk", "tail") for of in ("min", "mean")}
    row = {
        **sizes,
        "warm_up": 500,
        "step_size": 0.5,
        "rhat_max": 1.001,
        "leapfrog_steps": 4000,
        "leapfrog_steps_a_draw": 7.0,
        "divergences": 0,
        "seconds": 1.0,
        "processor_seconds": 1.0,
    }
    rows = [
        {**row, "kernel": name, "seed": seed, "processor_seconds": seconds * (1 + seed)}
        for name, seconds in (("numpyro", 1.0), ("blackjax", 1.25))
        for seed in range(3)
    ]
    compilations = {
        name: [{"processor_seconds": 2.0, "peak_gb": 0.5}] for name in ("numpyro", "blackjax")
    }
    *_, numpyro, blackjax, ratio = kernels.table("card", rows, compilations).splitlines()
    assert "| 500.0 | 500 | 1000 |" in numpyro  # us a step, mean ESS by CPU s and by s
    assert "| 625.0 | 400 | 1000 |" in blackjax
    assert "| 1.00 | 1.00 | 1.25 | 0.80 | 1.00 | 1.00 |" in ratio


def test_the_table_of_samplers_has_ratios_and_errors():
    fast = {
        "ess_bulk_min": 900.0,
        "ess_tail_min": 800.0,
        "total_seconds": 10.0,
        "sampling_seconds": 1.0,
        "ess_per_sampling_second": 800.0,
        "ess_per_total_second": 80.0,
        "peak_memory_gb": 0.5,
    }
    slow = fast | {"ess_per_sampling_second": 100.0, "ess_per_total_second": 20.0}
    sides = {
        "bayes-distill": {"cold": fast, "warm": fast, "rhat_max_of_rounds": 1.001},
        "pymc": {"cold": slow, "warm": slow, "rhat_max_of_rounds": 1.01},
        "blackjax": {"error": "it broke"},
    }
    text = samplers.table("card", sides)
    assert "(1/8.0)" in text
    assert "(1/4.0)" in text
    assert "| blackjax | it broke |" in text


def test_a_sweep_is_split_by_compute(exact):
    cheap, dear = sweeps.split(exact, None)
    of_cheap, of_dear = (runs["params"] * runs["tokens"] for runs in (cheap, dear))
    # powers of four, 0 1 2 2 3 4 4 5 6 6 7 8: 60% lies between 4 and 5, 75% is 6
    assert (len(cheap), len(dear)) == (7, 4)
    assert of_cheap.max() < np.quantile(exact["params"] * exact["tokens"], 0.75) <= of_dear.min()
    pilots, same = sweeps.split(exact, 3)
    pd.testing.assert_frame_equal(same, dear)
    assert len(pilots) == 3
    assert set(pilots["loss"]) <= set(cheap["loss"])


def test_scores_of_a_forecast_are_those_of_its_definition():
    draws = np.random.default_rng(0).normal(2.0, 0.1, (200_000, 3))
    found = sweeps.scores(draws, np.array([2.0, 2.15, 3.0]), draws.mean(axis=0))
    assert found["held_0.5"].tolist() == [1, 0, 0]
    assert found["held_0.9"].tolist() == [1, 1, 0]
    width = 2 * 1.6449 * 0.1
    assert found["width"].tolist() == pytest.approx([width / x for x in (2, 2.15, 3)], rel=0.01)
    outside = 3.0 - (2.0 + width / 2)
    assert found["interval_score"][2] == pytest.approx((width + 20 * outside) / 3, rel=0.01)
    assert found["error"].tolist() == pytest.approx([0, 0.15 / 2.15, 1 / 3], abs=1e-3)


def test_sources_count_as_one_whatever_their_number_of_sweeps():
    rows = {"method": "bootstrap", "interval_score": [0.1, 0.1, 0.4], "error": [1.0, 3.0, 8.0]}
    table = pd.DataFrame({"sweep": ["a_one", "a_two", "b_one"], **rows})
    found = sweeps.over_sources(table, ["interval_score", "error"]).loc["bootstrap"]
    assert found["error"] == pytest.approx((2 + 8) / 2)
    assert found["interval_score_geometric"] == pytest.approx(0.2)


def test_the_population_of_sweeps_is_recovered():
    generator = np.random.default_rng(2)
    count = len(learn_priors.NUMBERS)
    before = {"centre": np.zeros(count), "sd": np.full(count, 3.0)}
    sources = [f"s{i}" for i in range(40)]
    # sweeps known to a standard deviation of 0.1, of a population about 1 with one of 0.5
    numbers = {
        f"{name}_x": generator.normal(
            1 + 0.5 * generator.standard_normal(count), 0.1, (2000, count)
        )
        for name in sources
    }
    centre, sd = learn_priors.learned(numbers, before, sources)
    np.testing.assert_allclose(centre, 1, atol=0.3)
    np.testing.assert_allclose(sd, 0.5, atol=0.2)


def test_priors_that_are_judged_on_a_source_never_saw_it():
    priors = json.loads(learn_priors.OUT.read_text(encoding="utf-8"))
    sources = set(priors) - {"numbers", "all"}
    assert len(sources) == 8
    for source in sources:
        assert source not in priors[source]["source"]
        assert priors[source]["centre"] != priors["all"]["centre"]
        card = learn_priors.card_with(priors[source])
        assert card.supervised.fitted.source == priors[source]["source"]


def test_the_cards_hold_the_priors_of_the_file():
    prior = json.loads(learn_priors.OUT.read_text(encoding="utf-8"))["all"]
    parts = learn_priors.parts_of(prior)
    for name, keys in learn_priors.CARDS.items():
        card = load_card(name).model_dump()
        for key in keys:
            table, part = key.split(".")
            stated = card[table][part]
            if "median" in parts[key]:
                assert stated["median"] == pytest.approx(parts[key]["median"], rel=0.01)
            else:
                np.testing.assert_allclose(stated["centre"], parts[key]["centre"], rtol=1e-3)
