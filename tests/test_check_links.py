"""The link check of the documentation finds what it is for."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "check_links.py"


@pytest.fixture(scope="module")
def check():
    spec = importlib.util.spec_from_file_location("check_links", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_links"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module.check


@pytest.fixture
def site(tmp_path: Path):
    def write(index: str, other: str = "<h1 id='top'>other</h1>") -> Path:
        (tmp_path / "pages").mkdir()
        (tmp_path / "index.html").write_text(index, encoding="utf-8")
        (tmp_path / "pages" / "other.html").write_text(other, encoding="utf-8")
        (tmp_path / "style.css").touch()
        return tmp_path

    return write


LINK = "<a href='pages/other.html#top'>other</a>"


def test_a_sound_site(check, site):
    head = "<link rel='stylesheet' href='style.css?v=1'>"
    outside = "<a href='https://arxiv.org/abs/2502.08606'>x</a><a href='#'>top</a>"
    assert check(site(head + LINK + outside, "<a href='../index.html' id=top>back</a>")) == []


@pytest.mark.parametrize(
    ("index", "told"),
    [
        (f"{LINK}<a href='nothing.html'>x</a>", "nothing.html leads nowhere"),
        ("<a href='pages/other.html#no'>x</a>", "names an anchor that is not there"),
        (f"{LINK}<a href='#gone'>x</a>", "#gone names an anchor"),
        ("<p>no link</p>", "other.html: no page leads to it"),
        (f"{LINK}<script src='https://cdn.example.org/x.js'></script>", "from another machine"),
        (f"{LINK}<link rel=stylesheet href='//fonts.example.org/a'>", "from another machine"),
        (f"{LINK}<img src='gone.png'>", "gone.png, which is not there"),
        (f"{LINK}<a href='https://arxiv'>x</a>", "names no host"),
        (f"{LINK}<a href='htps://arxiv.org'>x</a>", "has the scheme 'htps'"),
    ],
)
def test_each_fault_is_told(check, site, index, told):
    faults = check(site(index))
    assert len(faults) == 1
    assert told in faults[0]


def test_a_folder_that_is_no_site(check, tmp_path):
    assert "build the pages first" in check(tmp_path)[0]
