"""``bayes-distill report``: one HTML file about a fit that a team can pass around."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from bayes_distill.cli.artefacts import log_file
from bayes_distill.cli.options import AllowFailed, Fit, LogTo, Overwrite, option
from bayes_distill.cli.output import echo, progress_bar, wrapped
from bayes_distill.cli.shared_options import Common, spread_options
from bayes_distill.errors import Fault


@spread_options
def report(
    fit: Fit,
    out: Annotated[str | None, option("Where the page goes.", "FILE.html")] = None,
    plan: Annotated[str | None, option("Output of plan --json, to be shown too.", "FILE")] = None,
    validation: Annotated[
        str | None, option("Output of validate --out, e.g. along compute, to be shown too.", "FILE")
    ] = None,
    log_to: LogTo = None,
    overwrite: Overwrite = False,
    allow_failed: AllowFailed = False,
    *,
    common: Common,
) -> None:
    """Write one HTML file: verdict, coefficients, plots, and an explorer of the forecasts."""
    question = common.question()
    tracked = question.tracked(log_to)
    target = Path(out) if out is not None else Path(f"{Path(fit).stem}.html")
    if target.suffix.lower() not in (".html", ".htm"):
        question.add(Fault(f"{target} should end in .html", column="out"))
    settings: dict[str, Any] = {
        "overwrite": overwrite,
        "plan": plan,
        "validation": validation,
        "interval": question.interval,
        "seed": question.seed,
    }
    from bayes_distill.reporting.write import examine
    from bayes_distill.reporting.write import report as call

    with question.joined():
        if question.faults:  # only look for more of them
            examine(fit, target, **settings, allow_failed=True)
            question.check()
        with progress_bar(common.quiet) as progress:
            result = call(fit, target, **settings, allow_failed=allow_failed, progress=progress)
    log_file(tracked, result.path, "report.html", quiet=common.quiet)
    if not common.printed(result):
        echo(
            wrapped(
                f"The report on {fit} was written to {result.path} ({result.size / 1e6:.1f} MB, "
                f"{result.seconds:.0f} s)."
            )
        )
