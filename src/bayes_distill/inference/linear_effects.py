"""Effects that are normal given their scales and change the loss of a run nearly linearly.

They are of two kinds. Of *dense* ones a run may have all: weights of smooth discrepancies, shifts
of student sizes, effects of teachers and of runs. Of *local* ones it has one at most: a supervised
run the offset of its size, a distilled one the effect of its condition. So local ones are
integrated out one by one (`regression`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bayes_distill.inference.model import RUN, Data, ModelSpec, OfRows, mean_loss
from bayes_distill.laws.smooth_discrepancy import STUDENT_SMOOTH
from bayes_distill.posterior.size_offsets import OFFSET

CONDITION, TEACHER = "condition", "teacher"
TYPICAL_EXCESS = 0.1  # of a student over its teacher, over the loss
Values = Mapping[str, Any]


def dense(spec: ModelSpec) -> tuple[str, ...]:
    """Names of dense effects, in the order of the columns of a design; sites are ``NAME_z``."""
    of_groups = (name for name in (TEACHER, RUN) if name in spec.effects)
    return (*spec.smooth, *spec.discrepancies, *of_groups)


def local(spec: ModelSpec) -> tuple[str, ...]:
    """Names of local effects, in the order of their places."""
    conditions = (CONDITION,) if CONDITION in spec.effects else ()
    return (*((OFFSET,) if spec.size_offset else ()), *conditions)


def is_taught(data: Data) -> Any:
    """Runs that have a teacher (rows,)."""
    return (data.teacher_loss == data.teacher_loss) | (data.teacher_params == data.teacher_params)


def typical_effects(spec: ModelSpec, data: Data) -> dict[str, np.ndarray]:
    """`effects_at` at a loss of 1, before anything is known of the law."""
    taught = is_taught(data).astype(float)
    predicted = taught * np.isnan(np.asarray(data.teacher_loss))
    of_rows = {"student": 1 - taught, "teacher": predicted, "excess": TYPICAL_EXCESS * taught}
    of_groups = dict.fromkeys(_of_groups(spec), taught)
    if RUN in spec.effects:
        of_groups[f"{RUN}_effect"] = np.ones_like(taught)
    return of_rows | of_groups


def effects_at(spec: ModelSpec, values: Values, data: Data) -> dict[str, Array]:
    """By how much the loss of every run changes with each of what it may have (rows,).

    Names are those of `OfRows`, of discrepancies of sizes, ``teacher_effect`` and
    ``condition_effect``. `values` are of all sites, with linear effects set to zero
    (`without_effects`).
    """
    zero = jnp.zeros_like(data.loss)
    none = OfRows(zero, zero, zero)

    def change(function: Callable[[Any], Array], at: Any, to: Any) -> Array:
        found: Array = jax.jvp(function, (at,), (to,))[1]
        return found

    found = {}
    for part in OfRows._fields:
        one = none._replace(**{part: jnp.ones_like(zero)})
        found[part] = change(lambda rows: mean_loss(spec, dict(values), data, rows), none, one)
    for name in _of_groups(spec):
        own = jnp.asarray(values[name])

        def loss(group: Array, name: str = name) -> Array:
            return mean_loss(spec, {**values, name: group}, data, none)

        # a run has the entry of its group alone, so that one direction gives that of all runs
        found[name] = change(loss, own, jnp.ones_like(own))
    return found


def _of_groups(spec: ModelSpec) -> tuple[str, ...]:
    """What runs of a group share, by the names of its values."""
    return (*spec.discrepancies, *(f"{name}_effect" for name in spec.effects))


def without_effects(spec: ModelSpec, sites: Mapping[str, Array]) -> dict[str, Array]:
    """Unconstrained sites with all linear effects set to zero."""
    own = [f"{name}_z" for name in (*dense(spec), *local(spec))]
    return {**sites, **{name: jnp.zeros_like(sites[name]) for name in own}}


def design(
    spec: ModelSpec, effects: Mapping[str, np.ndarray], data: Data, hyper: Mapping[str, Any]
) -> np.ndarray:
    """Change of every loss with every dense effect (rows, effects), by `effects_at`."""
    groups, columns = hyper["groups"], []
    for name in dense(spec):
        if name == STUDENT_SMOOTH:
            rows = effects["excess"][:, None] * np.asarray(data.smooth[name])
        elif name in spec.smooth:
            rows = effects["student"][:, None] * np.asarray(data.smooth[name])
            rows = rows + effects["teacher"][:, None] * np.asarray(data.teacher_smooth[name])
        elif name in (TEACHER, RUN):
            of_groups = np.diag(np.asarray(groups[name]))
            mine = np.asarray(getattr(data, name))
            rows = effects[f"{name}_effect"][:, None] * of_groups[mine]
        else:
            rows = effects[name][:, None] * np.asarray(groups[name])[np.asarray(data.size)]
        columns.append(rows if name in spec.smooth else _unit(hyper, name) * rows)
    return np.concatenate(columns, axis=1)


def places(
    spec: ModelSpec, effects: Mapping[str, np.ndarray], data: Data, hyper: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Place of the local effect of every run (rows,), its effect there, and number of places."""
    place, effect = np.zeros(len(data.mask), int), np.zeros(len(data.mask))
    begun = 0
    for name in local(spec):
        exists = np.asarray(hyper["groups"][name])
        if name == OFFSET:
            has = np.asarray(data.has_offset) > 0
            group, change = np.asarray(data.offset_size), effects["student"]
        else:
            has, group = is_taught(data), np.asarray(data.condition)
            change = effects[f"{name}_effect"] * exists[group] * _unit(hyper, name)
        place = np.where(has, begun + group, place)
        effect = np.where(has, change, effect)
        begun += len(exists)
    return place, effect, begun


def precisions(
    spec: ModelSpec, names: tuple[str, ...], scales: Mapping[str, Array], hyper: Mapping[str, Any]
) -> Array:
    """Precisions of the priors on the sites of these effects, at their scales; all in one row.

    A group that is padding has a standard normal prior.
    """
    return jnp.concatenate(list(_precisions(spec, names, scales, hyper)) or [jnp.zeros(0)])


def _precisions(
    spec: ModelSpec, names: tuple[str, ...], scales: Mapping[str, Array], hyper: Mapping[str, Any]
) -> Iterator[Array]:
    groups = hyper["groups"]
    for name in names:
        own = scales[f"{name}_sd"] ** -2
        if name in spec.smooth:
            yield jnp.full(groups[f"{name}_directions"].shape[1], own)
        elif name == OFFSET:
            yield jnp.where(groups[OFFSET] == 1, own, 1.0)
        else:
            exists = groups["size" if name in spec.discrepancies else name]
            yield jnp.where(exists == 1, own * jnp.exp(2 * hyper[f"{name}_sd"][0]), 1.0)


def _unit(hyper: Mapping[str, Any], name: str) -> float:
    """Unit of the site of an effect that runs of a group share: the median of its scale."""
    return float(np.exp(np.asarray(hyper[f"{name}_sd"][0])))
