"""A list of candidate teachers, by measured loss or by size and data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr

from bayes_distill.errors import Fault, InputError
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.draw_keys import draw_keys
from bayes_distill.posterior.keyed_normal import keyed_normal
from bayes_distill.runs.schema import error_problem, loss_problem

COLUMNS = {
    "name": ("name", "run", "teacher"),
    "loss": ("loss", "teacher_loss", "lt", "l", "val_loss"),
    "loss_se": ("loss_se", "teacher_loss_se", "se"),
    "params": ("params", "teacher_params", "n", "nt", "n_params", "num_params", "model_size"),
    "tokens": ("tokens", "teacher_tokens", "d", "dt", "n_tokens", "num_tokens"),
}


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
        """Losses (draws, teachers): measured with their error, or by the supervised mean curve."""
        generator = np.random.default_rng([seed, 1])
        error = generator.standard_normal((posterior.n_draws, len(self)))
        # far in the tail of a careless error there is no loss: it stays above zero
        losses = np.maximum(self.loss + self.loss_se * error, 1e-3 * self.loss)
        return with_predicted(losses, posterior, self.params, self.tokens)

    def run_losses(self, posterior: Posterior, seed: int) -> np.ndarray:
        """Losses (draws, teachers) of the teachers that there are: as `loss_draws`, with scatter.

        A teacher known by size and tokens is one supervised run. It lies off the mean curve by its
        noise and by the offset of its size, which follow from the draw and from the teacher.
        """
        losses = self.loss_draws(posterior, seed)
        of_run = np.isnan(self.loss)
        if of_run.any():
            alone = np.zeros(int(of_run.sum()), bool)
            middle = losses[:, of_run]
            keys = draw_keys(posterior.draws, "scatter of teachers")
            probability = ndtr(keyed_normal(keys, self._labels[of_run]))
            noise = np.empty(middle.shape)
            for likelihood, rows in posterior.likelihoods(alone):
                noise[rows] = likelihood.quantile(probability[rows])
            losses[:, of_run] = (
                middle
                + posterior.size_effects(middle, self.params[of_run], alone)
                + posterior.noise_scale(middle, alone) * noise
            )
        return losses

    def effects(self, posterior: Posterior) -> np.ndarray:
        """Effect (draws, teachers) of each teacher on all of its students, in the loss's unit.

        By this a student ends above or below what the teacher's loss leads to expect. Every teacher
        is a new one, with an effect of its own in every draw: the same for all students and
        budgets, in every call, whatever other teachers are listed. Zero for a model without such
        effects.
        """
        if "teacher_sd" not in posterior.draws:
            return np.zeros((posterior.n_draws, len(self)))
        keys = draw_keys(posterior.draws, "effect of teachers")
        spread = posterior.draws["teacher_sd"] * posterior.reference.loss
        return np.asarray(spread[:, None] * keyed_normal(keys, self._labels))

    @property
    def _labels(self) -> np.ndarray:
        """A number (teachers,) for each teacher, by what is known of it, whatever its place."""
        known = {name: getattr(self, name) for name in ("loss", "params", "tokens")}
        return draw_keys(known, "teacher")


def with_predicted(
    losses: np.ndarray, posterior: Posterior, params: np.ndarray, tokens: np.ndarray
) -> np.ndarray:
    """Losses (draws, teachers), with those that are not known (NaN) predicted.

    The supervised mean curve predicts the loss of a teacher of known size and tokens (teachers,).
    Where these are NaN too there is no teacher, and the loss stays NaN.
    """
    predicted = np.isnan(losses).all(axis=0) & ~np.isnan(params)
    if predicted.any():
        losses[:, predicted] = posterior.supervised_loss(params[predicted], tokens[predicted])
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
    wide = numbers["loss_se"] >= numbers["loss"]
    for row in (row for row in np.flatnonzero(wide).tolist() if row not in faulty):
        problem = error_problem(numbers["loss_se"][row], numbers["loss"][row])
        faults.append(Fault(problem, row, cells.header[place["loss_se"]]))
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
        if column == "loss" and (problem := loss_problem(value)) is not None:
            faults.append(Fault(problem, row, header))
        elif column == "loss_se" and not 0 <= value < np.inf:
            faults.append(Fault(f"{value:g} is no standard error", row, header))
        elif column in ("params", "tokens") and not 1e3 <= value < np.inf:
            faults.append(Fault(f"{value:g} is too few (write 7B or 7e9)", row, header))
    return faults
