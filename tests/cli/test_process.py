"""The command line as a process: help imports little, and streams and status are right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from processes import modules_loaded_by

PROGRAM = [sys.executable, "-c", "from bayes_distill.cli import main; main()"]
HEAVY = ("jax", "numpyro", "pandas", "numpy", "scipy", "xarray", "matplotlib", "arviz_stats")


def call(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["models", "show", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    assert modules_loaded_by(arguments, HEAVY) == "[] 0"


def test_json_goes_to_stdout_and_faults_to_stderr(tmp_path):
    header, rows = "params,tokens,loss\n", "1B,20B,2.3\n2B,40B,2.2\n4B,80B,2.1\n"
    (tmp_path / "good.csv").write_text(header + rows)
    (tmp_path / "bad.csv").write_text(header + "7,20B,2.3\n")
    good = call("check", "good.csv", "--json", cwd=tmp_path)
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["rows"] == 3
    bad = call("check", "bad.csv", "--json", cwd=tmp_path)
    assert bad.returncode == 2
    assert json.loads(bad.stdout)["faults"][0]["column"] == "params"
    assert bad.stderr.startswith("error: row 0, params")
    refused = call("fit", "bad.csv", "--json", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("\n") == 1


def test_a_question_to_a_saved_fit(scattered_file):
    asked = ("--params", "1B", "--tokens", "20B", "--teacher-loss", "2.0", "--json")
    done = call("forecast", scattered_file, *asked)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["rows"]) == 1
    broken = call("forecast", scattered_file, "--params", "1B", "--json")
    assert (broken.returncode, broken.stdout) == (2, "")
    assert broken.stderr == "error: --tokens: is needed\n"


def test_version():
    done = call("--version")
    assert done.returncode == 0
    assert done.stdout.strip().count(".") == 2
