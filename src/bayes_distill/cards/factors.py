"""Settings of factors: effects of columns on terms of a law that ships or is installed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from bayes_distill.cards.inputs import Value
from bayes_distill.cards.settings import Settings
from bayes_distill.errors import Fault
from bayes_distill.laws import Law
from bayes_distill.laws.factors import Factor, Form, Term, terms_of
from bayes_distill.laws.inputs import OF_RUNS, Input, Label

OF_EVERY_TABLE = {*OF_RUNS, "teacher_loss", "teacher_loss_se", "teacher_params", "teacher_tokens"}
Level = Annotated[str, Field(min_length=1, max_length=200)]


class FactorSettings(Settings):
    """One table ``[factors.NAME]``: the effect of a column on a term of the law.

    `term` is what the effect multiplies by its exponential: ``floor``, ``parameters``, ``tokens``
    or, of a law of distilled students, ``excess``. `form` is how the column x acts: ``log-linear``
    k (x - x0), ``power`` k log(x / x0), ``categorical`` one number a level but the first. `sd` is
    that of the prior of each such number, which is normal around 0, no effect.

    `column` is the column's name, by default that of the factor, `aliases` others. `reference` is
    x0, by default the median of the runs; `levels` are the levels, the one without an effect
    first, by default those of the runs, the most frequent one first: a fit stores both. `default`
    is the value of runs and points that state none; without it every run must state one, and points
    that do not are at x0, or of the first level. `range`, `unit` and `meaning` are as of an input.
    """

    term: Term
    form: Form
    sd: Annotated[float, Field(ge=1e-9, le=1e9)]
    column: Annotated[str, Field(pattern=r"^[^/=,]+$", max_length=200)] | None = None
    aliases: tuple[str, ...] = ()
    unit: str = ""
    meaning: str = ""
    default: Value | Level | None = None
    range: tuple[Value, Value] | None = None
    reference: Value | None = None
    levels: tuple[Level, ...] = ()

    @model_validator(mode="after")
    def _of_its_form(self) -> FactorSettings:
        categorical = self.form == "categorical"
        wrong = {
            "levels": self.levels and not categorical,
            "reference": self.reference is not None and categorical,
            "range": self.range is not None and categorical,
        }
        if stated := [name for name, is_wrong in wrong.items() if is_wrong]:
            raise ValueError(f"a factor that is {self.form} has no {', '.join(stated)}")
        if self.default is not None and isinstance(self.default, str) != categorical:
            kind = "the name of a level" if categorical else "a number"
            raise ValueError(f"its default is {self.default!r}, and must be {kind}")
        if len(set(self.levels)) < len(self.levels) or len(self.levels) == 1:
            raise ValueError("its levels are not two or more different ones")
        if self.levels and self.default is not None and self.default not in self.levels:
            raise ValueError(f"its default {self.default!r} is none of its levels")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("its range is not a lowest and a highest value")
        if (
            self.range is not None
            and isinstance(self.default, float)
            and not self.range[0] <= self.default <= self.range[1]
        ):
            raise ValueError(f"its default {self.default:g} is not inside its range")
        if self.form == "power":
            above = [("reference", self.reference), ("default", self.default)]
            above += [("range", None if self.range is None else self.range[0])]
            for name, value in above:
                if value is not None and not isinstance(value, str) and value <= 0:
                    raise ValueError(f"its {name} must be above zero, for it has a logarithm")
        return self

    def named(self, name: str) -> Factor:
        """The factor that a law has."""
        column = self.column or name
        every_run = self.default is None
        read: Input | Label
        if self.form == "categorical":
            default = self.default if isinstance(self.default, str) else None
            read = Label(column, self.aliases, self.meaning, self.levels, default, every_run)
        else:
            number = self.default if isinstance(self.default, float) else self.reference
            low = 0.0 if self.form == "power" else -math.inf
            least, most = self.range or (low, math.inf)
            read = Input(
                column, self.aliases, self.unit, self.meaning, number, least, most, every_run
            )
        return Factor(name, self.term, self.form, read, self.reference)


def factor_faults(law: Law, factors: Mapping[str, Any], points: bool) -> list[Fault]:
    """What does not go with a law; `points` says that the card states coefficients."""
    if points:
        fitted = "a card with coefficients is not fitted, and its law has no factors"
        return [Fault(fitted, column="factors")]
    terms = terms_of(law)
    faults = []
    for name, each in factors.items():
        column = each.column or name
        if any(sign in name for sign in "/=()[],"):
            faults.append(Fault("has a name with one of / = ( ) [ ] ,", column=f"factors.{name}"))
        if column.casefold() in OF_EVERY_TABLE:
            taken = f"{column} is a column that laws read: a factor is of another"
            faults.append(Fault(taken, column=f"factors.{name}.column"))
        if each.term not in terms:
            has = f"the {law.name} law has no {each.term} term"
            of = f" (it has {', '.join(terms)})" if terms else " that it declares"
            faults.append(Fault(has + of, column=f"factors.{name}.term"))
    return faults
