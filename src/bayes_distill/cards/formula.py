"""The law of a card that states a formula, and what is wrong with such a card."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bayes_distill._input.expressions import ExpressionError
from bayes_distill._input.suggestions import did_you_mean
from bayes_distill.cards.inputs import InputSettings
from bayes_distill.cards.priors import FAMILIES
from bayes_distill.errors import Fault
from bayes_distill.laws.base import Support
from bayes_distill.laws.formula import TERM, FormulaLaw
from bayes_distill.laws.formula_text import names_in, parse_formula
from bayes_distill.laws.inputs import OF_RUNS, Input

TAKEN = re.compile(r"(supervised_)?scale|member|supervised_z|.*_(z|sd|error|effect|new|key)")
"""Names that the model gives to other things that it samples."""


def formula_law(
    formula: str,
    families: Mapping[str, str],
    coefficients: Iterable[str] | None,
    inputs: Iterable[Input] = (),
    centre: tuple[tuple[str, float], ...] = (),
    counts: str = "non-embedding",
) -> FormulaLaw:
    """The law of a sound card; `families` are those of its priors."""
    supports: list[tuple[str, Support]] = [(name, "positive") for name in coefficients or ()]
    supports += [(n, FAMILIES[f].support) for n, f in families.items() if f in FAMILIES]
    return FormulaLaw(formula, tuple(supports), tuple(inputs), centre, counts)


def formula_faults(
    formula: str,
    families: Mapping[str, str],
    coefficients: list[str] | None,
    inputs: Iterable[str],
) -> list[Fault]:
    """Faults of a formula, of the names of its priors or coefficients, and of its columns."""
    try:
        names = names_in(parse_formula(formula))
    except ExpressionError as error:
        return [Fault(str(error), column="formula")]
    faults = []
    if "loss" in names:
        faults.append(Fault("it is of the loss, and so cannot hold it", column="formula"))
    stated = list(families) if coefficients is None else coefficients
    table = "priors" if coefficients is None else "coefficients"
    terms = {term.name for term in formula_law(formula, families, coefficients).scale_terms}
    for name in stated:
        own = name.removesuffix(TERM)
        column = f"{table}.{name}"
        if name in OF_RUNS or name in inputs:
            faults.append(Fault("is a column of the table, and no coefficient", column=column))
        elif TAKEN.fullmatch(name):
            faults.append(Fault("is a name that the model uses: choose another", column=column))
        elif name not in names and own not in names:
            hint = did_you_mean(name, names, f"it holds {', '.join(names)}", what="its names")
            faults.append(Fault(f"the formula holds no {name} ({hint})", column=column))
        elif name not in names and own in stated:
            faults.append(Fault(f"there is a prior of {own} too: state one", column=column))
        elif name not in names and own not in terms:
            told = f"{own} is not a positive scale of a term: state a prior of {own} itself"
            faults.append(Fault(told, column=column))
    coefs = {name.removesuffix(TERM) if name not in names else name for name in stated}
    if not coefs & set(names):
        faults.append(Fault("missing: the formula has no coefficient", column=table))
    for name in inputs:
        if name not in names and name not in OF_RUNS:
            faults.append(Fault(f"the formula holds no {name}", column=f"inputs.{name}"))
    return faults


def centre_of(
    reference: Mapping[str, float | None], inputs: Mapping[str, InputSettings]
) -> tuple[tuple[str, float], ...]:
    """The reference point of a card, as far as it states it."""
    stated = [*reference.items(), *((name, each.reference) for name, each in inputs.items())]
    return tuple((name, float(value)) for name, value in stated if value is not None)
