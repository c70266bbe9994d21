"""A stack of laws: every draw follows one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from bayes_distill.laws.base import (
    Coefficient,
    Coefficients,
    Coordinate,
    Coordinates,
    Inputs,
    Law,
    Reference,
    TeacherLaw,
)
from bayes_distill.laws.discrepancy import NAMES
from bayes_distill.laws.inputs import Input, Label
from bayes_distill.laws.published import PublishedValues
from bayes_distill.laws.smooth_discrepancy import LOG_DISCREPANCY, SMOOTH, STUDENT_SMOOTH

STACKED = "stacked"
MEMBER = "member"


@dataclass(frozen=True)
class Stacked(Law):
    """Mixture of laws, draw by draw.

    ``L = L_m`` with m the coordinate ``member``, the position of the law that the draw follows.
    Coordinates are those of all members, prefixed with their position (``0:floor``); a draw uses
    its own member's, and the others must only be harmless numbers. That is how predictive
    distributions are stacked (Yao et al. 2018): a share of the draws from each, not an average
    within a draw.

    Parameters
    ----------
    members
        The laws, all of which count from one reference point.
    """

    members: tuple[Law, ...]

    name: ClassVar[str] = STACKED

    @property
    def title(self) -> str:  # type: ignore[override]
        """One of the laws, by name."""
        return "one of: " + ", ".join(member.name for member in self.members)

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:  # type: ignore[override]
        """Those of every member, prefixed, and `member`."""
        return (
            *(
                Coordinate(prefixed(i, c.name), c.support, f"{c.meaning} ({member.name})")
                for i, member in enumerate(self.members)
                for c in member.coordinates
            ),
            Coordinate(MEMBER, "real", "position of the law that the draw follows, from 0"),
        )

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:  # type: ignore[override]
        """Those that all members have."""
        common = set.intersection(*(set(member.coefficient_names) for member in self.members))
        return tuple(c for c in self.members[0].coefficients if c.name in common)

    @property
    def published_values(self) -> PublishedValues | None:  # type: ignore[override]
        """Those of the members, if all have the same."""
        first, *others = (member.published_values for member in self.members)
        return first if all(other is first for other in others) else None

    @property
    def trade_offs(self) -> tuple[tuple[str, ...], ...]:  # type: ignore[override]
        """Those of the first member whose coefficients in them all members have."""
        common = set(self.coefficient_names)
        each = [member.trade_offs for member in self.members]
        return next((groups for groups in each if groups and set().union(*groups) <= common), ())

    @property
    def inputs(self) -> tuple[Input, ...]:  # type: ignore[override]
        """Columns that any member reads; of two of one name the first."""
        found = {each.name: each for member in self.members[::-1] for each in member.inputs}
        return tuple(found.values())

    @property
    def labels(self) -> tuple[Label, ...]:  # type: ignore[override]
        """Columns of names that any member reads; of two of one name the first."""
        found = {each.name: each for member in self.members[::-1] for each in member.labels}
        return tuple(found.values())

    @property
    def middle_of_inputs(self) -> dict[str, float]:
        """Those of the members; of two of one name the first."""
        return {k: v for m in self.members[::-1] for k, v in m.middle_of_inputs.items()}

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        """Which of size and tokens any member reads."""
        needed = set().union(*(member.needs for member in self.members))
        return tuple(name for name in ("params", "tokens") if name in needed)

    @property
    def counts(self) -> str:  # type: ignore[override]
        """What the members count; those of a stack count the same."""
        return self.members[0].counts

    @property
    def knows_repeats(self) -> bool:  # type: ignore[override]
        """Whether any member tells a repeated token from a new one."""
        return any(member.knows_repeats for member in self.members)

    def log_supervised_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        reference: Reference,
        unique_tokens: ArrayLike | None = None,
        *,
        inputs: Inputs | None = None,
    ) -> Array:
        """Log of L(N, D) by each draw's own law, in the unit of ``reference.loss``."""
        each = [
            member.log_supervised_loss(own, params, tokens, reference, unique_tokens, inputs=inputs)
            if member.inputs
            else member.log_supervised_loss(own, params, tokens, reference, unique_tokens)
            for member, own in self._members_with(coordinates)
        ]
        return self._select(coordinates, each)

    def irreducible_loss(self, coordinates: Coordinates, reference: Reference) -> Array:
        """Loss E by each draw's own law, in the unit of ``reference.loss``."""
        each = [
            member.irreducible_loss(own, reference)
            for member, own in self._members_with(coordinates)
        ]
        return self._select(coordinates, each)

    def to_published(self, coordinates: Coordinates, reference: Reference) -> Coefficients:
        """Coefficients that all members have, each by the draw's own law."""
        each = [
            member.to_published(own, reference) for member, own in self._members_with(coordinates)
        ]
        return {
            name: self._select(coordinates, [found[name] for found in each])
            for name in self.coefficient_names
        }

    def from_published(
        self, coefficients: Mapping[str, ArrayLike], reference: Reference
    ) -> Coefficients:
        """Not to be had: published coefficients do not say which law they are of.

        Raises
        ------
        TypeError
            Always.
        """
        del coefficients, reference
        raise TypeError("a stack of laws has no published form: convert with one of its members")

    def _members_with(self, coordinates: Coordinates) -> Iterator[tuple[Law, dict[str, ArrayLike]]]:
        """Each member with its own coordinates."""
        for place, member in enumerate(self.members):
            yield member, self._own(place, coordinates)

    def _own(self, place: int, coordinates: Coordinates) -> dict[str, ArrayLike]:
        """Coordinates of one member, with the student's discrepancies if there are any."""
        names = self.members[place].coordinate_names
        own = {name: coordinates[prefixed(place, name)] for name in names}
        shared = (*NAMES, SMOOTH, STUDENT_SMOOTH, LOG_DISCREPANCY)
        return own | {name: coordinates[name] for name in shared if name in coordinates}

    def _select(self, coordinates: Coordinates, values: Sequence[Array]) -> Array:
        """The value of each draw's own member."""
        member, found = jnp.asarray(coordinates[MEMBER]), values[0]
        if len(values) == 1:
            return found
        for i, value in enumerate(values[1:], start=1):
            found = jnp.where(member == i, value, found)
        return found


@dataclass(frozen=True)
class StackedTeacher(Stacked, TeacherLaw):
    """Stack of laws that all say what a teacher does to a student."""

    def log_excess_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        teacher_loss: ArrayLike,
        reference: Reference,
    ) -> Array:
        """Log of the student's loss above its teacher's, by each draw's own law."""
        each = [
            member.log_excess_loss(own, params, tokens, teacher_loss, reference)
            for member, own in self._teachers_with(coordinates)
        ]
        return self._select(coordinates, each)

    def distilled_loss(
        self,
        coordinates: Coordinates,
        params: ArrayLike,
        tokens: ArrayLike,
        teacher_loss: ArrayLike,
        reference: Reference,
        *,
        inputs: Inputs | None = None,
    ) -> Array:
        """Loss of a distilled student, by each draw's own law."""
        point = (params, tokens, teacher_loss, reference)
        if not self.extra_inputs:
            return super().distilled_loss(coordinates, *point)
        each = [
            member.distilled_loss(own, params, tokens, teacher_loss, reference, inputs=inputs)
            if member.inputs
            else member.distilled_loss(own, *point)
            for member, own in self._teachers_with(coordinates)
        ]
        return self._select(coordinates, each)

    def gain(self, coordinates: Coordinates, excess: Array) -> Array | None:
        """By how much a student beats the excess, by each draw's own law."""
        each = [member.gain(own, excess) for member, own in self._teachers_with(coordinates)]
        if all(gain is None for gain in each):
            return None
        nothing = jnp.zeros_like(excess)
        return self._select(coordinates, [nothing if gain is None else gain for gain in each])

    def _teachers_with(
        self, coordinates: Coordinates
    ) -> Iterator[tuple[TeacherLaw, dict[str, ArrayLike]]]:
        for member, own in self._members_with(coordinates):
            if isinstance(member, TeacherLaw):
                yield member, own


def stack_laws(members: Sequence[Law]) -> Stacked:
    """Stack of laws; it knows teachers if all of them do."""
    kind = StackedTeacher if all(member.has_teacher for member in members) else Stacked
    return kind(tuple(members))


def prefixed(place: int, name: str) -> str:
    """Name of a member's coordinate in the stack: ``0:floor``."""
    return f"{place}:{name}"
