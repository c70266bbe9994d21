"""``bayes-distill score``: how registered forecasts did, once the runs came."""

from __future__ import annotations

from typing import Annotated

import typer

from bayes_distill._input.outputs import RESULT
from bayes_distill.cli.options import Columns, MappingFile, NoCorrections, Overwrite, Runs, option
from bayes_distill.cli.output import print_records, print_sentences
from bayes_distill.cli.shared_options import Common, spread_options

SHOWN = 20  # forecasts in the table for people


@spread_options
def score(
    forecasts: Annotated[
        str, typer.Argument(metavar="FORECASTS", help="A register that --register wrote.")
    ],
    runs: Runs,
    *,
    where: Annotated[str | None, option("Keep some runs, e.g. 'loss < 4'.", "EXPR")] = None,
    no_corrections: NoCorrections = False,
    mapping: MappingFile = None,
    columns: Columns = None,
    by: Annotated[str | None, option("Column that names the arm of a run.", "COLUMN")] = None,
    tolerance: Annotated[
        str, option("How far a run may be from a forecast, in log sizes.", "NUMBER")
    ] = "0.02",
    out: Annotated[str | None, option("Where the JSON goes too.", "FILE.json")] = None,
    overwrite: Overwrite = False,
    common: Common,
) -> None:
    """Join registered forecasts with the runs that came of them, and score them."""
    question = common.question()
    near = question.number("tolerance", tolerance)
    question.place("out", out, RESULT, inputs=(runs, forecasts, mapping), overwrite=overwrite)
    from bayes_distill.validation.registered.scoring import score as call

    with question.joined():
        result = call(
            forecasts,
            runs,
            where=where,
            corrections=not no_corrections,
            mapping=mapping,
            columns=columns,
            by=by,
            tolerance=near,
            interval=question.interval,
        )
    if out is not None:
        result.save(out, overwrite=overwrite)
    if common.printed(result):
        return
    from bayes_distill.validation.registered.words import score_sentence
    from bayes_distill.validation.rows import percent

    print_sentences([score_sentence(result.to_json())])
    levels = [percent(level) for level in result.levels]
    print_records(
        "Registered forecasts, by kind of question",
        result.kinds.to_dict("records"),
        [
            ("kind", "{kind}"),
            ("forecasts", "{scored}"),
            ("runs", "{runs:g}"),
            *((f"in {level}%", f"{{coverage_{level}:.0%}}") for level in levels),
            (f"{percent(result.interval)}% intervals", "{verdict}"),
            ("interval score", "{interval_score:.4f}"),
            ("CRPS", "{crps:.4f}"),
            ("error", "{error:+.4f}"),
        ],
        caption="In 90%: share of the losses inside the 90% predictive interval. Verdict: "
        "forecasts of one run count as one in so far as they are inside together. Scores and "
        "error (forecast minus loss) are in the unit of the loss; less is better.",
    )
    if len(result.probabilities):
        from bayes_distill.validation.registered.events import MEANINGS

        print_records(
            "Registered probabilities",
            [{**row, "what": MEANINGS[row["event"]]} for row in result.events.to_dict("records")],
            [
                ("that", "{what}"),
                ("scored", "{scored}"),
                ("mean probability", "{probability:.2f}"),
                ("happened", "{happened:.2f}"),
                ("Brier score", "{brier:.3f}"),
            ],
            caption="Happened: share of those whose runs came out so. Brier score: mean squared "
            "difference of the two; that of a coin is 0.25. Probabilities are of mean curves, "
            "and single runs have noise besides.",
        )
    name = percent(result.interval)
    print_records(
        f"Forecasts with a run (the latest {SHOWN})" if result.scored > SHOWN else "Forecasts",
        result.table.sort_values("time", kind="stable").tail(SHOWN).to_dict("records"),
        [
            ("line", "{line}"),
            ("time", "{time:%Y-%m-%d}"),
            ("kind", "{kind}"),
            ("row", "{row}"),
            ("params", "{params!q}"),
            ("tokens", "{tokens!q}"),
            ("median", "{median:.4f}"),
            (f"{name}%", f"{{new_run_lower_{name}:.4f}} to {{new_run_upper_{name}:.4f}}"),
            ("loss", "{loss:.4f}"),
            ("share below", "{pit:.3f}"),
        ],
        left=3,
    )
