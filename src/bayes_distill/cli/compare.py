"""``bayes-distill compare``: rank fits of the same runs, and stack them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayes_distill._input.outputs import FIT
from bayes_distill.cli.interrupts import kept_in
from bayes_distill.cli.options import AllowFailed, Collector, Overwrite, option
from bayes_distill.cli.output import (
    print_json,
    print_records,
    print_sentences,
    print_table,
    progress_bar,
    say,
)
from bayes_distill.cli.shared_options import Common, LeftOut, Refits, spread_options
from bayes_distill.errors import Fault

if TYPE_CHECKING:
    import pandas as pd

    from bayes_distill.comparison.result import Comparison

TITLES = {
    "params": "By predictive density of student sizes that were left out",
    "group": "By predictive density of groups that were left out",
    "tail": "By extrapolation: fit the rest, predict the best runs",
}


@dataclass(frozen=True)
class RefitsOfFits(Refits):
    """Options of the refits of every card."""

    chains: Annotated[str, option("Of every refit.", "INTEGER")] = "4"


@spread_options
def compare(
    fits: Annotated[
        list[str], typer.Argument(metavar="FIT FIT...", help="Files written by fit, same runs.")
    ],
    leave_out: Annotated[
        str | None,
        option(
            "Refit every card without groups of runs, as validate does (slow).",
            "params|group|tail,...",
        ),
    ] = None,
    tail: Annotated[
        str | None,
        option("Extrapolate: the runs kept for fitting, e.g. 'params < 5e8' (slow).", "EXPR"),
    ] = None,
    validation: Annotated[
        str | None, option("Files of validate --out, one for each fit.", "FILE,FILE,...")
    ] = None,
    weights: Annotated[
        str,
        option(
            "Where the weights for the stack come from, or shares such as 0.7,0.3. auto: student "
            "sizes left out (or labels), where there are several, for which --stack refits (slow); "
            "loo: single runs (quick).",
            "auto|loo|params|group|LIST",
        ),
    ] = "auto",
    stack: Annotated[str | None, option("Where the stacked posterior goes.", "FILE.nc")] = None,
    stack_draws: Annotated[str, option("Most draws of the stack.", "INTEGER")] = "4000",
    *,
    left_out: LeftOut,
    refits: RefitsOfFits,
    overwrite: Overwrite = False,
    allow_failed: AllowFailed = False,
    common: Common,
) -> int:
    """Rank fits of the same runs: by PSIS-LOO, by runs left out, by extrapolation; stack them."""
    collect = Collector()
    settings = {
        **refits.settings(collect, common),
        "min_runs": collect.integer("min_runs", left_out.min_runs),
        "interval": collect.probability("interval", common.interval),
        **collect.whole(workers=refits.workers),
        "groups": left_out.names(),
        "scheduler": refits.scheduler,
    }
    most = collect.integer("stack_draws", stack_draws)
    if most < 1:
        collect.add(Fault(f"{most} is less than 1", column="stack_draws"))
    members = [*fits, *(validation or "").split(",")]
    collect.place("stack", stack, FIT, inputs=members, overwrite=overwrite)
    question: dict[str, Any] = {
        "leave_out": leave_out.split(",") if leave_out is not None else (),
        "tail": tail,
        "validation": [] if validation is None else validation.split(","),
        "weights": _weights(collect, weights),
    }
    from bayes_distill.comparison.ranking import AUTO, check
    from bayes_distill.comparison.ranking import compare as call

    if collect.faults:  # the rest of them, before anything is fitted
        with collect.joined():
            check(fits, **question, allow_failed=True, settings=settings)
    asked = leave_out is not None or validation is not None
    if stack is not None and question["weights"] == AUTO and not asked:
        from bayes_distill.comparison.fits import groups_to_leave_out, load_fits

        loaded = load_fits(fits, allow_failed=allow_failed)
        if (kind := groups_to_leave_out(loaded, settings["min_runs"])) is not None:
            question["leave_out"] = (kind,)
    with kept_in(refits.resume), progress_bar(common.quiet) as progress:
        result = call(
            fits,
            **question,
            **settings,
            resume=refits.resume,
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
            "file": str(stacked.save(Path(stack), overwrite=overwrite)),
            "draws": stacked.n_draws,
            "members": stacked.info["stack"],
        }
    common.say_notes(result.notes)
    if common.json:
        print_json({**result.to_json(), "stack": written})
    else:
        _print(result)
        if written is not None:
            say(f"{written['file']}: a stack of {written['draws']} draws", common.quiet)
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
    from bayes_distill.comparison.words import comparison_sentence

    print_sentences([comparison_sentence(result.to_json())])
    shown = result.weighted_by
    print_records(
        "By PSIS-LOO: log predictive density of a run that is left out",
        result.table.to_dict("records"),
        [
            ("fit", "{fit}"),
            ("law", "{law}"),
            ("elpd", "{elpd:.1f}"),
            ("se", "{se:.1f}"),
            ("to the best", "{elpd_diff:.1f}"),
            ("se of that", "{se_diff:.1f}"),
            ("weight", "{weight:.3f}"),
            ("high Pareto k", "{high_pareto_k}"),
        ],
        caption="More elpd is better. A difference counts where it is several times its standard "
        "error. Weight: share in the stack that predicts single runs best.",
        left=2,
    )
    for kind, table in result.left_out.items():
        _print_left_out(TITLES[kind], table)
    if len(result.counts):
        print_records(
            "What N counts",
            result.counts.to_dict("records"),
            [
                ("fit", "{fit}"),
                ("counts", "{counts}"),
                ("alpha", "{alpha_mean:.3f} ({alpha_lower:.3f} to {alpha_upper:.3f})"),
                ("beta", "{beta_mean:.3f} ({beta_lower:.3f} to {beta_upper:.3f})"),
                ("params", "{params!q}"),
                ("tokens", "{tokens!q}"),
                ("loss there", "{loss_mean:.4f} ({loss_lower:.4f} to {loss_upper:.4f})"),
            ],
            caption="One student in the counts of each fit, on ten times the compute of the "
            "dearest run.",
            left=2,
        )
    if shown != "loo":
        print_table(
            f"Weights, by {shown}",
            ["fit", "weight"],
            [[name, f"{weight:.3f}"] for name, weight in result.weights.items()],
        )


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
