"""``bayes-distill calibrate``: whether posteriors cover the truths of a card's prior."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayes_distill.cli.options import Collector, Interval, Json, Quiet, Seed
from bayes_distill.cli.output import print_json, print_table, progress_bar, say
from bayes_distill.errors import Fault, InputError

if TYPE_CHECKING:
    from bayes_distill.calibration.result import Calibration

PICTURES = (".png", ".svg", ".pdf")


def calibrate(
    card: Annotated[str, typer.Argument(metavar="CARD", help="Model card: a name or TOML file.")],
    design: Annotated[
        str | None,
        typer.Option(
            help="Table of params, tokens and teacher_loss; 'paper' and 'chinchilla' are built in.",
            metavar="FILE",
        ),
    ] = None,
    replicates: Annotated[
        str | None, typer.Option(help="Simulated replicates, 200 by default.", metavar="INTEGER")
    ] = None,
    sweeps: Annotated[
        str | None, typer.Option(help="The same as --replicates.", metavar="INTEGER")
    ] = None,
    chains: Annotated[str, typer.Option(metavar="INTEGER")] = "2",
    warmup: Annotated[str, typer.Option(metavar="INTEGER")] = "400",
    draws: Annotated[str, typer.Option(help="Kept, per chain.", metavar="INTEGER")] = "750",
    simulator: Annotated[
        str | None,
        typer.Option(help="Another card, that truths and runs come from.", metavar="CARD"),
    ] = None,
    workers: Annotated[
        str | None, typer.Option(help="Replicates at a time, each a process.", metavar="INTEGER")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="A Dask cluster, e.g. tcp://host:8786.", metavar="ADDRESS")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(help="Keeps finished replicates; a second call goes on.", metavar="FOLDER"),
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="Where everything goes, with ranks.", metavar="FILE.json")
    ] = None,
    plot: Annotated[
        str | None,
        typer.Option(help="Draw the ranks: a PNG, SVG or PDF file.", metavar="FILE"),
    ] = None,
    json: Json = False,
    seed: Seed = "0",
    interval: Interval = "0.9",
    quiet: Quiet = False,
) -> int:
    """Simulate replicates from a card's prior, fit each, and test the ranks of the truths."""
    collect = Collector()
    collect.probability("interval", interval)
    settings: dict[str, Any] = {
        name: None if text is None else collect.integer(name, text)
        for name, text in (("replicates", replicates), ("sweeps", sweeps))
    }
    settings |= {
        "chains": collect.integer("chains", chains),
        "warmup": collect.integer("warmup", warmup),
        "draws": collect.integer("draws", draws),
        "seed": collect.integer("seed", seed),
        "workers": None if workers is None else collect.integer("workers", workers),
        "scheduler": scheduler,
        "simulator": simulator,
    }
    collect.add(Fault("is needed", column="design") if design is None else None)
    from bayes_distill._input.files import unwritable

    for flag, place in (("out", out), ("plot", plot)):
        problem = None if place is None else unwritable(place)
        if flag == "plot" and place is not None and Path(place).suffix not in PICTURES:
            problem = f"{place} must end in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}"
        collect.add(Fault(problem, column=flag) if problem else None)
    from bayes_distill.calibration.study import calibrate as call
    from bayes_distill.calibration.study import prepare

    if collect.faults:  # the rest of them, before anything is fitted
        try:
            prepare(card, design or "paper", **settings)
        except InputError as error:
            raise collect.join(error) from None
    collect.check()
    assert design is not None
    with progress_bar(quiet) as progress:
        result = call(card, design, resume=resume, progress=progress, **settings)
    for note in result.notes:
        say(f"note: {note}", quiet)
    if out is not None:
        result.save(out)
    if plot is not None:
        _draw(result, plot)
    if json:
        print_json(result.to_json(ranks=False))
    else:
        _print(result, out)
    if result.verdict == "fail":
        say(f"ranks are not uniform: {', '.join(result.failing())}")
        return 3
    return 0


def _draw(result: Calibration, place: str) -> None:
    from matplotlib import pyplot as plt

    from bayes_distill._input.files import atomic_path
    from bayes_distill.plots.ranks import ranks

    figure = ranks(result).reshape(-1)[0].figure
    with atomic_path(place) as temporary:
        figure.savefig(temporary)
    plt.close(figure)


def _print(result: Calibration, out: str | None) -> None:
    study, fits = result.study, result.fits
    counts = fits["verdict"].value_counts()
    counted = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("pass", "review", "fail"))
    of = "" if study.simulator == study.model else f", truths from {study.simulator}"
    print_table(
        f"Verdict: {result.verdict} ({study.model} on {study.design}{of}; {len(fits)} replicates; "
        f"fits: {counted})",
        [
            "quantity",
            "p",
            "adjusted p",
            "verdict",
            "in 50%",
            "in 80%",
            "in 90%",
            "in 95%",
            "shift",
            "spread",
        ],
        [
            [
                r["name"],
                f"{r['p_value']:.3f}",
                f"{r['p_adjusted']:.3f}",
                r["verdict"],
                *(f"{100 * r[f'coverage_{level}']:.0f}%" for level in (50, 80, 90, 95)),
                f"{r['shift']:+.3f}",
                f"{r['spread']:.2f}",
            ]
            for r in result.table.to_dict("records")
        ],
        caption="p: of ranks this far from uniform, if the posterior is right; adjusted for the "
        "number of quantities. In 90%: share of 90% intervals that hold the truth. Shift: above "
        "0 the posterior lies too low. Spread: above 1 it is too narrow.",
    )
    meanings = [
        f"  {r['name']}: {r['meaning']}"
        for r in result.table.to_dict("records")
        if r["kind"] == "forecast"
    ]
    typer.echo("Forecasts:\n" + "\n".join(meanings))
    if out is not None:
        typer.echo(f"Written to {out}")
