"""The README's commands and its Python, run as they are printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bayes_distill.cli.main import run

README = Path(__file__).parents[1] / "README.md"
FENCE = re.compile(r"^```(\w+)( [\w-]+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str, mark: str = "") -> list[str]:
    """Code blocks of a language in the order of the page; `mark` is the word behind it."""
    found = FENCE.findall(README.read_text(encoding="utf-8"))
    return [text for name, word, text in found if (name, word.strip()) == (language, mark)]


def commands(texts: list[str]) -> list[str]:
    return [line for text in texts for line in text.splitlines() if line.strip()]


def obey(line: str) -> None:
    """Run one line: the command line in this process, anything else in a shell."""
    if line.startswith("bayes-distill ") and ">" not in line.replace("> 0.43", ""):
        assert run(shlex.split(line)[1:]) == 0, line
        return
    line = line.replace("bayes-distill ", f"{shlex.quote(sys.executable)} -m bayes_distill ", 1)
    subprocess.run(line, shell=True, check=True)


@pytest.mark.slow
def test_the_readme_works_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = commands(blocks("sh"))
    assert len(lines) > 10
    for line in lines:
        if not line.startswith(("git ", "make ", ". ")):
            obey(line)
    output = capsys.readouterr().out
    assert "Verdict: pass" in output
    assert (tmp_path / "fit.nc").is_file()
    assert (tmp_path / "mine.nc").is_file()
    # the Python block uses what the commands have written
    for text in blocks("python"):
        exec(compile(text, str(README), "exec"), {})  # the text is this repository's own
    assert "p_stronger_teacher_hurts" not in capsys.readouterr().err


def test_the_set_up_commands_name_targets_that_exist() -> None:
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?m)(?:^|`)make ([a-z-]+)", README.read_text(encoding="utf-8")))
    assert named >= {"venv", "demo"}
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.slow
def test_the_commands_on_real_data_work_as_printed(
    real_data: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = commands(blocks("sh", "real-data"))
    assert len(lines) == 2
    for line in lines:
        obey(line)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target
