"""``bayes-distill validate``: forecasts of left-out runs, compared with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayes_distill.cli.options import Collector, Interval, Json, MappingFile, Quiet, Seed
from bayes_distill.cli.output import print_json, print_table, progress_bar, say
from bayes_distill.errors import Fault, InputError

if TYPE_CHECKING:
    from bayes_distill.validation.result import Validation


def validate(
    runs: Annotated[str, typer.Argument(metavar="RUNS", help="A table of runs, or named data.")],
    leave_out: Annotated[
        str,
        typer.Option(
            help="What is left out in turn: one student size (params), one label of the column "
            "group, or at once the best runs (tail).",
            metavar="params|group|tail",
        ),
    ] = "params",
    model: Annotated[
        str | None, typer.Option(help="Model card: a name or a TOML file.", metavar="CARD")
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="Keep some runs, e.g. 'loss < 4'.", metavar="EXPR")
    ] = None,
    no_corrections: Annotated[
        bool, typer.Option("--no-corrections", help="Take named data as extracted.")
    ] = False,
    mapping: MappingFile = None,
    min_runs: Annotated[
        str, typer.Option(help="Least runs of a group that is left out.", metavar="INTEGER")
    ] = "8",
    groups: Annotated[
        str | None,
        typer.Option(help="Sizes or labels to leave out, e.g. 143M,1.82B.", metavar="LIST"),
    ] = None,
    tail: Annotated[
        str | None,
        typer.Option(
            help="With tail: the runs kept for fitting, e.g. 'loss > 2.3' (default: all but the "
            "tenth with the lowest losses).",
            metavar="EXPR",
        ),
    ] = None,
    teacher_apart: Annotated[
        str, typer.Option(help="Least distance of two teachers' losses.", metavar="LOSS")
    ] = "0.05",
    student_apart: Annotated[
        str, typer.Option(help="Least distance of their students' losses.", metavar="LOSS")
    ] = "0.004",
    chains: Annotated[str, typer.Option(metavar="INTEGER")] = "4",
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
    out: Annotated[
        str | None, typer.Option(help="Where the JSON goes too.", metavar="FILE.json")
    ] = None,
    json: Json = False,
    seed: Seed = "0",
    interval: Interval = "0.9",
    quiet: Quiet = False,
) -> int:
    """Refit without each group of runs and compare the forecast of the group with it."""
    collect = Collector()
    settings: dict[str, Any] = {
        "chains": collect.integer("chains", chains),
        "warmup": collect.integer("warmup", warmup),
        "draws": collect.integer("draws", draws),
        "seed": collect.integer("seed", seed),
        "min_runs": collect.integer("min_runs", min_runs),
        "teacher_apart": _distance(collect, "teacher_apart", teacher_apart),
        "student_apart": _distance(collect, "student_apart", student_apart),
        "interval": collect.probability("interval", interval),
        "workers": None if workers is None else collect.integer("workers", workers),
    }
    if out is not None:
        from bayes_distill._input.files import unwritable

        problem = unwritable(out)
        collect.add(Fault(problem, column="out") if problem else None)
    from bayes_distill.validation.leave_out import prepare
    from bayes_distill.validation.leave_out import validate as call

    settings |= {
        "leave_out": leave_out,
        "where": where,
        "corrections": not no_corrections,
        "mapping": mapping,
        "tail": tail,
        "groups": None if groups is None else groups.split(","),
        "scheduler": scheduler,
    }
    if collect.faults:  # the rest of them, before anything is fitted
        try:
            prepare(runs, model, **settings)
        except InputError as error:
            raise collect.join(error) from None
    collect.check()
    with progress_bar(quiet) as progress:
        result = call(runs, model, resume=resume, progress=progress, **settings)
    for note in result.notes:
        say(f"note: {note}", quiet)
    if out is not None:
        result.save(out)
    if json:
        print_json(result.to_json())
    else:
        _print(result)
    return 3 if result.verdict == "fail" else 0


def _distance(collect: Collector, name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        collect.add(Fault(f"{text!r} is not a number", column=name))
        return 0.0


def _print(result: Validation) -> None:
    from bayes_distill.validation.refit import percent

    levels = [percent(level) for level in result.levels]
    print_table(
        f"{result.model}: forecasts of left-out runs",
        [
            "left out",
            "runs",
            *(f"in {level}%" for level in levels),
            f"width of {percent(result.interval)}%",
            "CRPS",
            "bias",
            "mean abs. error",
            "largest",
            "joint log density",
            "verdict",
        ],
        [
            [
                str(r["group"]),
                str(r["runs"]),
                *(f"{100 * r[f'coverage_{level}']:.0f}%" for level in levels),
                f"{r['width']:.4f}",
                f"{r['crps']:.4f}",
                f"{r['bias']:+.4f}",
                f"{r['mae']:.4f}",
                f"{100 * r['max_relative_error']:.2f}%",
                f"{r['joint_lpd']:.1f}",
                str(r["verdict"]),
            ]
            for r in result.table.to_dict("records")
        ],
        caption="In 90%: share of the runs inside the 90% predictive interval (of one new run): it "
        "should be 90%. Width, CRPS, bias (forecast minus loss) and errors are in the unit of the "
        "loss; less is better. Joint log density: of all runs left out together; more is better.",
    )
    if not len(result.pairs):
        return
    overall = result.table.iloc[-1]
    filled = result.reliability[result.reliability["pairs"] > 0]
    print_table(
        f"Gap risk: is the stronger teacher's student the worse one? {len(result.pairs)} pairs, "
        f"{100 * result.pairs['happened'].mean():.1f}% yes",
        ["forecast", "probability", "pairs", "mean forecast", "observed"],
        [
            [
                str(r["band"]),
                f"{r['lower']:g} to {r['upper']:g}",
                str(r["pairs"]),
                f"{r['forecast']:.3f}",
                f"{r['observed']:.3f}",
            ]
            for r in filled.to_dict("records")
        ],
        caption=f"Brier score {overall['brier_predictive']:.4f} predictive (of the runs as "
        f"measured), {overall['brier_credible']:.4f} credible (of the mean curves), "
        f"{overall['brier_base_rate']:.4f} for the base rate; less is better.",
    )
