"""``bayes-distill update``: a fit of more runs, from where a fit of some of them ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from bayes_distill._input.folders import folder_problem
from bayes_distill._input.outputs import FIT
from bayes_distill.cli.artefacts import log_file
from bayes_distill.cli.fit_answer import fit_json, print_fit
from bayes_distill.cli.interrupts import kept_in
from bayes_distill.cli.options import (
    AllowFailed,
    Columns,
    Fit,
    LogTo,
    MappingFile,
    NoCorrections,
    Overwrite,
    Runs,
    option,
)
from bayes_distill.cli.output import print_json, print_records, print_sentences, progress_bar, say
from bayes_distill.cli.shared_options import Common, spread_options
from bayes_distill.errors import Fault

if TYPE_CHECKING:
    from bayes_distill.validation.update import Update

SHOWN = 8  # coefficients that moved


@spread_options
def update(
    fit: Fit,
    runs: Runs,
    *,
    out: Annotated[str | None, option("Where the new posterior goes.", "NEW.nc")] = None,
    where: Annotated[str | None, option("Keep some new runs, e.g. 'loss < 4'.", "EXPR")] = None,
    no_corrections: NoCorrections = False,
    mapping: MappingFile = None,
    columns: Columns = None,
    chains: Annotated[str | None, option("As the fit by default.", "INTEGER")] = None,
    warmup: Annotated[str | None, option("At most, per chain.", "INTEGER")] = None,
    draws: Annotated[
        str | None, option("Kept, per chain: by default half as many as the fit's.", "INTEGER")
    ] = None,
    extensions: Annotated[
        str, option("Longer rounds that may follow where chains disagree, at most.", "INTEGER")
    ] = "1",
    log_to: LogTo = None,
    overwrite: Overwrite = False,
    allow_failed: AllowFailed = False,
    common: Common,
) -> int:
    """Fit the runs of FIT and new ones, and say what moved and which new runs surprise."""
    question = common.question()
    question.needed(out=out)
    target = Path(out or "new.nc")
    settings: dict[str, Any] = {
        name: None if text is None else question.integer(name, text, least)
        for name, text, least in (
            ("chains", chains, 2),
            ("warmup", warmup, 100),
            ("draws", draws, 50),
        )
    }
    settings["extensions"] = question.integer("extensions", extensions, 0)
    inputs = (fit, runs, mapping)
    question.place("out", out, FIT, inputs=inputs, overwrite=overwrite)
    unfinished = Path(f"{target}.unfinished")
    tracked = question.tracked(log_to)
    problem = folder_problem(unfinished)
    question.add(Fault(problem, column="out") if problem else None)
    from bayes_distill.inference.checkpoint import forget
    from bayes_distill.validation.update import prepare
    from bayes_distill.validation.update import update as call

    reading: dict[str, Any] = {
        "where": where,
        "corrections": not no_corrections,
        "mapping": mapping,
        "columns": columns,
        "allow_failed": question.lenient(allow_failed),
    }
    with question.joined():
        prepare(fit, runs, **reading)
    with kept_in(unfinished, "*.npz"), progress_bar(common.quiet) as progress:
        result = call(
            fit,
            runs,
            **reading,
            **settings,
            seed=question.seed,
            progress=progress,
            resume=unfinished,
        )
    posterior = result.posterior
    posterior.save(target, overwrite=overwrite)
    forget(unfinished)
    log_file(tracked, target, "fit.nc", quiet=common.quiet)
    if common.json:
        common.say_notes(result.notes)
        print_json(fit_json(posterior, target) | result.to_json())
    else:
        _print(result, target, common)
    if posterior.verdict == "fail":
        say(f"the fit failed its checks; it was written to {target}, marked so")
        return 3
    return 0


def _print(result: Update, target: Path, common: Common) -> None:
    from bayes_distill.validation.update_words import update_sentence

    common.say_notes(result.notes)
    print_sentences([update_sentence(result.to_json())])
    print_records(
        "What moved, in standard deviations of the earlier fit",
        result.moved.head(SHOWN).to_dict("records"),
        [
            ("coefficient", "{name}"),
            ("before", "{before:.4g}"),
            ("after", "{after:.4g}"),
            ("moved by", "{sd:+.2f} sd"),
        ],
    )
    if len(result.surprises):
        print_records(
            "New runs that the earlier fit would hardly have forecast",
            result.surprises.to_dict("records"),
            [
                ("row", "{row}"),
                ("params", "{params!q}"),
                ("tokens", "{tokens!q}"),
                ("loss", "{loss:.4f}"),
                ("forecast (90%)", "{forecast_lower:.4f} to {forecast_upper:.4f}"),
                ("p", "{p:.2g}"),
            ],
            caption="p: chance of a loss as far off, times the number of new runs.",
        )
    print_fit(result.posterior, target, common)
