"""``bayes-distill check``: what it prints and what it writes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from made_sweeps import grid


@pytest.fixture
def bare(workplace):
    """A table in millions and billions."""
    frame = grid()
    frame = frame.assign(params=frame["params"] / 1e6, tokens=frame["tokens"] / 1e9)
    frame.to_csv("bare.csv", index=False)
    return "bare.csv"


def test_used_and_skipped_are_counted(command, workplace):
    grid().assign(status=["finished"] * 13 + ["failed"] * 3).to_csv("runs.csv", index=False)
    answer = command("check", "runs.csv")
    assert answer.status == 0
    assert answer.out.startswith("runs.csv can be fitted: 13 supervised runs, 3 skipped, no faults")
    assert "\nruns.csv: supervised runs, 13 used, 3 skipped, no faults\n" in answer.out
    assert command("check", "runs.csv", "--json").json["used"] == 13


def test_columns_inline(command, bare):
    refused = command("check", bare)
    assert refused.status == 2
    assert '--columns "params=params*1e6"' in refused.out
    columns = "params=params*1e6,tokens=tokens*1B"
    answer = command("check", bare, "--columns", columns, "--json")
    assert (answer.status, answer.json["faults"]) == (0, [])
    assert answer.json["columns"]["params"] == "params * 1e+06"
    command("check", bare, "--quiet", "--columns", "params").check_refused("--columns: 'params'")


def test_fit_and_validate_take_columns_inline(command, bare):
    for name, more in (("fit", ()), ("validate", ("--leave-out", "group"))):
        answer = command(name, bare, *more, "--columns", "parms=N", "--chains", "1")
        answer.check_refused("did you mean params?", "--chains")


def test_a_mapping_is_drafted_and_read(command, bare):
    answer = command("check", bare, "--write-mapping", "m.toml")
    assert answer.status == 0
    assert "draft of a mapping was written to m.toml" in answer.err
    assert command("check", bare, "--mapping", "m.toml").status == 0
    refused = command("check", bare, "--write-mapping", bare, "--json")
    assert refused.status == 2
    assert "--write-mapping" in refused.error
    assert pd.read_csv(bare)["params"].iloc[0] == 70


def test_faults_of_rows_refuse_all_the_same(command, workplace):
    frame = grid()
    frame.loc[3, "loss"] = -1
    frame.to_csv("runs.csv", index=False)
    assert command("check", "runs.csv", "--write-mapping", "m.toml").status == 2
    assert not Path("m.toml").exists()


def test_the_name_of_a_column_is_no_flag(command, workplace):
    frame = pd.concat([grid(), grid(seed=1)], ignore_index=True)
    frame["data"] = ["web"] * 16 + ["code"] * 16
    frame.loc[16:, "loss"] *= 0.45
    frame.to_csv("two.csv", index=False)
    assert "is column `data` a factor?" in command("check", "two.csv").out
    notes = command("check", "two.csv", "--json").json["notes"]
    assert any("is column `data` a factor?" in note for note in notes)


def test_what_is_printed_for_people_has_an_end(command, bare):
    Path("m.toml").write_text("[columns]\n" + "".join(f'other{i} = "x"\n' for i in range(300)))
    for form in ((), ("--md",)):
        answer = command("check", bare, "--mapping", "m.toml", *form)
        assert answer.status == 2
        assert len(answer.out) < 15_000
        assert "and 251 more faults; --json lists all" in answer.out + answer.err
        assert len(answer.error) < 1000
    assert len(command("check", bare, "--mapping", "m.toml", "--json").json["faults"]) == 301


def test_one_fault_for_one_option(command, bare):
    for columns, said in (
        ("params=a*a*a", "no run has 'a'"),
        (f"params={'a*' * 20}a", "at most 20 names are multiplied, not 21"),
    ):
        faults = command("check", bare, "--columns", columns, "--json").json["faults"]
        assert [said in fault["problem"] for fault in faults if "params" in fault["column"]] == [
            True
        ]
