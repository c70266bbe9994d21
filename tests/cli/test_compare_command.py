"""``compare`` from the command line."""

from __future__ import annotations

import json

import pytest

from bayes_distill import load_posterior


@pytest.fixture
def pair_files(chinchilla, workplace):
    """Two files of one fit: what is compared is tested beside the function."""
    found = []
    for name in ("one", "two"):
        chinchilla.posterior.save(workplace / f"{name}.nc")
        found.append(f"{name}.nc")
    return found


def test_json_and_a_stack_that_other_commands_take(command, pair_files, workplace):
    answer = command(
        "compare",
        *pair_files,
        "--weights",
        "0.25,0.75",
        "--stack",
        "stacked.nc",
        "--stack-draws",
        "200",
        "--json",
    )
    assert answer.status == 0
    told = answer.json
    assert [fit["fit"] for fit in told["fits"]] == ["one", "two"]
    assert told["fits"][0]["elpd_diff"] == 0
    assert told["weights"] == {"one": 0.25, "two": 0.75}
    assert told["weighted_by"] == "given"
    assert told["left_out"] == {}
    assert [member["draws"] for member in told["stack"]["members"]] == [50, 150]
    assert told["stack"]["file"] == "stacked.nc"
    assert load_posterior("stacked.nc").n_draws == 200
    found = command("forecast", "stacked.nc", "--params", "1B", "--tokens", "20B", "--json")
    assert found.status == 0
    alone = command("forecast", "one.nc", "--params", "1B", "--tokens", "20B", "--json")
    assert found.json["rows"][0]["mean"] == pytest.approx(alone.json["rows"][0]["mean"], rel=1e-3)


def test_people_see_a_table(command, pair_files):
    answer = command("compare", *pair_files)
    assert answer.status == 0
    for part in ("By PSIS-LOO", "one", "two", "weight", "high Pareto k"):
        assert part in answer.out


def test_every_fault_is_named_and_nothing_written(command, pair_files, workplace):
    before = sorted(path.name for path in workplace.iterdir())
    answer = command(
        "compare",
        *pair_files,
        "none.nc",
        "--weights",
        "0.5,x",
        "--stack",
        "nowhere/s.nc",
        "--stack-draws",
        "0",
        "--leave-out",
        "size",
        "--chains",
        "many",
        "--interval",
        "90",
    )
    assert answer.status == 2
    for part in (
        "none.nc does not exist",
        "--weights: '0.5,x' are not numbers",
        "--stack: the folder nowhere",
        "--stack-draws: 0",
        "--leave-out: 'size' is none of",
        "--chains",
        "--interval",
    ):
        assert part in answer.error, part
    assert sorted(path.name for path in workplace.iterdir()) == before
    assert command("compare", "one.nc").status == 2


def test_validations_are_read_and_a_failed_one_shows(command, pair_files, workplace):
    (workplace / "v.json").write_text(json.dumps({"model": "supervised"}), encoding="utf-8")
    answer = command("compare", *pair_files, "--validation", "v.json,w.json")
    assert answer.status == 2
    assert "v.json was not written by" in answer.error
    assert "w.json does not exist" in answer.error
