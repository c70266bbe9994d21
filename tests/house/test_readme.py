"""The README's commands and its Python, run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from printed_blocks import PageRun, blocks, matched

README = Path(__file__).parents[2] / "README.md"
MOST_LINES = 120


@pytest.mark.slow
def test_the_readme_works_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    here, printed, strange = PageRun(), "", []
    for block in blocks(README):
        if block.word == "real-data" or "not run" in block.marks:  # tests/real runs the former
            continue
        output = here.run(block)
        printed += output
        strange += [line for line, found in matched(block.shown, output) if found is None]
    assert strange == []  # python tests/renew_docs.py README.md brings it up to date
    assert "Verdict: pass" in printed
    assert (tmp_path / "fit.nc").is_file()


def test_it_shows_every_kind_of_block() -> None:
    found = blocks(README)
    assert {(block.language, block.word) for block in found} == {
        ("console", ""),
        ("python", ""),
        ("sh", ""),
        ("sh", "real-data"),
    }
    assert [
        block.marks for block in found if "not run" in block.marks and len(block.commands) > 1
    ] == []
    assert sum(len(block.commands) for block in found if block.language == "sh") >= 8


def test_it_fits_on_a_front_page() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) < MOST_LINES


def test_the_set_up_commands_name_targets_that_exist() -> None:
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?m)(?:^|`)make ([a-z-]+)", README.read_text(encoding="utf-8")))
    assert named >= {"venv", "demo", "wheel"}
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target
