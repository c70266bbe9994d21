"""``bayes-distill plot``: files, lists, JSON and refusals."""

from __future__ import annotations

import json


def test_a_file_is_written_and_named(command, workplace, scattered_file):
    answer = command("plot", "trade-off-pairs", scattered_file, "--out", "x.svg")
    assert answer.status == 0
    said = f"A picture of the kind trade-off-pairs was written to x.svg, from {scattered_file}."
    assert " ".join(answer.out.split()) == said
    assert (workplace / "x.svg").read_text().startswith("<?xml")
    assert [path.name for path in workplace.iterdir()] == ["x.svg"]


def test_json_names_the_kind_in_full(command, workplace, scattered_file):
    answer = command(
        "plot",
        "stud",
        scattered_file,
        "--params",
        "1B",
        "--tokens",
        "20B",
        "--teacher-loss",
        "1.7,2.0",
        "--out",
        "x.png",
        "--json",
    )
    assert answer.status == 0
    found = answer.json
    assert (found["plot"], found["kind"]) == ("x.png", "student-against-teacher")
    assert any("teacher better or worse" in note for note in found["notes"])
    assert (workplace / "x.png").read_bytes().startswith(b"\x89PNG")


def test_the_list_says_what_each_kind_shows_and_needs(command, workplace):
    kinds = {kind["name"]: kind for kind in command("plot", "--list", "--json").json["kinds"]}
    assert kinds["capacity-gap-map"]["needs"] == [["teacher_loss", "teacher_params"]]
    assert "budget" in kinds["isoflop-profiles"]["takes"]
    shown, helped = command("plot", "--list").out, command("plot", "--help").out
    for name in kinds:
        assert name in shown
        assert name in helped


def test_every_fault_is_in_the_one_error_line(command, workplace, scattered_file):
    answer = command(
        "plot",
        "capacity",
        "nowhere.nc",
        "--out",
        "x.bmp",
        "--interval",
        "9",
        "--seed",
        "-1",
        "--budget",
        "1e21",
        "--tokens",
        "few",
    )
    answer.check_refused(
        "nowhere.nc does not exist",
        "--out: x.bmp ends in .bmp",
        "--interval: 9",
        "--seed: -1",
        "--budget: means nothing",
        "--tokens: 'few'",
        "--teacher-loss: is needed",
    )
    assert answer.error.count("--interval") == 1
    assert list(workplace.iterdir()) == []


def test_nothing_at_all_is_answered_with_what_is_needed(command, workplace):
    answer = command("plot")
    assert answer.status == 2
    for part in ("KIND: is needed", "FIT: is needed", "--out: is needed"):
        assert part in answer.error


def test_a_fit_that_failed_is_refused_unless_allowed(command, workplace, scattered, tmp_path):
    from dataclasses import replace

    failed = replace(scattered, info={**scattered.info, "verdict": "fail"})
    failed.save("failed.nc")
    asked = ("plot", "trade-off-pairs", "failed.nc", "--out", "x.png")
    answer = command(*asked)
    assert answer.status == 2
    assert "failed its checks" in answer.error
    assert not (workplace / "x.png").exists()
    allowed = command(*asked, "--allow-failed", "--json")
    assert allowed.status == 0
    assert "failed its checks" in json.dumps(allowed.json["notes"])
