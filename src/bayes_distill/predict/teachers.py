"""A list of candidate teachers, by measured loss or by size and data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill.errors import Fault, InputError
from bayes_distill.posterior import Posterior

COLUMNS = {
    "name": ("name", "run", "teacher"),
    "loss": ("loss", "teacher_loss", "lt", "l", "val_loss"),
    "loss_se": ("loss_se", "teacher_loss_se", "se"),
    "params": ("params", "teacher_params", "n", "nt", "n_params", "num_params", "model_size"),
    "tokens": ("tokens", "teacher_tokens", "d", "dt", "n_tokens", "num_tokens"),
}
LARGEST_LOSS = 20.0


@dataclass(frozen=True, eq=False)
class Teachers:
    """Candidate teachers, each (teachers,); NaN where something is not stated.

    Parameters
    ----------
    names
        What each is called.
    loss, loss_se
        Measured loss and its standard error, 0 where none is stated.
    params, tokens
        Size and training tokens, from which the supervised law predicts a loss that is not stated.
    """

    names: tuple[str, ...]
    loss: np.ndarray
    loss_se: np.ndarray
    params: np.ndarray
    tokens: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def loss_draws(self, posterior: Posterior, seed: int) -> np.ndarray:
        """Losses (draws, teachers): measured with their error, or from the supervised law."""
        generator = np.random.default_rng([seed, 1])
        error = generator.standard_normal((posterior.n_draws, len(self)))
        losses = self.loss + self.loss_se * error
        predicted = np.isnan(self.loss)
        if predicted.any():
            losses[:, predicted] = posterior.supervised_loss(
                self.params[predicted], self.tokens[predicted]
            )
        return losses


def read_teachers(source: Teachers | pd.DataFrame | str | Path) -> Teachers:
    """Read a list of teachers.

    Columns: ``name``; ``loss`` (or ``teacher_loss``), with ``loss_se`` if it was measured with a
    known standard error; and/or ``params`` and ``tokens``, from which a missing loss is predicted.

    Raises
    ------
    InputError
        Naming every faulty cell.
    """
    if isinstance(source, Teachers):
        return source
    from bayes_distill.runs.cell_values import parse_cells, parse_labels
    from bayes_distill.runs.formats import cells_of, places_of

    cells = cells_of(source)
    place = places_of(cells.header, COLUMNS)
    if "loss" not in place and not {"params", "tokens"} <= set(place):
        raise InputError(
            [
                *cells.faults,
                Fault(
                    "the list of teachers has neither a column 'loss' nor the columns 'params' and "
                    f"'tokens' (it has {', '.join(cells.header)}): a teacher without a loss cannot "
                    "be judged",
                    column="teachers",
                ),
            ]
        )
    faults = [*cells.faults]
    numbers: dict[str, np.ndarray] = {}
    for column in ("loss", "loss_se", "params", "tokens"):
        numbers[column] = np.full(len(cells), np.nan)
        if column in place:
            header = cells.header[place[column]]
            values, problems = parse_cells(cells.columns[place[column]])
            numbers[column] = values
            faults += [Fault(problem, row, header) for row, problem in problems.items()]
            faults += _out_of_range(column, values, header)
    faulty = {fault.row for fault in faults}
    for row in range(len(cells)):
        sized = not np.isnan(numbers["params"][row]) and not np.isnan(numbers["tokens"][row])
        if np.isnan(numbers["loss"][row]) and not sized and row not in faulty:
            faults.append(
                Fault("has no loss, nor both params and tokens to predict it from", row, "loss")
            )
    if faults:
        faults.sort(key=lambda fault: fault.row or 0)
        raise InputError(faults)
    labels: list[str | None]
    labels = parse_labels(cells.columns[place["name"]]) if "name" in place else []
    labels += [None] * (len(cells) - len(labels))
    names = tuple(label or f"teacher {row}" for row, label in enumerate(labels))
    return Teachers(
        names,
        numbers["loss"],
        np.nan_to_num(numbers["loss_se"], nan=0.0),
        numbers["params"],
        numbers["tokens"],
    )


def _out_of_range(column: str, values: np.ndarray, header: str) -> list[Fault]:
    faults = []
    for row, value in enumerate(values):
        if np.isnan(value):
            continue
        if column == "loss" and not 0 < value <= LARGEST_LOSS:
            faults.append(Fault(f"{value:g} is no loss in nats per token", row, header))
        elif column == "loss_se" and not 0 <= value < np.inf:
            faults.append(Fault(f"{value:g} is no standard error", row, header))
        elif column in ("params", "tokens") and not 1e3 <= value < np.inf:
            faults.append(Fault(f"{value:g} is too few (write 7B or 7e9)", row, header))
    return faults
