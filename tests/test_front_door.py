"""The package's root: what it exports, under which names, and that nothing hides it."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import bayes_distill as bd
from bayes_distill.cli.main import app

WITHOUT_A_FUNCTION = {"demo"}
FUNCTIONS = [name for name in bd.__all__ if inspect.isfunction(getattr(bd, name))]
FORMER = {
    "capacity_gap": "risk",
    "check_runs": "check",
    "identifiability": "identify",
    "next_run": "identify",
    "predictive_checks": "predictive",
    "write_report": "report",
}


def test_what_is_exported_is_listed_once_and_found_by_dir():
    assert dir(bd) == sorted(bd.__all__)
    assert len(set(bd.__all__)) == len(bd.__all__)


@pytest.mark.parametrize("name", bd.__all__)
def test_every_exported_name_imports_as_itself(name):
    value = getattr(bd, name)
    if inspect.isfunction(value) or inspect.isclass(value):
        assert value.__name__ == name
        assert inspect.getdoc(value), name


def test_every_command_has_a_function_of_its_name():
    commands = set(getattr(typer.main.get_command(app), "commands", {}))
    assert commands - WITHOUT_A_FUNCTION <= set(FUNCTIONS)


def test_no_module_has_the_name_of_what_the_root_exports():
    modules = {module.name for module in pkgutil.iter_modules(bd.__path__)}
    assert "predict" in modules
    assert not modules & {*bd.__all__, *FORMER}


def test_functions_stay_functions_once_all_modules_are_imported():
    script = (
        "import importlib, inspect, pkgutil, bayes_distill as bd\n"
        "for m in pkgutil.walk_packages(bd.__path__, 'bayes_distill.'):\n"
        "    if not m.name.endswith('__main__'):\n"
        "        importlib.import_module(m.name)\n"
        "print([n for n in bd.__all__ if inspect.ismodule(getattr(bd, n))])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:bayes_distill", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


@pytest.mark.parametrize("name", FUNCTIONS)
def test_types_that_a_function_takes_or_returns_are_exported(name):
    function = getattr(bd, name)
    found = {
        value.__name__
        for hint in hints(function).values()
        for value in classes(hint)
        if value.__module__.split(".")[0] == "bayes_distill"
    }
    assert found <= set(bd.__all__)


def test_the_types_of_every_question_are_among_them():
    wanted = {"Card", "Runs", "Limits", "Scenario", "Teachers", "Points", "Posterior", "Plan"}
    wanted |= {"Forecast", "GapRisk", "Identification", "NextRun", "Validation", "Comparison"}
    wanted |= {"Calibration", "PredictiveChecks", "Sensitivity", "Report", "RunsReport", "Fault"}
    assert wanted <= set(bd.__all__)


@pytest.mark.parametrize(("former", "now"), FORMER.items())
def test_earlier_names_still_work_and_say_what_to_use(former, now):
    with pytest.warns(DeprecationWarning, match=rf"{former} is deprecated.*bayes_distill\.{now}$"):
        function = getattr(bd, former)
    assert inspect.isfunction(function)
    assert former not in dir(bd)
    with pytest.warns(DeprecationWarning, match=former):  # every time, and not once
        assert getattr(bd, former) is function


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'forcast'"):
        _ = bd.forcast


def test_tables_of_what_ships():
    models = bd.models()
    assert models["name"].is_unique
    assert {"busbridge2025", "hoffmann2022"} <= set(models["name"])
    assert models.set_index("name").loc["busbridge2025", "posterior"]
    assert not models["posterior"].all()
    for name in models["name"]:
        assert bd.load_card(name).law == models.set_index("name").loc[name, "law"]
    assert set(bd.datasets()["name"]) == {"busbridge2025", "hoffmann2022"}
    assert bd.datasets().set_index("name").loc["hoffmann2022", "rows"] == 245


def hints(function: typing.Any) -> dict[str, typing.Any]:
    """Resolved annotations, with what a module imports for type checkers only."""
    module = importlib.import_module(function.__module__)
    return typing.get_type_hints(function, vars(module) | checked_imports(module))


def checked_imports(module: typing.Any) -> dict[str, typing.Any]:
    """Names that a module defines under ``if TYPE_CHECKING``."""
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    names: dict[str, typing.Any] = {}
    for node in tree.body:
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            continue
        for each in node.body:
            if isinstance(each, ast.ImportFrom):
                source = importlib.import_module(str(each.module))
                for alias in each.names:
                    here = vars(source) | checked_imports(source)
                    names[alias.asname or alias.name] = here[alias.name]
            else:  # import xarray as xr, or the name of a type
                scope = vars(module) | names
                exec(compile(ast.Module([each], []), "types", "exec"), scope)
                names |= {name: value for name, value in scope.items() if name not in names}
    return names


def classes(hint: typing.Any) -> Iterator[type]:
    """All classes within a type."""
    if inspect.isclass(hint) and not typing.get_args(hint):
        yield hint
    for part in typing.get_args(hint):
        parts = part if isinstance(part, list) else [part]
        for each in parts:
            yield from classes(each)
