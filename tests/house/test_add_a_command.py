"""The page on adding a command, followed on a copy of the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from printed_blocks import blocks

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "howto" / "add-a-command.md"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the package with the models beside it, and the fixtures of command tests."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src" / "bayes_distill", tmp_path / "src/bayes_distill", ignore=ignored)
    shutil.copytree(ROOT / "models", tmp_path / "models")
    (tmp_path / "tests" / "cli").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "cli" / "conftest.py", tmp_path / "tests" / "cli")
    return tmp_path


def python(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_page_adds_a_command_that_passes_its_test(checkout: Path) -> None:
    before = python(checkout, "-m", "bayes_distill", "reach", "busbridge2025")
    assert "No such command" in before.stderr
    for block in blocks(PAGE):
        if "file" in block.marks:
            (checkout / block.marks["file"]).write_text(block.text, encoding="utf-8")
        else:
            with (checkout / block.marks["appended"]).open("a", encoding="utf-8") as file:
                file.write(f"\n{block.text}")
    after = python(checkout, "-m", "bayes_distill", "reach", "busbridge2025")
    assert (after.returncode, after.stderr) == (0, "")
    assert "teacher_loss" in after.stdout
    tested = python(checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/cli")
    assert "2 passed" in tested.stdout, tested.stdout
