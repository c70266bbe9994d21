"""What the next run is to narrow: coefficients, or forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_distill.errors import Fault, InputError
from bayes_distill.identification.identifiability import identifiability
from bayes_distill.identification.variables import on_real_line
from bayes_distill.inference.identification import published_supports
from bayes_distill.laws.base import Support
from bayes_distill.posterior import Posterior
from bayes_distill.predict.arguments import check_teachers
from bayes_distill.predict.points import Points, Quantity, from_table, grid

ARGUMENTS = {"params": "target_params", "tokens": "target_tokens"}


@dataclass(frozen=True)
class Wanted:
    """Targets as they are stated: names of coefficients, or points, or neither."""

    coefficients: tuple[str, ...] = ()
    points: Points | None = None


@dataclass(frozen=True)
class Targets:
    """Draws of what is to be narrowed.

    Parameters
    ----------
    names, scales
        Of each target; the scale is ``log``, ``logit``, ``natural`` or ``loss``.
    values
        (draws, targets).
    posterior
        What they are draws of.
    """

    names: tuple[str, ...]
    scales: tuple[str, ...]
    values: np.ndarray
    posterior: Posterior

    @property
    def sd(self) -> np.ndarray:
        """Standard deviation of each, (targets,)."""
        return np.asarray(self.values.std(axis=0))

    def candidate_means(self, points: Points, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and residual scale of single runs at `points`, each (draws, points).

        What a run shares with others of its teacher or condition is in the mean, drawn anew: it
        hides the curve from a single run as noise does. What its size departs from the law is
        there too, and is the same as in a forecast of that size.
        """
        curve = points.loss_draws(self.posterior)
        shared = self.posterior.shared_effects(points.distilled, seed)
        return curve + shared, self.posterior.noise_scale(curve, points.distilled)


def read_target(
    coefficient: str | Sequence[str] | None,
    target_params: Quantity | None,
    target_tokens: Quantity | None,
    teacher_loss: Quantity | None,
    at: pd.DataFrame | str | Path | None = None,
) -> Wanted:
    """Read the targets that a call states.

    Raises
    ------
    InputError
        Naming every argument at fault.
    """
    single = any(v is not None for v in (target_params, target_tokens, teacher_loss))
    faults: list[Fault] = []
    points = None
    try:
        if at is not None:
            points = from_table(at)
        elif single:
            points = grid(target_params, target_tokens, teacher_loss)
    except InputError as error:
        renamed = ARGUMENTS if at is None else {}
        faults += [
            Fault(f.problem, f.row, renamed.get(f.column or "", f.column)) for f in error.faults
        ]
    if at is not None and single:
        faults.append(Fault("give either a table or single values, not both", column="at"))
    names: tuple[str, ...] = ()
    if coefficient is not None:
        listed = coefficient.split(",") if isinstance(coefficient, str) else coefficient
        names = tuple(name.strip() for name in listed)
        if single or at is not None:
            faults.append(Fault("name coefficients or a forecast, not both", column="coefficient"))
    if faults:
        raise InputError(faults)
    return Wanted(names, points)


def named(posterior: Posterior, wanted: Wanted, seed: int) -> Wanted:
    """The targets, with those of a call that states none: coefficients that are not identified."""
    if wanted.points is not None or wanted.coefficients:
        return wanted
    names = _unidentified(posterior, seed) or posterior.law.coefficient_names
    return replace(wanted, coefficients=names)


def targets_of(posterior: Posterior, wanted: Wanted) -> Targets:
    """Draws of the targets; `wanted` states some.

    Raises
    ------
    InputError
        If a coefficient is not one of the law's, or a teacher is named where it has none.
    """
    if wanted.points is not None:
        check_teachers(posterior, wanted.points)
        values = wanted.points.loss_draws(posterior)
        names = tuple(wanted.points.names)
        return Targets(names, ("loss",) * len(names), values, posterior)
    known: dict[str, tuple[np.ndarray, Support]] = {
        c.name: (posterior.draws[c.name], c.support)
        for c in posterior.law.coordinates
        if c.name in posterior.draws and posterior.draws[c.name].ndim == 1
    }
    published = posterior.published
    known |= {
        name: (published[name], support)
        for name, support in published_supports(posterior.law).items()
        if published[name].ndim == 1
    }
    names = wanted.coefficients
    strangers = [name for name in names if name not in known]
    if strangers:
        raise InputError(
            Fault(
                f"the {posterior.law.name} law has no {', '.join(strangers)} "
                f"(it has {', '.join(known)})",
                column="coefficient",
            )
        )
    scales = {"positive": "log", "unit": "logit", "real": "natural"}
    return Targets(
        names,
        tuple(scales[known[name][1]] for name in names),
        np.column_stack([on_real_line(*known[name]) for name in names]),
        posterior,
    )


def _unidentified(posterior: Posterior, seed: int) -> tuple[str, ...]:
    """Published coefficients that the runs do not identify: as the fit stored, or computed."""
    stored = posterior.info.get("coefficients")
    if stored is None:
        return identifiability(posterior, seed=seed, allow_failed=True).unidentified
    return tuple(
        c["name"] for c in stored if c["name"] in posterior.published and not c["identified"]
    )
