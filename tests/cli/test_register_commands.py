"""`forecast --register`, `score` and `verify` on the command line."""

from __future__ import annotations

import pandas as pd


def test_a_forecast_is_registered_scored_and_verified(command, workplace, scattered_file):
    ask = ("--params", "1B", "--tokens", "20B", "--teacher-loss", "2.1", "--register", "f.jsonl")
    told = command("forecast", scattered_file, *ask, "--json").json
    assert command("risk", scattered_file, *ask).status == 0
    runs = pd.DataFrame({"params": [1e9], "tokens": [2e10], "teacher_loss": [2.1]})
    runs.assign(loss=told["rows"][0]["mean"]).to_csv("runs.csv", index=False)

    scored = command("score", "f.jsonl", "runs.csv", "--json", "--out", "scores.json")
    assert scored.status == 0
    assert set(scored.json) >= {"scored", "coverage", "interval_score", "crps", "rows"}
    assert scored.json["scored"] == 2
    assert set(scored.json["coverage"]) == {"50", "80", "90", "95"}
    printed = command("score", "f.jsonl", "runs.csv").out
    assert printed.startswith("2 forecasts have a run: their intervals held 100% of 90%")

    found = command("verify", "f.jsonl", "--json")
    assert (found.status, found.json["lines"], found.json["intact"]) == (0, 2, True)
    whole = (workplace / "f.jsonl").read_bytes()
    (workplace / "f.jsonl").write_bytes(whole.replace(b'"seed": 0', b'"seed": 1', 1))
    changed = command("verify", "f.jsonl", "--json")
    assert (changed.status, changed.json["intact"]) == (3, False)
    assert "line 0 was changed" in command("verify", "f.jsonl").out
    command("score", "f.jsonl", "runs.csv").check_refused("line 0 of f.jsonl was changed")
    (workplace / "f.jsonl").write_bytes(whole[:-5])
    torn = command("verify", "f.jsonl")
    assert torn.status == 3
    assert "'bayes-distill verify FILE --repair'" in torn.err
    assert command("verify", "f.jsonl", "--repair").status == 0


def test_what_is_no_register_is_left_alone(command, workplace, scattered_file):
    (workplace / "runs.csv").write_text("params,tokens,loss\n1e9,2e10,2.3\n")
    ask = ("--params", "1B", "--tokens", "20B", "--teacher-loss", "2.1")
    command("forecast", scattered_file, *ask, "--register", "runs.csv").check_refused(
        "--register: runs.csv is not a register"
    )
    command("score", "runs.csv", "runs.csv").check_refused("runs.csv is not a register")
    command("verify", "nothing").check_refused("nothing does not exist")
    command("verify", "runs.csv", "--head", "\x1b[31m").check_refused("--head: ")
    assert (workplace / "runs.csv").read_text().startswith("params")
