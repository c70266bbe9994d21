"""Laws evaluated over many draws and points, in compiled chunks of fixed shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jax import Array

from bayes_distill._runtime.traced_cache import Stored
from bayes_distill.laws import Law, Reference, TeacherLaw
from bayes_distill.laws.smooth_discrepancy import (
    LOG_DISCREPANCY,
    SMOOTH,
    STUDENT_SMOOTH,
    basis,
)

UNIT = Reference(1.0, 1.0, 1.0)
CHUNK = 2**21  # draws times points in one program: 16 MB an array
LEAST, NARROW = 2**13, 64
"""Draws times points, and points, below which a smaller program is no faster, only one more."""
Draws = Mapping[str, np.ndarray]


@Stored
def _losses(
    law: Law,
    c: dict[str, Array],
    discrepancies: dict[str, Array],
    teacher: Array | None,
    params: Array,
    tokens: Array,
    *further: Array,
) -> Array:
    """Losses (draws, points) under teachers, or of supervised training where `teacher` is None.

    `further` are the unique tokens, for a law that knows of repeats or has inputs, and these.
    Under teachers they are the inputs alone.
    """
    columns = {name: value[:, None] for name, value in c.items()} | discrepancies
    if teacher is None:
        if law.extra_inputs:
            inputs = _by_name(law, further[1:])
            return law.supervised_loss(columns, params, tokens, UNIT, further[0], inputs=inputs)
        return law.supervised_loss(columns, params, tokens, UNIT, *further)
    assert isinstance(law, TeacherLaw)
    own = {"inputs": _by_name(law, further)} if further else {}
    return law.distilled_loss(columns, params, tokens, teacher, UNIT, **own)


def _by_name(law: Law, columns: tuple[Array, ...]) -> dict[str, Array]:
    return dict(zip((each.name for each in law.extra_inputs), columns, strict=True))


def supervised_loss(
    law: Law,
    draws: Draws,
    params: np.ndarray,
    tokens: np.ndarray,
    reference: Reference,
    unique_tokens: np.ndarray | None = None,
    inputs: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """Supervised loss (draws, points) of models (points,), in the unit of ``reference.loss``.

    `draws` holds the law's coordinates (draws,) and, where it has one, the weights of its smooth
    discrepancy (draws, weights).

    `unique_tokens` (points,) is the number of different tokens; NaN stands for all of them.
    `inputs` (points,) are the columns of `Law.extra_inputs`.
    """
    coordinates = _coordinates(law, draws)
    out = np.empty((_count(coordinates), len(params)))
    sizes = [params / reference.params, tokens / reference.tokens]
    own = _log_discrepancy(draws, *sizes)
    if law.extra_inputs and unique_tokens is None:
        unique_tokens = np.full(len(params), np.nan)
    if unique_tokens is not None and (law.knows_repeats or law.extra_inputs):
        unique = np.where(np.isnan(unique_tokens), tokens, unique_tokens)
        sizes.append(unique / reference.tokens)
    sizes += _inputs(law, inputs, np.shape(params))
    count = len(sizes)
    for piece, columns in _pieces(len(out), *sizes, *own.values()):
        of_piece: Any = dict(zip(own, columns[count:], strict=True))
        (losses,) = _losses((law,), coordinates, of_piece, None, *columns[:count])
        out[:, piece] = np.asarray(losses)[:, : piece.stop - piece.start]
    return out * reference.loss


def distilled_loss(
    law: Law,
    draws: Draws,
    params: np.ndarray,
    tokens: np.ndarray,
    teacher_loss: np.ndarray,
    reference: Reference,
    discrepancies: Mapping[str, np.ndarray] | None = None,
    inputs: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """Distilled loss (draws, points) of students (points,).

    `teacher_loss` is (points,), or (draws, points) where it is itself uncertain. `discrepancies`
    are those of the students, name -> (draws, points), in units of the reference loss. `inputs`
    (points,) are the students' columns of `Law.extra_inputs`.
    """
    if not isinstance(law, TeacherLaw):
        raise TypeError(f"the {law.name} law says nothing about teachers")
    coordinates = _coordinates(law, draws)
    out = np.empty((_count(coordinates), len(params)))
    teacher = np.atleast_2d(teacher_loss) / reference.loss
    sizes = params / reference.params, tokens / reference.tokens
    given = {**(discrepancies or {}), **_log_discrepancy(draws, *sizes)}
    further = _inputs(law, inputs, np.shape(params))
    count = len(further)
    for piece, (n, d, t, *each) in _pieces(len(out), *sizes, teacher, *further, *given.values()):
        own: Any = dict(zip(given, each[count:], strict=True))
        (losses,) = _losses((law,), coordinates, own, t, n, d, *each[:count])
        out[:, piece] = np.asarray(losses)[:, : piece.stop - piece.start]
    return out * reference.loss


def _inputs(
    law: Law, inputs: Mapping[str, np.ndarray] | None, shape: tuple[int, ...]
) -> list[np.ndarray]:
    """Columns of `Law.extra_inputs`, in their order; those that are not stated in the middle."""
    stated = inputs or {}
    middle = law.middle_of_inputs
    return [
        np.broadcast_to(np.asarray(stated.get(each.name, middle[each.name]), float), shape)
        for each in law.extra_inputs
    ]


def _coordinates(law: Law, draws: Draws) -> dict[str, Array]:
    """The law's coordinates (draws,), and the weights of students' discrepancies (draws, k)."""
    names = [*law.coordinate_names, *({STUDENT_SMOOTH} & set(draws))]
    return {name: np.asarray(draws[name]) for name in names}  # type: ignore[misc]


def _log_discrepancy(draws: Draws, params: np.ndarray, tokens: np.ndarray) -> dict[str, np.ndarray]:
    """Smooth discrepancy of supervised training (draws, points), one product for all draws.

    `params` and `tokens` (points,) count from the reference.
    """
    if SMOOTH not in draws:
        return {}
    return {LOG_DISCREPANCY: draws[SMOOTH] @ np.asarray(basis(np.log(params), np.log(tokens))).T}


def _count(coordinates: Mapping[str, Array]) -> int:
    return len(next(iter(coordinates.values())))


def _pieces(draws: int, *columns: np.ndarray) -> Iterator[tuple[slice, tuple[np.ndarray, ...]]]:
    """Cut the points into pieces padded to powers of two, so that few programs serve all."""
    points = columns[0].shape[-1]
    least = min(NARROW, 1 << max(0, (LEAST // max(1, draws)).bit_length() - 1))
    most = max(1, 2 ** int(np.log2(max(1, CHUNK // max(1, draws)))))
    for start in range(0, points, most):
        stop = min(start + most, points)
        width = max(least, 1 << (stop - start - 1).bit_length())
        pad = width - (stop - start)
        yield (
            slice(start, stop),
            tuple(
                np.concatenate(
                    [c[..., start:stop], np.repeat(c[..., stop - 1 : stop], pad, -1)], -1
                )
                for c in columns
            ),
        )
