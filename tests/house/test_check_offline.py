"""The check that documentation loads nothing from another machine finds what it is for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_offline.py"
ELSEWHERE = "https://cdn.example.org/x"


def checked(folder: Path, page: str, style: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "index.html").write_text(page, encoding="utf-8")
    (folder / "style.css").write_text(style, encoding="utf-8")
    command = [sys.executable, str(SCRIPT), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_links_to_other_machines_are_no_loads(tmp_path):
    page = (
        "<link rel=stylesheet href=style.css><link rel=canonical href=https://example.org/>"
        f"<a href={ELSEWHERE}>x</a><img src=figure.png><svg xmlns='http://www.w3.org/2000/svg'/>"
    )
    done = checked(tmp_path, page, "body { background: url(a.png); }")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("page", "style"),
    [
        (f"<script src='{ELSEWHERE}'></script>", ""),
        (f"<img src='{ELSEWHERE}'>", ""),
        ("<link rel=stylesheet href='//cdn.example.org/x'>", ""),
        (f"<style>@import '{ELSEWHERE}';</style>", ""),
        ("", f"@font-face {{ src: url({ELSEWHERE}); }}"),
    ],
)
def test_each_load_is_an_error(tmp_path, page, style):
    done = checked(tmp_path, page, style)
    assert done.returncode == 1
    assert "cdn.example.org/x" in done.stderr
    assert done.stderr.startswith("error: ")


def test_a_folder_without_pages_is_an_error(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "has no index.html" in done.stderr
