"""The risk of a capacity gap: whether a teacher is too strong for a student, and which is best."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import xarray as xr

from bayes_distill._input.intervals import draws_faults, number, seed_faults
from bayes_distill._input.progress import Progress, steps
from bayes_distill._input.types import NUMBER, SOURCE, WHOLE, check_types
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.at_inputs import at_inputs
from bayes_distill.predict.arguments import check_repeats, check_teachers, load_beside, read_points
from bayes_distill.predict.extrapolation import (
    extrapolation,
    extrapolation_notes,
    grounds,
    rests_on,
    thinning_notes,
)
from bayes_distill.predict.forecast import DRAWS
from bayes_distill.predict.optimal_teacher import OptimalTeacher, loss_slope, optimal_teacher
from bayes_distill.predict.points import SIZES, Points, Quantity
from bayes_distill.predict.registered import register_answer, register_faults, size_faults
from bayes_distill.predict.results.columns import summary
from bayes_distill.predict.results.display import Result
from bayes_distill.predict.results.draws import Samples, points_of
from bayes_distill.predict.teachers import Teachers, read_teachers
from bayes_distill.predict.verdicts import UNKNOWN, fit_verdicts, law_notes
from bayes_distill.runs.schema import loss_problem

UPPER_REGRET = 0.95  # the quantile that `regret_upper` is, whatever the interval


@dataclass(frozen=True, eq=False, repr=False)
class GapRisk(Result):
    """Risk of a capacity gap.

    Parameters
    ----------
    table
        One row a point, stated as in `Forecast.table`; with candidates also their ``name``,
        ``None`` for a teacher that the point states. All of it is of the mean curve, over the
        teacher's loss: what a teacher has of its own beside its loss is not in it, nor the scatter
        of a teacher that is known by size and tokens. ``p_stronger_teacher_hurts`` is the
        probability that a slightly better teacher than this one would make this student worse,
        ``p_boundary`` that every better teacher is better for it. Then
        ``{quantity}_{mean|median|sd|lower|upper}`` of ``loss`` (the mean curve), ``supervised``,
        ``teacher_loss``, ``optimal_teacher_loss`` and ``excess_loss``, which is what the teacher
        costs the student against the best one; and how far the point lies outside the runs, as in
        `Forecast.table`.
    teachers
        One row a candidate and student, lowest expected loss first within a student; empty without
        a list of candidates. ``p_best``; ``loss_*`` and ``teacher_loss_*`` as above, but of this
        very teacher: with the effect that it has on all its students, and with a run's scatter
        where it is known by size and tokens;
        ``regret_mean`` and ``regret_upper`` (the 95% quantile, whatever `interval`) are what
        choosing it costs against the best candidate of each draw; ``p_beats_supervised``.
    samples
        What `draws` labels.
    interval
        Probability inside every interval, all of them credible (about the mean curve; in
        `teachers` about that under a certain teacher).
    notes
        Sentences for people: points outside the runs, thinned draws.
    fit
        Verdicts on the fit, ``sampling`` and ``law``.
    """

    shown: ClassVar[Mapping[str, str]] = {"table": "", "teachers": "Candidates, best first"}

    table: pd.DataFrame
    teachers: pd.DataFrame
    samples: Samples
    interval: float
    notes: tuple[str, ...]
    fit: Mapping[str, str] = field(default_factory=lambda: UNKNOWN)

    @cached_property
    def draws(self) -> xr.Dataset:
        """Draws (sample, point) of what the table summarises.

        ``loss``, ``supervised``, ``teacher_loss``, ``optimal_teacher_loss`` and ``excess_loss``, in
        the unit of the runs' loss; ``slope`` (dL_S/dL_T) and ``boundary``. ``sample`` is as in
        `Forecast.draws`.
        """
        return self.samples.dataset(points_of(self.table, SIZES))

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rows = [
            {
                **({"name": name} if isinstance(name := r.get("name"), str) else {}),
                **_point(r),
                "p_stronger_teacher_hurts": r["p_stronger_teacher_hurts"],
                "optimal_teacher_loss": {
                    "mean": r["optimal_teacher_loss_mean"],
                    "lower": r["optimal_teacher_loss_lower"],
                    "upper": r["optimal_teacher_loss_upper"],
                    "p_boundary": r["p_boundary"],
                },
                "excess_loss": {k: r[f"excess_loss_{k}"] for k in ("mean", "lower", "upper")},
                "loss": {k: r[f"loss_{k}"] for k in ("mean", "lower", "upper")},
                "p_beats_supervised": r["p_beats_supervised"],
                "extrapolation": {
                    k: r[k]
                    for k in ("outside", "factor_params", "factor_tokens", "teacher_outside")
                },
                "rests_on": rests_on(r, distilled=True),
            }
            for r in self.table.to_dict("records")
        ]
        teachers = [
            {
                "name": r["name"],
                **_point(r),
                "p_best": r["p_best"],
                "loss": {k: r[f"loss_{k}"] for k in ("mean", "lower", "upper")},
                "regret": {"mean": r["regret_mean"], "upper": r["regret_upper"]},
                "p_beats_supervised": r["p_beats_supervised"],
            }
            for r in self.teachers.to_dict("records")
        ]
        return {
            "interval": self.interval,
            "rows": rows,
            "teachers": teachers,
            "fit": dict(self.fit),
        }


def _point(row: Mapping[Hashable, Any]) -> dict[str, float | None]:
    """A student and its teacher's mean loss, for JSON."""
    sizes = {name: number(row[name]) for name in ("params", "tokens")}
    return sizes | {"teacher_loss": number(row["teacher_loss_mean"])}


def risk(
    posterior: Posterior | str | Path,
    params: Quantity | None = None,
    tokens: Quantity | None = None,
    *,
    teacher_loss: Quantity | None = None,
    teacher_params: Quantity | None = None,
    teacher_tokens: Quantity | None = None,
    at: pd.DataFrame | str | Path | None = None,
    teachers: Teachers | pd.DataFrame | str | Path | None = None,
    strongest: float | None = None,
    inputs: Mapping[str, Any] | None = None,
    draws: int = DRAWS,
    interval: float = 0.9,
    seed: int = 0,
    allow_failed: bool = False,
    progress: Progress | None = None,
    register: str | Path | None = None,
) -> GapRisk:
    """Estimate how likely a teacher is to be too strong for a student (a capacity gap).

    Parameters
    ----------
    posterior, draws, interval, allow_failed
        As in `forecast`; the posterior is of a distillation law.
    params, tokens, teacher_loss, teacher_params, teacher_tokens, at
        Students and their teachers, as in `forecast`. With `teachers` a teacher may be left out:
        then every candidate is judged in its place.
    teachers
        Candidates to rank: a table with ``name`` and ``loss`` (and ``loss_se``) or ``params`` and
        ``tokens``.
    strongest
        Lowest teacher loss that is available; by default the irreducible loss E of each draw.
    inputs
        A value of each other column that the law reads, by name, for all students: what is left out
        is in the middle of the runs.
    seed
        Seed of the measurement error of teachers' losses.
    progress
        Called with (phase, students done, students in all).
    register
        A register that the answer is appended to, as in `forecast`: the loss of a run of each
        student under its teacher.

    Raises
    ------
    InputError, FailedFitError, TypeError
        As `forecast`.
    """
    check_types(
        posterior=(posterior, (Posterior, *SOURCE)),
        at=(at, (pd.DataFrame, *SOURCE, type(None))),
        teachers=(teachers, (Teachers, pd.DataFrame, *SOURCE, type(None))),
        strongest=(strongest, (*NUMBER, type(None))),
        interval=(interval, NUMBER),
        seed=(seed, WHOLE),
        draws=(draws, WHOLE),
        register=(register, (*SOURCE, type(None))),
    )
    faults = seed_faults(seed) + register_faults(register)
    faults += draws_faults(draws)
    points = candidates = None
    with collected(faults):
        points = read_points(
            at, params, tokens, teacher_loss, teacher_params, teacher_tokens, interval
        )
    if teachers is not None:
        with collected(faults):
            candidates = read_teachers(teachers)
    if strongest is not None and (problem := loss_problem(float(strongest))) is not None:
        faults.append(Fault(problem, column="strongest"))
    if points is not None and candidates is None and not points.distilled.all():
        faults.append(
            Fault("is needed (or `teacher_params` and `teacher_tokens`)", column="teacher_loss")
        )
    posterior = at_inputs(load_beside(faults, posterior, allow_failed), inputs)
    assert points is not None
    if not posterior.law.has_teacher:
        raise InputError(
            f"the {posterior.card.name} posterior is of a supervised law and says nothing about "
            "teachers: use a distillation fit"
        )
    check_teachers(posterior, points)
    check_repeats(posterior, points)
    thin = posterior if posterior.n_draws <= draws else posterior.thin(draws)
    students = _students(points)
    ranked = pd.DataFrame()
    if candidates is not None:
        losses = candidates.loss_draws(thin, seed)
        ranked = _rank(thin, students, candidates, seed, interval, progress)
    teacher = points.teacher_draws(thin, seed)
    names = None
    if not points.distilled.all():
        assert candidates is not None
        points, teacher, names = _with_candidates(points, teacher, candidates, losses)
    faults = size_faults(register, len(points))
    if faults:
        raise InputError(faults)
    table, samples = _risk(thin, points, teacher, strongest, interval, progress)
    if names is not None:
        table.insert(0, "name", names)
    if register is not None:
        _register(register, posterior, thin, points, table, samples, interval, seed)
    notes = (
        *posterior.warnings,
        *law_notes(posterior),
        *extrapolation_notes(table),
        *thinning_notes(posterior, thin),
    )
    return GapRisk(table, ranked, samples, interval, notes, fit_verdicts(posterior))


def _register(
    register: str | Path,
    posterior: Posterior,
    thin: Posterior,
    points: Points,
    table: pd.DataFrame,
    samples: Samples,
    interval: float,
    seed: int,
) -> None:
    """Append the risks to a register, with the loss of a run of each student."""
    new_run = thin.new_run(
        samples["loss"],
        np.ones(len(points), bool),
        np.random.default_rng(seed),
        params=points.params,
        effects_seed=seed,
        **points.groups,
    )
    register_answer(
        register,
        "risk",
        posterior,
        table.assign(teacher_loss=table["teacher_loss_mean"]),
        new_run,
        {"draws": thin.n_draws, "interval": interval, "seed": seed},
        table[["p_stronger_teacher_hurts", "p_beats_supervised"]].to_dict("records"),
    )


def _risk(
    posterior: Posterior,
    points: Points,
    teacher: np.ndarray,
    strongest: float | None,
    interval: float,
    progress: Progress | None,
) -> tuple[pd.DataFrame, Samples]:
    loss = posterior.distilled_loss(points.params, points.tokens, teacher)
    slope = loss_slope(posterior, points.params, points.tokens, teacher)
    supervised = posterior.supervised_loss(points.params, points.tokens)
    alone = posterior.of_its_size(supervised, points.params)
    best = _optimum_by_point(posterior, points, strongest, progress)
    losses = {
        "loss": loss,
        "supervised": supervised,
        "teacher_loss": teacher,
        "optimal_teacher_loss": best.teacher_loss,
        "excess_loss": loss - best.student_loss,
    }
    columns = points.columns() | {
        "p_stronger_teacher_hurts": (slope < 0).mean(axis=0),
        "p_boundary": best.boundary.mean(axis=0),
        "p_beats_supervised": (loss < alone).mean(axis=0),
    }
    for quantity, values in losses.items():
        columns |= summary(quantity, values, interval)
    table = pd.DataFrame(columns)
    everywhere = np.ones(len(points), bool)  # a student without a teacher yet will have one
    table = table.join(
        extrapolation(posterior, points, columns["teacher_loss_mean"], distilled=everywhere)
    )
    told = grounds(
        posterior, points.params, points.tokens, columns["teacher_loss_mean"], everywhere
    )
    table = table.assign(**told)
    drawn = losses | {"slope": slope, "boundary": best.boundary}
    return table, Samples(drawn, posterior.chains)


def _students(points: Points) -> np.ndarray:
    """Different students of the points, (students, 2), in the order in which they come."""
    pairs = np.column_stack([points.params, points.tokens])
    _, first = np.unique(pairs, axis=0, return_index=True)
    return pairs[np.sort(first)]


def _optimum_by_point(
    posterior: Posterior, points: Points, strongest: float | None, progress: Progress | None
) -> OptimalTeacher:
    """Optimal teacher of every point, found once per student."""
    pairs = np.column_stack([points.params, points.tokens])
    students, inverse = np.unique(pairs, axis=0, return_inverse=True)
    best = optimal_teacher(posterior, students[:, 0], students[:, 1], strongest, progress)
    where = inverse.reshape(-1)
    return OptimalTeacher(
        best.teacher_loss[:, where], best.student_loss[:, where], best.boundary[:, where]
    )


def _with_candidates(
    points: Points, teacher: np.ndarray, candidates: Teachers, losses: np.ndarray
) -> tuple[Points, np.ndarray, list[str | None]]:
    """Points with a teacher as they are; those without one have every candidate in turn, named.

    `teacher` (draws, points) and `losses` (draws, candidates) are losses of teachers. A student
    that is there twice without a teacher is paired with the candidates once.
    """
    place: list[int] = []  # of the point, and of its teacher among the points' and the candidates
    loss: list[int] = []
    names: list[str | None] = []
    paired: set[tuple[float, float]] = set()
    for at, distilled in enumerate(points.distilled):
        student = (float(points.params[at]), float(points.tokens[at]))
        if distilled:
            place.append(at)
            loss.append(at)
            names.append(None)
        elif student not in paired:
            paired.add(student)
            place += [at] * losses.shape[1]
            loss += range(len(points), len(points) + losses.shape[1])
            names += candidates.names
    draws = np.concatenate([teacher, losses], axis=1)[:, loss]
    stated = (
        (points.teacher_loss, candidates.loss),
        (points.teacher_params, candidates.params),
        (points.teacher_tokens, candidates.tokens),
    )
    expanded = Points(
        points.params[place],
        points.tokens[place],
        *(np.concatenate(pair)[loss] for pair in stated),
    )
    return expanded, draws, names


def _rank(
    posterior: Posterior,
    students: np.ndarray,
    candidates: Teachers,
    seed: int,
    interval: float,
    progress: Progress | None,
) -> pd.DataFrame:
    """Candidates by expected student loss, with what choosing each of them would cost."""
    k = len(candidates)
    losses, effects = candidates.run_losses(posterior, seed), candidates.effects(posterior)
    parts = []
    step = steps(progress, "ranking teachers", len(students))
    for params, tokens in students:
        n, d = np.full(k, params), np.full(k, tokens)
        student = posterior.distilled_loss(n, d, losses) + effects
        supervised = posterior.of_its_size(posterior.supervised_loss(n[:1], d[:1]), n[:1])
        regret = student - student.min(axis=1, keepdims=True)
        best = np.bincount(student.argmin(axis=1), minlength=k) / len(student)
        columns: dict[str, Any] = {
            "name": candidates.names,
            "params": params,
            "tokens": tokens,
            "teacher_loss": candidates.loss,
            "teacher_params": candidates.params,
            "teacher_tokens": candidates.tokens,
            "p_best": best,
        }
        columns |= summary("loss", student, interval)
        columns |= summary("teacher_loss", losses, interval)
        columns |= {
            "regret_mean": regret.mean(axis=0),
            "regret_upper": np.quantile(regret, UPPER_REGRET, axis=0),
            "p_beats_supervised": (student < supervised).mean(axis=0),
        }
        parts.append(pd.DataFrame(columns).sort_values("loss_mean", kind="stable"))
        step()
    return pd.concat(parts, ignore_index=True)
