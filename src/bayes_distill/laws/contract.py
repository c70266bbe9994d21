"""The contract of a law, checked on numbers: for laws of other packages and for those that ship."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bayes_distill.laws.base import Law, Reference, TeacherLaw

REFERENCE = Reference(params=5e8, tokens=1.5e10, loss=2.4)
UNIT = Reference(1.0, 1.0, 1.0)
TYPICAL = {"positive": 0.3, "unit": 0.4, "real": 0.0}
POINTS, DRAWS = 7, 64
SPREAD = 0.3  # of draws around the typical point, of logs, log odds or numbers
EXACT, NEAR = 1e-9, 1e-4
STEP = 1e-5

Values = dict[str, Any]


def check_law(
    law: Law,
    *,
    coordinates: Mapping[str, float] | None = None,
    may_rise: Iterable[str] = (),
    seed: int = 0,
) -> None:
    """Hold a law against what every law promises.

    Declarations go together; losses are finite, positive and float64, near a typical point and in
    draws around it; arguments broadcast; sizes may count from the reference; gradients are those
    of the function; coordinates and coefficients convert there and back; more parameters or tokens
    do no harm, and no loss is below the irreducible one. A law with a teacher is asked for
    distilled losses too.

    Parameters
    ----------
    law
        The law. Reads each of its `extra_inputs` at its default, or else in the middle of the runs.
    coordinates
        A typical point of the law; what is left out is 0.3 where positive, 0.4 where between 0 and
        1, and 0 elsewhere.
    may_rise
        Of ``params`` and ``tokens`` those with which the loss may rise.
    seed
        Seed of the draws.

    Raises
    ------
    AssertionError
        Naming everything that does not hold.
    """
    faults = [*_declaration(law)]
    if not faults:
        faults = [*_Numbers(law, coordinates or {}, seed).faults(set(may_rise))]
    if faults:
        raise AssertionError(f"{type(law).__name__}: " + "; ".join(faults))


def _declaration(law: Law) -> Iterator[str]:
    if not isinstance(getattr(law, "name", None), str) or not law.name:
        yield "it has no name"
    if not dataclasses.is_dataclass(law):
        yield "it is no dataclass: decorate the class with @dataclass(frozen=True)"
    try:
        if hash(law) != hash(dataclasses.replace(law)) or law != dataclasses.replace(law):
            yield "two of it are not equal"
    except TypeError as error:
        yield f"it cannot be hashed: {error}"
    for what, names in (
        ("coordinates", law.coordinate_names),
        ("coefficients", law.coefficient_names),
        ("inputs", tuple(each.name for each in law.inputs)),
    ):
        if len(set(names)) < len(names):
            yield f"two of its {what} have one name"
        if what != "inputs" and not names:
            yield f"it declares no {what}"
    known = set(law.coordinate_names)
    for bracket in law.brackets:
        strange = {n for n in dataclasses.astuple(bracket) if n is not None} - known
        if strange:
            yield f"a bracket names {', '.join(sorted(strange))}, which it does not declare"
    strange = {n for group in law.trade_offs for n in group} - set(law.coefficient_names)
    if strange:
        yield f"trade_offs name {', '.join(sorted(strange))}, which it does not declare"
    for each in law.inputs:
        if not each.least < each.most:
            yield f"the range of {each.name} is empty"
        if each.default is not None and each.problem(each.default) is not None:
            yield f"the default of {each.name} is out of its range"


class _Numbers:
    """Losses of a law at a few points, and what is wrong with them.

    Rows of coordinates are the typical point, `DRAWS` draws around it, and one step along each
    coordinate to either side; points are `POINTS` of many sizes, and as many along each of size and
    tokens. All pairs are one compiled program.
    """

    def __init__(self, law: Law, typical: Mapping[str, float], seed: int) -> None:
        self.law = law
        self.reference = law.own_reference or REFERENCE
        supports = {c.name: c.support for c in law.coordinates}
        self.at = {n: float(typical.get(n, TYPICAL[s])) for n, s in supports.items()}
        generator = np.random.default_rng(seed)
        self.draws = {
            name: _moved(self.at[name], support, SPREAD * generator.standard_normal(DRAWS))
            for name, support in supports.items()
        }
        middle = np.array(list(self.at.values()))
        self.steps = STEP * np.maximum(1.0, np.abs(middle))
        moved = np.concatenate([middle + np.diag(self.steps), middle - np.diag(self.steps)])
        self.rows = {
            name: np.concatenate([[self.at[name]], self.draws[name], moved[:, i]])
            for i, name in enumerate(self.at)
        }
        factors, same = np.geomspace(0.03, 30.0, POINTS), np.ones(POINTS)
        self.params = self.reference.params * np.concatenate([factors, factors, same])
        self.tokens = self.reference.tokens * np.concatenate([factors[::-1], same, factors])

    def faults(self, may_rise: set[str]) -> Iterator[str]:
        """Everything that does not hold."""
        losses = yield from self._values("losses", self._supervised)
        if isinstance(self.law, TeacherLaw):
            yield from self._values("distilled losses", self._distilled)
        if losses is not None:
            yield from self._relative(losses[0])
            yield from self._gradients(losses)
            yield from self._directions(losses[0], may_rise)
        yield from self._conversions()

    def _supervised(self, at: Values, params: Any, tokens: Any) -> Any:
        return self.law.supervised_loss(at, params, tokens, self.reference)

    def _distilled(self, at: Values, params: Any, tokens: Any) -> Any:
        assert isinstance(self.law, TeacherLaw)
        teacher = 0.9 * self.reference.loss
        return self.law.distilled_loss(at, params, tokens, teacher, self.reference)

    def _values(
        self, what: str, function: Callable[..., Any]
    ) -> Generator[str, None, np.ndarray | None]:
        columns = {name: value[:, None] for name, value in self.rows.items()}
        compiled = jax.jit(function)
        found = compiled(columns, self.params, self.tokens)
        if found.dtype != jnp.float64:
            yield f"{what} are {found.dtype}, not float64"
        many, shape = np.asarray(found), (len(next(iter(self.rows.values()))), len(self.params))
        if many.shape != shape:
            yield f"{what} of {shape[0]} draws at {shape[1]} points have the shape {many.shape}"
            return None
        if not np.isfinite(many).all():
            count = int((~np.isfinite(many)).sum())
            yield f"{what} are not finite in {count} of {many.size} cases"
        elif not (many > 0).all():
            yield f"{what} are not above zero"
        one = {name: value[3] for name, value in self.rows.items()}
        alone = np.asarray(compiled(one, self.params[2], self.tokens[2]))
        if alone.shape != () or not np.isclose(alone, many[3, 2], rtol=EXACT):
            yield f"{what} of one draw at one point are not those of many"
        return many

    def _relative(self, curve: np.ndarray) -> Iterator[str]:
        n, d = self.params / self.reference.params, self.tokens / self.reference.tokens
        relative = jax.jit(lambda at: self.law.supervised_loss(at, n, d, UNIT))(self.at)
        if not np.allclose(relative * self.reference.loss, curve, rtol=1e-7):
            yield "losses differ where sizes and losses are stated in units of the reference"

    def _gradients(self, losses: np.ndarray) -> Iterator[str]:
        def total(at: Values) -> Any:
            return jnp.log(self._supervised(at, self.params, self.tokens)).sum()

        slopes = jax.jit(jax.grad(total))({n: jnp.asarray(v) for n, v in self.at.items()})
        with np.errstate(invalid="ignore"):
            totals = np.log(losses[1 + DRAWS :]).sum(axis=1)
        ups, downs = np.split(totals, 2)
        for name, up, down, step in zip(self.at, ups, downs, self.steps, strict=True):
            own, other = float(slopes[name]), float((up - down) / (2 * step))
            if not np.isfinite(own):
                yield f"the gradient along {name} is {own}"
            elif abs(own - other) > NEAR * (1 + abs(other)):
                yield f"the gradient along {name} is {own:.6g}, and differences say {other:.6g}"

    def _conversions(self) -> Iterator[str]:
        there = jax.jit(lambda at: self.law.to_published(at, self.reference))(self.draws)
        if set(there) != set(self.law.coefficient_names):
            yield f"to_published gives {', '.join(sorted(there))}, and not its coefficients"
            return
        back = jax.jit(lambda found: self.law.from_published(found, self.reference))(there)
        if set(back) != set(self.at):
            yield f"from_published gives {', '.join(sorted(back))}, and not its coordinates"
            return
        for name, value in self.draws.items():
            if not np.allclose(back[name], value, rtol=1e-6, atol=1e-9):
                yield f"{name} is another after to_published and from_published"

    def _directions(self, curve: np.ndarray, may_rise: set[str]) -> Iterator[str]:
        floor = float(jax.jit(lambda at: self.law.irreducible_loss(at, self.reference))(self.at))
        for name, part in zip(("params", "tokens"), np.split(curve, 3)[1:], strict=True):
            if name not in may_rise and (np.diff(part) > EXACT * part[1:]).any():
                yield f"the loss rises with {name}: if it may, say so (may_rise)"
        if not may_rise and (curve < floor * (1 - EXACT)).any():
            yield f"a loss is below the irreducible one, {floor:.4g}"


def _moved(value: float, support: str, by: np.ndarray) -> np.ndarray:
    if support == "positive":
        return np.asarray(value * np.exp(by))
    if support == "unit":
        odds = value / (1 - value) * np.exp(by)
        return np.asarray(odds / (1 + odds))
    return np.asarray(value + by)
