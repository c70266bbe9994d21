"""What may be said of bands by the runs that were left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes_distill.validation.held import Held, effective_runs, held, words
from bayes_distill.validation.rows import clusters_of, interval_score, within


@pytest.mark.parametrize(("inside", "runs"), [(0, 3), (15, 20), (18, 20), (20, 20), (45, 50)])
def test_probabilities_are_binomial(inside, runs):
    found = Held(inside / runs, 0.9, runs)
    assert found.p_fewer == pytest.approx(stats.binom.cdf(inside, runs, 0.9))
    assert found.p_more == pytest.approx(stats.binom.sf(inside - 1, runs, 0.9))


@pytest.mark.parametrize(
    ("inside", "runs", "said"),
    [
        (14, 20, "too narrow"),  # 1.1%
        (15, 20, "too narrow"),  # 4.3%
        (16, 20, "as stated"),  # 13.3%
        (28, 28, "as stated"),  # 5.2%
        (29, 29, "too wide"),  # 4.7%
        (0, 1, "as stated"),  # 10%
        (0, 2, "too narrow"),  # 1%
    ],
)
def test_words_by_the_binomial_distribution(inside, runs, said):
    found = held(np.arange(runs) < inside, np.arange(runs), 0.9)
    assert found.effective == runs
    assert found.verdict == said
    assert str(found) == f"held {100 * inside / runs:.0f}% of 90%: {said}"


def test_words_name_the_level():
    assert words(0.561, 0.975, "too narrow") == "held 56% of 97.5%: too narrow"


def test_runs_that_are_inside_together_count_once():
    """Ten clusters of four: seven wholly inside, three wholly outside."""
    clusters = np.repeat(np.arange(10), 4)
    together = clusters < 7
    assert effective_runs(together, clusters) == pytest.approx(10)
    found = held(together, clusters, 0.9)
    assert found.verdict == "as stated"  # 7 of 10: 7%
    # as many inside, spread over the clusters as chance would have it
    apart = np.random.default_rng(0).permutation(together)
    assert effective_runs(apart, clusters) > 25
    assert held(apart, clusters, 0.9).verdict == "too narrow"


def test_clusters_that_say_nothing():
    inside = np.array([True, True, False, True])
    assert effective_runs(inside, np.zeros(4)) == 4  # one cluster
    assert effective_runs(inside, np.arange(4)) == 4  # as many as runs
    assert effective_runs(np.zeros(4, bool), np.array([0, 0, 1, 1])) == 4  # all alike


def test_calibrated_bands_are_doubted_one_time_in_ten_at_most():
    """Twelve clusters of five runs, whose errors share half of their variance."""
    generator = np.random.default_rng(1)
    clusters = np.repeat(np.arange(12), 5)
    said = []
    for _ in range(400):
        shared = generator.standard_normal(12)[clusters]
        error = np.sqrt(0.5) * (shared + generator.standard_normal(60))
        said.append(held(np.abs(error) < stats.norm.isf(0.05), clusters, 0.9).verdict)
    assert np.mean([s != "as stated" for s in said]) < 0.1
    # without regard to clusters it would be more
    independent = [
        held(
            np.abs(
                np.sqrt(0.5)
                * (generator.standard_normal(12)[clusters] + generator.standard_normal(60))
            )
            < stats.norm.isf(0.05),
            np.arange(60),
            0.9,
        ).verdict
        for _ in range(400)
    ]
    assert np.mean([s != "as stated" for s in independent]) > np.mean(
        [s != "as stated" for s in said]
    )


def rows():
    return pd.DataFrame(
        {
            "row": [4, 5, 6],
            "params": [1e9, 1.003e9, 2e9],
            "loss": [2.0, 2.5, 3.0],
            "new_run_lower_90": [1.9, 2.6, 2.8],
            "new_run_upper_90": [2.2, 2.8, 2.9],
        }
    )


def test_interval_scores_by_hand():
    np.testing.assert_allclose(interval_score(rows(), 0.9), [0.3, 0.2 + 20 * 0.1, 0.1 + 20 * 0.1])
    assert within(rows(), 0.9).tolist() == [True, False, False]


def test_clusters_are_labels_or_else_sizes():
    assert clusters_of(rows()).tolist() == [0, 0, 1]
    labelled = clusters_of(rows().assign(label=["a", None, "a"])).tolist()
    assert labelled[0] == labelled[2] != labelled[1]
    assert clusters_of(rows().assign(label=[None, None, None])).tolist() == [0, 0, 1]
