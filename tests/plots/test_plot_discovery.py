"""Plots in files: a new file is enough, and listing imports none of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import bayes_distill as bd
from bayes_distill import plots
from bayes_distill.cli.main import run
from bayes_distill.errors import InputError
from bayes_distill.plots import PLOTS, InReport
from bayes_distill.plots.discovery import plots_of
from bayes_distill.plots.registry import Plots
from processes import modules_loaded_by

MODULE = '''"""One plot."""

import matplotlib.pyplot as plt
from processes import modules_loaded_by

from bayes_distill.plots import Drawing, InReport, register


def helper():
    """Not a plot."""


@register(
    "noise",
    title="Residual "
    "noise",
    shows="the noise of runs.",
    takes=("params", "draws"),
    needs=(("params", "draws"),),
    report=InReport(caption="Noise.", draws=100),
    order=5.5,
)
def draw_noise(request):
    figure, ax = plt.subplots()
    ax.hist(request.subject.draws["scale"])
    return Drawing(figure, ("drawn by a file",))
'''
HEAVY = ("jax", "numpyro", "pandas", "numpy", "matplotlib", "arviz_plots", "xarray")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """A folder from which modules can be imported; they are forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    PLOTS.search()
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]
    PLOTS.search()


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def install(folder: Path, module: str) -> None:
    about = folder / "their_plots-1.0.dist-info"
    write(about / "METADATA", "Metadata-Version: 2.1\nName: their-plots\nVersion: 1.0\n")
    write(about / "entry_points.txt", f"[bayes_distill.plots]\nnoise = {module}\n")


def test_a_file_in_the_package_is_all_that_a_plot_needs(folder, monkeypatch, scattered):
    write(folder / "more" / "noise.py", MODULE)
    monkeypatch.setattr(plots, "__path__", [*plots.__path__, str(folder / "more")])
    assert next(iter(PLOTS)) == "noise"
    assert "bayes_distill.plots.noise" not in sys.modules
    figure = bd.plot("noise", scattered, draws=5)
    assert figure.axes[0].has_data()
    assert PLOTS["noise"].origin == "bayes_distill.plots.noise.draw_noise"


def test_entries_are_read_without_running_their_files(folder):
    write(folder / "mypackage" / "__init__.py", "")
    write(folder / "mypackage" / "noise.py", MODULE)
    write(folder / "mypackage" / "broken_when_run.py", "raise RuntimeError\n")
    (entry,) = Plots("mypackage").values()
    assert "mypackage.noise" not in sys.modules
    assert (entry.title, entry.shows) == ("Residual noise", "the noise of runs.")
    assert (entry.takes, entry.needs) == (("params", "draws"), (("params", "draws"),))
    assert entry.report == InReport("Noise.", draws=100)
    assert entry.order == 5.5


def test_a_package_that_is_installed_adds_its_plots(folder, scattered, tmp_path, capsys):
    write(folder / "their_plots.py", MODULE)
    install(folder, "their_plots")
    fit, out = scattered.save(tmp_path / "fit.nc"), tmp_path / "x.png"
    assert "noise" in PLOTS
    assert "their_plots" not in sys.modules
    assert run(["plot", "noise", str(fit), "--draws", "5", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notes"] == ["drawn by a file"]
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("module", "text", "says"),
    [
        ("not_there_at_all", "", "not_there_at_all"),
        ("their_plots", "def (", "invalid syntax"),
        ("their_plots", MODULE.replace('"noise"', '"coverage"', 1), "two functions register"),
        ("their_plots", MODULE.replace('"noise"', "NAME", 1), "write out the arguments"),
    ],
)
def test_a_plug_in_that_cannot_be_used_is_skipped_with_a_warning(folder, module, text, says):
    write(folder / "their_plots.py", text)
    install(folder, module)
    with pytest.warns(UserWarning, match=f"no plots from the entry point noise: .*{says}"):
        assert "noise" not in PLOTS
    assert PLOTS["coverage"].origin.startswith("bayes_distill.plots.")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ('title=TITLE, shows="x."', "malformed"),
        ('title="x", shows="x.", sort="x"', "sort"),
        ('title="x"', "shows"),
        ("**about", r"no \*\* here"),
    ],
)
def test_arguments_that_cannot_be_read_are_named_with_their_place(tmp_path, arguments, says):
    text = f'import plots\n\n\n@plots.register("noise", {arguments})\ndef draw(request): ...\n'
    with pytest.raises(InputError, match=rf"^a\.noise, line 4: write out .*{says}"):
        plots_of("a.noise", write(tmp_path / "noise.py", text))


def test_two_plots_of_one_name_are_refused(folder):
    for module in ("__init__", "one", "two"):
        write(folder / "mypackage" / f"{module}.py", "" if module == "__init__" else MODULE)
    with pytest.raises(InputError, match=r"'noise': mypackage\.one\.\w+ and mypackage\.two"):
        list(Plots("mypackage"))


@pytest.mark.parametrize("arguments", [["--help"], ["plot", "--help"], ["plot", "--list"]])
def test_plots_are_listed_without_importing_what_draws_them(arguments):
    assert modules_loaded_by(arguments, HEAVY) == "[] 0"


def test_every_entry_names_a_function_that_draws():
    for name, entry in PLOTS.items():
        module, _, function = entry.origin.rpartition(".")
        assert entry.name == name
        assert callable(getattr(import_module(module), function))
