"""The README's commands and its Python, run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from printed_blocks import Block, PageRun, blocks, obey

README = Path(__file__).parents[1] / "README.md"


def blocks_of(language: str, word: str = "") -> list[Block]:
    """Code blocks of a language in the order of the page; `word` is the one behind it."""
    return [b for b in blocks(README) if (b.language, b.word) == (language, word)]


def commands(found: list[Block]) -> list[str]:
    return [command for block in found for command in block.commands]


@pytest.mark.slow
def test_the_readme_works_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = commands(blocks_of("sh"))
    assert len(lines) > 10
    printed = [obey(line) for line in lines if not line.startswith(("git ", "make ", ". "))]
    assert any("Verdict: pass" in text for text in printed)
    assert (tmp_path / "fit.nc").is_file()
    assert (tmp_path / "mine.nc").is_file()
    # the Python block uses what the commands have written
    here = PageRun()
    assert any(here.run(block) for block in blocks_of("python"))


def test_the_set_up_commands_name_targets_that_exist() -> None:
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?m)(?:^|`)make ([a-z-]+)", README.read_text(encoding="utf-8")))
    assert named >= {"venv", "demo"}
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target
