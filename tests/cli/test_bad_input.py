"""Bad input: status 2, one ``error:`` line that names every fault, and nothing written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

HEADER = "params,tokens,loss,teacher_loss"
GOOD = [f"{1e8 * (i + 1):g},{2e9 * (i + 1):g},{2.9 - 0.02 * i:.2f},2.1" for i in range(20)]
STUDENT = ("--params", "1B", "--tokens", "20B")


def write(name: str, *rows: str, header: str = HEADER) -> str:
    Path(name).write_text("\n".join([header, *rows]) + "\n")
    return name


def listing(folder: Path) -> list[tuple[str, bytes]]:
    return sorted(
        (str(path.relative_to(folder)), path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    )


@pytest.fixture
def refused(command, workplace):
    """Run a command that must be refused, in full; returns its error line."""

    def call(*arguments: str) -> str:
        before = listing(workplace)
        answer = command(*arguments)
        assert answer.status == 2
        assert answer.out == ""
        assert listing(workplace) == before
        assert len(answer.err.splitlines()) == 1
        return answer.error

    return call


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("nan,2e9,2.9,2.1", ["row 2, params", "stands for no value"]),
        ("1e8,,2.9,2.1", ["row 2, tokens", "empty"]),
        ("1e8,2e9,,2.1", ["row 2, loss", "empty"]),
        ("-1e8,2e9,2.9,2.1", ["row 2, params", "negative"]),
        ("1e8,2e9,-2.9,2.1", ["row 2, loss", "negative"]),
        ("1e8,0,2.9,2.1", ["row 2, tokens", "zero"]),
        ("1e8,2e9,0,2.1", ["row 2, loss", "zero"]),
        ("1e8,2e9,2.9,0", ["row 2, teacher_loss", "zero"]),
        ("1e8,many,2.9,2.1", ["row 2, tokens", "'many'"]),
        ("1e8,2e9,abc,2.1", ["row 2, loss", "'abc'"]),
        ("1e8,2e9,300,2.1", ["row 2, loss", "perplexity", "5.70"]),
        ("1e8,2e9,2.9,300", ["row 2, teacher_loss", "perplexity"]),
        ("7,2e9,2.9,2.1", ["row 2, params", "7B"]),
        ("1e8,7,2.9,2.1", ["row 2, tokens", "7B"]),
        ("inf,2e9,2.9,2.1", ["row 2, params", "infinite"]),
        ("1e8,2e9,2,9,2.1", ["row 2", "5 cells"]),
        ("7,-1,300,x", ["row 2, params", "row 2, tokens", "row 2, loss", "row 2, teacher_loss"]),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(refused, row, named):
    table = write("runs.csv", *GOOD[:2], row, *GOOD[2:])
    for arguments in (("fit", table, "--out", "fit.nc"), ("check", table, "--quiet")):
        error = refused(*arguments)
        for part in named:
            assert part in error


def test_every_bad_row_is_named_at_once(refused):
    bad = ["nan,2e9,2.9,2.1", "-1,2e9,2.9,2.1", "1e8,0,2.9,x", "1e8,2e9,300,2.1", "7,2e9,2.9,2.1"]
    error = refused("fit", write("runs.csv", *bad, *GOOD), "--out", "fit.nc")
    for row, column in enumerate(("params", "params", "tokens", "loss", "params")):
        assert f"row {row}, {column}:" in error
    assert "row 2, teacher_loss" in error


def test_a_hundred_bad_rows_are_all_named(refused):
    rows = ["-1e8,2e9,2.9,2.1"] * 100 + GOOD + ["1e8,2e9,-1,2.1"]
    error = refused("fit", write("runs.csv", *rows), "--out", "fit.nc")
    assert "row 49, params" in error
    assert "and 51 more, in rows 50-99, 120" in error


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("params,loss", ["tokens", "missing"]),
        ("size,foo", ["tokens", "loss", "missing", "found: size, foo"]),
        ("params,tokens,loss,loss", ["loss", "'loss' and 'loss'"]),
        ("params,N,tokens,loss", ["'params' and 'N'"]),
        ("params,N,tokens,D", ["'params' and 'N'", "'tokens' and 'D'", "loss", "missing"]),
        ("params,tokens,loss,teacher_params", ["teacher_tokens", "missing"]),
    ],
)
def test_missing_and_repeated_columns_are_named(refused, header, named):
    row = ",".join(["1e9"] * (header.count(",") + 1))
    error = refused("fit", write("runs.csv", row, header=header), "--out", "fit.nc")
    for part in named:
        assert part in error
    assert "--" not in error  # no column is shown as a flag


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("runs.csv", b"", "runs.csv is empty"),
        ("runs.csv", b"\n\n", "runs.csv is empty"),
        ("runs.csv", HEADER.encode(), "header but no runs"),
        ("runs.csv", b"PAR1\x00\x01", "name it .parquet"),
        ("runs.parquet", b"PAR1 and then nothing", "cannot be read as Parquet"),
        ("runs.jsonl", b"{not json}\n", "not a JSON object"),
        ("runs.xlsx", b"PK", "tells no format"),
    ],
)
def test_a_file_that_is_no_table(refused, workplace, name, content, named):
    (workplace / name).write_bytes(content)
    assert named in refused("fit", name, "--out", "fit.nc")


def test_a_folder_and_a_file_that_is_not_there(refused, workplace):
    (workplace / "runs.csv").mkdir()
    assert "runs.csv is a folder" in refused("fit", "runs.csv", "--out", "fit.nc")
    assert "no such file" in refused("fit", "gone.csv", "--out", "fit.nc")
    assert "did you mean the named data busbridge2025" in refused("check", "busbridge", "-q")


def test_too_few_runs(refused):
    error = refused("fit", write("runs.csv", *GOOD[:5]), "--out", "fit.nc", "--quiet")
    assert "5 usable runs" in error
    assert "at least 14" in error
    error = refused("fit", write("runs.csv", GOOD[0]), "--out", "fit.nc", "--quiet")
    assert "at least 3 that differ" in error


def test_five_runs_left_by_a_condition(refused):
    table = write("runs.csv", *GOOD)
    error = refused("fit", table, "--where", "row < 5", "--out", "fit.nc", "--quiet")
    assert "5 usable runs" in error


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ("los > 2", "'los'"),
        ("loss >", "cannot be used"),
        ("loss", "not a condition"),
        ("loss > 100", "leaves none of the 20 runs"),
        ("__import__('os').getcwd()", "cannot be used"),
    ],
)
def test_a_condition_that_is_none(refused, condition, named):
    error = refused("fit", write("runs.csv", *GOOD), "--where", condition, "--out", "fit.nc")
    assert named in error


def test_a_misspelt_card(refused):
    table = write("runs.csv", *GOOD)
    error = refused("fit", table, "--model", "busbrige2025", "--out", "fit.nc")
    assert "did you mean busbridge2025" in error
    assert "gone.toml does not exist" in refused("fit", table, "--model", "gone.toml")
    assert "did you mean joint" in refused("models", "show", "jiont")
    assert "did you mean busbridge2025" in refused("forecast", "busbrige2025", *STUDENT)


def test_a_card_with_faults_names_each(refused, workplace, command):
    text = command("models", "show", "supervised-plain").out
    broken = text.replace('law = "chinchilla"', 'law = "chinchila"').replace("sd = 0.4", "sd = -1")
    (workplace / "mine.toml").write_text(broken)
    error = refused("fit", write("runs.csv", *GOOD), "--model", "mine.toml", "--out", "fit.nc")
    assert "priors.floor.sd" in error
    assert "'chinchila' is not known" in error


@pytest.mark.parametrize(
    ("card", "named"), [("supervised", "supervised law"), ("hoffmann2022", "supervised law")]
)
def test_a_card_for_another_kind_of_runs(refused, card, named):
    table = write("runs.csv", *GOOD)
    assert named in refused("fit", table, "--model", card, "--out", "fit.nc", "--quiet")


def test_several_bad_flags_of_fit_are_named_at_once(refused):
    error = refused(
        "fit",
        write("runs.csv", "-1,2e9,2.9,2.1", *GOOD),
        "--chains",
        "1",
        "--warmup",
        "x",
        "--draws",
        "3",
        "--interval",
        "90",
        "--seed",
        "-1",
        "--out",
        "no/fit.nc",
        "--model",
        "nonesuch",
    )
    for flag in ("chains", "warmup", "draws", "interval", "seed", "out"):
        assert f"--{flag}: " in error
    assert "nonesuch" in error
    assert "row 0, params" in error


@pytest.mark.parametrize("command_name", ["forecast", "risk"])
def test_several_bad_flags_of_a_question_are_named_at_once(refused, command_name):
    error = refused(
        command_name,
        "gone.nc",
        "--params",
        "7",
        "--tokens",
        "abc",
        "--teacher-params",
        "7B",
        "--interval",
        "0",
        "--seed",
        "1.5",
    )
    for flag in ("params", "tokens", "teacher-tokens", "interval", "seed"):
        assert f"--{flag}: " in error
    assert "gone.nc does not exist" in error
    error = refused(command_name, "gone.nc")
    assert "--params: is needed" in error
    assert "--tokens: is needed" in error


def test_bad_flags_of_risk(refused, scattered_file):
    fit = str(scattered_file)
    error = refused("risk", fit, *STUDENT, "--strongest", "-2", "--teacher-loss", "300")
    assert error.count("--strongest") == 1
    assert "--teacher-loss: 300" in error
    assert "--teacher-loss: is needed" in refused("risk", fit, *STUDENT)
    error = refused("risk", fit, *STUDENT, "--teachers", write("t.csv", "a,-1", header="name,loss"))
    assert "row 0, loss" in error
    assert "--teachers: " in refused(
        "risk", fit, *STUDENT, "--teachers", write("t.csv", "a", header="name")
    )
    both = ("--teacher-loss", "2.0", "--teacher-params", "7B", "--teacher-tokens", "1T")
    assert "--teacher-loss: give either" in refused("risk", fit, *STUDENT, *both)


def test_a_bad_table_of_points(refused, scattered_file):
    table = write("at.csv", "1B,x,2.0", "7,20B,300", header="params,tokens,teacher_loss")
    error = refused("forecast", str(scattered_file), "--at", table)
    for cell in ("row 0, tokens", "row 1, params", "row 1, teacher_loss"):
        assert cell in error
    table = write("at.csv", "1B", header="params")
    error = refused("forecast", str(scattered_file), "--at", table)
    assert error.startswith("tokens: the column is missing")  # a column, and no flag
    table = write("at.csv", "1B,20B", header="params,tokens")
    error = refused("forecast", str(scattered_file), "--at", table, "--params", "1B")
    assert "--at: give either" in error


def test_several_faults_of_simulate_are_named_at_once(refused):
    error = refused(
        "simulate",
        "nonesuch",
        "--design",
        "gone.csv",
        "--coefficients",
        "gone.json",
        "--noise",
        "-1",
        "--seed",
        "x",
        "--out",
        "no/runs.csv",
    )
    for part in ("nonesuch", "gone.csv", "--coefficients: gone.json", "--noise", "--seed", "--out"):
        assert part in error
    error = refused("simulate", "supervised")
    assert "--design: is needed" in error
    assert "--out: is needed" in error
    paper = ("simulate", "busbridge2025-plain", "--design", "paper")
    assert ".csv" in refused(*paper, "--out", "runs.txt")


def test_a_design_and_coefficients_that_do_not_fit_the_law(refused, workplace):
    (workplace / "truth.json").write_text('{"E": 1.8, "A": 480}')
    words = "simulate supervised --design chinchilla --coefficients truth.json --out runs.csv"
    error = refused(*words.split())
    for name in ("B", "alpha", "beta"):
        assert name in error
    error = refused(
        "simulate",
        "supervised",
        "--design",
        "paper",
        "--coefficients",
        "table6",
        "--out",
        "runs.csv",
    )
    assert "knows no teachers" in error


@pytest.mark.parametrize(
    "arguments",
    [
        ("fit", "runs.csv", "--out", "no/such/fit.nc"),
        ("simulate", "joint", "--design", "paper", "--out", "no/such/runs.csv"),
    ],
    ids=["fit", "simulate"],
)
def test_a_missing_folder_is_named_before_anything_is_done(refused, arguments):
    write("runs.csv", *GOOD)
    error = refused(*arguments)
    assert error.startswith("--out: the folder no/such does not exist")


def test_out_that_is_a_folder_or_a_file_where_a_folder_is_needed(refused, workplace):
    (workplace / "out").mkdir()
    table = write("runs.csv", *GOOD)
    assert "--out: out is a folder" in refused("fit", table, "--out", "out")
    assert "--out: runs.csv cannot be made a folder: it exists and is no folder" in refused(
        "demo", "--out", "runs.csv"
    )
    error = refused("demo", "--out", "runs.csv", "--seed", "x", "--interval", "1")
    assert "--seed" in error
    assert "--interval" in error


@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_fit(refused, workplace, scattered_file, keep):
    whole = scattered_file.read_bytes()
    (workplace / "fit.nc").write_bytes(whole[: int(keep * len(whole))])
    error = refused("forecast", "fit.nc", *STUDENT)
    assert "fit.nc is not a file written by fit, or is damaged" in error
    assert "fit.nc" in refused("risk", "fit.nc", *STUDENT, "--teacher-loss", "2")


def test_files_that_are_no_fit(refused, workplace):
    import xarray as xr

    xr.Dataset({"a": ("x", np.arange(3))}).to_netcdf("other.nc", engine="h5netcdf")
    assert "not one written by bayes-distill" in refused("forecast", "other.nc", *STUDENT)
    Path("text.nc").write_text("hello")
    assert "not a file written by fit" in refused("forecast", "text.nc", *STUDENT)
    pd.DataFrame({"a": [1]}).to_pickle("pickle.nc")
    assert "not a file written by fit" in refused("forecast", "pickle.nc", *STUDENT)
    Path("folder").mkdir()
    assert "folder is a folder" in refused("forecast", "folder", *STUDENT)
    assert "has no posterior yet" in refused("forecast", "joint", *STUDENT)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nonesuch",), "nonesuch"),
        (("fit",), "RUNS"),
        (("forecast",), "FIT"),
        (("models", "show"), "NAME"),
        (("models", "nonesuch"), "nonesuch"),
        (("fit", "runs.csv", "--chain", "4"), "--chain"),
        (("fit", "runs.csv", "more.csv"), "more.csv"),
        (("fit", "runs.csv", "--out"), "--out"),
        (("datasets", "fetch", "nonesuch"), "nonesuch"),
    ],
    ids=lambda a: " ".join(a) if isinstance(a, tuple) else None,
)
def test_calls_that_do_not_parse(refused, arguments, named):
    assert named in refused(*arguments)


def test_no_command_at_all_prints_help_and_says_what_is_missing(command):
    answer = command()
    assert answer.status == 2
    assert "name one of the commands" in answer.error


@pytest.mark.parametrize("name", ["models", "datasets"])
def test_what_ships_is_listed_without_being_told_to(command, name):
    answer = command(name)
    assert answer.status == 0
    assert answer.out == command(name, "list").out


def test_a_supervised_fit_knows_no_teachers(refused, chinchilla):
    for name in ("forecast", "risk"):
        error = refused(name, str(chinchilla.file), *STUDENT, "--teacher-loss", "2.0")
        assert "nothing about teachers" in error


def test_an_existing_fit_is_left_alone_by_a_call_at_fault(refused, workplace):
    (workplace / "fit.nc").write_bytes(b"precious")
    table = write("runs.csv", *GOOD[:5])
    refused("fit", table, "--out", "fit.nc", "--quiet")
    assert (workplace / "fit.nc").read_bytes() == b"precious"


def test_flags_of_two_stages_that_do_not_go_together_are_all_named(refused):
    write("runs.csv", *GOOD)
    error = refused("fit", "runs.csv", "--cut", "--chains", "1", "--out", "x.nc")
    assert "chains" in error
    assert "cut: needs the supervised law from elsewhere" in error
    error = refused("fit", "runs.csv", "--imputations", "5", "--supervised", "missing.nc")
    for said in ("imputations: 5 is less than 10", "is for --cut", "missing.nc does not exist"):
        assert said in error
    alone = [row.rsplit(",", 1)[0] for row in GOOD]
    write("alone.csv", *alone, header="params,tokens,loss")
    error = refused("fit", "alone.csv", "--cut", "--supervised", "busbridge2025-table6")
    assert "supervised: alone.csv has no runs with a teacher" in error
    assert "cut: there are no distillation runs" in error
    assert "fit of the distillation law" in error
