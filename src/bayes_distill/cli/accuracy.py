"""``bayes-distill accuracy``: the accuracy of a test, from the posterior of a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from bayes_distill.cli.options import AllowFailed, At, Fit, Inputs, MostDraws, Runs, option
from bayes_distill.cli.output import print_sentences, print_table
from bayes_distill.cli.shared_options import Common, Students, spread_options

if TYPE_CHECKING:
    from bayes_distill.comparison.accuracy import Accuracy


@spread_options
def accuracy(
    fit: Fit,
    runs: Runs,
    column: Annotated[str | None, option("Column of accuracies, shares of 1.", "COLUMN")] = None,
    *,
    students: Students,
    loss: Annotated[str, option("Column of losses of these runs.", "COLUMN")] = "loss",
    chance: Annotated[str, option("Accuracy of guessing.", "0..1")] = "0",
    items: Annotated[
        str | None, option("Questions of the test, for its binomial error.", "INTEGER")
    ] = None,
    set: Inputs = None,
    at: At = None,
    draws: MostDraws = "4000",
    allow_failed: AllowFailed = False,
    common: Common,
) -> None:
    """Forecast an accuracy: the loss of a fit, through a curve fitted to runs with both."""
    question = common.question()
    most = question.integer("draws", draws, 1)
    given = {
        "chance": question.number("chance", chance),
        "items": None if items is None else question.integer("items", items, 1),
        "inputs": question.assignments("set", set),
        "at": at,
        "draws": most,
        "loss": loss,
        **students.arguments(),
    }
    from bayes_distill.comparison.accuracy import accuracy as call

    with question.joined():
        result = call(fit, runs, column, **given, **question.arguments(allow_failed))
    if common.printed(result):
        return
    _print(result, f"{100 * question.interval:g}%", column or "accuracy")


def _print(result: Accuracy, percent: str, column: str) -> None:
    from bayes_distill._input.numbers import format_quantity

    rows = result.table.to_dict("records")
    print_sentences(
        f"A {format_quantity(r['params'])} student on {format_quantity(r['tokens'])} tokens "
        f"reaches {r['accuracy_mean']:.3f} of {column} ({percent}: {r['accuracy_lower']:.3f} to "
        f"{r['accuracy_upper']:.3f}; one test {r['new_run_accuracy_lower']:.3f} to "
        f"{r['new_run_accuracy_upper']:.3f})."
        for r in rows
    )
    print_table(
        column,
        ["params", "tokens", "loss", "mean", f"{percent} credible", f"{percent} predictive"],
        [
            [
                format_quantity(r["params"]),
                format_quantity(r["tokens"]),
                f"{r['loss_mean']:.4f}",
                f"{r['accuracy_mean']:.3f}",
                f"{r['accuracy_lower']:.3f} to {r['accuracy_upper']:.3f}",
                f"{r['new_run_accuracy_lower']:.3f} to {r['new_run_accuracy_upper']:.3f}",
            ]
            for r in rows
        ],
        caption=f"By a curve fitted to {result.curve.runs} runs. Credible: where the curve lies. "
        "Predictive: what a test of one new run would measure.",
        left=0,
    )
