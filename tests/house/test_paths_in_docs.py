"""Files that the pages for contributors name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "bayes_distill"
PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PATH = re.compile(r"`([\w./-]+/[\w.-]+\.(?:py|md|toml|sh|js)|[\w./-]+/)`")
MADE = ("dist/", "bench/", "NAME")  # built, or a name to fill in


def missing(page: Path) -> list[str]:
    names = PATH.findall(page.read_text(encoding="utf-8"))
    return [
        name
        for name in names
        if not any(part in name for part in MADE)
        and not any((folder / name).exists() for folder in (ROOT, PACKAGE, page.parent))
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_exist(page):
    assert missing(page) == []


def test_a_stale_name_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("see `runs/no_such_module.py` and `runs/table.py`", encoding="utf-8")
    assert missing(page) == ["runs/no_such_module.py"]
