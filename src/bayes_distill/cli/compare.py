"""``bayes-distill compare``: rank fits of the same runs, and stack them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayes_distill.cli.options import AllowFailed, Collector, Interval, Json, Quiet, Seed
from bayes_distill.cli.output import print_json, print_table, progress_bar, say
from bayes_distill.errors import Fault, InputError

if TYPE_CHECKING:
    import pandas as pd

    from bayes_distill.comparison.result import Comparison

TITLES = {
    "params": "By predictive density of student sizes that were left out",
    "group": "By predictive density of groups that were left out",
    "tail": "By extrapolation: fit the rest, predict the best runs",
}


def compare(
    fits: Annotated[
        list[str], typer.Argument(metavar="FIT FIT...", help="Files written by fit, same runs.")
    ],
    leave_out: Annotated[
        str | None,
        typer.Option(
            help="Refit every card without groups of runs, as validate does (slow).",
            metavar="params|group|tail,...",
        ),
    ] = None,
    tail: Annotated[
        str | None,
        typer.Option(
            help="Extrapolate: the runs kept for fitting, e.g. 'params < 5e8' (slow).",
            metavar="EXPR",
        ),
    ] = None,
    validation: Annotated[
        str | None,
        typer.Option(help="Files of validate --out, one for each fit.", metavar="FILE,FILE,..."),
    ] = None,
    weights: Annotated[
        str,
        typer.Option(
            help="Where the weights for the stack come from, or shares such as 0.7,0.3.",
            metavar="loo|params|group|LIST",
        ),
    ] = "loo",
    stack: Annotated[
        str | None, typer.Option(help="Where the stacked posterior goes.", metavar="FILE.nc")
    ] = None,
    stack_draws: Annotated[
        str, typer.Option(help="Most draws of the stack.", metavar="INTEGER")
    ] = "4000",
    min_runs: Annotated[
        str, typer.Option(help="Least runs of a group that is left out.", metavar="INTEGER")
    ] = "8",
    groups: Annotated[
        str | None,
        typer.Option(help="Sizes or labels to leave out, e.g. 143M,1.82B.", metavar="LIST"),
    ] = None,
    chains: Annotated[str, typer.Option(help="Of every refit.", metavar="INTEGER")] = "4",
    warmup: Annotated[str, typer.Option(metavar="INTEGER")] = "1000",
    draws: Annotated[str, typer.Option(help="Kept, per chain.", metavar="INTEGER")] = "1000",
    workers: Annotated[
        str | None, typer.Option(help="Refits at a time, each a process.", metavar="INTEGER")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="A Dask cluster, e.g. tcp://host:8786.", metavar="ADDRESS")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(help="Keeps finished refits; a second call goes on.", metavar="FOLDER"),
    ] = None,
    allow_failed: AllowFailed = False,
    json: Json = False,
    seed: Seed = "0",
    interval: Interval = "0.9",
    quiet: Quiet = False,
) -> int:
    """Rank fits of the same runs: by PSIS-LOO, by runs left out, by extrapolation; stack them."""
    collect = Collector()
    settings: dict[str, Any] = {
        "chains": collect.integer("chains", chains),
        "warmup": collect.integer("warmup", warmup),
        "draws": collect.integer("draws", draws),
        "seed": collect.integer("seed", seed),
        "min_runs": collect.integer("min_runs", min_runs),
        "interval": collect.probability("interval", interval),
        "workers": None if workers is None else collect.integer("workers", workers),
        "groups": None if groups is None else groups.split(","),
        "scheduler": scheduler,
    }
    most = collect.integer("stack_draws", stack_draws)
    if most < 1:
        collect.add(Fault(f"{most} is less than 1", column="stack_draws"))
    if stack is not None:
        from bayes_distill._input.files import unwritable

        problem = unwritable(stack)
        collect.add(Fault(problem, column="stack") if problem else None)
    question: dict[str, Any] = {
        "leave_out": leave_out.split(",") if leave_out is not None else (),
        "tail": tail,
        "validation": [] if validation is None else validation.split(","),
        "weights": _weights(collect, weights),
    }
    from bayes_distill.comparison.ranking import check
    from bayes_distill.comparison.ranking import compare as call

    if collect.faults:  # the rest of them, before anything is fitted
        try:
            check(fits, **question, allow_failed=True, settings=settings)
        except InputError as error:
            raise collect.join(error) from None
    collect.check()
    with progress_bar(quiet) as progress:
        result = call(
            fits,
            **question,
            **settings,
            resume=resume,
            allow_failed=allow_failed,
            progress=progress,
        )
    written = None
    if stack is not None:
        from bayes_distill.comparison.stacking import stack as put_together

        stacked = put_together(
            fits, list(result.weights.values()), draws=most, allow_failed=allow_failed
        )
        written = {
            "file": str(stacked.save(Path(stack))),
            "draws": stacked.n_draws,
            "members": stacked.info["stack"],
        }
    for note in result.notes:
        say(f"note: {note}", quiet)
    if json:
        print_json({**result.to_json(), "stack": written})
    else:
        _print(result)
        if written is not None:
            say(f"{written['file']}: a stack of {written['draws']} draws", quiet)
    return 3 if result.verdict == "fail" else 0


def _weights(collect: Collector, text: str) -> str | list[float]:
    """Shares if the text holds numbers, else the name of where they come from."""
    parts = text.split(",")
    try:
        return [float(part) for part in parts]
    except ValueError:
        if len(parts) > 1:
            collect.add(Fault(f"{text!r} are not numbers", column="weights"))
            return "loo"
        return text


def _print(result: Comparison) -> None:
    shown = result.weighted_by
    print_table(
        "By PSIS-LOO: log predictive density of a run that is left out",
        ["fit", "law", "elpd", "se", "to the best", "se of that", "weight", "high Pareto k"],
        [
            [
                str(r["fit"]),
                str(r["law"]),
                f"{r['elpd']:.1f}",
                f"{r['se']:.1f}",
                f"{r['elpd_diff']:.1f}",
                f"{r['se_diff']:.1f}",
                f"{r['weight']:.3f}",
                str(r["high_pareto_k"]),
            ]
            for r in result.table.to_dict("records")
        ],
        caption="More elpd is better. A difference counts where it is several times its standard "
        "error. Weight: share in the stack that predicts single runs best.",
        left=2,
    )
    for kind, table in result.left_out.items():
        _print_left_out(TITLES[kind], table)
    if shown != "loo":
        weights = ", ".join(f"{name} {w:.3f}" for name, w in result.weights.items())
        print_table(f"Weights, by {shown}", ["fits"], [[weights]])


def _print_left_out(title: str, table: pd.DataFrame) -> None:
    print_table(
        title,
        [
            "fit",
            "groups",
            "runs",
            "joint log density",
            "to the best",
            "se of that",
            "single runs",
            "to the best",
            "weight",
            "in 90%",
            "width",
            "mean abs. error",
            "largest",
        ],
        [
            [
                str(r["fit"]),
                str(r["groups"]),
                str(r["runs"]),
                f"{r['joint_lpd']:.1f}",
                f"{r['joint_lpd_diff']:.1f}",
                "-" if r["groups"] < 2 else f"{r['joint_lpd_se_diff']:.1f}",
                f"{r['lpd']:.1f}",
                f"{r['lpd_diff']:.1f}",
                f"{r['weight']:.3f}",
                f"{100 * r['coverage_90']:.0f}%",
                f"{r['width']:.4f}",
                f"{r['mae']:.4f}",
                f"{100 * r['max_relative_error']:.2f}%",
            ]
            for r in table.to_dict("records")
        ],
        caption="Joint log density: of each group as a whole, so that being wrong in one direction "
        "counts; more is better. The standard error is over the groups.",
    )
