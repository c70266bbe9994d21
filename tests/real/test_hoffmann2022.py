"""The 245 Chinchilla runs: checks with and without outliers, the replication, gamma."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow
REPLICATION = {"E": 1.817, "alpha": 0.348, "beta": 0.366}


def summaries(posterior) -> dict[str, dict]:
    return {c["name"]: c for c in posterior.info["coefficients"]}


@pytest.mark.parametrize(
    ("fitted", "count"), [("hoffmann", 245), ("hoffmann_without_outliers", 240)]
)
def test_the_defaults_pass_every_check(request, fitted, count):
    posterior = request.getfixturevalue(fitted)
    assert posterior.info["n_runs"] == count
    assert posterior.card.name == "hoffmann2022"
    assert posterior.law.name == "chinchilla"
    assert posterior.verdict == "pass"
    diagnostics = posterior.info["diagnostics"]
    assert diagnostics["rhat_max"] <= 1.01
    assert min(diagnostics["ess_bulk_min"], diagnostics["ess_tail_min"]) >= 400


def test_the_five_highest_losses_are_those_left_out(hoffmann, hoffmann_without_outliers):
    everything = hoffmann.tree["runs"].dataset
    kept = hoffmann_without_outliers.tree["runs"].dataset
    out = set(everything["run"].to_numpy()) - set(kept["run"].to_numpy())
    highest = everything["loss"].to_series().nlargest(5).index
    assert out == set(highest) == set(range(5))


def test_the_five_highest_losses_are_flagged_and_do_not_bend_the_fit(
    hoffmann, hoffmann_without_outliers
):
    assert {run["row"] for run in hoffmann.info["flagged_runs"]} >= set(range(5))
    with_them, without = summaries(hoffmann), summaries(hoffmann_without_outliers)
    for name in REPLICATION:
        shift = with_them[name]["mean"] - without[name]["mean"]
        assert abs(shift) < without[name]["sd"]


@pytest.mark.parametrize("name", REPLICATION)
def test_intervals_cover_the_replication(hoffmann_without_outliers, name):
    assert hoffmann_without_outliers.info["interval"] == 0.9
    c = summaries(hoffmann_without_outliers)[name]
    assert c["lower"] <= REPLICATION[name] <= c["upper"]
    assert c["identified"]
    assert c["upper"] - c["lower"] < 0.25 * REPLICATION[name]  # and not by being vague


def test_gamma_free_says_whether_it_is_identified(hoffmann_gamma):
    assert hoffmann_gamma.law.name == "supervised"
    assert hoffmann_gamma.verdict != "fail"
    gamma = summaries(hoffmann_gamma)["gamma"]
    assert isinstance(gamma["identified"], bool)
    # it follows from what is told: the prior's variance cut by three quarters, and to a factor 1.6
    known = gamma["contraction"] >= 0.75
    assert gamma["identified"] <= known
    assert gamma["lower"] < gamma["upper"]
