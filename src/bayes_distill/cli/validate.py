"""``bayes-distill validate``: forecasts of left-out runs, compared with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from bayes_distill._input.outputs import RESULT
from bayes_distill.cli.interrupts import kept_in
from bayes_distill.cli.options import (
    Collector,
    Columns,
    MappingFile,
    Model,
    NoCorrections,
    Overwrite,
    Runs,
    option,
)
from bayes_distill.cli.output import print_json, print_records, print_sentences, progress_bar
from bayes_distill.cli.shared_options import Common, LeftOut, Refits, spread_options

if TYPE_CHECKING:
    from bayes_distill.validation.result import Validation


@spread_options
def validate(
    runs: Runs,
    leave_out: Annotated[
        str,
        option(
            "What is left out in turn: one student size (params), one label of the column "
            "group, at once the dearest runs (tail), or those above budgets (compute).",
            "params|group|tail|compute",
        ),
    ] = "params",
    model: Model = None,
    where: Annotated[str | None, option("Keep some runs, e.g. 'loss < 4'.", "EXPR")] = None,
    no_corrections: NoCorrections = False,
    mapping: MappingFile = None,
    columns: Columns = None,
    *,
    left_out: LeftOut,
    tail: Annotated[
        str | None,
        option(
            "With tail: the runs kept for fitting, e.g. 'loss > 2.3' (default: all but the "
            "tenth that took most compute).",
            "EXPR",
        ),
    ] = None,
    factors: Annotated[
        str | None,
        option(
            "With compute: how many times as dear as each budget the dearest run is, 3,10,30 by "
            "default.",
            "NUMBER,NUMBER",
        ),
    ] = None,
    teacher_apart: Annotated[
        str, option("Least distance of two teachers' losses.", "LOSS")
    ] = "0.05",
    student_apart: Annotated[
        str, option("Least distance of their students' losses.", "LOSS")
    ] = "0.004",
    refits: Refits,
    out: Annotated[str | None, option("Where the JSON goes too.", "FILE.json")] = None,
    overwrite: Overwrite = False,
    common: Common,
) -> int:
    """Refit without each group of runs and compare the forecast of the group with it."""
    collect = Collector()
    settings = {
        **refits.settings(collect, common),
        "min_runs": collect.integer("min_runs", left_out.min_runs),
        "teacher_apart": collect.number("teacher_apart", teacher_apart),
        "student_apart": collect.number("student_apart", student_apart),
        "interval": collect.probability("interval", common.interval),
        "factors": _factors(collect, factors),
        **collect.whole(workers=refits.workers),
    }
    collect.place("out", out, RESULT, inputs=(runs, model, mapping), overwrite=overwrite)
    from bayes_distill.validation.leave_out import prepare
    from bayes_distill.validation.leave_out import validate as call

    settings |= {
        "leave_out": leave_out,
        "where": where,
        "corrections": not no_corrections,
        "mapping": mapping,
        "columns": columns,
        "tail": tail,
        "groups": left_out.names(),
        "scheduler": refits.scheduler,
    }
    if collect.faults:  # the rest of them, before anything is fitted
        with collect.joined():
            prepare(runs, model, **settings)
    with kept_in(refits.resume), progress_bar(common.quiet) as progress:
        result = call(runs, model, resume=refits.resume, progress=progress, **settings)
    common.say_notes(result.notes)
    if out is not None:
        result.save(out, overwrite=overwrite)
    if common.json:
        print_json(result.to_json())
    else:
        _print(result)
    return 3 if result.verdict == "fail" else 0


def _factors(collect: Collector, text: str | None) -> list[float] | None:
    """Factors as numbers, with what is none of them gathered."""
    if text is None:
        return None
    return [collect.number("factors", each) for each in text.split(",")]


def _print_factors(result: Validation) -> None:
    from bayes_distill.validation.rows import percent

    levels = [percent(level) for level in result.levels]
    records = result.by_factor.to_dict("records")
    said = [r["held"] for r in result.to_json()["rows"]]
    print_records(
        f"{result.model}: forecasts of dearer runs, by factor of compute over the dearest fitted",
        [{**r, "held": words} for r, words in zip(records, said, strict=True)],
        [
            ("factor", "{above:g} to {factor:g}"),
            ("forecasts", "{runs}"),
            *((f"in {level}%", f"{{coverage_{level}:.0%}}") for level in levels),
            (f"width of {percent(result.interval)}%", "{width:.2%}"),
            ("interval score", "{interval_score:.2%}"),
            ("CRPS", "{crps:.2%}"),
            ("error", "{error:.2%}"),
            ("bands", "{held}"),
        ],
        caption="All relative to the loss; a run counts once for every budget that it lies above. "
        "Interval score: width, and 2 / (1 - level) times the distance of losses outside; less is "
        "better. Error: of the mean, absolute. The last range also holds what lies beyond it.",
    )


def _print(result: Validation) -> None:
    from bayes_distill.validation.rows import percent
    from bayes_distill.validation.words import validation_sentence

    print_sentences([validation_sentence(result.to_json())])

    levels = [percent(level) for level in result.levels]
    if result.factors:
        _print_factors(result)
    print_records(
        f"{result.model}: forecasts of left-out runs",
        [{**r, "held": result.held(r)} for r in result.table.to_dict("records")],
        [
            ("left out", "{group}"),
            ("runs", "{runs}"),
            *((f"in {level}%", f"{{coverage_{level}:.0%}}") for level in levels),
            ("bands", "{held}"),
            *([("factor", "{factor:.3g}")] if "factor" in result.table else []),
            (f"width of {percent(result.interval)}%", "{width:.4f}"),
            ("CRPS", "{crps:.4f}"),
            ("bias", "{bias:+.4f}"),
            ("mean abs. error", "{mae:.4f}"),
            ("largest", "{max_relative_error:.2%}"),
            ("joint log density", "{joint_lpd:.1f}"),
            # where all refits passed, "pass" would stand beside bands that do not hold
            *([] if result.verdict == "pass" else [("sampling", "{verdict}")]),
        ],
        caption="In 90%: share of the runs inside the 90% predictive interval (of one new run): it "
        "should be 90%. Bands: what may be said of them, runs of one label or size counting as one "
        "in so far as they are inside together. Factor: compute of the dearest run left out over "
        "that of the dearest fitted. Width, CRPS, bias (forecast minus loss) and errors are in the "
        "unit of the loss; less is better. Joint log density: of all runs left out together; more "
        "is better. "
        + ("The sampling of every refit is sound." if result.verdict == "pass" else ""),
    )
    if not len(result.pairs):
        return
    overall = result.table.iloc[-1]
    filled = result.reliability[result.reliability["pairs"] > 0]
    print_records(
        f"Gap risk: is the stronger teacher's student the worse one? {len(result.pairs)} pairs, "
        f"{100 * result.pairs['happened'].mean():.1f}% yes",
        filled.to_dict("records"),
        [
            ("forecast", "{band}"),
            ("probability", "{lower:g} to {upper:g}"),
            ("pairs", "{pairs}"),
            ("mean forecast", "{forecast:.3f}"),
            ("observed", "{observed:.3f}"),
        ],
        caption=f"Brier score {overall['brier_predictive']:.4f} predictive (of the runs as "
        f"measured), {overall['brier_credible']:.4f} credible (of the mean curves), "
        f"{overall['brier_base_rate']:.4f} for the base rate; less is better.",
    )
