"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from scheduling import rank

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

    from bayes_distill.cards import Card
    from bayes_distill.posterior import Posterior
    from bayes_distill.runs import Runs

# a first example compiles a law, which no deadline should count
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def as_piped() -> None:
    """Tables as where there is no terminal: workers of pytest-xdist are told a width."""
    os.environ.pop("COLUMNS", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, wherever pytest-xdist shares them out."""
    items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)  # a run without pytest-xdist has no such hook
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """See `scheduling`."""
    from scheduling import scheduler

    return scheduler(config, log)


@pytest.fixture
def real_data() -> Path:
    """Folder with the two real tables; tests that need them are skipped without it."""
    folder = os.environ.get("BAYES_DISTILL_DATA")
    if not folder:
        pytest.skip("set BAYES_DISTILL_DATA to the folder with the two real tables to run this")
    return Path(folder)


@pytest.fixture(scope="session")
def cases() -> Path:
    """Folder with inputs that were once misread; tests that need it are skipped without it."""
    data = os.environ.get("BAYES_DISTILL_DATA")
    folder = Path(data).parent / "cases" if data else None
    if folder is None or not folder.is_dir():
        pytest.skip("set BAYES_DISTILL_DATA to a folder with the folder cases beside it")
    return folder


@pytest.fixture(autouse=True, scope="module")
def memory_maps() -> None:
    """Thousands of programs are compiled here: they are dropped near what a process may hold."""
    from bayes_distill._runtime.memory import drop_programs_near_map_limit

    drop_programs_near_map_limit()


@pytest.fixture(autouse=True)
def plots_of_one_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots that a test, or a page of the documentation, registers are gone after it."""
    from bayes_distill.plots import PLOTS

    monkeypatch.setattr(PLOTS, "_of_session", {})


@dataclass(frozen=True)
class Fitted:
    """A simulated sweep, the coefficients it came from, its fit, and both as files."""

    runs: Runs
    truth: dict[str, float]
    posterior: Posterior
    table: Path
    file: Path

    @property
    def true(self) -> dict[str, float]:
        """The truth under published names and under those of the coordinates."""
        law, reference = self.posterior.law, self.posterior.reference
        found = law.from_published(self.truth, reference)
        return {name: float(value) for name, value in found.items()} | self.truth


def fit_once(
    folder: Path, name: str, runs: Runs, truth: dict[str, float], card: Card | str | None
) -> Fitted:
    from bayes_distill.inference.fit import fit
    from bayes_distill.runs.writing import write_runs

    table, file = folder / f"{name}.csv", folder / f"{name}.nc"
    write_runs(runs, table)
    posterior = fit(runs, card, warmup=500, draws=500, seed=0)
    posterior.save(file)
    return Fitted(runs, truth, posterior, table, file)


def careful(name: str) -> Card:
    """A shipped card with shorter steps: few draws must pass their checks on every machine."""
    from bayes_distill.cards import load_card

    return load_card(name).model_copy(update={"target_accept": 0.98})


@pytest.fixture(scope="session")
def fits_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the fits that tests share; nothing else is written there."""
    return tmp_path_factory.mktemp("fits")


@pytest.fixture(scope="session")
def sweep(fits_folder: Path) -> Fitted:
    """The paper's design with table 6 as truth, fitted with NUTS."""
    from bayes_distill.inference.simulation import simulate_from_card

    runs, truth = simulate_from_card("busbridge2025-plain", "paper", coefficients="table6", seed=2)
    return fit_once(fits_folder, "sweep", runs, truth, careful("busbridge2025-plain"))


@pytest.fixture(scope="session")
def chinchilla(fits_folder: Path) -> Fitted:
    """Supervised runs in the manner of Hoffmann et al., fitted with NUTS."""
    from bayes_distill.inference.simulation import simulate_from_card

    truth = {"E": 1.817, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}
    runs, _ = simulate_from_card("supervised-plain", "chinchilla", coefficients=truth, seed=1)
    return fit_once(fits_folder, "chinchilla", runs, truth, "supervised-plain")


@pytest.fixture(scope="session")
def mixed(fits_folder: Path) -> Fitted:
    """Supervised and distilled runs, some teachers known by size only, fitted jointly."""
    from bayes_distill.inference.simulation import simulate_from_card
    from bayes_distill.runs import paper_design, read_runs

    params, ratio = np.meshgrid([143e6, 4e8, 1e9, 3e9, 7e9], [10, 20, 40, 100, 300, 800])
    alone = pd.DataFrame({"params": params.ravel(), "tokens": (params * ratio).ravel()})
    taught = paper_design().iloc[::4].drop(columns="group").reset_index(drop=True)
    sized = taught.index % 5 == 0
    sizes = np.resize([546e6, 1.82e9, 4.82e9, 975e6], sized.sum())
    taught.loc[sized, "teacher_params"] = sizes
    taught.loc[sized, "teacher_tokens"] = sizes * np.resize([20.0, 40.0, 100.0], sized.sum())
    taught.loc[sized, "teacher_loss"] = np.nan
    design = pd.concat([alone, taught], ignore_index=True)
    runs, truth = simulate_from_card("joint", design, coefficients="table6", seed=3)
    frame = runs.frame.copy()
    frame.loc[frame["teacher_params"].notna(), "teacher_loss"] = np.nan  # not measured
    return fit_once(fits_folder, "mixed", read_runs(frame), truth, careful("joint"))


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracking store with two experiments; skipped loudly where MLflow is not installed."""
    pytest.importorskip("mlflow", reason="MLflow is not installed: pip install '.[dev]'")
    from tracking_store import make_store

    return make_store(tmp_path_factory.mktemp("store") / "mlflow.db")


@pytest.fixture(scope="session")
def scattered() -> Posterior:
    """2000 made-up draws around table 6, with a hull: a posterior that costs no sampling."""
    import xarray as xr

    from bayes_distill.cards import load_card
    from bayes_distill.laws import TABLE_6, Reference
    from bayes_distill.posterior import Posterior

    card, reference = load_card("busbridge2025-plain"), Reference(5.46e8, 1.94e10, 2.4)
    generator = np.random.default_rng(5)
    middle = card.scaling_law.from_published(TABLE_6, reference)
    spread = dict.fromkeys(middle, 0.003) | {"c0": 0.02, "width": 0.02, "kappa": 0.02, "bend": 0.02}
    draws = {
        name: float(value) * np.exp(spread[name] * generator.standard_normal((4, 500)))
        for name, value in middle.items()
    }
    draws["scale"] = np.exp(np.log(0.0025) + 0.05 * generator.standard_normal((4, 500)))
    group = xr.Dataset({name: (("chain", "draw"), value) for name, value in draws.items()})
    corners = [(1e8, 2e9), (2e9, 2e9), (2e9, 1e11), (1e8, 1e11)]
    hull = {"points": [[float(np.log(x)), float(np.log(y))] for x, y in corners]}
    info = {"hull": hull | {"teacher_loss": [1.9, 2.8]}}
    return Posterior(xr.DataTree.from_dict({"posterior": group}), card, reference, info)


@pytest.fixture
def chinchilla_point() -> Posterior:
    """Chinchilla's law at the coefficients of Besiroglu et al. 2024, without uncertainty."""
    from bayes_distill.cards import load_card
    from bayes_distill.laws import Reference
    from bayes_distill.laws.published import BESIROGLU
    from bayes_distill.posterior import Posterior

    card = load_card("hoffmann2022")
    return Posterior.from_coefficients(card, BESIROGLU, Reference(1e9, 2e10, 2.3))


def plain_supervised(c: dict[str, np.ndarray], params: float, tokens: float) -> np.ndarray:
    """Eq. 1 from published coefficients, in NumPy and nothing else."""
    return c["E"] + (c["A"] / params ** c["alpha"] + c["B"] / tokens ** c["beta"]) ** c["gamma"]


def plain_distilled(
    c: dict[str, np.ndarray], params: float, tokens: float, teacher: np.ndarray | float
) -> np.ndarray:
    """Eq. 8 from published coefficients, in NumPy and nothing else."""
    alone = plain_supervised(c, params, tokens)
    # log1p: far below the bend the bracket is 1 plus almost nothing
    bend = np.exp(-c["c1"] * c["f1"] * np.log1p((teacher / (alone * c["d1"])) ** (1 / c["f1"])))
    last = (c["A'"] / params ** c["alpha'"] + c["B'"] / tokens ** c["beta'"]) ** c["gamma'"]
    return teacher + teacher ** -c["c0"] * bend * last


@pytest.fixture(scope="session")
def plain() -> SimpleNamespace:
    """The two equations of the paper, to hold the program against."""
    return SimpleNamespace(supervised=plain_supervised, distilled=plain_distilled)


@pytest.fixture(scope="session")
def compilations() -> Callable[[], int]:
    """Function that counts the programs JAX has traced and compiled since the first call."""
    from jax import monitoring

    count = 0

    def listen(event: str, duration: float, **_: str | int) -> None:
        nonlocal count
        count += event == "/jax/core/compile/backend_compile_duration"

    monitoring.register_event_duration_secs_listener(listen)
    return lambda: count
