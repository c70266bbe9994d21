"""Runs simulated from a law: for tests, for planning sweeps, for checking a fit against truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_distill._input.intervals import seed_faults
from bayes_distill._input.numbers import format_quantity
from bayes_distill.errors import Fault, InputError
from bayes_distill.likelihoods import Likelihood, likelihood_named
from bayes_distill.runs.grouping import teacher_groups
from bayes_distill.runs.reading import examine
from bayes_distill.runs.schema import MOST_LOSS
from bayes_distill.runs.table import Runs, distilled, input_names
from bayes_distill.runs.unique_tokens import unique_tokens

if TYPE_CHECKING:
    from bayes_distill.laws import Law, Reference

_SWEEP = (
    (143e6, 3.7e9, 11),
    (143e6, 7.3e9, 11),
    (143e6, 14.6e9, 11),
    (143e6, 28.9e9, 11),
    (198e6, 4.9e9, 66),
    (198e6, 9.8e9, 11),
    (198e6, 19.4e9, 11),
    (198e6, 38.9e9, 11),
    (546e6, 12.3e9, 66),
    (546e6, 24.6e9, 11),
    (546e6, 49.2e9, 11),
    (546e6, 98.5e9, 11),
    (975e6, 21.3e9, 55),
    (1.82e9, 38.9e9, 55),
)
_TEACHER_LOSSES = (1.95, 2.75)
_BUDGETS = (6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21)
TIMES = 10.0
"""Noise makes no loss so many times what the law says, if that is no loss any more."""
_TOKENS_PER_PARAM = np.geomspace(1.0, 300.0, 25)


def simulate(
    law: Law,
    coefficients: Mapping[str, float],
    design: pd.DataFrame | Runs | str | Path,
    *,
    noise: float = 0.005,
    likelihood: Likelihood | str = "student_t",
    df: float = 4.0,
    relative: bool = False,
    seed: int = 0,
    reference: Reference | None = None,
) -> Runs:
    """Simulate the losses of a table of runs.

    Parameters
    ----------
    law
        Where the losses come from. Runs with a teacher need a law with one.
    coefficients
        Under their published names (such as ``laws.TABLE_6``), or under those of the law's
        coordinates, which count from `reference`.
    design
        A table of runs without losses: ``params`` and ``tokens``, and for distillation
        ``teacher_loss``, or ``teacher_params`` and ``teacher_tokens``, from which the supervised
        law then gives the teacher's loss. With ``teacher_loss_se`` the design's teacher loss is
        the true one, and the table gets a measured one: the same for all students of a teacher.
        ``unique_tokens`` (or ``epochs``) matter to a law that discounts repeats.
    noise
        Scale of the noise: in the unit of the loss, or with `relative` as a part of it.
    likelihood
        A likelihood with numbers as parameters, or the name of one whose parameters all have a
        default: ``student_t``, ``normal``.
    df
        Degrees of freedom, of a likelihood that is named and has them.
    relative
        Whether noise is proportional to the loss.
    seed
        The same seed gives the same runs.
    reference
        What coordinates count from. Published coefficients need none.

    Raises
    ------
    InputError
        With every fault of the design, the coefficients and the noise.
    """
    from bayes_distill.laws import TeacherLaw  # late: JAX takes a second to import

    faults = seed_faults(seed) + _scale_faults(noise)
    residuals = _likelihood(likelihood, df, faults)
    table = design.frame if isinstance(design, Runs) else design
    examined = examine(table, required=("params", "tokens"), law=law)
    faults += examined.faults
    frame = examined.sound.copy()
    has_teacher = distilled(frame)
    if has_teacher.any() and not isinstance(law, TeacherLaw):
        columns = [str(n) for n in frame if str(n).startswith("teacher_")]
        faults.append(Fault(f"the law {law.name} knows no teachers: drop {', '.join(columns)}"))
    coordinates, reference = _coordinates(law, coefficients, reference, faults)
    if residuals is None or faults:
        raise InputError(faults)
    expected = _losses_without_noise(law, coordinates, reference, frame)
    strange = np.iscomplexobj(expected) or not (np.isfinite(expected) & (expected > 0)).all()
    if strange:
        raise InputError(
            "the law gives losses that are no positive numbers at these runs: look at its "
            "coefficients, or its formula"
        )
    rng = np.random.default_rng(seed)
    z = residuals.sample(rng, (len(frame),))
    with np.errstate(over="ignore", invalid="ignore"):  # such losses are refused below
        frame["loss"] = expected * (1 + noise * z) if relative else expected + noise * z
    if "teacher_loss_se" in frame:
        teacher = teacher_groups(frame)
        error = rng.standard_normal(int(teacher.max()) + 1)[teacher]
        frame["teacher_loss"] += frame["teacher_loss_se"].fillna(0.0).to_numpy() * error
    made = frame["loss"].to_numpy()
    if not (made > 0).all() or (made > np.maximum(MOST_LOSS, TIMES * expected)).any():
        what = "negative" if not (made > 0).all() else "too large"
        problem = f"{noise:g} makes losses {what}: lower it, or make it relative"
        raise InputError(Fault(problem, column="noise"))
    order = [
        "params",
        "tokens",
        "loss",
        *(n for n in frame if n not in ("params", "tokens", "loss")),
    ]
    note = f"Simulated from the law {law.name} with seed {seed}."
    return Runs(frame[order], f"simulated from {law.name}", (note,), inputs=input_names(frame))


def paper_design() -> pd.DataFrame:
    """A sweep like that of Busbridge et al. 2025: 352 students of five sizes.

    Sizes and tokens are those of the paper's cells; teachers are spread evenly in loss over
    1.95 to 2.75 nats, many for one cell of each size and eleven for the others.
    """
    parts = [
        pd.DataFrame(
            {
                "params": params,
                "tokens": tokens,
                "teacher_loss": np.linspace(*_TEACHER_LOSSES, teachers).round(4),
                "group": format_quantity(params),
            }
        )
        for params, tokens, teachers in _SWEEP
    ]
    return pd.concat(parts, ignore_index=True)


def chinchilla_design() -> pd.DataFrame:
    """Supervised runs like those of Hoffmann et al. 2022: 225 runs.

    Nine budgets from 6e18 to 3e21 FLOPs (6 x params x tokens), 25 models each, at 1 to 300
    tokens per parameter.
    """
    budget, ratio = (a.ravel() for a in np.meshgrid(_BUDGETS, _TOKENS_PER_PARAM, indexing="ij"))
    params = np.sqrt(budget / (6.0 * ratio)).round()
    return pd.DataFrame({"params": params, "tokens": (budget / (6.0 * params)).round()})


def _scale_faults(noise: float) -> list[Fault]:
    if 0 <= noise < float("inf"):
        return []
    return [Fault(f"must be zero or above, not {noise}", column="noise")]


def _likelihood(likelihood: Likelihood | str, df: float, faults: list[Fault]) -> Likelihood | None:
    """The likelihood of an argument, or ``None``; adds to `faults` what is wrong."""
    if not isinstance(likelihood, str):
        return likelihood
    try:
        family = likelihood_named(likelihood)
    except InputError as error:
        family = None
        faults.append(Fault(str(error), column="likelihood"))
    if not 0 < df < float("inf"):
        faults.append(Fault(f"must be above zero, not {df}", column="df"))
        return None
    if family is None:
        return None
    names = {each.name for each in family.parameters()}
    unset = [each.name for each in family.parameters() if isinstance(each.default, Mapping)]
    if unset:
        problem = f"{likelihood} needs numbers for {', '.join(unset)}: give a Likelihood with them"
        faults.append(Fault(problem, column="likelihood"))
        return None
    return family(**({"degrees_of_freedom": df} if "degrees_of_freedom" in names else {}))


def _coordinates(
    law: Law, coefficients: Mapping[str, float], reference: Reference | None, faults: list[Fault]
) -> tuple[Mapping[str, float], Reference]:
    """Coordinates of the law and what they count from; adds to `faults` what is wrong."""
    from bayes_distill.laws import Distillation, Reference, Supervised, TeacherLaw

    arbitrary = Reference(params=1e9, tokens=2e10, loss=1.0)  # a conversion there is exact
    names = set(coefficients)
    # gamma is in both sets, floor only among coordinates and E only among coefficients
    sampled, published = set(law.coordinate_names), set(law.coefficient_names)
    are_coordinates = len(names & sampled) > len(names & published)
    wanted = sampled if are_coordinates else published
    support = {c.name: c.support for c in law.coordinates}
    # table 6 also holds what a supervised law has no use for
    unused = set() if isinstance(law, TeacherLaw) else _names(Distillation()) - _names(Supervised())
    for name in sorted(wanted - names):
        faults.append(Fault(f"is missing among the coefficients of {law.name}", column=name))
    for name in sorted(names - wanted - unused):
        faults.append(Fault(f"is no coefficient of {law.name}", column=name))
    for name in sorted(wanted & names):
        problem = _support_problem(float(coefficients[name]), support.get(name, "positive"))
        if problem:
            faults.append(Fault(problem, column=name))
    if are_coordinates and reference is None and law.own_reference is None:
        faults.append(
            Fault("is needed with coordinates: what do they count from?", column="reference")
        )
    reference = reference or law.own_reference or arbitrary
    if faults or are_coordinates:
        return coefficients, reference
    converted = law.from_published(coefficients, reference)
    return {name: float(value) for name, value in converted.items()}, reference


def _names(law: Law) -> set[str]:
    return {*law.coordinate_names, *law.coefficient_names}


def _support_problem(value: float, support: str) -> str | None:
    if support == "real":
        return None if np.isfinite(value) else f"must be finite, not {value}"
    if support == "unit":
        return None if 0 < value < 1 else f"must be between 0 and 1, not {value}"
    return None if 0 < value < np.inf else f"must be positive and finite, not {value}"


def _losses_without_noise(
    law: Law, coordinates: Mapping[str, float], reference: Reference, frame: pd.DataFrame
) -> NDArray[np.float64]:
    """Losses without noise, shape ``(len(frame),)``; fills in missing teacher losses."""
    from bayes_distill.laws import TeacherLaw

    inputs = {name: frame[name].to_numpy(float) for name in input_names(frame)}

    def supervised(params: str, tokens: str, *unique: NDArray[np.float64]) -> NDArray[np.float64]:
        sizes = frame[params].to_numpy(), frame[tokens].to_numpy()
        own = inputs if params == "params" else None  # nothing is known of a teacher's
        return np.array(law.supervised_loss(coordinates, *sizes, reference, *unique, inputs=own))

    losses = supervised("params", "tokens", unique_tokens(frame))
    if "teacher_params" in frame:
        predicted = pd.Series(supervised("teacher_params", "teacher_tokens"), index=frame.index)
        frame["teacher_loss"] = frame.get("teacher_loss", predicted).fillna(predicted)
    has_teacher = distilled(frame)
    if has_teacher.any() and isinstance(law, TeacherLaw):
        students = frame[has_teacher]
        params, tokens, teacher_loss = (
            students[name].to_numpy() for name in ("params", "tokens", "teacher_loss")
        )
        of_students = {name: column[has_teacher] for name, column in inputs.items()}
        own = {"inputs": of_students} if law.extra_inputs else {}
        losses[has_teacher] = law.distilled_loss(
            coordinates, params, tokens, teacher_loss, reference, **own
        )
    return losses
