"""Accuracies of a test where nobody has trained: a posterior of losses through a curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill._input.types import NUMBER, SOURCE, WHOLE, check_types
from bayes_distill.errors import Fault, InputError
from bayes_distill.inference.accuracy_curve import LEAST_RUNS, RELIABLE, AccuracyCurve, fit_curve
from bayes_distill.posterior import Posterior
from bayes_distill.predict.forecast import DRAWS, Forecast, forecast
from bayes_distill.predict.points import Quantity
from bayes_distill.predict.results.columns import summary
from bayes_distill.predict.results.display import Result
from bayes_distill.runs.cell_values import parse_cells
from bayes_distill.runs.column_names import canonical_name, plain_name
from bayes_distill.runs.reading import table_cells

LOSS = "loss"


@dataclass(frozen=True, eq=False, repr=False)
class Accuracy(Result):
    """Accuracies at points.

    Parameters
    ----------
    table
        That of the forecast, with ``accuracy_{mean|median|sd|lower|upper}`` (of the curve at the
        mean curve of the loss: credible) and ``new_run_accuracy_*`` (what a test of one new run
        would measure: predictive).
    curve
        The curve.
    losses
        The forecast of the losses.
    interval
        Probability inside every interval.
    notes
        Sentences for people.
    """

    table: pd.DataFrame
    curve: AccuracyCurve
    losses: Forecast
    interval: float
    notes: tuple[str, ...]

    @property
    def fit(self) -> Mapping[str, str]:
        """Verdicts on the fit of the losses."""
        return self.losses.fit

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rows = [
            {
                **row,
                "accuracy": {k: float(r[f"accuracy_{k}"]) for k in ("mean", "sd")},
                "accuracy_credible": {k: float(r[f"accuracy_{k}"]) for k in ("lower", "upper")},
                "accuracy_predictive": {
                    k: float(r[f"new_run_accuracy_{k}"]) for k in ("lower", "upper")
                },
            }
            for row, r in zip(
                self.losses.to_json()["rows"], self.table.to_dict("records"), strict=True
            )
        ]
        curve = {"chance": self.curve.chance, "runs": self.curve.runs}
        coefficients = {
            name: {
                k: float(v)
                for k, v in zip(
                    ("mean", "lower", "upper"),
                    summary("x", getattr(self.curve, name), self.interval, _ENDS).values(),
                    strict=True,
                )
            }
            for name in ("top", "middle", "slope", "error")
        }
        return {
            "interval": self.interval,
            "rows": rows,
            "curve": {**curve, **coefficients, "pareto_k": self.curve.pareto_k},
            "fit": dict(self.fit),
        }


_ENDS = ("mean", "lower", "upper")


def accuracy(
    posterior: Posterior | str | Path,
    runs: pd.DataFrame | str | Path,
    column: str | None = None,
    params: Quantity | None = None,
    tokens: Quantity | None = None,
    *,
    teacher_loss: Quantity | None = None,
    teacher_params: Quantity | None = None,
    teacher_tokens: Quantity | None = None,
    loss: str = LOSS,
    chance: float = 0.0,
    items: int | None = None,
    inputs: Mapping[str, Quantity] | None = None,
    at: pd.DataFrame | str | Path | None = None,
    draws: int = DRAWS,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
) -> Accuracy:
    """Forecast an accuracy: the posterior of a loss, through a curve fitted to runs with both.

    Parameters
    ----------
    posterior
        A fit of the loss.
    runs
        A table of runs with the loss and the accuracy, which is a share between 0 and 1; of models
        whatsoever, as long as the loss is on the validation set of the fit. Rows that lack one of
        the two are left out.
    column
        Name of the column of accuracies.
    loss
        Name of the column of losses.
    chance
        Accuracy of guessing: 0.25 with four answers to choose from.
    items
        Questions of the test: then the binomial error of a measured accuracy counts besides.
    params, tokens, teacher_loss, teacher_params, teacher_tokens, inputs, at
        Points, as in `forecast`.
    draws, interval, seed, allow_failed
        As in `forecast`.

    Raises
    ------
    InputError
        Naming every argument or cell at fault.
    FailedFitError
        If the fit failed its checks and that is not allowed.
    """
    check_types(
        runs=(runs, (pd.DataFrame, *SOURCE)),
        chance=(chance, NUMBER),
        items=(items, (*WHOLE, type(None))),
    )
    faults = []
    if not 0 <= chance < 1:
        faults.append(Fault("must be a share, at least 0 and less than 1", column="chance"))
    if items is not None and items < 1:
        faults.append(Fault("must be at least 1", column="items"))
    losses = shares = np.empty(0)
    left_out = 0
    try:
        losses, shares, left_out = _pairs(runs, column, loss)
    except InputError as error:
        faults += error.faults
    try:
        of_losses = forecast(
            posterior,
            params,
            tokens,
            inputs=inputs,
            at=at,
            draws=draws,
            interval=interval,
            seed=seed,
            allow_failed=allow_failed or bool(faults),
            teacher_loss=teacher_loss,
            teacher_params=teacher_params,
            teacher_tokens=teacher_tokens,
        )
    except InputError as error:
        raise InputError([*faults, *error.faults]) from None
    if faults:
        raise InputError(faults)
    curve = fit_curve(losses, shares, chance, items, seed)
    generator = np.random.default_rng([seed, 7])
    loss_draws, new_run = (of_losses.draws[name].to_numpy() for name in ("loss", "new_run"))
    rows = generator.integers(len(curve.top), size=len(loss_draws))
    table = of_losses.table.assign(
        **summary("accuracy", curve.mean(loss_draws, rows), interval),
        **summary("new_run_accuracy", curve.measured(new_run, rows, generator), interval),
    )
    notes = [*of_losses.notes, *_notes(curve, table, left_out)]
    return Accuracy(table, curve, of_losses, interval, tuple(notes))


def _notes(curve: AccuracyCurve, table: pd.DataFrame, left_out: int) -> list[str]:
    notes = []
    if left_out:
        notes.append(f"{left_out} runs lack the loss or the accuracy, and are left out")
    if not curve.pareto_k <= RELIABLE:
        notes.append(
            f"the draws of the curve are not to be trusted (Pareto k {curve.pareto_k:.2f}): give "
            "more runs, over a wider range of losses"
        )
    low, high = curve.range_of_losses
    beyond = int(((table["loss_mean"] < low) | (table["loss_mean"] > high)).sum())
    if beyond:
        notes.append(
            f"{beyond} of {len(table)} points have losses outside those with an accuracy "
            f"({low:.4g} to {high:.4g}): what they reach rests on the shape of the curve"
        )
    return notes


def _pairs(
    source: pd.DataFrame | str | Path, column: str | None, loss: str
) -> tuple[np.ndarray, np.ndarray, int]:
    """Losses and accuracies of runs that have both, and how many have not."""
    if column is None:
        raise InputError(Fault("is needed: the column of accuracies", column="column"))
    cells = table_cells(source)
    faults = list(cells.faults)
    found = {}
    for argument, name in (("column", column), ("loss", loss)):
        plain = [plain_name(each) for each in cells.header]
        if plain_name(name) not in plain and name == LOSS:  # under one of its other names
            plain = [canonical_name(each) or "" for each in cells.header]
        place = plain.index(plain_name(name)) if plain_name(name) in plain else None
        if place is None:
            there = ", ".join(cells.header) or "none"
            faults.append(Fault(f"there is no column {name} (there are {there})", column=argument))
            continue
        values, problems = parse_cells(cells.columns[place], "a number such as 0.31")
        label = cells.header[place]
        faults += [Fault(problem, row, label) for row, problem in problems.items()]
        found[argument] = values
        wrong = values < 0 if argument == "column" else values <= 0
        wrong |= (values > 1) if argument == "column" else ~np.isfinite(values) & ~np.isnan(values)
        what = "an accuracy is a share between 0 and 1" if argument == "column" else "it is no loss"
        faults += [
            Fault(f"{values[row]:g}: {what}", int(row), label) for row in np.flatnonzero(wrong)
        ]
    if faults:
        raise InputError(faults)
    both = ~np.isnan(found["column"]) & ~np.isnan(found["loss"])
    if both.sum() < LEAST_RUNS or len(np.unique(found["loss"][both])) < 2:
        few = f"{int(both.sum())} runs have {loss} and {column}"
        raise InputError(Fault(f"{few}: {LEAST_RUNS} that differ are needed", column="runs"))
    return found["loss"][both], found["column"][both], int((~both).sum())
