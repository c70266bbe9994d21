"""The gallery: its page is what its script writes, and shows every kind of plot."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from pathlib import Path

import pytest

from bayes_distill.plots import PLOTS

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


def test_every_plot_is_shown_and_every_image_is_there(gallery):
    assert {shlex.split(example.command)[0] for example in gallery.EXAMPLES} == set(PLOTS)
    there = {path.stem for path in gallery.FOLDER.glob("*.png")}
    assert there == {example.name for example in gallery.EXAMPLES}


def test_commands_take_what_their_plots_take(gallery):
    for _, (command, name, _fit, *rest) in gallery.commands({}):
        flags = {w[2:].replace("-", "_") for w in rest if w.startswith("--")}
        assert command == "plot"
        assert flags - {"out", "quiet"} <= set(PLOTS[name].takes)
