"""A plot of one's own: one decorated function, drawn from Python and from the command line."""

from __future__ import annotations

import json

import matplotlib.pyplot as plt
import pytest

import bayes_distill as bd
from bayes_distill.cli.main import run
from bayes_distill.errors import InputError
from bayes_distill.plots import PLOTS, Drawing, InReport, register
from bayes_distill.plots.registry import Plots
from bayes_distill.reporting.plots_as_svg import figures_of
from studies import with_runs

NAME = "irreducible-loss"


def register_one(name=NAME, **about):
    @register(
        name,
        title="Irreducible loss",
        shows="the posterior of E, of `params`.",
        takes=("params",),
        **about,
    )
    def irreducible_loss(request):
        figure, ax = plt.subplots()
        ax.hist(request.subject.published["E"])
        ax.set_title(f"{request.options.get('params')} {request.unit} {request.interval}")
        return Drawing(figure, ("a note",))

    return irreducible_loss


def test_it_is_drawn_by_its_name(scattered, tmp_path):
    register_one()
    figure = bd.plot("irr", scattered, params="1B", unit="bits", out=tmp_path / "x.svg")
    assert figure.axes[0].get_title() == "1B bits 0.9"
    assert (tmp_path / "x.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert plt.get_fignums() == []


def test_it_is_drawn_from_the_command_line_and_listed(scattered, tmp_path, capsys):
    register_one()
    fit, out = scattered.save(tmp_path / "fit.nc"), tmp_path / "x.png"
    assert run(["plot", NAME, str(fit), "--params", "1B", "--out", str(out), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["kind"], printed["notes"]) == (NAME, ["a note"])
    assert out.read_bytes().startswith(b"\x89PNG")
    assert run(["plot", "--list", "--json"]) == 0
    shows = "the posterior of E, of --params."
    listed = json.loads(capsys.readouterr().out)["kinds"][-1]
    assert listed == {"name": NAME, "shows": shows, "takes": ["params"], "needs": []}
    assert run(["plot", "--help"]) == 0
    assert f"{NAME}: {shows}" in " ".join(capsys.readouterr().out.split())


def test_options_that_it_does_not_take_or_that_it_lacks_are_faults(scattered):
    register_one(needs=(("params",),))
    with pytest.raises(InputError, match=r"budget: means nothing.*params: is needed"):
        bd.plot("irr", scattered, budget="1e21")


def test_a_plain_figure_will_do(scattered):
    @register("empty", title="Nothing", shows="nothing.")
    def empty(request):
        return plt.figure()

    assert bd.plot("empty", scattered).axes == []


def test_a_cell_that_is_run_again_replaces_its_plot():
    register_one(order=1)
    again = register_one(order=2)
    assert PLOTS[NAME].draw is again
    assert [name for name in PLOTS if name.startswith("irr")] == [NAME]


def test_order_decides_the_place_in_lists():
    register_one("first", order=0)
    register_one("later")
    register_one("last")
    names = list(PLOTS)
    assert names[0] == "first"
    assert names[-2:] == ["last", "later"]  # behind those of the package, by name


def test_a_name_of_the_package_is_refused():
    with pytest.raises(InputError, match=r"'coverage' already: bayes_distill\.plots\.coverage"):
        register_one("coverage")
    assert PLOTS["coverage"].source == "validation"


def test_the_report_shows_it_if_it_says_so(scattered):
    register_one(order=1, report=InReport("Where the loss ends."))
    first = figures_of(with_runs(scattered), 0.9, 0)[0]
    assert (first.title, first.caption) == ("Irreducible loss.", "Where the loss ends.")


def test_a_package_without_plots_has_none():
    assert len(Plots("json")) == 0
    with pytest.raises(KeyError):
        PLOTS["nothing"]
