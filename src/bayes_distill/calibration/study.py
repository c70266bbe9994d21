"""Simulation-based calibration: replicates of one card and design, and tests of their ranks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_distill._input.progress import Progress
from bayes_distill.calibration.quantities import (
    Quantity,
    forecast_quantities,
    sampled_quantity,
)
from bayes_distill.calibration.replicate import run_replicate
from bayes_distill.calibration.result import Calibration, Study, summarise
from bayes_distill.calibration.setting import Setting, make_setting, read_card, read_design
from bayes_distill.cards import Card
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.inference.fit import check_settings
from bayes_distill.parallel import check_places, map_tasks

REPLICATES, LEAST_REPLICATES = 200, 10


def calibrate(
    card: Card | str | Path,
    design: pd.DataFrame | str | Path,
    *,
    replicates: int | None = None,
    chains: int = 2,
    warmup: int = 400,
    draws: int = 750,
    simulator: Card | str | Path | None = None,
    seed: int = 0,
    workers: int | None = None,
    scheduler: Any = None,
    resume: str | Path | None = None,
    progress: Progress | None = None,
    sweeps: int | None = None,
) -> Calibration:
    """Calibrate a card on a design by simulation (Talts et al. 2018).

    For every replicate a truth is drawn from the card's prior, runs of the design are simulated
    from it and fitted with the card. If the posterior is right, the rank of the truth among its
    draws is uniform over the replicates, for every coordinate, noise scale and forecast.

    Parameters
    ----------
    card
        A card with priors, its name or path.
    design
        A table of runs without losses; ``"paper"`` and ``"chinchilla"`` are built in.
    replicates
        Number of replicates, by default 200.
    chains, warmup, draws
        Chains of each fit, and their lengths. A fit that fails its checks is repeated twice and
        four times as long, with smaller steps.
    simulator
        Another card that truths and runs come from, with the reference point of `card`: shows what
        a wrong prior or law does to the posterior.
    seed
        Seed of everything random. A replicate does not depend on how many there are.
    workers
        Processes of this machine.
    scheduler
        A Dask cluster instead, see `bayes_distill.parallel.map_tasks`.
    resume
        Folder that finished replicates are written to: a second call continues from there.
    progress
        Called with (what, replicates done, replicates in all).
    sweeps
        The earlier name of `replicates`.

    Raises
    ------
    InputError
        Naming everything that is wrong with cards, design and settings.
    """
    setting, source, name, count = prepare(
        card,
        design,
        replicates=replicates,
        sweeps=sweeps,
        chains=chains,
        warmup=warmup,
        draws=draws,
        simulator=simulator,
        seed=seed,
        workers=workers,
        scheduler=scheduler,
    )
    fitted, table = setting.fitted.card, setting.design
    content = {
        "card": fitted.model_dump(mode="json"),
        "simulator": None if source is None else source.model_dump(mode="json"),
        "design": {str(column): table[column].tolist() for column in table},
    }
    settings = {"seed": seed, "chains": chains, "warmup": warmup, "draws": draws}
    tasks = [{"study": content, "replicate": i, **settings} for i in range(count)]
    results = map_tasks(
        run_replicate,
        tasks,
        workers=workers,
        scheduler=scheduler,
        store=resume,
        progress=progress,
        label="replicates",
    )
    study = Study(
        model=fitted.name,
        simulator=(source or fitted).name,
        law=fitted.law,
        design=name,
        runs=len(table),
        reference=asdict(setting.reference),
        settings={"sweeps": count, **settings},
    )
    return summarise(results, _described(setting, results[0]), study)


def prepare(
    card: Card | str | Path,
    design: pd.DataFrame | str | Path,
    *,
    replicates: int | None,
    chains: int,
    warmup: int,
    draws: int,
    simulator: Card | str | Path | None,
    seed: int,
    workers: int | None,
    scheduler: Any,
    sweeps: int | None = None,
) -> tuple[Setting, Card | None, str, int]:
    """Setting, simulator's card, name of the design and number of replicates, as `calibrate` runs.

    Raises
    ------
    InputError
        Naming everything that is wrong with cards, design and settings.
    """
    fitted, source, table, name, faults = _read(card, simulator, design)
    setting = None
    checks: list[tuple[Callable[..., None], tuple[Any, ...]]] = [
        (_check_replicates, (replicates, sweeps, seed)),
        (check_settings, (chains, warmup, draws)),
        (check_places, (workers, scheduler)),
    ]
    for check, arguments in checks:
        with collected(faults):
            check(*arguments)
    if fitted is not None and table is not None:
        with collected(faults):
            setting = make_setting(fitted, source, table)
    if setting is None or faults:
        raise InputError(faults)
    return setting, source, name, _count(replicates, sweeps)


def _read(
    card: Card | str | Path, simulator: Card | str | Path | None, design: pd.DataFrame | str | Path
) -> tuple[Card | None, Card | None, pd.DataFrame | None, str, list[Fault]]:
    """Cards, design and its name, with the faults of all of them."""
    faults: list[Fault] = []
    fitted = source = table = None
    name = ""
    with collected(faults):
        fitted = read_card(card)
    try:
        source = None if simulator is None else read_card(simulator)
    except InputError as error:
        faults += [Fault(str(fault), column="simulator") for fault in error.faults]
    with collected(faults):
        table, name = read_design(design)
    return fitted, source, table, name, faults


def _count(replicates: int | None, sweeps: int | None) -> int:
    """Number of replicates, by either name."""
    by_name = replicates if sweeps is None else sweeps
    return REPLICATES if by_name is None else by_name


def _check_replicates(replicates: int | None, sweeps: int | None, seed: int) -> None:
    faults = []
    name = "replicates" if sweeps is None else "sweeps"
    if replicates is not None and sweeps is not None:
        faults.append(Fault("is the earlier name of replicates: leave it out", column=name))
    count = _count(replicates, sweeps)
    if count < LEAST_REPLICATES:
        problem = f"{count} are too few to test ranks: at least {LEAST_REPLICATES}"
        faults.append(Fault(problem, column=name))
    if seed < 0:
        faults.append(Fault(f"{seed} is less than 0", column="seed"))
    if faults:
        raise InputError(faults)


def _described(setting: Setting, result: dict[str, Any]) -> list[Quantity]:
    """Quantities of a replicate: coordinates in the order of the law, noise, forecasts."""
    planned = forecast_quantities(setting)
    names = set(result["quantities"]) - {quantity.name for quantity in planned}
    order = {name: i for i, name in enumerate(setting.fitted.spec.law.coordinate_names)}
    kinds = ("coordinate", "noise", "level")

    def place(quantity: Quantity) -> tuple[int, int, str, int]:
        base, _, component = quantity.name.partition("[")
        level = int(component[:-1]) if component else 0
        return kinds.index(quantity.kind), order.get(base, len(order)), base, level

    sampled = [sampled_quantity(setting.fitted, name) for name in names]
    return [*sorted(sampled, key=place), *planned]
