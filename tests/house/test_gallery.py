"""The gallery: its page is what its script writes, and shows every kind of plot."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from pathlib import Path

import pytest

from bayes_distill.pictures import KINDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def gallery():
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "scripts" / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery"] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_script_writes(gallery):
    assert gallery.PAGE.read_text(encoding="utf-8") == gallery.page()


def test_every_kind_is_shown_and_every_picture_is_there(gallery):
    assert {shlex.split(picture.command)[0] for picture in gallery.PICTURES} == set(KINDS)
    there = {path.stem for path in gallery.FOLDER.glob("*.png")}
    assert there == {picture.name for picture in gallery.PICTURES}


def test_commands_take_what_their_kinds_take(gallery):
    for _, (plot, kind, _fit, *rest) in gallery.commands({}):
        flags = {w[2:].replace("-", "_") for w in rest if w.startswith("--")}
        assert plot == "plot"
        assert flags - {"out", "quiet"} <= set(KINDS[kind].takes)
