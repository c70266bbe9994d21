"""``bayes-distill fit``: runs and a card to a posterior in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayes_distill._input.folders import folder_problem
from bayes_distill._input.outputs import FIT
from bayes_distill.cli.artefacts import log_file
from bayes_distill.cli.fit_answer import fit_json, print_fit
from bayes_distill.cli.fit_losses import fit_every_loss
from bayes_distill.cli.interrupts import kept_in
from bayes_distill.cli.options import (
    Collector,
    Columns,
    Count,
    KeptDraws,
    LogTo,
    MappingFile,
    Model,
    NoCorrections,
    Overwrite,
    Runs,
    option,
)
from bayes_distill.cli.output import (
    print_json,
    progress_bar,
    say,
)
from bayes_distill.cli.shared_options import Common, spread_options
from bayes_distill.errors import Fault, InputError

if TYPE_CHECKING:
    pass


@spread_options
def fit(
    runs: Runs,
    model: Model = None,
    where: Annotated[str | None, option("Keep some runs, e.g. 'loss > 2.3'.", "EXPR")] = None,
    no_corrections: NoCorrections = False,
    mapping: MappingFile = None,
    columns: Columns = None,
    losses: Annotated[
        str | None,
        option("Fit several losses one by one: all columns loss_*, or some.", "all|NAMES"),
    ] = None,
    out: Annotated[str | None, option("Where the posterior goes.", "FIT.nc")] = None,
    supervised: Annotated[
        str | None, option("A supervised fit: its posterior is the prior.", "FIT.nc")
    ] = None,
    cut: Annotated[
        bool,
        typer.Option("--cut", help="Distillation runs say nothing about the supervised law."),
    ] = False,
    imputations: Annotated[
        str | None, option("With --cut: draws of the supervised law, 64.", "INTEGER")
    ] = None,
    chains: Count = "4",
    warmup: Annotated[
        str, option("At most, per chain: fewer where less is enough.", "INTEGER")
    ] = "1000",
    draws: KeptDraws = "1000",
    extensions: Annotated[
        str, option("Longer rounds that may follow where chains disagree, at most.", "INTEGER")
    ] = "1",
    log_to: LogTo = None,
    overwrite: Overwrite = False,
    *,
    common: Common,
) -> int:
    """Fit a scaling law to a table of runs with NUTS.

    While it samples, its state is kept in OUT.unfinished: after an interrupt, the same command
    goes on from there.
    """
    collect = Collector()
    target = Path(out) if out is not None else Path(f"{Path(runs).stem}.nc")
    settings: dict[str, Any] = {
        "chains": collect.integer("chains", chains, 2),
        "warmup": collect.integer("warmup", warmup, 100),
        "draws": collect.integer("draws", draws, 50),
        "extensions": collect.integer("extensions", extensions, 0),
        "seed": collect.integer("seed", common.seed),
    }
    if imputations is not None:
        settings["imputations"] = collect.integer("imputations", imputations, 10)
        if not cut:
            collect.add(Fault("is for --cut: add that, or leave it out", column="imputations"))
    probability = collect.probability("interval", common.interval)
    if losses is not None:
        others = {"cut": cut, "supervised": supervised, "mapping": mapping, "columns": columns}
        others |= {"no_corrections": no_corrections, "log_to": log_to}
        for name in (name for name, each in others.items() if each):
            collect.add(Fault("does not go with --losses: leave one out", column=name))
        more = {"where": where, "interval": probability, **settings}
        return fit_every_loss(collect, runs, losses, model, target, overwrite, more, common)
    inputs = (runs, model, mapping, supervised)
    collect.place("out", target, FIT, inputs=inputs, overwrite=overwrite)
    unfinished = Path(f"{target}.unfinished")
    tracked = collect.tracked(log_to)
    problem = folder_problem(unfinished)
    collect.add(Fault(problem, column="out") if problem else None)
    card, table = _inputs(collect, runs, model, where, not no_corrections, mapping, columns)
    first = _first_stage(collect, table, card, supervised, cut)
    collect.check()
    from bayes_distill.inference.checkpoint import forget
    from bayes_distill.inference.fit import fit as fit_runs

    if any(unfinished.glob("*.npz")):
        say(
            f"note: {unfinished} holds the state of an interrupted fit. If it is of the same runs, "
            "card and settings this one goes on from there; otherwise it begins anew",
            common.quiet,
        )
    with kept_in(unfinished, "*.npz"), progress_bar(common.quiet) as progress:
        posterior = fit_runs(
            table,
            card,
            supervised=first,
            cut=cut,
            interval=probability,
            progress=progress,
            resume=unfinished,
            **settings,
        )
    posterior.save(target, overwrite=overwrite)
    forget(unfinished)
    log_file(tracked, target, "fit.nc", quiet=common.quiet)
    if common.json:
        print_json(fit_json(posterior, target))
    else:
        print_fit(posterior, target, common)
    if posterior.verdict == "fail":
        failed = [
            c["name"] for c in posterior.info["diagnostics"]["checks"] if c["verdict"] == "fail"
        ]
        say(
            f"the fit failed its checks ({', '.join(failed)}); "
            f"it was written to {target}, marked so"
        )
        return 3
    return 0


def _inputs(
    collect: Collector,
    runs: str,
    model: str | None,
    where: str | None,
    corrections: bool,
    mapping: str | None,
    columns: str | None,
) -> tuple[Any, Any]:
    """Card and table, with the faults of both gathered."""
    from bayes_distill.cards import load_card
    from bayes_distill.runs import read_runs

    card = table = None
    try:
        if model is not None:
            card = load_card(model)
    except InputError as error:
        collect.faults += error.faults
    try:
        law = None if card is None else card.scaling_law
        table = read_runs(runs, corrections=corrections, mapping=mapping, columns=columns, law=law)
        if where is not None:
            table = table.where(where)
    except InputError as error:
        collect.faults += error.faults
    return card, table


def _first_stage(
    collect: Collector, table: Any, card: Any, supervised: str | None, cut: bool
) -> str | None:
    """Path of the supervised fit, with what is wrong with it and with the flags gathered."""
    if supervised is None and not cut:
        return None
    from bayes_distill.inference.two_stage import check_against, check_stages, load_supervised

    posterior = None
    try:
        if supervised is not None:
            posterior = load_supervised(supervised)
    except InputError as error:
        collect.faults += error.faults
    if table is not None:
        try:
            check_stages(table, supervised, cut, card)
            if posterior is not None:
                check_against(table, posterior)
        except InputError as error:
            collect.faults += error.faults
    return supervised
