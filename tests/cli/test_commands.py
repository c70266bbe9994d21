"""The contract of every command: JSON, exit status, what goes where."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayes_distill.laws import TABLE_6

STUDENT = ("--params", "1B", "--tokens", "20B")
FIT_KEYS = {"fit", "model", "law", "runs", "seconds", "diagnostics", "coefficients", "flagged_runs"}
DIAGNOSTICS = {
    "verdict": str,
    "rhat_max": float,
    "ess_bulk_min": float,
    "ess_tail_min": float,
    "divergences": int,
    "chains": int,
    "draws": int,
    "checks": list,
}
BAND = {"lower", "upper"}
MEAN_BAND = {"mean", "lower", "upper"}
FORECAST = {
    "params": None,
    "tokens": None,
    "teacher_loss": None,
    "mean": None,
    "sd": None,
    "credible": BAND,
    "predictive": BAND,
    "supervised": MEAN_BAND,
    "p_beats_supervised": None,
    "extrapolation": {"outside", "factor_params", "factor_tokens"},
}
RISK = {
    "params": None,
    "tokens": None,
    "teacher_loss": None,
    "p_stronger_teacher_hurts": None,
    "optimal_teacher_loss": {*MEAN_BAND, "p_boundary"},
    "excess_loss": MEAN_BAND,
    "p_beats_supervised": None,
}
TEACHER = {"name": None, "teacher_loss": None, "p_best": None, "loss": MEAN_BAND}


def assert_has(row, keys):
    """A row has these keys, with numbers (or text for a name) under them; more is allowed."""
    assert set(keys) <= set(row)
    for key, inner in keys.items():
        for value in [row[key]] if inner is None else [row[key][name] for name in inner]:
            assert isinstance(value, str if key == "name" else (int, float))


# check


def test_check_of_a_sound_table(command, workplace, sound):
    sound.to_csv("runs.csv", index=False)
    answer = command("check", "runs.csv", "--json")
    assert answer.status == 0
    assert answer.err == ""
    assert set(answer.json) >= {"rows", "kind", "faults", "notes"}
    assert answer.json["rows"] == 30
    assert answer.json["kind"] == "distillation"
    assert answer.json["faults"] == []
    for_people = command("check", "runs.csv")
    assert for_people.status == 0
    assert "30 distillation runs" in for_people.out


def test_check_names_faults_on_stdout_as_json_and_on_stderr(command, workplace, sound):
    sound.loc[3, "loss"] = -1
    sound.loc[7, "params"] = 7
    sound.to_csv("runs.csv", index=False)
    answer = command("check", "runs.csv", "--json")
    assert answer.status == 2
    assert [(f["row"], f["column"]) for f in answer.json["faults"]] == [(3, "loss"), (7, "params")]
    assert all(isinstance(fault["problem"], str) for fault in answer.json["faults"])
    assert answer.json["rows"] == 30
    assert "row 3, loss" in answer.error
    assert "row 7, params" in answer.error
    assert command("check", "runs.csv", "--quiet").out == ""


def test_check_says_which_column_was_taken_for_what(command, workplace, sound):
    renamed = sound.rename(columns={"params": "N_S", "teacher_loss": "LT"}).assign(colour="red")
    renamed.drop(columns="tokens").assign(flops=1e20).to_csv("runs.csv", index=False)
    answer = command("check", "runs.csv", "--json")
    columns = {"params": "N_S", "loss": "loss", "teacher_loss": "LT", "training_flops": "flops"}
    assert answer.json["columns"] == columns
    assert answer.json["skipped"] == []
    assert "columns: params = N_S, loss, teacher_loss = LT" in command("check", "runs.csv").out


def test_check_tells_people_each_fault_once(command, workplace, sound):
    sound.loc[[3, 8, 9, 10], "loss"] = -1
    sound.drop(columns="tokens").to_csv("runs.csv", index=False)
    answer = command("check", "runs.csv")
    assert answer.status == 2
    assert answer.out.count("fault: ") == 5
    assert answer.out.count("is negative") == 4
    # the one line still names every row and column
    assert answer.err == "error: 5 faults, listed on stdout: rows 3, 8-10; tokens\n"


def test_check_tells_oddities_as_notes(command, workplace, sound):
    sound.loc[5, "loss"] = 1.5  # below its teacher
    sound.to_csv("runs.csv", index=False)
    notes = command("check", "runs.csv", "--json").json["notes"]
    assert any("row 5" in note for note in notes)


# fit: one that passes, one too short to pass


def small_fit(command, table, *more):
    """A fit too short for its checks: 100 draws are not worth 100 effective ones in the tails."""
    settings = ("--chains", "2", "--warmup", "100", "--draws", "50", "--where", "row < 40")
    return command("fit", table, "--out", "short.nc", *settings, *more)


@pytest.mark.slow
def test_fit_that_passes(command, workplace, chinchilla):
    answer = command(
        "fit",
        chinchilla.table,
        "--warmup",
        "500",
        "--draws",
        "500",
        "--interval",
        "0.5",
        "--out",
        "fit.nc",
        "--model",
        "supervised-plain",
        "--json",
    )
    assert answer.status == 0
    told = answer.json
    assert set(told) >= FIT_KEYS
    assert told["fit"] == "fit.nc"
    assert (workplace / "fit.nc").stat().st_size > 10_000
    assert (told["model"], told["law"], told["runs"]) == ("supervised-plain", "chinchilla", 225)
    assert told["seconds"] > 0
    diagnostics = told["diagnostics"]
    assert diagnostics["verdict"] == "pass"
    for key, kind in DIAGNOSTICS.items():
        assert isinstance(diagnostics[key], kind)
    assert (diagnostics["chains"], diagnostics["draws"]) == (4, 500)
    for check in diagnostics["checks"]:
        assert set(check) >= {"name", "value", "threshold", "verdict", "advice"}
        assert check["verdict"] in ("pass", "review", "fail")
    names = [c["name"] for c in told["coefficients"]]
    assert names[:5] == ["E", "A", "B", "alpha", "beta"]
    assert {"floor", "level", "share", "slope_params", "slope_tokens"} <= set(names)
    assert len(names) == len(set(names))
    for c in told["coefficients"]:
        assert set(c) >= {"name", "mean", "sd", "lower", "upper", "identified"}
        assert c["lower"] < c["mean"] < c["upper"]
        assert isinstance(c["identified"], bool)
        # the interval asked for: half of a bell is 1.35 standard deviations wide
        assert c["upper"] - c["lower"] == pytest.approx(1.35 * c["sd"], rel=0.25)
    for run in told["flagged_runs"]:
        assert set(run) >= {"row", "pareto_k", "reason"}
    # progress is told on stderr, phase by phase
    for phase in ("finding the mode", "warm-up", "sampling"):
        assert phase in answer.err
    assert "error" not in answer.err
    # the same as the call in Python with the same seed
    asked = ("--params", "1B", "--tokens", "20B", "--json")
    again, shared = (command("forecast", f, *asked) for f in ("fit.nc", chinchilla.file))
    assert again.json == shared.json


@pytest.mark.slow
def test_fit_that_fails_is_written_marked_and_refused(command, workplace, chinchilla):
    answer = small_fit(command, chinchilla.table, "--json")
    assert answer.status == 3
    assert set(answer.json) >= FIT_KEYS
    assert answer.json["diagnostics"]["verdict"] == "fail"
    assert answer.json["runs"] == 40
    assert (workplace / "short.nc").is_file()
    assert "failed its checks (" in answer.err
    assert "short.nc" in answer.err
    refused = command("forecast", "short.nc", *STUDENT, "--json")
    assert refused.status == 2
    assert refused.out == ""
    assert "--allow-failed" in refused.error
    used = command("forecast", "short.nc", *STUDENT, "--json", "--allow-failed")
    assert used.status == 0
    assert len(used.json["rows"]) == 1
    both = command("forecast", "short.nc", "--params", "7", "--interval", "2")
    for part in ("--params", "--tokens", "--interval"):
        assert part in both.error
    # quiet, and for people
    quiet = small_fit(command, chinchilla.table, "--quiet", "--seed", "4")
    assert quiet.status == 3
    assert "Verdict: fail" in quiet.out
    assert "ess_tail_min" in quiet.out
    assert len(quiet.err.splitlines()) == 1  # only that it failed
    assert "failed its checks" in quiet.err
    again = command("forecast", "short.nc", *STUDENT, "--json", "--allow-failed")
    assert again.json != used.json  # another seed, another fit


@pytest.mark.slow
def test_a_failed_distillation_fit_is_refused_by_risk(command, workplace, sweep):
    info = sweep.posterior.info
    diagnostics = {**info["diagnostics"], "verdict": "fail"}
    failed = replace(sweep.posterior, info={**info, "verdict": "fail", "diagnostics": diagnostics})
    failed.save("failed.nc")
    asked = ("risk", "failed.nc", *STUDENT, "--teacher-loss", "2.0")
    refused = command(*asked)
    assert refused.status == 2
    assert "failed its checks" in refused.error
    assert command(*asked, "--allow-failed", "--json").status == 0


# forecast


def test_forecast(command, scattered_file):
    answer = command("forecast", scattered_file, *STUDENT, "--teacher-loss", "2.0", "--json")
    assert answer.status == 0
    assert answer.err == ""
    assert answer.json["interval"] == 0.9
    (row,) = answer.json["rows"]
    assert_has(row, FORECAST)
    assert (row["params"], row["tokens"], row["teacher_loss"]) == (1e9, 2e10, 2.0)
    assert isinstance(row["extrapolation"]["outside"], bool)
    assert row["predictive"]["lower"] < row["credible"]["lower"] < row["mean"]


def test_forecast_of_lists_is_their_grid(command, scattered_file):
    rows = command(
        "forecast",
        scattered_file,
        "--params",
        "1B,2B",
        "--tokens",
        "20B,40B",
        "--teacher-loss",
        "2.0,2.2,2.4",
        "--json",
    ).json["rows"]
    asked = [(r["params"], r["tokens"], r["teacher_loss"]) for r in rows]
    grid = [(n, d, t) for n in (1e9, 2e9) for d in (2e10, 4e10) for t in (2.0, 2.2, 2.4)]
    assert asked == grid


def test_forecast_without_a_teacher_and_with_one_by_size(command, scattered_file):
    (alone,) = command("forecast", scattered_file, *STUDENT, "--json").json["rows"]
    assert alone["teacher_loss"] is None
    assert alone["p_beats_supervised"] is None
    assert alone["mean"] == alone["supervised"]["mean"]
    teacher = ("--teacher-params", "7B", "--teacher-tokens", "140B")
    (taught,) = command("forecast", scattered_file, *STUDENT, *teacher, "--json").json["rows"]
    assert_has(taught, FORECAST)
    assert 1.8 < taught["teacher_loss"] < 2.2


def test_forecast_at_a_table(command, workplace, scattered_file):
    (workplace / "points.csv").write_text("N,D,LT\n1B,20B,2.0\n300M,6B,\n")
    rows = command("forecast", scattered_file, "--at", "points.csv", "--json").json["rows"]
    assert [(r["params"], r["teacher_loss"]) for r in rows] == [(1e9, 2.0), (3e8, None)]


def test_forecast_obeys_interval_and_seed(command, scattered_file):
    def bands(*options):
        answer = command(
            "forecast", scattered_file, *STUDENT, "--teacher-loss", "2.0", "--json", *options
        )
        return answer.json["interval"], answer.json["rows"][0]

    wide, narrow = bands("--interval", "0.99"), bands("--interval", "0.5")
    assert (wide[0], narrow[0]) == (0.99, 0.5)
    for kind in ("credible", "predictive", "supervised"):
        assert wide[1][kind]["lower"] < narrow[1][kind]["lower"]
        assert narrow[1][kind]["upper"] < wide[1][kind]["upper"]
    assert bands("--seed", "1") == bands("--seed", "1")
    assert bands("--seed", "1")[1]["predictive"] != bands("--seed", "2")[1]["predictive"]
    assert bands("--seed", "1")[1]["credible"] == bands("--seed", "2")[1]["credible"]


def test_warnings_of_extrapolation_go_to_stderr_unless_quiet(command, scattered_file):
    asked = ("forecast", scattered_file, "--params", "100B", "--tokens", "2T")
    answer = command(*asked, "--teacher-loss", "1.7", "--json")
    assert answer.status == 0
    assert answer.json["rows"][0]["extrapolation"]["outside"] is True
    assert answer.json["rows"][0]["extrapolation"]["factor_params"] == pytest.approx(50)
    assert "outside the runs" in answer.err
    assert "teacher better or worse" in answer.err
    assert command(*asked, "--json", "--quiet").err == ""


def test_tables_for_people_say_what_their_bands_are(command, scattered_file):
    answer = command("forecast", scattered_file, *STUDENT, "--interval", "0.8")
    assert "80% credible" in answer.out
    assert "80% predictive" in answer.out
    answer = command("risk", scattered_file, *STUDENT, "--teacher-loss", "2", "--interval", "0.8")
    assert "80% credible" in answer.out
    assert "P(stronger hurts)" in answer.out


# risk


def test_risk(command, scattered_file):
    answer = command("risk", scattered_file, *STUDENT, "--teacher-loss", "1.8,2.7", "--json")
    assert answer.status == 0
    assert set(answer.json) >= {"rows", "teachers"}
    assert answer.json["teachers"] == []
    strong, weak = answer.json["rows"]
    for row in (strong, weak):
        assert_has(row, RISK)
    assert strong["p_stronger_teacher_hurts"] > 0.9
    assert weak["p_stronger_teacher_hurts"] < 0.1
    assert strong["optimal_teacher_loss"] == weak["optimal_teacher_loss"]


def test_risk_of_a_list_of_teachers(command, workplace, scattered_file):
    (workplace / "teachers.csv").write_text(
        "name,loss,loss_se,params,tokens\nstrong,1.8,0.01,,\nright,2.15,,,\nbig,,,7B,140B\n"
    )
    asked = ("risk", scattered_file, *STUDENT, "--teachers", "teachers.csv", "--json")
    answer = command(*asked, "--teacher-loss", "2.0")
    assert len(answer.json["rows"]) == 1
    teachers = answer.json["teachers"]
    assert {t["name"] for t in teachers} == {"strong", "right", "big"}
    for teacher in teachers:
        assert_has(teacher, TEACHER)
    assert sum(t["p_best"] for t in teachers) == pytest.approx(1)
    without = command(*asked)
    assert len(without.json["rows"]) == 3
    assert without.json["teachers"] == teachers
    for_people = command(*asked[:-1])
    assert "Candidate teachers" in for_people.out
    other = command(*asked, "--seed", "1").json["teachers"]
    assert next(t for t in other if t["name"] == "strong") not in teachers  # its error is random
    assert next(t for t in other if t["name"] == "right")["loss"] in [t["loss"] for t in teachers]


def test_risk_uses_at_most_so_many_draws_and_says_what_that_costs(command, scattered_file):
    asked = ("risk", scattered_file, *STUDENT, "--teacher-loss", "2.4", "--json")
    few = command(*asked, "--draws", "200")
    assert "note: 200 of 2,000 draws were used" in few.err
    assert "draws were used" not in command(*asked).err
    wrong = command(*asked, "--draws", "none", "--strongest", "-1")
    assert (wrong.status, wrong.out) == (2, "")
    assert "--draws: 'none' is not a whole number" in wrong.error
    assert "--strongest" in wrong.error


def test_risk_obeys_strongest_and_interval(command, scattered_file):
    asked = ("risk", scattered_file, *STUDENT, "--teacher-loss", "2.4", "--json")
    free = command(*asked).json["rows"][0]
    held = command(*asked, "--strongest", "2.5").json["rows"][0]
    assert free["optimal_teacher_loss"]["p_boundary"] == 0
    assert held["optimal_teacher_loss"]["p_boundary"] == 1
    assert held["optimal_teacher_loss"]["mean"] == pytest.approx(2.5)
    narrow = command(*asked, "--interval", "0.5").json["rows"][0]
    for name in ("optimal_teacher_loss", "excess_loss"):
        assert free[name]["lower"] < narrow[name]["lower"]
        assert narrow[name]["upper"] < free[name]["upper"]


@pytest.mark.slow
def test_forecast_and_risk_take_a_real_fit(command, sweep):
    student = ("--params", "546M", "--tokens", "24.6B")  # one of the sweep
    taught = (*student, "--teacher-loss", "2.2", "--json")
    row = command("forecast", sweep.file, *taught).json["rows"][0]
    assert_has(row, FORECAST)
    assert not row["extrapolation"]["outside"]
    assert_has(command("risk", sweep.file, *taught).json["rows"][0], RISK)


# simulate, models, datasets


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_simulate_writes_runs_that_can_be_read_back(command, workplace, suffix):
    out = f"runs{suffix}"
    answer = command(
        "simulate",
        "busbridge2025-plain",
        "--design",
        "paper",
        "--coefficients",
        "table6",
        "--out",
        out,
        "--seed",
        "3",
        "--json",
    )
    assert answer.status == 0
    assert answer.json["out"] == out
    assert answer.json["runs"] == 352
    assert answer.json["coefficients"] == dict(TABLE_6)
    checked = command("check", out, "--json").json
    assert (checked["rows"], checked["kind"], checked["faults"]) == (352, "distillation", [])


def test_simulate_obeys_its_seed_noise_and_design(command, workplace, sound):
    sound.drop(columns="loss").to_csv("design.csv", index=False)

    def losses(*options):
        answer = command(
            "simulate",
            "distillation",
            "--design",
            "design.csv",
            "--coefficients",
            "table6",
            "--out",
            "runs.csv",
            "--overwrite",
            *options,
        )
        assert answer.status == 0
        frame = pd.read_csv("runs.csv")
        assert list(frame["params"]) == pytest.approx(list(sound["params"]))
        return frame["loss"].to_numpy()

    np.testing.assert_array_equal(losses("--seed", "1"), losses("--seed", "1"))
    assert (losses("--seed", "1") != losses("--seed", "2")).all()
    quiet = losses("--noise", "1e-9")
    assert np.abs(losses("--noise", "0.01") - quiet).mean() > 0.002
    np.testing.assert_allclose(losses("--noise", "2e-9", "--seed", "5"), quiet, atol=1e-7)


def test_simulate_from_the_prior_tells_the_truth_it_drew(command, workplace):
    def truth(seed):
        return command(
            "simulate",
            "supervised",
            "--design",
            "chinchilla",
            "--out",
            f"runs-{seed}.csv",
            "--seed",
            seed,
            "--json",
        ).json["coefficients"]

    assert set(truth("1")) == {"E", "A", "B", "alpha", "beta", "gamma"}
    assert truth("1") == truth("1") != truth("2")


def test_coefficients_from_a_file(command, workplace):
    truth = {"E": 1.8, "A": 480.0, "B": 2000.0, "alpha": 0.35, "beta": 0.37}
    (workplace / "truth.json").write_text(json.dumps(truth))
    answer = command(
        *["simulate", "supervised", "--design", "chinchilla", "--coefficients", "truth.json"],
        *("--out", "runs.csv", "--json"),
    )
    assert answer.json["coefficients"] == truth | {"gamma": 1.0}


def test_models(command):
    listed = command("models", "list", "--json")
    assert listed.status == 0
    names = {model["name"] for model in listed.json["models"]}
    assert {"busbridge2025", "hoffmann2022", "distillation", "supervised", "joint"} <= names
    shown = command("models", "show", "busbridge2025", "--json")
    assert shown.json["law"] == "distillation-gain-own-gap"
    assert shown.json["priors"]["c0"]["family"] == "lognormal"
    assert "busbridge2025" in command("models", "list").out


def test_a_card_that_is_shown_can_be_edited_and_used(command, workplace):
    text = command("models", "show", "supervised-plain").out
    (workplace / "mine.toml").write_text(text.replace("median = 0.6", "median = 0.7"))
    shown = command("models", "show", "mine.toml", "--json")
    assert shown.json["priors"]["floor"]["median"] == 0.7


def test_datasets(command, monkeypatch, tmp_path):
    listed = command("datasets", "list", "--json")
    assert listed.status == 0
    assert {d["name"] for d in listed.json["datasets"]} == {"busbridge2025", "hoffmann2022"}
    assert "busbridge2025" in command("datasets", "list").out
    monkeypatch.setenv("BAYES_DISTILL_DATA", str(tmp_path))
    missing = command("datasets", "fetch", "busbridge2025", "--json")
    assert missing.status == 2
    assert "BAYES_DISTILL_DATA" in missing.error


def test_datasets_fetch_of_a_mirror(command, real_data):
    fetched = command("datasets", "fetch", "hoffmann2022", "--json")
    assert fetched.status == 0
    assert fetched.json["path"] == str(real_data / "hoffmann2022_svg_extracted_data.csv")


# demo


@pytest.mark.slow
def test_demo(command, workplace):
    answer = command("demo", "--json", "--out", "here", "--interval", "0.8")
    assert answer.status in (0, 3)
    told = answer.json
    assert answer.status == (3 if told["verdict"] == "fail" else 0)
    assert {path.name for path in (workplace / "here").iterdir()} == {
        "demo.nc",
        "student-against-teacher.png",
    }
    assert (workplace / "here" / "student-against-teacher.png").read_bytes()[:4] == b"\x89PNG"
    for c in told["coefficients"]:
        assert set(c) >= {"name", "mean", "lower", "upper", "identified", "truth"}
    known = [c for c in told["coefficients"] if c["identified"]]
    assert len(known) >= 6
    assert all(abs(c["truth"] - c["mean"]) < 4 * c["sd"] for c in known)
    assert_has(told["forecast"]["rows"][0], FORECAST)
    assert told["forecast"]["interval"] == 0.8
    hurts = [row["p_stronger_teacher_hurts"] for row in told["risk"]["rows"]]
    assert len(hurts) == 3
    assert hurts == sorted(hurts, reverse=True)
    assert "Simulating" in answer.err


# what all have in common

ALL = [
    ("check", "runs.csv"),
    ("models", "list"),
    ("models", "show", "joint"),
    ("datasets", "list"),
    ("simulate", "joint", "--design", "runs.csv", "--out", "out.csv"),
    ("forecast", "FIT", *STUDENT),
    ("risk", "FIT", *STUDENT, "--teacher-loss", "2.0"),
]


@pytest.mark.parametrize("arguments", ALL, ids=lambda a: " ".join(a[:2]))
def test_every_command_takes_the_common_options(
    command, workplace, sound, scattered_file, arguments
):
    sound.to_csv("runs.csv", index=False)
    call = [str(scattered_file) if a == "FIT" else a for a in arguments]
    common = ("--json", "--seed", "1", "--interval", "0.8", "--quiet")
    answer = command(*call, *common)
    assert answer.status == 0
    assert answer.err == ""
    assert answer.json
    wrong = command(*call, "--json", "--seed", "one", "--interval", "90")
    assert wrong.status == 2
    assert wrong.out == ""
    assert "--seed: 'one'" in wrong.error
    assert "--interval: 90" in wrong.error
