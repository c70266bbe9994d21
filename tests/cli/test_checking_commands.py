"""The commands predictive, sensitivity and identify."""

from __future__ import annotations

import pytest


def test_predictive_in_json(command, chinchilla):
    found = command("predictive", chinchilla.file, "--json", "--interval", "0.8").json
    assert found["interval"] == 0.8
    assert {q["verdict"] for q in found["posterior_predictive"]["quantities"]} <= {"pass", "review"}
    assert [c["level"] for c in found["loo_pit"]["coverage"]] == [0.5, 0.8, 0.9, 0.95]
    assert 0 <= found["loo_pit"]["p_uniform"] <= 1
    assert len(found["prior_predictive"]["ranges"]) == 3


def test_predictive_for_people(command, chinchilla):
    answer = command("predictive", chinchilla.file)
    assert answer.status == 0
    for part in ("Prior predictive losses", "Runs replicated", "Each run left out", "80%"):
        assert part in answer.out


def test_sensitivity_in_json_and_for_people(command, chinchilla):
    asked = ("sensitivity", chinchilla.file, "--params", "7B", "--tokens", "140B")
    rows = {r["name"]: r for r in command(*asked, "--json").json["rows"]}
    assert rows["loss of 7B on 140B"]["kind"] == "forecast"
    assert set(rows["alpha"]["by_prior"]) == {
        "floor",
        "level",
        "share",
        "slope_params",
        "slope_tokens",
        "supervised_scale",
    }
    answer = command(*asked)
    assert "loss of 7B on 140B" in answer.out
    assert "rests on the runs" in answer.out


def test_identify_in_json_is_both_calls(command, chinchilla):
    from bayes_distill.identification.identifiability import identifiability
    from bayes_distill.identification.next_run import next_run

    found = command("identify", chinchilla.file, "--json", "--coefficient", "beta").json
    assert found["coefficients"] == identifiability(chinchilla.posterior).to_json()["coefficients"]
    expected = next_run(chinchilla.posterior, coefficient="beta").table
    assert len(found["next_run"]["candidates"]) == len(expected)
    assert found["next_run"]["candidates"][0]["gain"] == expected.iloc[0]["information_gain"]
    assert found["next_run"]["targets"][0]["name"] == "beta"


def test_identify_narrows_the_forecasts_of_a_table(command, chinchilla, workplace):
    (workplace / "targets.csv").write_text("params,tokens\n5B,1T\n10B,2T\n")
    found = command(
        "identify", chinchilla.file, "--at", "targets.csv", "--draws", "500", "--json", "--quiet"
    ).json
    names = [target["name"] for target in found["next_run"]["targets"]]
    assert names == ["loss of 5B on 1T", "loss of 10B on 2T"]


def test_identify_for_people_with_candidates_of_their_own(command, chinchilla, workplace):
    (workplace / "mine.csv").write_text("run,params,tokens\nsmall,50M,300M\nlarge,9B,1T\n")
    answer = command(
        "identify",
        chinchilla.file,
        "--candidates",
        "mine.csv",
        "--target-params",
        "10B",
        "--target-tokens",
        "1T",
    )
    assert answer.status == 0
    for part in ("known from the runs", "Combinations", "large", "loss of 10B on 1T: sd"):
        assert part in answer.out


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("predictive", "--vocabulary", "none", "--interval", "9"), ("--vocabulary", "--interval")),
        (("predictive", "--vocabulary", "0.5"), ("--vocabulary",)),
        (("sensitivity", "--params", "1B", "--seed", "x"), ("--tokens", "--seed")),
        (
            (
                "identify",
                "--target-params",
                "1",
                "--budget",
                "-1",
                "--reach",
                "wide",
                "--flops",
                "no",
            ),
            ("--target-params", "--target-tokens", "--budget", "--reach", "--flops"),
        ),
        (("identify", "--coefficient", "zeta", "--interval", "2"), ("--interval",)),
        (("identify", "--coefficient", "zeta"), ("--coefficient", "zeta")),
        (("identify", "--draws", "0", "--at", "no.csv"), ("--draws", "no.csv")),
        (("identify", "--at", "no.csv", "--target-params", "1B"), ("--at", "not both")),
    ],
)
def test_faults_are_named_all_at_once(command, chinchilla, arguments, parts):
    answer = command(arguments[0], chinchilla.file, *arguments[1:])
    assert answer.status == 2
    assert answer.out == ""
    for part in parts:
        assert part in answer.error


def test_a_posterior_without_runs_is_refused(command, scattered_file):
    for name in ("predictive", "sensitivity", "identify"):
        answer = command(name, scattered_file, "--json")
        assert answer.status == 2
        assert "no runs" in answer.error
