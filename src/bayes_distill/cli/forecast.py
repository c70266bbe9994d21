"""``bayes-distill forecast``: the loss of students, with intervals."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from bayes_distill._input.numbers import format_probability
from bayes_distill.cli.artefacts import log_answer
from bayes_distill.cli.options import (
    AllowFailed,
    At,
    Fit,
    Inputs,
    LogTo,
    MostDraws,
    RegisterFile,
    UniqueTokens,
)
from bayes_distill.cli.output import print_sentences, print_table
from bayes_distill.cli.shared_options import Common, Students, spread_options

if TYPE_CHECKING:
    import pandas as pd

PRIOR_ALONE = (
    " No run was supervised: what supervised training reaches, and P(beats supervised), rest on "
    "the prior and the law."
)
NOT_READ = 1.0  # size or tokens that the law does not read
OF_RUNS = ("factor_params", "factor_tokens")
LABELS = 2
"""Most columns of a table of points that are printed besides those of the forecast."""


@spread_options
def forecast(
    fit: Fit,
    *,
    students: Students,
    unique_tokens: UniqueTokens = None,
    set: Inputs = None,
    at: At = None,
    draws: MostDraws = "4000",
    register: RegisterFile = None,
    log_to: LogTo = None,
    allow_failed: AllowFailed = False,
    common: Common,
) -> None:
    """Forecast the loss of students; lists are separated by commas and form a grid."""
    question = common.question()
    tracked = question.tracked(log_to)
    most = question.integer("draws", draws, 1)
    inputs = question.assignments("set", set)
    from bayes_distill.predict.forecast import forecast as call

    given = {
        **students.arguments(),
        "unique_tokens": unique_tokens,
        "inputs": inputs,
        "at": at,
        "draws": most,
        "register": register,
    }
    result = question.answer(call, fit, allow_failed=allow_failed, **given)
    log_answer(tracked, result, "forecast.json", quiet=common.quiet)
    if common.printed(result):
        return
    import pandas as pd

    from bayes_distill.predict.words import forecast_sentence

    percent = f"{100 * question.interval:g}%"
    print_sentences(forecast_sentence(row, percent) for row in result.to_json()["rows"])
    print_table(
        "Student loss",
        [
            *result.other[:LABELS],
            "params",
            "tokens",
            *result.inputs,
            "teacher",
            "mean",
            f"{percent} credible",
            f"{percent} predictive",
            "supervised",
            "P(beats supervised)",
            "outside runs",
        ],
        [
            [
                *("-" if pd.isna(r[name]) else str(r[name]) for name in result.other[:LABELS]),
                _params(r),
                _tokens(r),
                *(_input(r[name]) for name in result.inputs),
                _number(r["teacher_loss_mean"], 4, "none"),
                f"{r['loss_mean']:.4f}",
                f"{r['loss_lower']:.4f} to {r['loss_upper']:.4f}",
                f"{r['new_run_lower']:.4f} to {r['new_run_upper']:.4f}",
                f"{r['supervised_mean']:.4f}",
                format_probability(r["p_beats_supervised"]),
                _where(r),
            ]
            for r in result.table.to_dict("records")
        ],
        caption="Credible: where the mean curve lies. Predictive: where one new run would land."
        + (PRIOR_ALONE if _compared_with_prior(result.table) else ""),
        left=len(result.other[:LABELS]),
    )


def _compared_with_prior(table: pd.DataFrame) -> bool:
    """Whether a distilled student is held against supervised training that no run tells of."""
    compared = table["p_beats_supervised"].notna() & table["supervised_rests_on_prior"]
    return bool(compared.any())


def _params(row: dict[Hashable, Any]) -> str:
    from bayes_distill._input.numbers import format_quantity

    return "-" if row["params"] == NOT_READ else format_quantity(row["params"])


def _tokens(row: dict[Hashable, Any]) -> str:
    from bayes_distill._input.numbers import format_quantity

    tokens, unique = row["tokens"], row["unique_tokens"]
    if tokens == NOT_READ:
        return "-"
    repeated = f" ({format_quantity(unique)} unique)" if unique < tokens else ""
    return f"{format_quantity(tokens)}{repeated}"


def _where(row: dict[Hashable, Any]) -> str:
    parts = [
        f"{row[f'factor_{name}']:.2g}x {name}"
        for name in ("params", "tokens")
        if row[f"factor_{name}"] > 1
    ]
    of_inputs = (n for n in row if str(n).startswith("factor_") and n not in OF_RUNS)
    parts += [f"{row[n]:.2g}x {str(n).removeprefix('factor_')}" for n in of_inputs if row[n] > 1]
    parts += ["teacher"] if row["teacher_outside"] else []
    if row["untried"]:
        kind = "supervised" if math.isnan(row["teacher_loss_mean"]) else "distilled"
        parts.insert(0, f"no {kind} run")
    return ", ".join(parts) or "no"


def _input(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _number(value: float, digits: int, missing: str) -> str:
    return missing if math.isnan(value) else f"{value:.{digits}f}"
